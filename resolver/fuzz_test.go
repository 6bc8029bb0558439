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
		c := chain{end: "www.example.com."}
		now := time.Now()
		addrs, err := c.follow(m, dns.TypeA, now)
		checkChain(t, m, c, addrs, err, now)
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
}

func checkChain(t *testing.T, m message, c chain, addrs []netip.Addr, err error, now time.Time) {
	if len(addrs) == 0 {
		return
	}
	if err != nil || m.rcode != dns.RcodeSuccess || c.hops > maxHops || len(addrs) > maxAddrs {
		t.Fatalf("%d addresses, %d aliases, rcode %d, error %v", len(addrs), c.hops, m.rcode, err)
	}
	if c.expiry.Before(now) || c.expiry.After(now.Add(maxTTL)) {
		t.Fatalf("expiry in %v", c.expiry.Sub(now))
	}
	reached := reachable(m.answer, "www.example.com.")
	for _, rr := range m.answer {
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
