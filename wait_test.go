package mif

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-mif/mif/pvd"
)

// Check with a done context is a probe (§3.4.2).
func TestCheckProbe(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *fakeHost) {
		s := h.subscriber()
		done, cancel := context.WithCancel(t.Context())
		cancel()
		if err := s.Check(done); !errors.Is(err, context.Canceled) {
			t.Fatalf("nothing there: %v", err)
		}
		s.post(AnnounceInterfaces{})
		for range 2 { // looking changes nothing
			if err := s.Check(done); err != nil {
				t.Fatalf("events there: %v", err)
			}
		}
		s.expect("interface eth0", "synced AnnounceInterfaces")
		if err := s.Check(done); !errors.Is(err, context.Canceled) {
			t.Fatalf("drained: %v", err)
		}
		because, cancelCause := context.WithCancelCause(t.Context())
		cancelCause(net.ErrWriteToConnected)
		if err := s.Check(because); !errors.Is(err, context.Canceled) || !errors.Is(err, net.ErrWriteToConnected) {
			t.Fatalf("neither Err nor Cause: %v", err)
		}
	})
}

// Check with a deadline waits until then, no longer and no shorter (§3.4.2).
func TestCheckLimited(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *fakeHost) {
		s := h.subscriber()
		begin := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		if err := s.Check(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		if d := time.Since(begin); d != 3*time.Second {
			t.Fatalf("waited %v", d)
		}
	})
}

// Check without an end waits for whatever comes (§3.4.2).
func TestCheckUnlimited(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *fakeHost) {
		h.lookup = answers(step{after: time.Hour})
		p := h.pvd("eth0/ipv4")
		for _, c := range []struct {
			what  string
			cause func(s *subscriber)
			want  string
			after time.Duration
		}{
			{"a change", func(*subscriber) {
				h.change(func(w *world) { w.edit("eth0", func(f *pvd.Facts) { f.Interface.MTU++ }) })
			}, "interface eth0", 0},
			{"a request", func(s *subscriber) { s.post(AnnounceAddresses{p}) }, "address eth0/ipv4 192.0.2.5/24", 0},
			{"the high-level API", func(s *subscriber) { s.post(Relay{42}) }, "relayed 42", 0},
			{"the end of a task", func(s *subscriber) { s.post(TranslateName{ID: 1, PvD: p, Name: "a"}) }, "done 1", time.Hour},
		} {
			s := h.subscriber()
			s.post(AnnounceInterfaces{})
			s.got()
			begin := time.Now()
			go func() {
				time.Sleep(time.Minute)
				c.cause(s)
			}()
			if err := s.Check(context.Background()); err != nil {
				t.Fatal(err)
			}
			if d := time.Since(begin); d != time.Minute+c.after {
				t.Errorf("%s: waited %v", c.what, d)
			}
			if e, err := s.Get(); err != nil || line(e) != c.want {
				t.Errorf("%s: got %v, %v", c.what, e, err)
			}
			s.Close()
		}
	})
}

// A session that is closed ends all who wait for it.
func TestCheckEndsByClose(t *testing.T) {
	for _, end := range []func(*fakeHost, *subscriber){
		func(_ *fakeHost, s *subscriber) { s.Close() },
		func(h *fakeHost, _ *subscriber) { h.Close() },
	} {
		bubble(t, nil, func(t *testing.T, h *fakeHost) {
			s := h.subscriber()
			var wait sync.WaitGroup
			for range 10 {
				wait.Go(func() {
					if err := s.Check(context.Background()); !errors.Is(err, net.ErrClosed) {
						t.Errorf("Check: %v", err)
					}
				})
			}
			synctest.Wait()
			end(h, s)
			wait.Wait()
		})
	}
}

// One event wakes somebody; those who are woken in vain wait on.
func TestCheckByMany(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *fakeHost) {
		s := h.subscriber()
		s.post(AnnounceProvisioningDomains{})
		s.got()
		var got atomic.Int32
		var wait sync.WaitGroup
		for range 10 {
			wait.Go(func() {
				for s.Check(context.Background()) == nil {
					if _, err := s.Get(); err == nil {
						got.Add(1)
					}
				}
			})
		}
		for i := range 5 {
			synctest.Wait()
			h.change(func(w *world) { w.add(fmt.Sprint("usb", i), 10+i, fmt.Sprintf("198.51.100.%d/24", i+1)) })
		}
		synctest.Wait()
		if n := got.Load(); n != 5 {
			t.Errorf("%d events got", n)
		}
		s.Close()
		wait.Wait()
	})
}

// Every listing ends with Synced, an empty one too (§3.5.1).
func TestSynced(t *testing.T) {
	bubble(t, func(w *world) { w.add("dummy0", 3) }, func(t *testing.T, h *fakeHost) {
		s := h.subscriber()
		s.post(AnnounceProvisioningDomains{}, AnnounceProvisioningDomains{h.iface("dummy0")}, AnnounceInterfaces{})
		got := s.expect("synced AnnounceProvisioningDomains", "synced AnnounceProvisioningDomains", "interface dummy0", "synced AnnounceInterfaces")
		if r := got[1].(Synced).Request; r != (AnnounceProvisioningDomains{h.iface("dummy0")}) {
			t.Errorf("synced %+v", r)
		}
	})
}

// What a high-level API relays comes in its turn (§3.4.2).
func TestRelayInItsTurn(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *fakeHost) {
		s := h.subscriber()
		s.post(AnnounceInterfaces{}, Relay{"a"}, AnnounceProvisioningDomains{}, Relay{"b"})
		s.expect("interface eth0", "synced AnnounceInterfaces", "relayed a", "domain eth0/ipv4", "synced AnnounceProvisioningDomains", "relayed b")
		h.change(func(w *world) { w.carrier("eth0", false) })
		s.post(Relay{[]int{1}}, Relay{nil}) // any value will do
		h.change(func(w *world) { w.add("usb0", 5) })
		s.expect("no domain eth0/ipv4", "interface eth0 unplugged", "interface usb0", "relayed [1]", "relayed <nil>")
	})
}

// Ready can be selected on, tells once of what is there, and nothing when it is
// drained.
func TestReady(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *fakeHost) {
		s := h.subscriber()
		ready := func() bool {
			select {
			case <-s.Ready():
				return true
			default:
				return false
			}
		}
		if ready() {
			t.Fatal("ready when new")
		}
		s.post(AnnounceInterfaces{})
		for range 2 {
			if !ready() {
				t.Fatal("not ready with events there")
			}
		}
		s.got()
		if ready() {
			t.Fatal("ready when drained")
		}
		h.change(func(w *world) { w.carrier("eth0", false) })
		select {
		case <-s.ready: // without looking at the session
		default:
			t.Fatal("not woken by a change")
		}
		s.got()
		h.change(func(w *world) { w.edit("eth0", func(f *pvd.Facts) { f.Addresses = nil }) })
		synctest.Wait()
		select {
		case <-s.ready:
			t.Fatal("woken by what it did not subscribe to")
		default:
		}
		s.Close()
		if !ready() {
			t.Fatal("not ready when closed")
		}
	})
}

// Events ends with the context's error, the session's, or when its user has enough.
func TestEvents(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *fakeHost) {
		collect := func(ctx context.Context, s *subscriber, most int) (got []string, end error) {
			for e, err := range s.Events(ctx) {
				if err != nil {
					end = err
					continue // it must be the last
				}
				if got = append(got, line(e)); len(got) == most {
					break
				}
			}
			return got, end
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		s := h.subscriber()
		s.post(AnnounceInterfaces{}, Relay{1}, Relay{2})
		if got, err := collect(ctx, s, 2); !slices.Equal(got, []string{"interface eth0", "synced AnnounceInterfaces"}) || err != nil {
			t.Fatalf("enough: got %q, %v", got, err)
		}
		if got, err := collect(ctx, s, 9); !slices.Equal(got, []string{"relayed 1", "relayed 2"}) || !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("context: got %q, %v", got, err)
		}
		s.post(Relay{3})
		if got, err := collect(ctx, s, 9); got != nil || !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("a context that is done: got %q, %v", got, err)
		}
		s.expect("relayed 3")
		time.AfterFunc(time.Second, func() { s.Close() })
		if got, err := collect(t.Context(), s, 9); got != nil || !errors.Is(err, net.ErrClosed) {
			t.Fatalf("closed: got %q, %v", got, err)
		}
	})
}

// What is posted, checked or got after Close, and a second Close.
func TestAfterClose(t *testing.T) {
	for name, end := range map[string]func(*fakeHost, *subscriber){
		"session": func(_ *fakeHost, s *subscriber) { s.Close() },
		"host":    func(h *fakeHost, _ *subscriber) { h.Close() },
		"kernel":  func(h *fakeHost, _ *subscriber) { h.kernel.broken <- errors.New("broken"); synctest.Wait() },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, nil, func(t *testing.T, h *fakeHost) {
				s := h.subscriber()
				if _, err := s.Get(); err != ErrNoMessage {
					t.Fatalf("Get of an empty session: %v", err)
				}
				s.post(AnnounceInterfaces{}, Relay{1})
				end(h, s)
				for range 2 {
					if err := s.Post(AnnounceInterfaces{}); !errors.Is(err, net.ErrClosed) {
						t.Errorf("Post: %v", err)
					}
					if e, err := s.Get(); !errors.Is(err, net.ErrClosed) {
						t.Errorf("Get: %v, %v", e, err)
					}
					if err := s.Check(t.Context()); !errors.Is(err, net.ErrClosed) {
						t.Errorf("Check: %v", err)
					}
					if err := s.Close(); err != nil {
						t.Errorf("Close: %v", err)
					}
				}
				if err := s.Post(TranslateName{}); err == nil || errors.Is(err, net.ErrClosed) {
					t.Errorf("Post of what makes no sense: %v", err)
				}
			})
		})
	}
}

// Host.Close ends everything, and what is asked of the Host later says so.
func TestHostClose(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *fakeHost) {
		p := h.pvd("eth0/ipv4")
		h.lookup = answers(step{after: forever})
		s, idle := h.subscriber(), h.NewSession()
		s.post(TranslateName{ID: 1, PvD: p, Name: "a"})
		if _, err := h.Dialer(p); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := h.Close(); err != nil {
				t.Fatal(err)
			}
		}
		s.expect("done 1: closed")
		if err := idle.Check(t.Context()); !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
		if err := h.NewSession().Post(AnnounceInterfaces{}); !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
		if _, err := h.Resolver(p); !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
		if h.Snapshot().Domain(p) == nil {
			t.Error("the last Snapshot is lost")
		}
		if !h.files.closed.Load() {
			t.Error("the files are left open")
		}
	})
}

// A kernel that cannot be heard any more ends the host's sessions and is told of.
func TestKernelLost(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *fakeHost) {
		cause := errors.New("no more")
		s := h.subscriber()
		if err := h.Sources()[0].Err; err != nil {
			t.Fatal(err)
		}
		go func() { h.kernel.broken <- cause }()
		if err := s.Check(context.Background()); !errors.Is(err, cause) || !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
		if src := h.Sources(); !errors.Is(src[0].Err, cause) || src[1].Path != "/fake" {
			t.Errorf("sources %+v", src)
		}
	})
}

// What the host's clients know reaches the domains, by name or by index, and goes.
func TestFilesReachDomains(t *testing.T) {
	bubble(t, dualStack, func(t *testing.T, h *fakeHost) {
		ask := func(name string) string {
			s := h.subscriber()
			defer s.Close()
			s.post(GetConfigurationData{h.pvd(name), pvd.ElementDHCPv4, pvd.ItemDNSServers})
			return line(s.got()[0])
		}
		known := []pvd.Configuration{{DNSServers: pvd.DNSServers{{Value: netip.MustParseAddrPort("192.0.2.53:53"), Element: pvd.ElementDHCPv4}}}}
		for _, c := range []struct {
			links       map[string][]pvd.Configuration
			index       map[int][]pvd.Configuration
			eth0, wlan0 string
		}{
			{nil, nil, "no data", "no data"},
			{map[string][]pvd.Configuration{"eth0": known}, nil, "data", "no data"},
			{nil, map[int][]pvd.Configuration{3: known}, "no data", "data"},
			{map[string][]pvd.Configuration{"wan": known}, nil, "no data", "no data"},
		} {
			h.files.states <- state(c.links, c.index)
			synctest.Wait()
			if e, w := ask("eth0/ipv4"), ask("wlan0/ipv4"); e != c.eth0+" eth0/ipv4 DHCPv4 DNSServers" || w != c.wlan0+" wlan0/ipv4 DHCPv4 DNSServers" {
				t.Fatalf("eth0: %s; wlan0: %s", e, w)
			}
		}
		h.change(func(w *world) { w.edit("eth0", func(f *pvd.Facts) { f.Interface.Name = "wan" }) }) // a lease goes by the present name
		if e := ask("eth0/ipv4"); e != "data eth0/ipv4 DHCPv4 DNSServers" {
			t.Fatal(e)
		}
	})
}
