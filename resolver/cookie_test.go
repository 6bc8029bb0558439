package resolver

import (
	"encoding/hex"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/miekg/dns"
)

// cookieOf gives the cookie in a message, in octets.
func cookieOf(m *dns.Msg) []byte {
	o := m.IsEdns0()
	if o == nil {
		return nil
	}
	for _, opt := range o.Option {
		if c, ok := opt.(*dns.EDNS0_COOKIE); ok {
			b, err := hex.DecodeString(c.Cookie)
			if err != nil {
				panic(err)
			}
			return b
		}
	}
	return nil
}

// withCookie adds a cookie to a message.
func withCookie(m *dns.Msg, cookie []byte) *dns.Msg {
	m.SetEdns0(1232, false)
	o := m.IsEdns0()
	o.Option = append(o.Option, &dns.EDNS0_COOKIE{Code: dns.EDNS0COOKIE, Cookie: hex.EncodeToString(cookie)})
	return m
}

// serverCookie is what a good server adds to a client's cookie.
var serverCookie = []byte("server's secret.")

func baked(q query) []byte {
	c := cookieOf(q.Msg)
	return append(slices.Clone(c[:clientCookie]), serverCookie...)
}

// TestCookies gives scripts of a server that is asked twice: the first query
// has a client cookie only, and the server gives its own.
func TestCookies(t *testing.T) {
	first := func(q query) bool { return len(cookieOf(q.Msg)) == clientCookie }
	second := func(script func(query)) func(query) {
		return func(q query) {
			switch {
			case first(q) && !q.tcp:
				q.send(withCookie(truth(q), baked(q)))
			default:
				script(q)
			}
		}
	}
	forged := func(change func([]byte) []byte) func(query) {
		return second(func(q query) {
			q.send(withCookie(lie(q), change(baked(q))), withCookie(truth(q), baked(q)))
		})
	}
	cases := []struct {
		name   string
		script func(query)
		want   bool // an answer
	}{
		{"no cookie at all", good, true},
		{"client cookie given back", func(q query) { q.send(withCookie(truth(q), cookieOf(q.Msg)[:clientCookie])) }, true},
		{"server cookie", second(func(q query) { q.send(withCookie(truth(q), baked(q))) }), true},
		{"server's part changed", second(func(q query) {
			q.send(withCookie(truth(q), append(cookieOf(q.Msg)[:clientCookie:clientCookie], "another secret.."...)))
		}), true},
		{"no cookie once there was one, then truth", second(func(q query) {
			q.send(lie(q), withCookie(truth(q), baked(q)))
		}), true},
		{"bare FORMERR once there was a cookie, then truth", second(func(q query) {
			m := failing(q, dns.RcodeFormatError)
			m.Question = nil
			q.send(m, withCookie(truth(q), baked(q)))
		}), true},
		{"cut off once there was a cookie, then truth", second(func(q query) {
			q.reply(cutOff(lie(q)))
			q.send(withCookie(truth(q), baked(q)))
		}), true},
		{"other client cookie", forged(func(c []byte) []byte { c[3]++; return c }), true},
		{"cookie of 7 octets", forged(func(c []byte) []byte { return c[:7] }), true},
		{"cookie of 12 octets", forged(func(c []byte) []byte { return c[:12] }), true},
		{"cookie of 41 octets", forged(func(c []byte) []byte { return append(c, make([]byte, 41-len(c))...) }), true},
		{"empty cookie", forged(func(c []byte) []byte { return nil }), true},
		{"cookies given up, known by TCP", func(q query) {
			switch {
			case q.tcp:
				q.send(truth(q))
			case first(q):
				q.send(withCookie(truth(q), baked(q)))
			default:
				q.send(truth(q), truth(q), truth(q), truth(q))
			}
		}, true},
		{"BADCOOKIE, then right", func(q query) {
			m := truth(q)
			if first(q) {
				m = failing(q, dns.RcodeBadCookie)
			}
			q.send(withCookie(m, baked(q)))
		}, true},
		{"BADCOOKIE to all by UDP", func(q query) {
			if q.tcp {
				q.send(withCookie(truth(q), baked(q)))
				return
			}
			q.send(withCookie(failing(q, dns.RcodeBadCookie), baked(q)))
		}, true},
		{"bare SERVFAIL by TCP once there was a cookie", func(q query) {
			m := failing(q, dns.RcodeServerFailure)
			switch {
			case q.tcp:
				m.Question = nil
			case first(q):
				m = withCookie(m, baked(q))
			default:
				m.Truncated = true
			}
			q.send(m)
		}, false},
		{"BADCOOKIE to all", func(q query) { q.send(withCookie(failing(q, dns.RcodeBadCookie), baked(q))) }, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, true, c.script)
			r := newResolver(t, Config{Servers: []netip.AddrPort{s.addr}, NoCache: true})
			for range 3 {
				got, err := collect(t.Context(), r, "www.example.com", IPv4)
				if c.want && (err != nil || !slices.Equal(got, both[:1])) || !c.want && !errors.Is(err, ErrServerFailure) {
					t.Fatalf("%v, %v", got, err)
				}
			}
		})
	}
}

// TestCookieKept: the server's part comes back to it, the client's stays.
func TestCookieKept(t *testing.T) {
	var mu sync.Mutex
	var seen []string
	s := serve(t, true, func(q query) {
		mu.Lock()
		seen = append(seen, string(cookieOf(q.Msg)))
		mu.Unlock()
		q.send(withCookie(truth(q), baked(q)))
	})
	r := newResolver(t, Config{Servers: []netip.AddrPort{s.addr}, NoCache: true})
	for range 3 {
		if _, err := collect(t.Context(), r, "www.example.com", IPv4); err != nil {
			t.Fatal(err)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if len(seen) != 3 || len(seen[0]) != clientCookie || seen[1] != seen[0]+string(serverCookie) || seen[2] != seen[1] {
		t.Errorf("cookies %q", seen)
	}
	other := newResolver(t, Config{Servers: []netip.AddrPort{s.addr}})
	mu.Unlock()
	_, err := collect(t.Context(), other, "www.example.com", IPv4)
	mu.Lock()
	if err != nil || strings.HasPrefix(seen[3], seen[0]) {
		t.Errorf("another resolver's cookie %q, %v", seen[3], err)
	}
}

// TestExtendedErrors: what the server has to say is in the error, escaped.
func TestExtendedErrors(t *testing.T) {
	s := serve(t, true, func(q query) {
		m := failing(q, dns.RcodeServerFailure)
		m.SetEdns0(1232, false)
		o := m.IsEdns0()
		o.Option = append(o.Option,
			&dns.EDNS0_EDE{InfoCode: dns.ExtendedErrorCodeDNSBogus, ExtraText: "bad \x1b[31m\xff"},
			&dns.EDNS0_NSID{Code: dns.EDNS0NSID, Nsid: "abcd"},
			&dns.EDNS0_EDE{InfoCode: 4711, ExtraText: strings.Repeat("x", 1000)},
			&dns.EDNS0_EDE{}, &dns.EDNS0_EDE{}, &dns.EDNS0_EDE{}, &dns.EDNS0_EDE{})
		q.send(m)
	})
	r := newResolver(t, Config{Servers: []netip.AddrPort{s.addr}})
	_, err := collect(t.Context(), r, "www.example.com", IPv4)
	var e *Error
	if !errors.As(err, &e) || !errors.Is(err, ErrServerFailure) || len(e.Extended) != maxExtended {
		t.Fatalf("%#v", err)
	}
	want := ExtendedError{dns.ExtendedErrorCodeDNSBogus, "bad \x1b[31m\xff"}
	if e.Extended[0] != want || e.Extended[1].Code != 4711 || len(e.Extended[1].Text) != maxExtraText {
		t.Errorf("%q", e.Extended)
	}
	if text := err.Error(); !strings.Contains(text, `DNSSEC Bogus "bad \x1b[31m\xff"`) || strings.Contains(text, "\x1b") || strings.Contains(text, "\xff") {
		t.Errorf("%q", text)
	}
}
