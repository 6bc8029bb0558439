package resolver

import (
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// zone answers from a zone file's lines, with aliases followed in one reply if
// they are there.
func zone(lines ...string) func(query) {
	records := rrs(lines...)
	return func(q query) {
		m := answer(q)
		for _, rr := range records {
			if h := rr.Header(); h.Name == q.qname() && (h.Rrtype == q.qtype() || h.Rrtype == dns.TypeCNAME) {
				m.Answer = append(m.Answer, rr)
			}
		}
		q.send(m)
	}
}

func TestServices(t *testing.T) {
	s := serve(t, true, zone(
		"a.test. 60 IN HTTPS 2 far.test. alpn=h2 port=8443",
		"a.test. 60 IN HTTPS 1 . alpn=h3,h2 ipv4hint=192.0.2.1,0.0.0.0 ipv6hint=2001:db8::1,:: ech=AEX+DQ==",
		"a.test. 60 IN HTTPS 3 odd.test. mandatory=key65000 key65000=x",
		"a.test. 60 IN HTTPS 4 odd.test. no-default-alpn",
		"a.test. 60 IN HTTPS 5 fine.test. mandatory=alpn alpn=h2 no-default-alpn",
		"alias.test. 30 IN HTTPS 0 cname.test.",
		"cname.test. 20 IN CNAME a.test.",
		"bare.test. 60 IN HTTPS 0 host.test.",
		"none.test. 60 IN HTTPS 0 .",
		"mixed.test. 60 IN HTTPS 1 wrong.test.",
		"mixed.test. 60 IN HTTPS 0 a.test.",
		"onion.test. 60 IN HTTPS 0 x.onion.",
		"loop.test. 60 IN HTTPS 0 pool.test.",
		"pool.test. 60 IN HTTPS 0 loop.test.",
		"_8443._https.a.test. 60 IN HTTPS 1 other.test.",
		"_853._dns.a.test. 60 IN SVCB 1 dot.test. alpn=dot",
		"_dns.a.test. 60 IN SVCB 1 dot.test. alpn=dot port=853",
	))
	r := newResolver(t, Config{Servers: []netip.AddrPort{s.addr}, Search: []string{"test"}})
	brief := func(all []Service) (got []string) {
		for _, s := range all {
			got = append(got, fmt.Sprintf("%d %s %d %v %v", s.Priority, s.Target, s.Port, s.ALPN, s.NoDefaultALPN))
		}
		return got
	}
	full := []string{"1 a.test 0 [h3 h2] false", "2 far.test 8443 [h2] false", "5 fine.test 0 [h2] true"}
	cases := []struct {
		host string
		port uint16
		want []string
		err  error
	}{
		{"A.test", 443, full, nil},
		{"a.test.", 0, full, nil},
		{"a.test", 8443, []string{"1 other.test 0 [] false"}, nil},
		{"alias.test", 0, full, nil},
		{"mixed.test", 0, full, nil},
		{"bare.test", 0, []string{"0 host.test 0 [] false"}, nil},
		{"none.test", 0, nil, ErrNoData},
		{"onion.test", 0, nil, ErrNoSuchName},
		{"loop.test", 0, nil, ErrServerFailure},
		{"nothing.test", 0, nil, ErrNoData},
		{"a", 0, nil, ErrNoData},
		{"x.local", 0, nil, ErrNoServers},
		{"192.0.2.1", 0, nil, ErrInvalidName},
		{"b!d.test", 0, nil, ErrInvalidName},
	}
	for _, c := range cases {
		all, err := r.LookupHTTPS(t.Context(), c.host, c.port)
		if got := brief(all); !reflect.DeepEqual(got, c.want) || !errors.Is(err, c.err) {
			t.Errorf("%s:%d: %q, %v; want %q, %v", c.host, c.port, got, err, c.want, c.err)
		}
	}
	all, err := r.LookupHTTPS(t.Context(), "a.test", 0)
	if err != nil {
		t.Fatal(err)
	}
	if first := all[0]; fmt.Sprint(first.IPv4Hints, first.IPv6Hints) != "[192.0.2.1] [2001:db8::1]" ||
		string(first.ECH) != "\x00\x45\xfe\x0d" || first.Server != s.addr || first.Expiry.IsZero() {
		t.Errorf("%+v", first)
	}
	for port, want := range map[uint16]string{853: "1 dot.test 0 [dot] false", 0: "1 dot.test 853 [dot] false"} {
		all, err := r.LookupService(t.Context(), "dns", "a.test", port)
		if err != nil || strings.Join(brief(all), ",") != want {
			t.Errorf("_dns, port %d: %q, %v", port, brief(all), err)
		}
	}
}

// TestMalformedServices: a record that is not well-formed spoils the reply.
func TestMalformedServices(t *testing.T) {
	for _, rdata := range []string{
		"\x00\x01",             // no target
		"\x00\x01\x00\x00\x03", // half a parameter
		"\x00\x01\x00\x00\x03\x00\x02\x01\xbb\x00\x01\x00\x03\x02h2", // keys out of order
		"\x00\x01\x00\x00\x04\x00\x03abc",                            // a hint of three octets
		"\x00\x01\x00\x00\x01\x00\x03\x05h2",                         // a protocol longer than its parameter
		"\x00\x01\xc0\x0c\x00",                                       // an octet too many
	} {
		s := serve(t, true, mangled("\xc0\x0c", len(rdata), rdata))
		r := newResolver(t, Config{Servers: []netip.AddrPort{s.addr}})
		if all, err := r.LookupHTTPS(t.Context(), "a.test", 0); !errors.Is(err, errMalformed) {
			t.Errorf("%q: %+v, %v", rdata, all, err)
		}
	}
}
