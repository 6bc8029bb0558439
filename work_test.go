package mif

import (
	"context"
	"errors"
	"io"
	"iter"
	"net"
	"net/netip"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-mif/mif/pvd"
	"github.com/go-mif/mif/resolver"
)

var target = netip.MustParseAddrPort("203.0.113.17:80")

// Every ending of a translation and of a connection is told exactly once, and
// before the domain goes (§3.5.16 to §3.5.22).
func TestRule6ExactlyOneEnd(t *testing.T) {
	slow := answers(step{after: time.Second, addrs: []string{"203.0.113.1"}}, step{after: forever})
	unplug := func(h *fakeHost, s *subscriber) { h.change(func(w *world) { w.carrier("eth0", false) }) }
	for _, c := range []struct {
		name  string
		steps []step
		after time.Duration // when the connection is there
		end   func(*fakeHost, *subscriber)
		want  []string
	}{
		{
			name: "success", steps: []step{{addrs: []string{"203.0.113.1", "2001:db8::1"}}, {addrs: []string{"203.0.113.2"}}},
			want: []string{"connected 1", "translation 1 203.0.113.1", "translation 1 2001:db8::1", "translation 1 203.0.113.2", "done 1"},
		},
		{
			name: "failure", steps: []step{{err: resolver.ErrNoSuchName}}, after: -1,
			want: []string{"done 1: no such name", "not connected 1: refused"},
		},
		{
			name: "domain gone", after: forever, end: unplug,
			want: []string{"translation 1 203.0.113.1", "done 1: no such domain", "not connected 1: no such domain", "no domain eth0/ipv4"},
		},
		{
			name: "domain gone, answered before", steps: []step{{addrs: []string{"203.0.113.1"}}}, after: time.Second, end: unplug,
			want: []string{"connected 1", "translation 1 203.0.113.1", "done 1", "no domain eth0/ipv4", "path lost 1: network down"},
		},
		{
			name: "domain gone, behind something else", steps: []step{{addrs: []string{"203.0.113.1"}}}, after: time.Second,
			end: func(h *fakeHost, s *subscriber) {
				h.change(func(w *world) { w.add("usb0", 9) })
				s.post(Relay{1}) // its place is after what the change told
				unplug(h, s)
			},
			want: []string{"connected 1", "translation 1 203.0.113.1", "done 1", "no domain eth0/ipv4", "path lost 1: network down", "relayed 1"},
		},
		{
			name: "stopped", after: forever,
			end:  func(h *fakeHost, s *subscriber) { s.post(StopTranslatingName{1}, StopConnecting{1}) },
			want: []string{"done 1: stopped", "not connected 1: stopped"},
		},
		{
			name: "session closed", after: forever,
			end:  func(h *fakeHost, s *subscriber) { s.Close() },
			want: []string{"done 1: closed", "not connected 1: closed"},
		},
		{
			name: "host closed", after: forever,
			end:  func(h *fakeHost, s *subscriber) { h.Close() },
			want: []string{"done 1: closed", "not connected 1: closed"},
		},
		{
			name: "kernel lost", after: forever,
			end:  func(h *fakeHost, s *subscriber) { h.kernel.broken <- io.ErrUnexpectedEOF; synctest.Wait() },
			want: []string{"done 1: closed", "not connected 1: closed"},
		},
	} {
		for _, fast := range []bool{true, false} { // whether events are got before the tasks can say anything
			t.Run(c.name, func(t *testing.T) {
				bubble(t, nil, func(t *testing.T, h *fakeHost) {
					h.lookup, h.dial = answers(c.steps...), h.connectsAfter(c.after)
					if c.steps == nil {
						h.lookup = slow
					}
					if c.after < 0 {
						h.dial = func(context.Context, PvDID, ConnectToAddressFromAddress) (net.Conn, error) {
							return nil, syscall.ECONNREFUSED
						}
					}
					s := h.subscriber()
					p := h.pvd("eth0/ipv4")
					s.post(AnnounceProvisioningDomains{})
					s.got()
					s.post(TranslateName{ID: 1, PvD: p, Name: "host.example.com"}, ConnectToAddress{ID: 1, PvD: p, To: target})
					time.Sleep(2 * time.Second) // the slow look-up has an answer, then waits for ever
					if c.end != nil {
						c.end(h, s)
					}
					if !fast {
						synctest.Wait()
					}
					got := lines(s.got())
					if sameEvents(got, c.want) != nil {
						t.Fatalf("got %q, want %q", got, c.want)
					}
					synctest.Wait()
					s.expect()
					if n := len(s.checker.tasks); n > 0 {
						t.Fatalf("%d tasks have not ended", n)
					}
				})
			})
		}
	}
}

// sameEvents compares events, in order but for that of the two tasks of a test.
func sameEvents(got, want []string) error {
	rank := func(lines []string) []string {
		lines = slices.Clone(lines)
		i := slices.Index(lines, "no domain eth0/ipv4")
		if i < 0 {
			i = len(lines)
		}
		slices.Sort(lines[:i])
		slices.Sort(lines[min(i+1, len(lines)):])
		return lines
	}
	if !slices.Equal(rank(got), rank(want)) {
		return errors.New("they differ")
	}
	return nil
}

// All addresses of one answer can be got as soon as the first can (§3.5.18).
func TestRule6AnswersComeTogether(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *fakeHost) {
		h.lookup = answers(step{time.Second, []string{"2001:db8::1", "2001:db8::2"}, nil}, step{time.Second, []string{"203.0.113.1"}, nil})
		s := h.subscriber()
		begin := time.Now()
		s.post(TranslateName{ID: 7, PvD: h.pvd("eth0/ipv4"), Name: "host.example.com"})
		for i, want := range [][]string{{"translation 7 2001:db8::1", "translation 7 2001:db8::2"}, {"translation 7 203.0.113.1", "done 7"}} {
			if err := s.Check(t.Context()); err != nil {
				t.Fatal(err)
			}
			if d := time.Since(begin); d != time.Duration(i+1)*time.Second {
				t.Fatalf("answer %d after %v", i, d)
			}
			synctest.Wait()
			s.expect(want...)
		}
	})
}

// A connection that is made as its domain goes is told of before the domain, or
// closed; never both, and never neither (§3.5.21).
func TestRule6SuccessRace(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *fakeHost) {
		made := make(chan struct{})
		h.dial = func(_ context.Context, id PvDID, _ ConnectToAddressFromAddress) (net.Conn, error) {
			<-made // it does not hear that it is no longer wanted
			return h.conn(id), nil
		}
		s := h.subscriber()
		s.post(AnnounceProvisioningDomains{}, ConnectToAddress{ID: 1, PvD: h.pvd("eth0/ipv4"), To: target})
		s.got()
		h.change(func(w *world) { w.carrier("eth0", false) })
		s.expect("not connected 1: no such domain", "no domain eth0/ipv4")
		close(made)
		synctest.Wait()
		s.expect()
		if n := len(h.open()); n > 0 {
			t.Fatalf("%d connections are left open", n)
		}
	})
}

// That the domain is gone is the reason, whatever the resolver makes of it.
func TestRule6DomainGoneIsTheReason(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *fakeHost) {
		h.lookup = func(ctx context.Context, _ PvDID, name string) iter.Seq2[[]resolver.Answer, error] {
			return func(yield func([]resolver.Answer, error) bool) {
				<-ctx.Done()
				yield(nil, &resolver.Error{Name: name, Err: net.ErrClosed}) // it was closed, too
			}
		}
		s := h.subscriber()
		s.post(TranslateName{ID: 1, PvD: h.pvd("eth0/ipv4"), Name: "a"})
		h.change(func(w *world) { w.carrier("eth0", false) })
		synctest.Wait()
		s.expect("done 1: no such domain")
	})
}

// What is done by other means than a session ends with the domain as well.
func TestDomainEndsItsUsers(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *fakeHost) {
		p := h.pvd("eth0/ipv4")
		d, err := h.Dialer(p)
		if err != nil {
			t.Fatal(err)
		}
		r, err := h.Resolver(p)
		if err != nil {
			t.Fatal(err)
		}
		h.change(func(w *world) { w.carrier("eth0", false) })
		synctest.Wait()
		if err := context.Cause(d.Context); !errors.Is(err, ErrUnknownPvD) {
			t.Errorf("the dialer's domain: %v", err)
		}
		if _, err := d.Dial(t.Context(), "tcp", target); !errors.Is(err, ErrUnknownPvD) {
			t.Errorf("Dial: %v", err)
		}
		if _, err := r.LookupNetIP(t.Context(), "ip", "host.example.com"); err == nil {
			t.Error("the resolver goes on")
		}
		if _, err := h.Dialer(p); !errors.Is(err, ErrUnknownPvD) {
			t.Errorf("Dialer: %v", err)
		}
		if _, err := h.Resolver(PvDID{}); !errors.Is(err, ErrUnknownPvD) {
			t.Errorf("Resolver: %v", err)
		}
		if n := len(h.domains); n > 0 {
			t.Errorf("%d domains are kept", n)
		}
	})
}

// Close returns when nothing is left running.
func TestCloseWaits(t *testing.T) {
	for name, end := range map[string]func(*fakeHost, *subscriber){
		"session": func(_ *fakeHost, s *subscriber) { s.Close() },
		"host":    func(h *fakeHost, _ *subscriber) { h.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, nil, func(t *testing.T, h *fakeHost) {
				begin := time.Now()
				h.dial = func(ctx context.Context, _ PvDID, _ ConnectToAddressFromAddress) (net.Conn, error) {
					<-ctx.Done()
					time.Sleep(time.Second) // it takes its time
					return nil, ctx.Err()
				}
				s := h.subscriber()
				s.post(ConnectToAddress{ID: 1, PvD: h.pvd("eth0/ipv4"), To: target})
				if end(h, s); time.Since(begin) != time.Second {
					t.Errorf("it waited %v", time.Since(begin))
				}
				s.expect("not connected 1: closed")
			})
		})
	}
}

// After a Stop no translation is got, though some were there (§3.5.17). The end of
// a connection that was made is where the connection was.
func TestRule6StopTakesBack(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *fakeHost) {
		h.lookup = answers(step{addrs: []string{"203.0.113.1", "203.0.113.2"}}, step{after: forever})
		s := h.subscriber()
		s.post(TranslateName{ID: 1, PvD: h.pvd("eth0/ipv4"), Name: "a"}, ConnectToAddress{ID: 1, PvD: h.pvd("eth0/ipv4"), To: target})
		synctest.Wait()
		s.Check(t.Context()) // they are there
		s.post(StopTranslatingName{1}, StopConnecting{1})
		s.expect("not connected 1: stopped", "done 1: stopped")
		if n := len(h.open()); n > 0 {
			t.Fatalf("%d connections are left open", n)
		}
	})
}

// An identifier in use is rejected and the old one left alone; one that has ended
// can be used again (§3.5.16, §3.5.19).
func TestRule7IDInUse(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *fakeHost) {
		h.lookup, h.dial = answers(step{after: time.Second, addrs: []string{"203.0.113.1"}}), h.connectsAfter(time.Second)
		s := h.subscriber()
		p := h.pvd("eth0/ipv4")
		s.post(TranslateName{ID: 1, PvD: p, Name: "a"}, TranslateName{ID: 1, PvD: p, Name: "b"},
			ConnectToAddress{ID: 1, PvD: p, To: target},
			ConnectToAddressFromAddress{ID: 1, PvD: p, To: target, From: netip.MustParseAddr("192.0.2.5")})
		s.expect("rejected TranslateName: in use", "rejected ConnectToAddressFromAddress: in use")
		time.Sleep(time.Second)
		synctest.Wait()
		got := s.got()
		if err := sameEvents(lines(got), []string{"translation 1 203.0.113.1", "done 1", "connected 1"}); err != nil {
			t.Fatalf("got %q", lines(got))
		}
		again := []Request{TranslateName{ID: 1, PvD: p, Name: "c"}, ConnectToAddress{ID: 1, PvD: p, To: target}}
		s.post(again...)
		s.post(StopTranslatingName{1}, StopConnecting{1})
		s.post(again...) // the ends of the others are not got yet
		s.expect("done 1: stopped", "not connected 1: stopped")
		s.post(again...)
		s.expect("rejected TranslateName: in use", "rejected ConnectToAddress: in use")
		time.Sleep(time.Second)
		synctest.Wait()
		got = s.got()
		if err := sameEvents(lines(got), []string{"translation 1 203.0.113.1", "done 1", "connected 1"}); err != nil {
			t.Fatalf("got %q", lines(got))
		}
	})
}

// What is unknown or gone is rejected, saying which (§3.5.5 and others).
func TestRule7UnknownIsRejected(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *fakeHost) {
		s := h.subscriber()
		i, p := h.iface("eth0"), h.pvd("eth0/ipv4")
		other := newFakeHost(t, nil, func(w *world) { w.add("eth0", 2, "192.0.2.5/24") })
		h.change(func(w *world) { w.remove("eth0") })
		for _, r := range []Request{AnnounceProvisioningDomains{i}, AnnounceProvisioningDomains{other.iface("eth0")}} {
			s.post(r)
			s.expect("rejected AnnounceProvisioningDomains: no such interface")
		}
		for _, p := range []PvDID{p, other.pvd("eth0/ipv4")} {
			for _, r := range []Request{
				AnnounceConfigurationElements{p}, AnnounceAddresses{p},
				GetConfigurationData{p, pvd.ElementAny, pvd.ItemDNSServers},
				TranslateName{ID: 1, PvD: p, Name: "a"}, TranslateService{ID: 1, PvD: p, Scheme: "dns", Name: "a"},
				ConnectToAddress{ID: 1, PvD: p, To: target},
				ConnectToAddressFromAddress{ID: 1, PvD: p, To: target, From: netip.MustParseAddr("192.0.2.5")},
			} {
				s.post(r)
				e := s.expect("rejected " + request(r) + ": no such domain")[0].(Rejected)
				if e.Request != r {
					t.Errorf("rejected %+v, not %+v", e.Request, r)
				}
			}
		}
	})
}

// A stop of the unknown does nothing (§3.5.17).
func TestRule7StopOfUnknown(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *fakeHost) {
		p := h.pvd("eth0/ipv4")
		h.change(func(w *world) { w.remove("eth0") })
		s := h.subscriber()
		s.post(StopAnnouncingInterfaces{}, StopAnnouncingProvisioningDomains{}, StopAnnouncingProvisioningDomains{p.Interface()},
			StopAnnouncingConfigurationElements{p}, StopAnnouncingAddresses{p}, StopTranslatingName{9}, StopConnecting{9})
		s.expect()
	})
}

// A connection is the subscriber's from Get on; before, whoever ends it closes it
// (§3.5.21).
func TestRule8ConnectionOwner(t *testing.T) {
	for _, c := range []struct {
		name string
		end  func(*fakeHost, *subscriber)
		open int // connections then
		want string
	}{
		{"got, then closed", func(h *fakeHost, s *subscriber) { s.Get(); s.Close() }, 1, ""},
		{"got, then host closed", func(h *fakeHost, s *subscriber) { s.Get(); h.Close() }, 1, ""},
		{"got, then stopped", func(h *fakeHost, s *subscriber) { s.Get(); s.Post(StopConnecting{1}) }, 1, ""},
		{"session closed", func(h *fakeHost, s *subscriber) { s.Close() }, 0, "not connected 1: closed"},
		{"stopped", func(h *fakeHost, s *subscriber) { s.Post(StopConnecting{1}) }, 0, "not connected 1: stopped"},
		{"host closed", func(h *fakeHost, s *subscriber) { h.Close() }, 0, "not connected 1: closed"},
		{"checked, then host closed", func(h *fakeHost, s *subscriber) { s.Check(t.Context()); h.Close() }, 0, "not connected 1: closed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, nil, func(t *testing.T, h *fakeHost) {
				s := h.subscriber()
				if err := s.Post(ConnectToAddress{ID: 1, PvD: h.pvd("eth0/ipv4"), To: target}); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				c.end(h, s)
				synctest.Wait()
				if n := len(h.open()); n != c.open {
					t.Errorf("%d connections open, want %d", n, c.open)
				}
				e, err := s.Get()
				if c.want == "" && err == nil || c.want != "" && (err != nil || line(e) != c.want) {
					t.Errorf("got %v, %v; want %q", e, err, c.want)
				}
				if e, err := s.Get(); err == nil {
					t.Errorf("got %s too", line(e))
				}
			})
		})
	}
}
