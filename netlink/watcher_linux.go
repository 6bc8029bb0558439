package netlink

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// A Watcher watches the kernel of this host.
type Watcher struct {
	config Config
	socket *socket
	tables *tables
	ears   *ears          // nil: they cannot be had
	deaf   error          // why
	asking *solicitations // nil: routers are not asked

	interrupted atomic.Bool
	heard       atomic.Bool // the ears have something to read
	announced   bool        // or may have: the kernel told what may follow from it
	closed      atomic.Bool
	generation  atomic.Uint64
	begun       bool      // the first Receive has returned
	listing     bool      // what is certain was told before the lists that are due
	armed       time.Time // the deadline that the socket was last given
	isArmed     bool

	backlog  int   // how many datagrams to read next, because many are waiting; 0: not known
	lost     bool  // events were lost, which is to be dealt with
	behind   bool  // events were lost, and since then not everything was listed
	stale    uint8 // the kinds that remain to be listed, a bit each
	resynced bool  // the last of them was listed since the last Receive
	lists    uint64
	advert   advertisement // memory used again
	request  []byte        // memory used again
	seq      uint32
	pause    time.Duration // before what went wrong is tried again
	safety   time.Time     // when everything is listed for safety
	asleep   time.Duration // the host's sleep, when last looked at
	looked   time.Time     // when that was
}

// Open starts to watch: it subscribes first and then lists, so that nothing is
// missed. c may be nil.
func Open(c *Config) (*Watcher, error) {
	w := &Watcher{config: c.filled(), asleep: suspended()}
	s, err := openSocket(&w.config)
	if err != nil {
		return nil, fmt.Errorf("netlink: open: %w", err)
	}
	w.socket, w.tables = s, newTables(w.config.Log)
	w.tables.now = time.Now()
	w.looked = w.tables.now
	w.openEars()
	w.listAll()
	if err := w.settleLists(); err != nil {
		return nil, fmt.Errorf("netlink: open: %w", errors.Join(err, w.Close()))
	}
	return w, nil
}

// openEars opens them if that is permitted.
func (w *Watcher) openEars() {
	if w.config.deaf {
		w.deaf = errors.ErrUnsupported
		return
	}
	if w.ears, w.deaf = openEars(&w.config); w.deaf != nil {
		w.config.Log.Info("whole router advertisements are not heard", "err", w.deaf)
		return
	}
	w.tables.whole = true
	if w.config.Solicit {
		w.asking = newSolicitations()
	}
	w.ears.listen(func() {
		w.heard.Store(true)
		w.socket.file.SetReadDeadline(time.Unix(1, 0)) // fails only when closed
	})
}

// Advertisements tells why router advertisements are not heard as a whole; nil if
// they are. Any goroutine may call it.
func (w *Watcher) Advertisements() error { return w.deaf }

// Interrupt makes the present or the next Receive return at once. Any goroutine
// may call it.
func (w *Watcher) Interrupt() {
	w.interrupted.Store(true)
	w.socket.file.SetReadDeadline(time.Unix(1, 0)) // fails only when closed
}

// Close ends the watching and the present Receive. Any goroutine may call it,
// and again.
func (w *Watcher) Close() error {
	if w.closed.Swap(true) {
		return nil
	}
	err := w.socket.file.Close()
	if w.ears != nil {
		err = errors.Join(err, w.ears.close())
	}
	if err != nil {
		return fmt.Errorf("netlink: close: %w", err)
	}
	return nil
}

// Receive waits until something has changed, the instant until has passed (zero:
// no limit) or Interrupt was called, and returns what has changed: nothing, if
// nothing has. The first call returns everything there is, even if that is
// nothing. What is certain is not kept back for a list that is necessary for the
// rest: the next call begins with that list. One goroutine may call it at a time.
// After Close its error wraps net.ErrClosed.
func (w *Watcher) Receive(until time.Time) (Changes, error) {
	if w.closed.Load() {
		return Changes{}, closedError()
	}
	if !w.begun {
		w.begun = true
		return w.changes(w.tables.changes()), nil
	}
	for {
		stop, err := w.wait(until)
		if err == nil {
			w.look()
			if c := w.certain(); c.any() {
				return c, nil
			}
			if w.listing { // lists keep the processor while the kernel works: who was told runs first
				runtime.Gosched()
			}
			w.listing = false
			err = w.settleLists()
		}
		if err != nil {
			return Changes{}, w.failure(err)
		}
		w.hear()
		if c := w.changes(w.tables.changes()); stop || c.any() || past(until, time.Now()) {
			return c, nil
		}
	}
}

// certain are the changes that need not wait for the lists which are due: none if
// there are none, or what was certain was told.
func (w *Watcher) certain() Changes {
	doubt := w.tables.doubt()
	if doubt == 0 || doubt == dirtyAll || w.listing {
		return Changes{}
	}
	w.listing = true
	w.hear()
	return w.changes(w.tables.certain(doubt))
}

// hear folds the advertisements that wait. What the kernel made of any that it has
// told of follows them: it gives them to others before it heeds them itself.
func (w *Watcher) hear() {
	if w.ears == nil || !w.heard.Swap(false) && !w.announced && len(w.ears.early) == 0 {
		return
	}
	w.announced = false
	w.ears.read(func(p *packet) bool {
		w.tables.now = time.Now()
		if !w.advert.decode(p) {
			return true
		}
		if w.asking != nil {
			w.asking.heard(&w.advert)
		}
		return w.tables.advertEvent(&w.advert)
	})
}

// changes completes what the tables tell.
func (w *Watcher) changes(c Changes) Changes {
	w.solicit(&c)
	c.Resynced, w.resynced = w.resynced, false
	return c
}

func closedError() error { return fmt.Errorf("netlink: receive: %w", net.ErrClosed) }

func (w *Watcher) failure(err error) error {
	if w.closed.Load() || errors.Is(err, fs.ErrClosed) {
		return closedError()
	}
	return fmt.Errorf("netlink: receive: %w", err)
}

// wait reads a burst of events when there is one. It tells whether to return
// whatever there is.
func (w *Watcher) wait(until time.Time) (stop bool, err error) {
	if w.listing {
		return false, nil
	}
	if err := w.arm(w.deadline(until)); err != nil {
		return false, err
	}
	stop = w.interrupted.Swap(false) // only now: what comes from here on ends the wait
	err = w.burst(!w.heard.Load() && !stop)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		w.isArmed = false
		w.tables.now = time.Now()
		stop = w.interrupted.Swap(false)
		err = w.burst(false) // a deadline in the past hides what there is
	}
	return stop, err
}

// deadline is when a wait must end: as the caller says, or to list something.
func (w *Watcher) deadline(until time.Time) time.Time {
	d := w.safety
	if !until.IsZero() && until.Before(d) {
		d = until
	}
	if at := w.tables.nextCheck; !at.IsZero() && at.Before(d) {
		d = at
	}
	if w.asking != nil {
		d = earlier(d, w.asking.next)
	}
	for _, at := range w.tables.owed {
		if at.Before(d) {
			d = at
		}
	}
	return d
}

// arm sets the deadline, which is not cheap, if it is another one.
func (w *Watcher) arm(d time.Time) error {
	if w.isArmed && d.Equal(w.armed) {
		return nil
	}
	w.armed, w.isArmed = d, true
	return w.socket.file.SetReadDeadline(d)
}

// How many datagrams are read before what they changed is told. As long as more are
// waiting then, it is doubled: who is behind tells less of what changed meanwhile.
const (
	minBurst = 1 << 12
	maxBurst = 1 << 14
)

// burst reads and folds events: those that wait, or the first to come.
func (w *Watcher) burst(wait bool) error {
	limit := max(w.backlog, minBurst)
	w.backlog = 0
	for read := 0; read < limit; {
		n, err := w.socket.receive(wait, batch)
		switch {
		case errors.Is(err, unix.EAGAIN):
			return nil
		case errors.Is(err, unix.ENOBUFS):
			return w.overrun()
		case err != nil:
			return err
		}
		w.tables.now = time.Now()
		w.fold(n)
		if n < batch {
			return nil
		}
		read, wait = read+n, false
	}
	w.backlog = min(2*limit, maxBurst)
	return nil
}

// overrun is what follows a loss of events. Until the queue has been read empty
// the kernel goes on dropping, so lists must wait for that.
func (w *Watcher) overrun() error {
	w.behind = true
	err := w.drain()
	w.lost = false
	w.listAll()
	return err
}

// drain reads the queue empty.
func (w *Watcher) drain() error {
	for {
		n, err := w.socket.receive(false, batch)
		switch {
		case errors.Is(err, unix.EAGAIN):
			return nil
		case err != nil && !errors.Is(err, unix.ENOBUFS):
			return err
		}
		w.tables.now = time.Now()
		w.fold(n)
	}
}

// fold folds a batch of events. Replies in it answer a list given up.
func (w *Watcher) fold(n int) {
	for i := range n {
		b, event, whole := w.socket.take(i)
		if !whole { // it was larger than the kernel ever makes them
			w.behind = true
			w.listAll()
		}
		if event {
			w.events(b)
		}
	}
}

// Generation is never 0 and grows with whatever the kernel tells, whether or not a
// change comes of it: while it is the same, so is what the kernel would answer. Any
// goroutine may ask.
func (w *Watcher) Generation() uint64 { return w.generation.Load() + 1 }

func (w *Watcher) events(b []byte) {
	w.generation.Add(1)
	for {
		m, rest, ok := cutMessage(b)
		if !ok {
			return
		}
		w.tables.event(&m)
		w.announced = w.announced || m.family() == afINET6
		b = rest
	}
}

// look sees whether it is time to list everything: for safety, or because the
// host slept, when the kernel's lifetimes and ours went apart.
func (w *Watcher) look() {
	now := time.Now()
	if past(w.safety, now) {
		w.listAll()
	}
	if now.Sub(w.looked) < time.Second {
		return
	}
	w.looked = now
	if slept := suspended(); slept-w.asleep > tolerance {
		w.tables.shorten(slept - w.asleep)
		w.asleep = slept
		w.listAll()
	}
}
