package mif

import (
	"context"
	"errors"
	"io"
	"iter"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-mif/mif/hostconf"
	"github.com/go-mif/mif/netlink"
	"github.com/go-mif/mif/pvd"
	"github.com/go-mif/mif/resolver"
)

// A fakeKernel tells the loop what the test tells it.
type fakeKernel struct {
	begun       bool // the first Receive, which tells what there is, was called
	first       netlink.Changes
	news        chan netlink.Changes
	still       chan struct{} // taken only while the loop waits
	broken      chan error
	interrupted chan struct{}
	closed      chan struct{}
	close       sync.Once
}

func newFakeKernel(first netlink.Changes) *fakeKernel {
	return &fakeKernel{
		first: first, news: make(chan netlink.Changes), still: make(chan struct{}), broken: make(chan error),
		interrupted: make(chan struct{}, 1), closed: make(chan struct{}),
	}
}

func (*fakeKernel) Generation() uint64 { return 1 }

func (k *fakeKernel) Receive(until time.Time) (netlink.Changes, error) {
	if !k.begun {
		k.begun = true
		return k.first, nil
	}
	var timer <-chan time.Time
	if !until.IsZero() {
		t := time.NewTimer(time.Until(until))
		defer t.Stop()
		timer = t.C
	}
	for {
		select {
		case <-k.still:
		case c := <-k.news:
			return c, nil
		case <-timer:
			return netlink.Changes{}, nil
		case <-k.interrupted:
			return netlink.Changes{}, nil
		case err := <-k.broken:
			return netlink.Changes{}, err
		case <-k.closed:
			return netlink.Changes{}, net.ErrClosed
		}
	}
}

func (k *fakeKernel) Interrupt() {
	select {
	case k.interrupted <- struct{}{}:
	default:
	}
}

func (k *fakeKernel) Close() error {
	k.close.Do(func() { close(k.closed) })
	return nil
}

// fakeFiles tell the feeder what the test tells them.
type fakeFiles struct {
	states chan *hostconf.State
	closed atomic.Bool
}

func newFakeFiles() *fakeFiles {
	f := &fakeFiles{states: make(chan *hostconf.State, 1)}
	f.states <- &hostconf.State{}
	return f
}

func (f *fakeFiles) Receive(ctx context.Context) (*hostconf.State, error) {
	select {
	case s := <-f.states:
		return s, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (f *fakeFiles) Sources() []hostconf.Source {
	return []hostconf.Source{{Name: "fake", Path: "/fake", Err: io.EOF}}
}

func (f *fakeFiles) Close() error {
	f.closed.Store(true)
	return nil
}

// A world is what a fake kernel has: facts of interfaces by name.
type world struct {
	links   map[string]*pvd.Facts
	changed map[string]bool
	gone    []InterfaceID
}

func newWorld() *world { return &world{links: map[string]*pvd.Facts{}, changed: map[string]bool{}} }

// add adds an interface that is up and plugged in, with addresses of it.
func (w *world) add(name string, index int, addrs ...string) InterfaceID {
	id := pvd.NewInterfaceID(index, name)
	w.links[name] = &pvd.Facts{Interface: pvd.Interface{
		ID: id, Name: name, Index: index, Up: true, Carrier: true, MTU: 1500,
		Flags: net.FlagUp | net.FlagRunning | net.FlagBroadcast | net.FlagMulticast, HardwareAddr: net.HardwareAddr{2, 0, 0, 0, 0, byte(index)},
	}}
	w.edit(name, func(f *pvd.Facts) {
		for _, a := range addrs {
			f.Addresses = append(f.Addresses, address(a))
		}
	})
	return id
}

// address is an address for ever.
func address(s string) pvd.AddressFact {
	p := netip.MustParsePrefix(s)
	return pvd.AddressFact{Address: pvd.Address{Prefix: p, LinkLocal: p.Addr().IsLinkLocalUnicast()}}
}

// edit changes the facts of an interface. Those told before stay as they are.
func (w *world) edit(name string, change func(*pvd.Facts)) {
	f := *w.links[name]
	f.Addresses, f.Routes, f.RAs = slices.Clone(f.Addresses), slices.Clone(f.Routes), slices.Clone(f.RAs)
	change(&f)
	delete(w.links, name)
	delete(w.changed, name)
	w.links[f.Interface.Name], w.changed[f.Interface.Name] = &f, true
}

func (w *world) remove(name string) {
	w.gone = append(w.gone, w.links[name].Interface.ID)
	delete(w.links, name)
	delete(w.changed, name)
}

func (w *world) carrier(name string, is bool) {
	w.edit(name, func(f *pvd.Facts) { f.Interface.Carrier = is })
}

// changes are what has changed since they were asked for last.
func (w *world) changes() (c netlink.Changes) {
	for name := range w.changed {
		c.Links = append(c.Links, w.links[name])
	}
	c.Gone = w.gone
	w.changed, w.gone = map[string]bool{}, nil
	return c
}

// A fakeHost is a Host over a fake kernel.
type fakeHost struct {
	*Host
	t      testing.TB
	kernel *fakeKernel
	files  *fakeFiles
	world  *world

	// What tasks do, instead of asking the network.
	lookup   func(context.Context, PvDID, string) iter.Seq2[[]resolver.Answer, error]
	services func(context.Context, PvDID, TranslateService) ([]resolver.Service, error)
	dial     func(context.Context, PvDID, ConnectToAddressFromAddress) (net.Conn, error)

	mu    sync.Mutex
	conns []*fakeConn // all that were ever made
}

// newFakeHost opens a Host with what a function puts into the world, closes it
// when the test ends, and checks then that no connection was left behind.
func newFakeHost(t testing.TB, config *Config, fill func(*world)) *fakeHost {
	h := &fakeHost{t: t, world: newWorld(), files: newFakeFiles()}
	if fill != nil {
		fill(h.world)
	}
	h.kernel = newFakeKernel(h.world.changes())
	if config == nil {
		config = &Config{}
	}
	var err error
	if h.Host, err = open(config, h.kernel, h.files); err != nil {
		t.Fatal(err)
	}
	h.Host.fake = h.fakeWork
	h.lookup, h.services, h.dial = answers(), serves(0), h.connects
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return h
}

func (h *fakeHost) fakeWork(id PvDID, d *domain) {
	d.lookup = func(ctx context.Context, name string, f resolver.Family) iter.Seq2[[]resolver.Answer, error] {
		return h.lookup(ctx, id, name)
	}
	d.services = func(ctx context.Context, r TranslateService) ([]resolver.Service, error) {
		return h.services(ctx, id, r)
	}
	d.dial = func(ctx context.Context, r ConnectToAddressFromAddress) (net.Conn, error) { return h.dial(ctx, id, r) }
}

// change changes the world, and returns when that was published.
func (h *fakeHost) change(f func(*world)) {
	f(h.world)
	h.tell(h.world.changes())
}

func (h *fakeHost) tell(c netlink.Changes) {
	h.kernel.news <- c
	h.kernel.still <- struct{}{}
}

// pvd is the identity of the present domain of a name.
func (h *fakeHost) pvd(name string) PvDID {
	h.t.Helper()
	for d := range h.Snapshot().Domains() {
		if d.ID().String() == name {
			return d.ID()
		}
	}
	h.t.Fatalf("no domain %s", name)
	return PvDID{}
}

func (h *fakeHost) iface(name string) InterfaceID { return h.world.links[name].Interface.ID }

// A subscriber is a session whose every event is checked against the rules.
type subscriber struct {
	*Session
	t       testing.TB
	checker *checker
}

func (h *fakeHost) subscriber() *subscriber { return newSubscriber(h.t, h.Host) }

func newSubscriber(t testing.TB, h *Host) *subscriber {
	return &subscriber{h.NewSession(), t, newChecker()}
}

func (s *subscriber) post(requests ...Request) {
	s.t.Helper()
	for _, r := range requests {
		s.checker.posted(r)
		if err := s.Post(r); err != nil {
			s.t.Fatalf("Post(%+v): %v", r, err)
		}
	}
}

// got gets all events there are.
func (s *subscriber) got() (all []Event) {
	s.t.Helper()
	for {
		e, err := s.Get()
		if err != nil {
			if err != ErrNoMessage && !errors.Is(err, net.ErrClosed) {
				s.t.Fatal(err)
			}
			return all
		}
		if err := s.checker.got(e); err != nil {
			s.t.Fatalf("%v\nafter %q", err, lines(all))
		}
		all = append(all, e)
	}
}

// expect gets all events there are, which must be these.
func (s *subscriber) expect(want ...string) []Event {
	s.t.Helper()
	got := s.got()
	if !slices.Equal(lines(got), want) {
		s.t.Fatalf("got\n%q\nwant\n%q", lines(got), want)
	}
	return got
}

func state(links map[string][]pvd.Configuration, index map[int][]pvd.Configuration) *hostconf.State {
	return &hostconf.State{Links: links, ByIndex: index}
}
