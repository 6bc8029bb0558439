package resolver

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// FuzzReply feeds any bytes to the parser as a reply to a query. What is
// accepted has to ask our question, parse by the codec alone, and give only
// addresses a second, slower walk of the aliases can reach.
func FuzzReply(f *testing.F) {
	for _, b := range seeds() {
		f.Add(b)
	}
	q, err := newQuestion("www.example.com.", dns.TypeA, true)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) >= 2 {
			q.id = uint16(b[0])<<8 | uint16(b[1])
		}
		m, v := q.judge(b)
		if v != whole {
			if len(m.answer)+len(m.authority) > 0 {
				t.Fatalf("verdict %d with records", v)
			}
			return
		}
		checkAccepted(t, b, m)
		if !m.conclusive() {
			return
		}
		c := chain{end: "www.example.com."}
		now := time.Now()
		addrs, err := c.follow(m, dns.TypeA, now)
		checkChain(t, b, m, c, addrs, err, now)
	})
}

func checkAccepted(t *testing.T, b []byte, m message) {
	var oracle dns.Msg
	if err := oracle.Unpack(b); err != nil {
		t.Fatalf("accepted what the codec does not: %v", err)
	}
	if !oracle.Response || oracle.Opcode != dns.OpcodeQuery || oracle.Truncated || len(oracle.Question) != 1 {
		t.Fatalf("accepted %v", oracle.MsgHdr)
	}
	if asked := oracle.Question[0]; !strings.EqualFold(asked.Name, "www.example.com.") ||
		asked.Qtype != dns.TypeA || asked.Qclass != dns.ClassINET {
		t.Fatalf("accepted a reply to %v", asked)
	}
	if len(oracle.Answer) != len(m.answer) || len(oracle.Ns) != len(m.authority) {
		t.Fatalf("%d and %d records, the codec has %d and %d",
			len(m.answer), len(m.authority), len(oracle.Answer), len(oracle.Ns))
	}
	opts := 0
	for _, rr := range oracle.Extra {
		if rr.Header().Rrtype == dns.TypeOPT {
			opts++
		}
	}
	if opts < 2 && m.rcode != oracle.Rcode { // of several the codec takes the last
		t.Fatalf("rcode %d, the codec has %d", m.rcode, oracle.Rcode)
	}
	for i, rr := range append(oracle.Answer, oracle.Ns...) {
		checkRecord(t, append(m.answer, m.authority...)[i], rr)
	}
}

// checkRecord compares a record with what the codec makes of it.
func checkRecord(t *testing.T, rec record, rr dns.RR) {
	h := rr.Header()
	if !same(rec.owner, h.Name) || rec.kind != h.Rrtype || rec.class != h.Class && rec.kind != dns.TypeOPT || rec.ttl != h.Ttl {
		t.Fatalf("%+v, the codec has %v", rec, rr)
	}
	ok := true
	switch rr := rr.(type) {
	case *dns.A:
		ok = rec.addr.String() == rr.A.String()
	case *dns.AAAA:
		ok = rec.addr.Unmap().String() == rr.AAAA.String()
	case *dns.CNAME:
		ok = same(rec.target, rr.Target)
	case *dns.SOA:
		ok = rec.least == rr.Minttl
	case *dns.OPT:
	default:
		ok = rec.rr.String() == rr.String()
	}
	if !ok {
		t.Fatalf("%+v, the codec has %v", rec, rr)
	}
}

func checkChain(t *testing.T, b []byte, m message, c chain, addrs []netip.Addr, err error, now time.Time) {
	if len(addrs) == 0 {
		return
	}
	if err != nil || m.rcode != dns.RcodeSuccess || len(c.path) > maxHops || len(addrs) > maxAddrs {
		t.Fatalf("%d addresses, %d aliases, rcode %d, error %v", len(addrs), len(c.path), m.rcode, err)
	}
	if c.expiry.Before(now) || c.expiry.After(now.Add(maxTTL)) {
		t.Fatalf("expiry in %v", c.expiry.Sub(now))
	}
	var oracle dns.Msg
	if err := oracle.Unpack(b); err != nil {
		t.Fatal(err)
	}
	reached := reachable(oracle.Answer, "www.example.com.")
	for _, rr := range oracle.Answer {
		a, ok := rr.(*dns.A)
		if !ok || !slices.Contains(reached, strings.ToLower(a.Hdr.Name)) {
			continue
		}
		if addr, ok := netip.AddrFromSlice(a.A); ok {
			addrs = slices.DeleteFunc(addrs, func(have netip.Addr) bool { return have == addr })
		}
	}
	if len(addrs) > 0 {
		t.Fatalf("addresses %v belong to none of %v", addrs, reached)
	}
}

// reachable gives every owner that aliases lead to from a name.
func reachable(answer []dns.RR, name string) []string {
	names := []string{name}
	for i := 0; i < len(names); i++ {
		for _, rr := range answer {
			alias, ok := rr.(*dns.CNAME)
			if !ok || strings.ToLower(alias.Hdr.Name) != names[i] {
				continue
			}
			if target := strings.ToLower(alias.Target); !slices.Contains(names, target) {
				names = append(names, target)
			}
		}
	}
	return names
}

// seeds gives replies of each kind, and their first halves.
func seeds() [][]byte {
	asked := query{Msg: new(dns.Msg).SetQuestion("www.example.com.", dns.TypeA)}
	lines, end := aliases(asked, 5)
	full := answer(asked, append(lines, address(end, dns.TypeA, false), address("evil.test.", dns.TypeA, true))...)
	full.Ns = rrs("example.com. 60 IN SOA ns. admin. 1 2 3 4 5", "example.com. 60 IN NS ns.example.com.")
	full.Extra = rrs("ns.example.com. 60 IN A 192.0.2.53")
	full.SetEdns0(1232, true)
	full.Compress = true
	odd := answer(asked, `www.example.com. 60 IN CNAME a\000\.b.test.`, `a\000\.b.test. 4294967295 IN A 192.0.2.1`,
		"www.example.com. 60 IN TXT abc", "www.example.com. 60 IN HTTPS 1 . alpn=h2")
	loop := answer(asked, "www.example.com. 60 IN CNAME b.test.", "b.test. 60 IN CNAME WWW.example.com.")
	var out [][]byte
	for _, m := range []*dns.Msg{truth(asked), full, odd, loop, failing(asked, dns.RcodeNameError), failing(asked, dns.RcodeFormatError)} {
		b := packed(m)
		out = append(out, b, b[:len(b)/2], append(slices.Clone(b), 0))
	}
	return out
}

// FuzzService feeds any bytes to the parser as the data of an HTTPS record. What
// comes of it is bounded, and can be reached.
func FuzzService(f *testing.F) {
	for _, line := range []string{
		"a.test. 60 IN HTTPS 1 . alpn=h3,h2 ipv4hint=192.0.2.1 ipv6hint=2001:db8::1 ech=AEX+DQ== port=8443",
		"a.test. 60 IN HTTPS 0 b.test.", "a.test. 60 IN HTTPS 5 b.test. mandatory=alpn alpn=h2 no-default-alpn",
	} {
		b := make([]byte, 512)
		off, err := dns.PackRR(rrs(line)[0], b, 0, nil, false)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b[8+10 : off]) // a.test. and the header
	}
	f.Fuzz(func(t *testing.T, rdata []byte) {
		b := []byte("\x01a\x04test\x00\x00\x41\x00\x01\x00\x00\x00\x3c")
		b = append(b, byte(len(rdata)>>8), byte(len(rdata)))
		if len(rdata) > 60000 {
			return
		}
		w := walker{b: append(b, rdata...)}
		rec, ok := w.record(new(message), false)
		if !ok {
			return
		}
		next, all := read(outcome{records: []dns.RR{rec.rr, rec.rr}, end: "a.test"}, time.Time{})
		if next != "" && len(all) > 0 || len(all) > 2 {
			t.Fatalf("%q and %+v", next, all)
		}
		for _, s := range all {
			if s.Priority == 0 || s.Target == "" || len(s.IPv4Hints) > maxHints || len(s.IPv6Hints) > maxHints {
				t.Fatalf("%+v", s)
			}
			for _, a := range append(s.IPv4Hints, s.IPv6Hints...) {
				if !usable(a) {
					t.Fatalf("hint %v", a)
				}
			}
		}
	})
}

// FuzzPREF64 feeds any address to the discovery: a prefix it finds gives the
// address back.
func FuzzPREF64(f *testing.F) {
	f.Add(netip.MustParseAddr("64:ff9b::192.0.0.170").AsSlice())
	f.Add(netip.MustParseAddr("2001:db8:122:3c0:0:aa::").AsSlice())
	f.Fuzz(func(t *testing.T, b []byte) {
		a, ok := netip.AddrFromSlice(b)
		if !ok || !a.Is6() {
			return
		}
		p, ok := extract(a)
		if !ok {
			return
		}
		b8 := p.Addr().As16()
		if p != p.Masked() || !p.Contains(a) || b8[8] != 0 {
			t.Fatalf("%v of %v", p, a)
		}
		if !holds(p) {
			t.Fatalf("%v cannot hold an address", p)
		}
	})
}
