package dhcp

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"slices"
	"sync"
	"time"
)

// errClosed wraps net.ErrClosed.
var errClosed = fmt.Errorf("dhcp: %w", net.ErrClosed)

// An Asker asks DHCP servers. See [Open].
type Asker struct {
	log    *slog.Logger
	socket socket

	mu     sync.Mutex
	asked  []Question
	news   bool // asked is to be looked at, or the context: do not wait
	closed bool

	machine   *machine // of the goroutine that receives
	listening bool
}

// A socket is what an Asker sends and hears by: packets of IP with the index of the
// interface that they go or came by.
type socket interface {
	send(index int, packet []byte) error
	// receive waits for a datagram until the deadline.
	receive() (index int, d datagram, err error)
	setDeadline(time.Time) error // zero: never
	listen(on bool) error        // begins off
	close() error
}

// Open makes an Asker that has been asked nothing. The error wraps
// fs.ErrPermission without CAP_NET_RAW, and errors.ErrUnsupported on other systems
// than Linux. Nil is the zero Config.
func Open(c *Config) (*Asker, error) {
	if c == nil {
		c = &Config{}
	}
	s, err := openSocket(c.NetNS)
	if err != nil {
		return nil, fmt.Errorf("dhcp: packet socket: %w", err)
	}
	return newAsker(c, s), nil
}

func newAsker(c *Config, s socket) *Asker {
	a := &Asker{log: c.Log, socket: s, machine: newMachine()}
	if a.log == nil {
		a.log = slog.New(slog.DiscardHandler)
	}
	return a
}

// Ask says what to ask about from now on, in place of what it said before. It does
// not wait. Of Questions about the same family of the same interface the last counts.
func (a *Asker) Ask(all []Question) {
	a.mu.Lock()
	a.asked = slices.Clone(all)
	a.mu.Unlock()
	a.interrupt()
}

// interrupt ends a wait, the next one if there is none now.
func (a *Asker) interrupt() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.news = true
	_ = a.socket.setDeadline(time.Unix(1, 0)) // it can fail only if the socket is closed, which ends the wait, too
}

// Receive waits until the answers are others than those it returned last, which are
// none at first, and returns all of them. It is for one goroutine. The error is the
// context's, or wraps net.ErrClosed after Close.
func (a *Asker) Receive(ctx context.Context) ([]Answer, error) {
	defer context.AfterFunc(ctx, a.interrupt)()
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := a.work(time.Now()); err != nil {
			return nil, err
		}
		if a.machine.news {
			return a.machine.answers(), nil
		}
		if err := a.hear(); err != nil {
			return nil, err
		}
	}
}

// work takes what was asked and sends what is due.
func (a *Asker) work(now time.Time) error {
	a.mu.Lock()
	asked, news, closed := a.asked, a.news, a.closed
	a.news = false
	a.mu.Unlock()
	if closed {
		return errClosed
	}
	if news {
		a.machine.ask(asked, now)
	}
	out := a.machine.due(now)
	if err := a.listen(a.machine.waits(now)); err != nil {
		return err
	}
	for _, f := range out {
		if err := a.socket.send(f.index, f.packet()); err != nil { // the link may be going; it is sent again
			a.log.Debug("a DHCP server cannot be asked", "interface", f.index, "err", err)
		}
	}
	return nil
}

// listen opens the ears while an answer is waited for.
func (a *Asker) listen(on bool) error {
	if on == a.listening {
		return nil
	}
	a.listening = on
	return a.ended(a.socket.listen(on))
}

// hear waits for datagrams until there is something else to do, or one of them
// was an answer.
func (a *Asker) hear() error {
	if !a.arm(a.machine.wake(time.Now())) {
		return nil
	}
	for !a.machine.news {
		index, d, err := a.socket.receive()
		if errors.Is(err, os.ErrDeadlineExceeded) { // also where datagrams keep coming
			return nil
		}
		if err != nil {
			return a.ended(err)
		}
		a.machine.hear(index, &d, time.Now())
	}
	return nil
}

// arm sets the end of a wait, unless it is to be none.
func (a *Asker) arm(wake time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return !a.news && a.socket.setDeadline(wake) == nil
}

// ended is the reason why the socket failed: Close, if that is why.
func (a *Asker) ended(err error) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err != nil && a.closed {
		return errClosed
	}
	return err
}

// Close ends a Receive that waits, and all later ones. It can be called again, and by
// any goroutine.
func (a *Asker) Close() error {
	a.mu.Lock()
	again := a.closed
	a.closed = true
	a.mu.Unlock()
	if again {
		return nil
	}
	a.interrupt()
	if err := a.socket.close(); err != nil {
		return fmt.Errorf("dhcp: %w", err)
	}
	return nil
}
