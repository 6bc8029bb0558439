package resolver

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// truncated answers UDP by a truncated reply and TCP by a script.
func truncated(overTCP func(query)) func(query) {
	return func(q query) {
		if q.tcp {
			overTCP(q)
			return
		}
		m := answer(q)
		m.Truncated = true
		q.send(m)
	}
}

// many gives that many addresses.
func many(q query, n int) (lines []string) {
	for i := range n {
		if q.qtype() == dns.TypeA {
			lines = append(lines, fmt.Sprintf("%s 60 IN A 10.0.%d.%d", q.qname(), i/250, i%250+1))
		} else {
			lines = append(lines, fmt.Sprintf("%s 60 IN AAAA 2001:db8::%x", q.qname(), i+1))
		}
	}
	return lines
}

func TestTransports(t *testing.T) {
	withoutEDNS := func(rcode int) func(query) {
		return func(q query) {
			if q.edns() {
				m := failing(q, rcode)
				if rcode > 15 {
					m.SetEdns0(1232, false)
				}
				q.send(m)
				return
			}
			q.send(truth(q))
		}
	}
	runHostile(t, []hostileCase{
		{name: "t01 truncated", script: truncated(func(q query) { q.send(truth(q)) }), want: both, most: 2},
		{name: "t04 other ID over TCP", script: truncated(func(q query) {
			m := lie(q)
			m.Id++
			q.send(m)
			q.reply(nil)
		}), err: ErrServerFailure},
		{name: "t05 other ID over TCP, then truth", script: truncated(altered(func(m *dns.Msg) { m.Id++ })), want: both},
		{name: "t06 truncated over TCP too", script: truncated(func(q query) {
			m := lie(q)
			m.Truncated = true
			q.send(m)
		}), err: ErrServerFailure},
		{name: "t06 NXDOMAIN over TCP", script: truncated(func(q query) { q.send(failing(q, dns.RcodeNameError)) }), err: ErrNoSuchName},
		{name: "t08 TCP closes", script: truncated(func(q query) { q.reply(nil) }), err: ErrServerFailure},
		{name: "t08 TCP refused", script: truncated(nil), noTCP: true, err: ErrServerFailure},
		{name: "t09 reply of 1800 octets", script: func(q query) {
			m := truth(q)
			m.Extra = rrs("x. 60 IN TXT " + strings.Repeat(strings.Repeat("a", 200)+" ", 9))
			q.send(m)
		}, want: both, most: 1},
		{name: "e01 FORMERR to EDNS", script: withoutEDNS(dns.RcodeFormatError), want: both, most: 2},
		{name: "e01 NOTIMP to EDNS", script: withoutEDNS(dns.RcodeNotImplemented), want: both, most: 2},
		{name: "e03 BADVERS to EDNS", script: withoutEDNS(dns.RcodeBadVers), want: both, most: 2},
		{name: "e05 FORMERR with an OPT record", script: func(q query) {
			if !q.edns() {
				q.send(truth(q))
				return
			}
			m := failing(q, dns.RcodeFormatError)
			m.SetEdns0(512, false)
			q.send(m)
		}, want: both, most: 2},
		{name: "e04 FORMERR to all", script: func(q query) { q.send(failing(q, dns.RcodeFormatError)) }, err: ErrServerFailure, most: 2},
		{name: "r02 SERVFAIL", script: func(q query) { q.send(failing(q, dns.RcodeServerFailure)) }, err: ErrServerFailure, most: 1},
		{name: "r03 REFUSED", script: func(q query) { q.send(failing(q, dns.RcodeRefused)) }, err: ErrRefused, most: 1},
		{name: "r03 bare REFUSED", script: func(q query) {
			m := failing(q, dns.RcodeRefused)
			m.Question = nil
			q.send(m)
		}, err: ErrRefused, most: 1},
		{name: "r09 YXDOMAIN", script: func(q query) { q.send(failing(q, dns.RcodeYXDomain)) }, err: ErrServerFailure, most: 1},
		{name: "r05 NXDOMAIN", script: func(q query) { q.send(failing(q, dns.RcodeNameError)) }, err: ErrNoSuchName, most: 1},
		{name: "r06 fifty copies", script: func(q query) {
			for range 50 {
				q.send(truth(q))
			}
		}, want: both, most: 1},
		{name: "r07 lame referral", script: func(q query) {
			m := new(dns.Msg).SetReply(q.Msg)
			m.Ns = rrs("com. 60 IN NS a.gtld-servers.net.")
			q.send(m)
		}, err: ErrServerFailure, most: 1},
	})
}

// TestClosedStream is t10: a server that closes its stream with the reply has
// answered.
func TestClosedStream(t *testing.T) {
	s := serve(t, true, truncated(func(q query) {
		q.send(truth(q))
		q.reply(nil)
	}))
	r := newResolver(t, Config{Servers: []netip.AddrPort{s.addr}})
	if got, err := collect(t.Context(), r, "www.example.com", IPv4); err != nil || !slices.Equal(got, both[:1]) {
		t.Errorf("%v, %v", got, err)
	}
}

// TestHungUp is t11: a server that closes its first stream without a reply is asked
// by another stream if it is the only one.
func TestHungUp(t *testing.T) {
	other := serve(t, true, good)
	for want, more := range map[int][]netip.AddrPort{3: nil, 2: {other.addr}} {
		s := serve(t, true, truncated(func(q query) {
			if q.n == 1 {
				q.reply(nil)
				return
			}
			q.send(truth(q))
		}))
		r := newResolver(t, Config{Servers: append([]netip.AddrPort{s.addr}, more...)})
		got, err := collect(t.Context(), r, "www.example.com", IPv4)
		if n := s.total(dns.TypeA); err != nil || !slices.Equal(got, both[:1]) || n != want {
			t.Errorf("%d servers: %v, %v after %d queries, want %d", 1+len(more), got, err, n, want)
		}
	}
}

// TestManyAddresses is t07: only so many are delivered.
func TestManyAddresses(t *testing.T) {
	s := serve(t, true, truncated(func(q query) {
		m := answer(q, many(q, 2000)...)
		m.Compress = true
		q.send(m)
	}))
	r := newResolver(t, Config{Servers: []netip.AddrPort{s.addr}})
	for group, err := range r.Lookup(t.Context(), "www.example.com", Both) {
		if err != nil {
			t.Fatal(err)
		}
		if len(group) != maxAddrs {
			t.Errorf("%d addresses of a family, want %d", len(group), maxAddrs)
		}
	}
}
