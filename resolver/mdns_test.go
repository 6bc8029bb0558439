package resolver

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"
)

// A link is hosts that hear what is sent to a group, in virtual time.
type fakeLink struct {
	hosts func(m *dns.Msg, reply func(from string, m *dns.Msg))
	sent  []string
	mu    sync.Mutex
}

type datagram struct {
	from *net.UDPAddr
	b    []byte
}

// A groupConn is a socket on a fake link.
type groupConn struct {
	net.PacketConn
	link *fakeLink
	in   chan datagram
	done chan struct{}
	once sync.Once
}

func (f *fakeLink) listen(_ context.Context, network string) (net.PacketConn, error) {
	if network != "udp4" {
		return nil, errors.New("no IPv6 here")
	}
	return &groupConn{link: f, in: make(chan datagram, 100), done: make(chan struct{})}, nil
}

func (c *groupConn) WriteTo(b []byte, to net.Addr) (int, error) {
	m := new(dns.Msg)
	if err := m.Unpack(b); err != nil {
		return 0, err
	}
	c.link.mu.Lock()
	c.link.sent = append(c.link.sent, to.String()+" "+dns.TypeToString[m.Question[0].Qtype])
	c.link.mu.Unlock()
	c.link.hosts(m, func(from string, m *dns.Msg) {
		c.in <- datagram{net.UDPAddrFromAddrPort(netip.MustParseAddrPort(from)), packed(m)}
	})
	return len(b), nil
}

func (c *groupConn) ReadFrom(b []byte) (int, net.Addr, error) {
	select {
	case d := <-c.in:
		return copy(b, d.b), d.from, nil
	case <-c.done:
		return 0, nil, net.ErrClosed
	}
}

func (c *groupConn) Close() error {
	c.once.Do(func() { close(c.done) })
	return nil
}

func TestMulticast(t *testing.T) {
	tell := func(from string, change func(*dns.Msg), lines ...string) func(*dns.Msg, func(string, *dns.Msg)) {
		return func(q *dns.Msg, reply func(string, *dns.Msg)) {
			if m := answer(query{Msg: q}, lines...); q.Question[0].Qtype == m.Answer[0].Header().Rrtype {
				if change != nil {
					change(m)
				}
				reply(from, m)
			}
		}
	}
	a := "box.local. 10 IN A 192.0.2.7"
	cases := []struct {
		name   string
		family Family
		hosts  func(*dns.Msg, func(string, *dns.Msg))
		want   []string
		took   time.Duration
	}{
		{"from a prefix on the link", IPv4, tell("192.0.2.7:5353", nil, a), []string{"192.0.2.7"}, 0},
		{"one family only", Both, tell("192.0.2.7:5353", nil, a), []string{"192.0.2.7"}, mdnsRest},
		{"from a link-local address", IPv4, tell("169.254.3.4:5353", nil, a), []string{"192.0.2.7"}, 0},
		{"cache-flush bit", IPv4, tell("192.0.2.7:5353", func(m *dns.Msg) { m.Answer[0].Header().Class |= 1 << 15 }, a), []string{"192.0.2.7"}, 0},
		{"a link-local address", IPv6, tell("192.0.2.7:5353", nil, "box.local. 10 IN AAAA fe80::7"), []string{"fe80::7%3"}, 0},
		{"from another port", IPv4, tell("192.0.2.7:53", nil, a), nil, mdnsTime},
		{"from off the link", IPv4, tell("198.51.100.7:5353", nil, a), nil, mdnsTime},
		{"other ID", IPv4, tell("192.0.2.7:5353", func(m *dns.Msg) { m.Id++ }, a), nil, mdnsTime},
		{"other question", IPv4, tell("192.0.2.7:5353", func(m *dns.Msg) { m.Question[0].Name = "x.local." }, a), nil, mdnsTime},
		{"other owner", IPv4, tell("192.0.2.7:5353", nil, "x.local. 10 IN A 192.0.2.7"), nil, mdnsTime},
		{"an rcode", IPv4, tell("192.0.2.7:5353", func(m *dns.Msg) { m.Rcode = dns.RcodeNameError }, a), nil, mdnsTime},
		{"nobody", Both, func(*dns.Msg, func(string, *dns.Msg)) {}, nil, mdnsTime},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &fakeLink{hosts: c.hosts}
				r := fakeResolver(t, []func(query){func(q query) { t.Errorf("a server was asked for %s", q.qname()) }})
				cfg, _ := r.Config()
				cfg.Link, cfg.OnLink = 3, []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
				r.Config, r.Multicast = func() (Config, error) { return cfg, nil }, f.listen
				start := time.Now()
				answers, err := collectAnswers(t.Context(), r, "Box.local", c.family)
				var got []string
				for _, a := range answers {
					got = append(got, a.Addr.String())
					if a.Origin != Multicast || a.Server.Port() != mdnsPort {
						t.Errorf("%+v", a)
					}
				}
				if d := time.Since(start); d != c.took || !slices.Equal(got, c.want) {
					t.Errorf("%v, %v after %v; want %v after %v", got, err, d, c.want, c.took)
				}
				if c.want == nil && !errors.Is(err, errNobody) || c.want != nil && err != nil {
					t.Error(err)
				}
				if first := f.sent[0]; first != "224.0.0.251:5353 "+dns.TypeToString[types(c.family)[0]] {
					t.Errorf("sent %q", f.sent)
				}
				if c.want == nil && len(f.sent) != 2*len(types(c.family)) {
					t.Errorf("sent %q", f.sent)
				}
			})
		})
	}
}

func types(f Family) []uint16 { return (&lookup{family: f}).types() }

// TestMulticastFails: without a socket nobody is asked; a cancelled look-up
// ends at once.
func TestMulticastFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := fakeResolver(t, nil)
		gone := errors.New("gone")
		r.Multicast = func(context.Context, string) (net.PacketConn, error) { return nil, gone }
		if _, err := collect(t.Context(), r, "box.local", Both); !errors.Is(err, gone) {
			t.Error(err)
		}
		r.Multicast = (&fakeLink{hosts: func(*dns.Msg, func(string, *dns.Msg)) {}}).listen
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(50*ms, cancel)
		start := time.Now()
		_, err := collect(ctx, r, "box.local", Both)
		if d := time.Since(start); d != 50*ms || !errors.Is(err, context.Canceled) {
			t.Errorf("%v after %v", err, d)
		}
		time.AfterFunc(50*ms, func() { r.Close() })
		if _, err := collect(t.Context(), r, "box.local", Both); !errors.Is(err, net.ErrClosed) {
			t.Errorf("%v", err)
		}
	})
}
