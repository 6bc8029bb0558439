package resolver

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"
	"go.uber.org/goleak"
)

// TestLocalAnswers has a domain whose servers must not be asked.
func TestLocalAnswers(t *testing.T) {
	asked := serve(t, true, func(q query) { q.send(lie(q)) })
	r := newResolver(t, Config{Servers: []netip.AddrPort{asked.addr}, Search: []string{"example.com"}})
	cases := []struct {
		name   string
		family Family
		want   []string
		origin Origin
		err    error
	}{
		{"192.0.2.7", Both, []string{"192.0.2.7"}, Literal, nil},
		{"2001:db8::7", IPv6, []string{"2001:db8::7"}, Literal, nil},
		{"::ffff:192.0.2.7", Both, []string{"192.0.2.7"}, Literal, nil},
		{"fe80::1%3", Both, []string{"fe80::1%3"}, Literal, nil},
		{"fe80::1%eth0", Both, nil, 0, ErrInvalidName},
		{"fe80::1%0", Both, nil, 0, ErrInvalidName},
		{"192.0.2.7", IPv6, nil, 0, ErrNoData},
		{"2001:db8::7", IPv4, nil, 0, ErrNoData},
		{"localhost", Both, []string{"127.0.0.1", "::1"}, Special, nil},
		{"LocalHost.", IPv4, []string{"127.0.0.1"}, Special, nil},
		{"a.b.localhost", IPv6, []string{"::1"}, Special, nil},
		{"x.invalid", Both, nil, 0, ErrNoSuchName},
		{"x.Onion", Both, nil, 0, ErrNoSuchName},
		{"onion.", Both, nil, 0, ErrNoSuchName},
		{"printer.local", Both, nil, 0, ErrNoServers},
		{"192.0.2", Both, nil, 0, ErrInvalidName},
		{"", Both, nil, 0, ErrInvalidName},
		{".", Both, nil, 0, ErrInvalidName},
	}
	for _, c := range cases {
		answers, err := collectAnswers(t.Context(), r, c.name, c.family)
		var got []string
		for _, a := range answers {
			got = append(got, a.Addr.String())
			if a.Origin != c.origin || !a.Expiry.IsZero() || a.Server.IsValid() {
				t.Errorf("%q: %+v, want origin %v without expiry or server", c.name, a, c.origin)
			}
		}
		slices.Sort(got)
		if !slices.Equal(got, c.want) || !errors.Is(err, c.err) {
			t.Errorf("%q %v: %v, %v; want %v, %v", c.name, c.family, got, err, c.want, c.err)
		}
	}
	if n := asked.total(dns.TypeA) + asked.total(dns.TypeAAAA); n != 0 {
		t.Errorf("the server was asked %d times", n)
	}
}

func TestAnswer(t *testing.T) {
	s := serve(t, true, func(q query) {
		q.send(answer(q, q.qname()+" 7200 IN CNAME Alias.example.net.", "alias.EXAMPLE.net. 300 IN CNAME end.example.org.",
			"end.example.org. 4294967295 IN AAAA 2001:db8::2", "end.example.org. 900000 IN A 192.0.2.2",
			"end.example.org. 900000 IN A 192.0.2.2"))
	})
	r := newResolver(t, Config{Servers: []netip.AddrPort{s.addr}})
	ttls := map[Family]time.Duration{IPv6: 0, IPv4: 300 * time.Second}
	for f, ttl := range ttls {
		before := time.Now()
		answers, err := collectAnswers(t.Context(), r, "WWW.example.com.", f)
		after := time.Now()
		if err != nil || len(answers) != 1 {
			t.Fatalf("%v: %v, %v", f, answers, err)
		}
		a := answers[0]
		if a.Expiry.Before(before.Add(ttl)) || a.Expiry.After(after.Add(ttl)) {
			t.Errorf("%v: expiry %v, want %v from %v", f, a.Expiry, ttl, before)
		}
		if a.CanonicalName != "end.example.org" || a.Server != s.addr || a.Origin != DNS || !f.has(a.Addr) {
			t.Errorf("%v: %+v", f, a)
		}
	}
}

// TestSearchList asks a server that knows two names only.
func TestSearchList(t *testing.T) {
	s := serve(t, true, func(q query) {
		switch {
		case q.qname() == "host.two.test." || q.qname() == "a.b.":
			q.send(truth(q))
		case strings.HasSuffix(q.qname(), "nodata.test."):
			q.send(answer(q))
		case strings.HasSuffix(q.qname(), "fails.test."):
			q.send(failing(q, dns.RcodeServerFailure))
		default:
			q.send(failing(q, dns.RcodeNameError))
		}
	})
	cases := []struct {
		name   string
		search []string
		found  bool
		err    error
	}{
		{"host", []string{"one.test", "nodata.test.", "two.test"}, true, nil},
		{"host", []string{"fails.test", "two.test"}, true, nil},
		{"host", []string{"one.test"}, false, ErrNoSuchName},
		{"host", []string{"nodata.test", "one.test"}, false, ErrNoData},
		{"host", []string{"fails.test", "nodata.test", "one.test"}, false, ErrServerFailure},
		{"host.", []string{"two.test"}, false, ErrNoSuchName},
		{"a.b", []string{"two.test"}, true, nil},
		{"host.two", []string{"test"}, true, nil},
	}
	for _, c := range cases {
		r := newResolver(t, Config{Servers: []netip.AddrPort{s.addr}, Search: c.search})
		got, err := collect(t.Context(), r, c.name, Both)
		if (len(got) == 2) != c.found || !errors.Is(err, c.err) {
			t.Errorf("%s in %v: %v, %v; want %v, %v", c.name, c.search, got, err, c.found, c.err)
		}
	}
}

// TestFamilyStreaming has AAAA never answered until A has been delivered.
func TestFamilyStreaming(t *testing.T) {
	release := make(chan struct{})
	late := make(chan query, 100)
	s := serve(t, true, func(q query) {
		if q.qtype() == dns.TypeAAAA {
			late <- q
			return
		}
		q.send(truth(q))
	})
	done := make(chan struct{})
	go func() {
		defer close(done)
		<-release
		q := <-late
		q.send(truth(q))
	}()
	r := newResolver(t, Config{Servers: []netip.AddrPort{s.addr}, Timeout: time.Minute})
	var got []string
	for group, err := range r.Lookup(t.Context(), "www.example.com", Both) {
		if err != nil {
			t.Fatal(err)
		}
		if got = append(got, group[0].Addr.String()); len(got) == 1 {
			close(release)
		}
	}
	if want := []string{"192.0.2.1", "2001:db8::1"}; !slices.Equal(got, want) {
		t.Errorf("delivered %v, want %v", got, want)
	}
	<-done
}

// TestFamilyFailure: a family's failure comes after the other's addresses, its
// emptiness does not count.
func TestFamilyFailure(t *testing.T) {
	for rcode, want := range map[int]error{dns.RcodeServerFailure: ErrServerFailure, dns.RcodeNameError: nil, dns.RcodeSuccess: nil} {
		s := serve(t, true, func(q query) {
			if q.qtype() == dns.TypeAAAA {
				q.send(failing(q, rcode))
				return
			}
			q.send(truth(q))
		})
		r := newResolver(t, Config{Servers: []netip.AddrPort{s.addr}})
		got, err := collect(t.Context(), r, "www.example.com", Both)
		if !slices.Equal(got, []string{"192.0.2.1"}) || !errors.Is(err, want) {
			t.Errorf("rcode %d: %v, %v; want error %v", rcode, got, err, want)
		}
		if addrs, err := r.LookupNetIP(t.Context(), "ip", "www.example.com"); err != nil || len(addrs) != 1 {
			t.Errorf("rcode %d: LookupNetIP: %v, %v", rcode, addrs, err)
		}
	}
}

func TestQueryOrder(t *testing.T) {
	for range 20 {
		order := make(chan uint16, 100)
		s := serve(t, true, func(q query) {
			order <- q.qtype()
			q.send(truth(q))
		})
		r := newResolver(t, Config{Servers: []netip.AddrPort{s.addr}})
		if _, err := collect(t.Context(), r, "www.example.com", Both); err != nil {
			t.Fatal(err)
		}
		if first, second := <-order, <-order; first != dns.TypeAAAA || second != dns.TypeA {
			t.Fatalf("queries came as %d, %d", first, second)
		}
	}
}

// TestLeavingEarly: when the loop is left nothing is under way, and after Close
// nothing is open or running.
func TestLeavingEarly(t *testing.T) {
	s := serve(t, true, func(q query) {
		if q.qtype() == dns.TypeA {
			q.send(truth(q))
		}
	})
	ignore := goleak.IgnoreCurrent()
	r := newResolver(t, Config{Servers: []netip.AddrPort{s.addr}, Timeout: time.Hour})
	var open atomic.Int32
	dial := r.Dial
	r.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := dial(ctx, network, address)
		open.Add(1)
		return &slowConn{countedConn{Conn: c, open: &open}}, err
	}
	groups := 0
	for range r.Lookup(t.Context(), "www.example.com", Both) {
		groups++
		break
	}
	if n := len(r.memory.view.flights); n != 0 {
		t.Errorf("%d questions are under way", n)
	}
	r.Close()
	if n := open.Load(); n != 0 {
		t.Errorf("%d sockets are open", n)
	}
	if groups != 1 {
		t.Errorf("%d groups", groups)
	}
	goleak.VerifyNone(t, ignore)
}

// A slowConn lets all others run before it is closed.
type slowConn struct{ countedConn }

func (c *slowConn) Close() error {
	for range 100 {
		runtime.Gosched()
	}
	return c.countedConn.Close()
}

// TestCancel cancels when the silent server has been asked, and by TCP.
func TestCancel(t *testing.T) {
	gone := errors.New("the domain is gone")
	for _, tcp := range []bool{false, true} {
		asked := make(chan struct{}, 100)
		s := serve(t, true, func(q query) {
			if tcp && !q.tcp {
				truncated(nil)(q)
				return
			}
			asked <- struct{}{}
		})
		r := newResolver(t, Config{Servers: []netip.AddrPort{s.addr}, Timeout: time.Hour})
		ctx, cancel := context.WithCancelCause(t.Context())
		go func() {
			<-asked
			cancel(gone)
		}()
		_, err := collect(ctx, r, "www.example.com", Both)
		if !errors.Is(err, context.Canceled) || !errors.Is(err, gone) {
			t.Errorf("error %v, want it to wrap the cause", err)
		}
		var e *Error
		if !errors.As(err, &e) || e.Timeout() || e.Name != "www.example.com" {
			t.Errorf("error %#v", err)
		}
	}
}

func TestClose(t *testing.T) {
	asked := make(chan struct{}, 100)
	s := serve(t, true, func(q query) { asked <- struct{}{} })
	r := newResolver(t, Config{Servers: []netip.AddrPort{s.addr}, Timeout: time.Hour})
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		<-asked
		for range 2 {
			if err := r.Close(); err != nil {
				t.Error(err)
			}
		}
	}()
	if _, err := collect(t.Context(), r, "www.example.com", Both); !errors.Is(err, net.ErrClosed) {
		t.Errorf("look-up under way: %v", err)
	}
	<-closed
	if _, err := collect(t.Context(), r, "localhost", Both); !errors.Is(err, net.ErrClosed) {
		t.Errorf("later look-up: %v", err)
	}
}

func TestConfigErrors(t *testing.T) {
	gone := errors.New("gone")
	r := newResolver(t, Config{})
	if _, err := collect(t.Context(), r, "www.example.com", Both); !errors.Is(err, ErrNoServers) {
		t.Errorf("no servers: %v", err)
	}
	r.Config = func() (Config, error) { return Config{}, gone }
	var e *Error
	if _, err := collect(t.Context(), r, "localhost", Both); !errors.Is(err, gone) || !errors.As(err, &e) {
		t.Errorf("configuration gone: %v", err)
	}
	if _, err := collect(t.Context(), &Resolver{}, "localhost", Both); err == nil {
		t.Error("a Resolver without functions works")
	}
}

// TestRefusedPort: an ICMP error starts the next server at once, or is told.
func TestRefusedPort(t *testing.T) {
	pc, ln := listen(t, netip.MustParseAddr("127.0.0.1"))
	dead := pc.LocalAddr().(*net.UDPAddr).AddrPort()
	pc.Close()
	ln.Close()
	s := serve(t, true, func(q query) { q.send(truth(q)) })
	r := newResolver(t, Config{Servers: []netip.AddrPort{dead, s.addr}})
	if got, err := collect(t.Context(), r, "www.example.com", Both); err != nil || !slices.Equal(got, both) {
		t.Errorf("with a second server: %v, %v", got, err)
	}
	r = newResolver(t, Config{Servers: []netip.AddrPort{dead}, Search: []string{"a.test", "b.test"}})
	dial, dials := r.Dial, 0
	r.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		dials++
		return dial(ctx, network, address)
	}
	_, err := collect(t.Context(), r, "www", IPv6)
	var e *Error
	if dials != 1 { // no server spoke: the other candidates are not tried
		t.Errorf("%d sockets were made", dials)
	}
	if !errors.Is(err, syscall.ECONNREFUSED) || !errors.As(err, &e) || e.Server != dead || e.Timeout() {
		t.Errorf("alone: %v", err)
	}
}

func TestDialAddress(t *testing.T) {
	var dialled string
	refuse := errors.New("refused here")
	r := newResolver(t, Config{Servers: []netip.AddrPort{netip.MustParseAddrPort("[fe80::1%3]:53")}})
	r.Dial = func(_ context.Context, network, address string) (net.Conn, error) {
		dialled = network + " " + address
		return nil, refuse
	}
	if _, err := collect(t.Context(), r, "www.example.com", IPv6); !errors.Is(err, refuse) {
		t.Error(err)
	}
	if want := "udp [fe80::1%3]:53"; dialled != want {
		t.Errorf("dialled %q, want %q", dialled, want)
	}
}
