package mif

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-mif/mif/hostconf"
	"github.com/go-mif/mif/netlink"
	"github.com/go-mif/mif/pvd"
)

// A Host watches the interfaces and provisioning domains of a machine. Its
// methods may be called from any goroutine.
type Host struct {
	config   Config
	kernel   kernel
	files    files
	snapshot atomic.Pointer[pvd.Snapshot] // bare: what sessions keep
	whole    atomic.Pointer[pvd.Snapshot] // the same, with what the next is made of
	failed   atomic.Pointer[error]        // what ended the loop, if not Close
	builder  pvd.Builder                  // the loop's own
	inbox    inbox[hostconf.State]        // what the feeder left for the loop
	waiting  waiting                      // sessions to wake
	asking   asking                       // DHCP servers that are asked
	own      own                          // domains that the program added
	routes   routes                       // those that are installed

	information information // that is fetched

	fake func(PvDID, *domain) // nil; in tests, changes what is kept of a domain

	running sync.WaitGroup // the loop, the feeder, the waker
	end     context.Context
	stop    context.CancelFunc

	mu       sync.Mutex // guards what follows; never held while anything waits
	closed   bool
	sessions map[*Session]struct{}
	domains  map[PvDID]*domain
}

// A kernel is what the loop reads: *netlink.Watcher, or a fake in tests.
type kernel interface {
	Receive(until time.Time) (netlink.Changes, error)
	Interrupt()
	Generation() uint64
	Close() error
}

// files is what the feeder reads: *hostconf.Watcher, or a fake in tests.
type files interface {
	Receive(ctx context.Context) (*hostconf.State, error)
	Sources() []hostconf.Source
	Close() error
}

// open starts the Host's goroutines when the present state is known.
func open(c *Config, k kernel, f files) (*Host, error) {
	h := &Host{config: *c, kernel: k, files: f, sessions: map[*Session]struct{}{}, domains: map[PvDID]*domain{}}
	h.end, h.stop = context.WithCancel(context.Background())
	h.publish(&pvd.Snapshot{})
	h.waiting.kick = make(chan struct{}, 1)
	first, err := f.Receive(h.end)
	if err != nil {
		return nil, err
	}
	h.inbox.put(first)
	if err := h.turn(); err != nil {
		return nil, err
	}
	h.openRoutes()
	h.openInformation()
	h.openAsking()
	h.running.Go(h.loop)
	h.running.Go(h.feed)
	h.running.Go(func() { h.waiting.work(h.end) })
	return h, nil
}

// NewSession returns a new subscriber. Sessions are cheap: ten thousand are fine.
// A session of a closed Host is closed.
func (h *Host) NewSession() *Session {
	s := newSession(h)
	h.mu.Lock()
	closed := h.closed
	if !closed {
		h.sessions[s] = struct{}{}
	}
	h.mu.Unlock()
	if closed {
		s.shut(errClosed)
	}
	return s
}

// Close ends every session as Session.Close does and returns when nothing is left
// running. It may be called more than once.
func (h *Host) Close() error {
	h.stop()
	h.kernel.Interrupt()
	h.running.Wait()
	h.shut(errClosed)
	return errors.Join(h.routes.close(), h.asking.close(), h.kernel.Close(), h.files.Close())
}

// shut ends every session and every domain, with a reason.
func (h *Host) shut(reason error) {
	h.mu.Lock()
	h.closed = true
	sessions, domains := h.sessions, h.domains
	h.sessions, h.domains = map[*Session]struct{}{}, map[PvDID]*domain{}
	h.mu.Unlock()
	for s := range sessions {
		s.shut(reason)
	}
	for _, d := range domains {
		d.end(reason)
	}
	for s := range sessions {
		s.running.Wait()
	}
}

// fail ends the Host when the kernel can no longer be heard.
func (h *Host) fail(err error) {
	err = fmt.Errorf("%w: %w", errClosed, err)
	h.failed.Store(&err)
	if h.config.Log != nil {
		h.config.Log.Error("the kernel cannot be heard any more: the host ends", "err", err)
	}
	h.shut(err)
}

func (h *Host) failure() error {
	if err := h.failed.Load(); err != nil {
		return *err
	}
	return nil
}
