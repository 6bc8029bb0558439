package hostconf

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"sync/atomic"
	"time"
)

// errClosed wraps net.ErrClosed.
var errClosed = fmt.Errorf("hostconf: %w", net.ErrClosed)

// maxReadings bounds how often the sources are read at once while directories
// come and go; the next change goes on from there.
const maxReadings = 16

// A Watcher follows what the host's clients know. See [Open].
type Watcher struct {
	log      *slog.Logger
	root     *os.Root
	notifier notifier
	parts    []source
	board    *switchboard
	callers  []*sockets // those of parts that talk
	report   atomic.Pointer[[]Source]
	closed   atomic.Bool

	// Of the goroutine that receives.
	told *State    // nil before the first Receive
	next time.Time // when to read again without notice of a change
}

// Open starts to watch. A source that is absent, or may not be read, is no error;
// see [Watcher.Sources]. A Root that is no directory is, and it wraps
// errors.ErrUnsupported on other systems than Linux. Nil is the zero Config.
//
// A goroutine runs until Close for each manager's socket that there is.
func Open(c *Config) (*Watcher, error) { return open(c, usual()) }

func open(c *Config, p pace) (*Watcher, error) {
	if c == nil {
		c = &Config{}
	}
	w := &Watcher{log: c.Log}
	if w.log == nil {
		w.log = slog.New(slog.DiscardHandler)
	}
	if err := w.open(cmp.Or(c.Root, "/")); err != nil {
		return nil, err
	}
	w.board = newSwitchboard(w.root, p, w.notifier.poke)
	w.callers = callers(w.board)
	for _, s := range w.callers {
		w.parts = append(w.parts, s)
	}
	w.parts = append(w.parts, &dhclient{}, networkd{}, resolvConf{})
	_, err := w.read()
	return w, err
}

func (w *Watcher) open(root string) (err error) {
	if root, err = filepath.Abs(root); err != nil {
		return fmt.Errorf("hostconf: %w", err)
	}
	if w.notifier, err = newNotifier(root); err != nil {
		return err
	}
	if w.root, err = os.OpenRoot(root); err != nil {
		_ = w.notifier.close() // the first error is the one to know
		return fmt.Errorf("hostconf: %w", err)
	}
	return nil
}

// Receive returns the present state when it is called for the first time, which
// waits for no manager's answer longer than a second, and after that waits for one
// that differs from the one returned last: a changed file, a manager's word, or a
// lease that has expired. It is for one goroutine. The error is the
// context's, or wraps net.ErrClosed after Close.
func (w *Watcher) Receive(ctx context.Context) (*State, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if w.told == nil {
			w.board.settle(ctx, w.callers)
		} else {
			if err := w.notifier.wait(ctx, w.next); err != nil {
				return nil, w.ended(err)
			}
		}
		state, err := w.read()
		if err != nil {
			return nil, err
		}
		if w.told == nil || !reflect.DeepEqual(w.told, state) {
			w.told = state
			return state, nil
		}
	}
}

// ended is the reason why waiting ended: Close, if that is why.
func (w *Watcher) ended(err error) error {
	if w.closed.Load() {
		return errClosed
	}
	return err
}

// Close ends a Receive that waits, and all later ones. It can be called again,
// and by any goroutine.
func (w *Watcher) Close() error {
	w.closed.Store(true) // before anything fails for it
	w.board.close()
	err := w.notifier.close()
	if err2 := w.root.Close(); err == nil && err2 != nil {
		err = fmt.Errorf("hostconf: %w", err2)
	}
	return err
}

// Sources tells which sources work, and which lack what, as of the last Receive
// or else of Open. It can be called at any time, by any goroutine.
func (w *Watcher) Sources() []Source { return slices.Clone(*w.report.Load()) }

// read reads all sources with the directories watched that they depend on.
func (w *Watcher) read() (*State, error) {
	var r *reading
	for range maxReadings {
		r = newReading(&tree{root: w.root, watches: map[string]changes{}}, time.Now())
		for _, s := range w.parts {
			s.read(r)
		}
		r.conclude()
		if !w.notifier.arm(r.watches) {
			break
		}
	}
	if w.closed.Load() { // nothing could be read
		return nil, errClosed
	}
	r.report("inotify", "", w.notifier.problem())
	w.next = r.next
	w.publish(r.sources)
	return r.state, nil
}

// publish makes the report readable, and logs what is new in it.
func (w *Watcher) publish(now []Source) {
	var old []Source
	if p := w.report.Swap(&now); p != nil {
		old = *p
	}
	for i, s := range now {
		if s.Err != nil && (old == nil || old[i].Err == nil || old[i].Err.Error() != s.Err.Error()) {
			w.log.Info("source is lacking", "source", s.Name, "path", s.Path, "err", s.Err)
		}
	}
}
