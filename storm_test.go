package mif

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"testing"

	"github.com/go-mif/mif/pvd"
)

const ports = 500 // interfaces of a storm, with a domain each: a thousand objects

func storm(w *world) {
	for i := range ports {
		w.add(fmt.Sprint("port", i), i+1, fmt.Sprintf("10.1.%d.%d/24", i/250, i%250+1))
	}
}

// blow changes interfaces n times, all of them at a time, and leaves half of the
// domains gone.
func blow(h *fakeHost, n int) {
	for i := range n / ports {
		h.change(func(w *world) {
			for j := range ports {
				w.edit(fmt.Sprint("port", j), func(f *pvd.Facts) {
					f.Interface.MTU = 1500 + i
					f.Interface.Carrier = (i+j)%2 == 0
				})
			}
		})
	}
}

// A session that sleeps through 200,000 changes, and a hundred that do not, all end
// with the truth; the sleeper keeps nothing and is told of no more than there was and is.
func TestStorm(t *testing.T) {
	h := newFakeHost(t, nil, storm)
	sleeper := h.subscriber()
	sleeper.post(AnnounceInterfaces{}, AnnounceProvisioningDomains{})
	sleeper.got()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var wait sync.WaitGroup
	awake := make([]*subscriber, 100)
	for i := range awake {
		s := h.subscriber()
		if i < 5 {
			s.post(AnnounceInterfaces{}, AnnounceProvisioningDomains{})
		} else {
			s.post(AnnounceProvisioningDomains{h.iface(fmt.Sprint("port", i))})
		}
		awake[i] = s
		wait.Go(func() {
			for _, err := range s.checked(ctx) {
				if err != nil {
					t.Errorf("session %d: %v", i, err)
					return
				}
			}
		})
	}
	blow(h, stormChanges)
	if n := len(sleeper.in.elems) + len(sleeper.out.elems); n > 8 {
		t.Errorf("the sleeper keeps %d items", n)
	}
	if n := len(sleeper.got()); n > 3*ports {
		t.Errorf("the sleeper is told %d events", n)
	}
	if err := sleeper.checker.settled(h.Snapshot()); err != nil {
		t.Error(err)
	}
	cancel()
	wait.Wait()
	for i, s := range awake {
		s.got()
		if err := s.checker.settled(h.Snapshot()); err != nil {
			t.Errorf("session %d: %v", i, err)
		}
	}
}

// checked yields what is wrong with the events of a session until a context is done.
func (s *subscriber) checked(ctx context.Context) func(func(Event, error) bool) {
	return func(yield func(Event, error) bool) {
		for s.Check(ctx) == nil {
			for e, err := s.Get(); err == nil; e, err = s.Get() {
				if !yield(e, s.checker.got(e)) {
					return
				}
			}
			if ctx.Err() != nil {
				return
			}
		}
	}
}

// Sessions that come, go and are closed amid a storm from other goroutines break
// nothing.
func TestStormOfSessions(t *testing.T) {
	h := newFakeHost(t, nil, func(w *world) { w.add("eth0", 1, "192.0.2.5/24"); w.add("port0", 2) })
	stop := make(chan struct{})
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				s := h.NewSession()
				s.Post(AnnounceInterfaces{})
				for d := range h.Snapshot().Domains() {
					s.Post(AnnounceAddresses{d.ID()})
					s.Post(ConnectToAddress{ID: 1, PvD: d.ID(), To: target})
				}
				var other sync.WaitGroup
				other.Go(func() {
					if err := s.Check(context.Background()); err != nil && !errors.Is(err, net.ErrClosed) {
						t.Error(err)
					}
					for _, e := range drain(s) {
						if c, is := e.(Connected); is {
							c.Conn.Close()
						}
					}
				})
				s.Close()
				other.Wait()
			}
		})
	}
	for i := range 500 {
		h.change(func(w *world) { w.carrier("eth0", i%2 == 0) })
	}
	close(stop)
	wait.Wait()
	if n := len(h.open()); n > 0 {
		t.Errorf("%d connections are left open", n)
	}
	h.Host.mu.Lock()
	defer h.Host.mu.Unlock()
	if n := len(h.sessions); n > 0 {
		t.Errorf("%d sessions are kept", n)
	}
}
