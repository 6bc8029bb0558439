package resolver

import (
	"errors"
	"net"
	"net/netip"
	"slices"
	"testing"

	"github.com/miekg/dns"
)

func TestNetForms(t *testing.T) {
	s := serve(t, true, func(q query) {
		switch q.qname() {
		case "www.example.com.":
			q.send(truth(q))
		case "refused.example.com.":
			q.send(failing(q, dns.RcodeRefused))
		default:
			q.send(failing(q, dns.RcodeNameError))
		}
	})
	r := newResolver(t, Config{Servers: []netip.AddrPort{s.addr}})
	hosts, err := r.LookupHost(t.Context(), "www.example.com")
	if err != nil || !slices.Equal(hosts, []string{"2001:db8::1", "192.0.2.1"}) {
		t.Errorf("LookupHost: %v, %v", hosts, err)
	}
	addrs, err := r.LookupNetIP(t.Context(), "ip4", "www.example.com")
	if err != nil || !slices.Equal(addrs, []netip.Addr{netip.MustParseAddr("192.0.2.1")}) {
		t.Errorf("LookupNetIP: %v, %v", addrs, err)
	}
	_, err = r.LookupHost(t.Context(), "none.example.com")
	var d *net.DNSError
	if !errors.As(err, &d) || !d.IsNotFound || d.Server != s.addr.String() || !errors.Is(err, ErrNoSuchName) {
		t.Errorf("LookupHost: %#v", err)
	}
	_, err = r.LookupNetIP(t.Context(), "ip6", "refused.example.com")
	if !errors.As(err, &d) || d.IsNotFound || d.IsTimeout || !errors.Is(err, ErrRefused) {
		t.Errorf("LookupNetIP: %#v", err)
	}
	for own, want := range map[string][]string{
		"192.0.2.9/24":    {"192.0.2.1", "2001:db8::1"}, // RFC 6724 §6, rule 1
		"2001:db8::9/64":  {"2001:db8::1", "192.0.2.1"},
		"fd00::9/64":      {"2001:db8::1", "192.0.2.1"},
		"198.51.100.9/24": {"192.0.2.1", "2001:db8::1"},
	} {
		r := newResolver(t, Config{Servers: []netip.AddrPort{s.addr}, Addresses: []Address{{Prefix: netip.MustParsePrefix(own)}}})
		hosts, err := r.LookupHost(t.Context(), "www.example.com")
		if err != nil || !slices.Equal(hosts, want) {
			t.Errorf("from %s: %v, %v", own, hosts, err)
		}
	}
	var unknown net.UnknownNetworkError
	if _, err = r.LookupNetIP(t.Context(), "tcp", "x"); !errors.As(err, &unknown) {
		t.Errorf("network tcp: %v", err)
	}
}
