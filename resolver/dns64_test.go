package resolver

import (
	"errors"
	"net/netip"
	"slices"
	"testing"

	"github.com/miekg/dns"
)

// TestEmbed has the examples of RFC 6052 §2.4, and their way back.
func TestEmbed(t *testing.T) {
	for prefix, want := range map[string]string{
		"2001:db8::/32":             "2001:db8:c000:221::",
		"2001:db8:100::/40":         "2001:db8:1c0:2:21::",
		"2001:db8:122::/48":         "2001:db8:122:c000:2:2100::",
		"2001:db8:122:300::/56":     "2001:db8:122:3c0:0:221::",
		"2001:db8:122:344::/64":     "2001:db8:122:344:c0:2:2100::",
		"2001:db8:122:344::/96":     "2001:db8:122:344::192.0.2.33",
		"2001:db8::/33":             "",
		"2001:db8::/128":            "",
		"2001:db8:0:0:ff00::/96":    "",
		"::ffff:0:0/96":             "",
		"192.0.2.0/32":              "",
		"64:ff9b::/96":              "", // 192.0.2.33 is not global
		"2001:db8:122:344::ffff/96": "2001:db8:122:344::192.0.2.33",
	} {
		p := netip.MustParsePrefix(prefix)
		got, ok := embed(p, netip.MustParseAddr("192.0.2.33"))
		if ok != (want != "") || ok && got != netip.MustParseAddr(want) {
			t.Errorf("%s: %v, want %s", prefix, got, want)
		}
		if !ok {
			continue
		}
		for _, v4 := range []string{"192.0.0.170", "192.0.0.171"} {
			a, _ := embed(p, netip.MustParseAddr(v4))
			if back, ok := extract(a); !ok || back != p.Masked() {
				t.Errorf("%s: %v gives %v", prefix, a, back)
			}
		}
	}
	for _, bad := range []string{"127.0.0.1", "169.254.1.1", "0.1.2.3", "224.0.0.1", "255.255.255.255"} {
		if a, ok := embed(netip.MustParsePrefix("2001:db8::/96"), netip.MustParseAddr(bad)); ok {
			t.Errorf("%s became %v", bad, a)
		}
	}
	for v4, want := range map[string]bool{"8.8.8.8": true, "10.0.0.1": false, "100.64.0.1": false, "192.168.1.1": false, "203.0.113.1": false} {
		if _, ok := embed(wellKnown(), netip.MustParseAddr(v4)); ok != want {
			t.Errorf("%s in the well-known prefix: %v", v4, ok)
		}
	}
	for _, odd := range []string{"2001:db8::1", "::ffff:192.0.0.170", "64:ff9b:c000:aa:c0:0:aa00:0", "2001:db8::ff00:c000:aa:0:1"} {
		if p, ok := extract(netip.MustParseAddr(odd)); ok {
			t.Errorf("%s gives %v", odd, p)
		}
	}
}

// TestTranslation asks in domains without IPv4.
func TestTranslation(t *testing.T) {
	s := serve(t, true, func(q query) {
		switch {
		case q.qname() == "ipv4only.arpa." && q.qtype() == dns.TypeAAAA:
			q.send(answer(q, "ipv4only.arpa. 60 IN AAAA 2001:db8:64::c000:aa", "ipv4only.arpa. 60 IN AAAA 2001:db8:64::c000:ab",
				"ipv4only.arpa. 60 IN AAAA 2001:db8::1"))
		case q.qname() == "mapped.test." && q.qtype() == dns.TypeAAAA:
			q.send(answer(q, "mapped.test. 60 IN AAAA ::ffff:192.0.2.1"))
		case q.qname() == "fails.test." && q.qtype() == dns.TypeAAAA:
			q.send(failing(q, dns.RcodeServerFailure))
		case q.qname() == "none.test.":
			q.send(soaAnswer(q, dns.RcodeNameError, 60, 60))
		case q.qname() == "six.test." || q.qtype() == dns.TypeA:
			q.send(truth(q))
		default:
			q.send(answer(q))
		}
	})
	prefix := []netip.Prefix{netip.MustParsePrefix("2001:db8:96::/96")}
	made, six := []string{"2001:db8:96::c000:201"}, []string{"2001:db8::1"}
	cases := []struct {
		name   string
		family Family
		change func(*Config)
		want   []string
		origin Origin
		err    error
	}{
		{"four.test", Both, nil, made, Synthesised, nil},
		{"four.test", IPv6, nil, made, Synthesised, nil},
		{"four.test", IPv4, nil, []string{"192.0.2.1"}, DNS, nil},
		{"mapped.test", IPv6, nil, made, Synthesised, nil},
		{"fails.test", IPv6, nil, made, Synthesised, nil},
		{"six.test", Both, nil, six, DNS, nil},
		{"none.test", Both, nil, nil, 0, ErrNoSuchName},
		{"192.0.2.1", Both, nil, made, Synthesised, nil},
		{"192.0.2.1", IPv4, nil, []string{"192.0.2.1"}, Literal, nil},
		{"127.0.0.1", Both, nil, []string{"127.0.0.1"}, Literal, nil},
		{"four.test", Both, func(c *Config) { c.IPv6Only = false }, []string{"192.0.2.1"}, DNS, nil},
		{"four.test", IPv6, func(c *Config) { c.PREF64 = nil }, nil, 0, ErrNoData},
		{"four.test", Both, func(c *Config) { c.PREF64 = nil }, []string{"192.0.2.1"}, DNS, nil},
		{"four.test", Both, func(c *Config) { c.PREF64, c.DiscoverPREF64 = nil, true }, []string{"2001:db8:64::c000:201"}, Synthesised, nil},
		{"192.0.2.1", Both, func(c *Config) { c.PREF64, c.DiscoverPREF64 = nil, true }, []string{"2001:db8:64::c000:201"}, Synthesised, nil},
		{"ipv4only.arpa", IPv4, nil, []string{"192.0.2.1"}, DNS, nil},
		{"four.test", IPv6, func(c *Config) {
			c.PREF64 = append([]netip.Prefix{netip.MustParsePrefix("2001:db8::/65")}, prefix...)
		}, made, Synthesised, nil},
	}
	for _, c := range cases {
		cfg := Config{Servers: []netip.AddrPort{s.addr}, IPv6Only: true, PREF64: prefix}
		if c.change != nil {
			c.change(&cfg)
		}
		r := newResolver(t, cfg)
		answers, err := collectAnswers(t.Context(), r, c.name, c.family)
		var got []string
		for _, a := range answers {
			got = append(got, a.Addr.String())
			if a.Origin != c.origin {
				t.Errorf("%s %v: origin %v, want %v", c.name, c.family, a.Origin, c.origin)
			}
		}
		if !slices.Equal(got, c.want) || !errors.Is(err, c.err) {
			t.Errorf("%s %v: %v, %v; want %v, %v", c.name, c.family, got, err, c.want, c.err)
		}
	}
}
