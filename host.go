package mif

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-mif/mif/connect"
	"github.com/go-mif/mif/hostconf"
	"github.com/go-mif/mif/netlink"
	"github.com/go-mif/mif/pvd"
	"github.com/go-mif/mif/resolver"
)

// A Host watches the interfaces and provisioning domains of a machine. Its
// methods may be called from any goroutine.
type Host struct {
	config   Config
	kernel   kernel
	files    files
	snapshot atomic.Pointer[pvd.Snapshot]
	failed   atomic.Pointer[error] // what ended the loop, if not Close
	inbox    inbox                 // what feeders left for the loop
	waiting  waiting               // sessions to wake
	fake     func(PvDID, *domain)  // nil; in tests, changes what is kept of a domain

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
	h.snapshot.Store(&pvd.Snapshot{})
	h.waiting.kick = make(chan struct{}, 1)
	first, err := f.Receive(h.end)
	if err != nil {
		return nil, err
	}
	h.inbox.put(first)
	if err := h.turn(); err != nil {
		return nil, err
	}
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
	return errors.Join(h.kernel.Close(), h.files.Close())
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

// A domain is what is kept of a provisioning domain while it is used.
type domain struct {
	life     context.Context // done, with a cause, when the domain is gone
	end      context.CancelCauseFunc
	dialer   connect.Dialer
	resolver *resolver.Resolver

	// What sessions use of the two above.
	lookup func(ctx context.Context, name string, f resolver.Family) iter.Seq2[[]resolver.Answer, error]
	dial   func(ctx context.Context, r ConnectToAddressFromAddress) (net.Conn, error)
}

// domain returns what is kept of a domain, making it if need be.
func (h *Host) domain(id PvDID) (*domain, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, errClosed
	}
	if d := h.domains[id]; d != nil {
		return d, nil
	}
	// The loop publishes a Snapshot first and then looks for domains that are not
	// in it: either it is not in this one, or the loop will find it.
	if h.Snapshot().Domain(id) == nil {
		return nil, unknownPvD(id)
	}
	d := h.newDomain(id)
	h.domains[id] = d
	return d, nil
}

func unknownInterface(id InterfaceID) error { return fmt.Errorf("%w: %v", ErrUnknownInterface, id) }

func unknownPvD(id PvDID) error { return fmt.Errorf("%w: %v", ErrUnknownPvD, id) }

func (h *Host) newDomain(id PvDID) *domain {
	d := &domain{}
	d.life, d.end = context.WithCancelCause(context.Background())
	d.dialer = connect.Dialer{
		Domain:  func() (connect.Domain, error) { return h.connectDomain(id) },
		Context: d.life,
		NetNS:   h.config.NetNS,
	}
	query := d.dialer
	query.ReportUnreachable = true
	d.resolver = &resolver.Resolver{
		Config: func() (resolver.Config, error) { return h.resolverConfig(id) },
		Dial:   query.DialContext,
	}
	context.AfterFunc(d.life, func() { d.resolver.Close() })
	d.lookup, d.dial = d.resolver.Lookup, d.connect
	if h.fake != nil {
		h.fake(id, d)
	}
	return d
}

// connect connects inside a domain. The zero From leaves the choice to the domain.
func (d *domain) connect(ctx context.Context, r ConnectToAddressFromAddress) (net.Conn, error) {
	dialer := d.dialer
	dialer.Timeout = r.Timeout
	if r.From.IsValid() {
		return dialer.DialFrom(ctx, "tcp", r.From, r.To)
	}
	return dialer.Dial(ctx, "tcp", r.To)
}

// leave ends the work in domains that are no more.
func (h *Host) leave(s *pvd.Snapshot) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for id, d := range h.domains {
		if s.Domain(id) == nil {
			delete(h.domains, id)
			d.end(unknownPvD(id))
		}
	}
}

// connectDomain is a domain as package connect wants to know it.
func (h *Host) connectDomain(id PvDID) (connect.Domain, error) {
	d := h.Snapshot().Domain(id)
	if d == nil {
		return connect.Domain{}, unknownPvD(id)
	}
	c := connect.Domain{Name: id.String(), Interface: id.Interface().Index(), Routers: routers(d)}
	for a := range d.Addresses() {
		c.Addresses = append(c.Addresses, connect.Address{
			Prefix: a.Prefix, Tentative: !a.Usable(), Deprecated: a.Deprecated, Temporary: a.Temporary,
		})
	}
	return c, nil
}

func routers(d *pvd.Domain) (all []netip.Addr) {
	data, _ := d.Data(pvd.ElementAny, pvd.ItemRouters).(pvd.Routers)
	for _, r := range data {
		all = append(all, r.Value.Addr)
	}
	return all
}

// resolverConfig is a domain as package resolver wants to know it.
func (h *Host) resolverConfig(id PvDID) (c resolver.Config, err error) {
	d := h.Snapshot().Domain(id)
	if d == nil {
		return c, unknownPvD(id)
	}
	servers, _ := d.Data(pvd.ElementAny, pvd.ItemDNSServers).(pvd.DNSServers)
	for _, s := range servers {
		c.Servers = append(c.Servers, s.Value)
	}
	search, _ := d.Data(pvd.ElementAny, pvd.ItemSearchDomains).(pvd.SearchDomains)
	for _, s := range search {
		c.Search = append(c.Search, s.Value)
	}
	return c, nil
}
