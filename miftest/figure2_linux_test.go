package miftest_test

import (
	"net/netip"
	"testing"

	"github.com/go-mif/mif/miftest"
)

// Every domain of the figure is used by itself: its own DNS server, its own
// source address, its own target.
func TestFigure2(t *testing.T) {
	t.Parallel()
	n := miftest.New(t)
	f, err := n.Figure2()
	if err != nil {
		t.Fatal(err)
	}
	eth0, _ := n.Host().SLAAC("eth0", netip.MustParsePrefix("2001:db8:1::/64"))
	wlan0, _ := n.Host().SLAAC("wlan0", netip.MustParsePrefix("2001:db8:2::/64"))
	for _, d := range []struct {
		domain, target string
		device         string
		source         netip.Addr
		dns            *miftest.DNSServer
		server         *miftest.TCPServer
	}{
		{"eth0/ipv4", "192.168.1.80", "eth0", f.Lease.Address.Addr(), f.Eth0IPv4DNS, f.Eth0IPv4},
		{"eth0/ipv6", "2001:db8:ffff::1", "eth0", eth0, f.Eth0IPv6DNS, f.Eth0IPv6},
		{"wlan0/ipv6", "2001:db8:ffff::1", "wlan0", wlan0, f.Wlan0IPv6DNS, f.Wlan0IPv6},
	} {
		from := bound{n.Host(), d.device, d.source}
		addrs := from.lookUp(t, "udp", d.dns.Addr(), f.Name)
		if !has(addrs, netip.MustParseAddr(d.target)) {
			t.Errorf("%s: %s has %v, not %s", d.domain, f.Name, addrs, d.target)
		}
		if line := from.read(t, d.server.Addr()); line != d.domain+"\n" {
			t.Errorf("%s reached %q", d.domain, line)
		}
		if ps := d.server.Peers(); len(ps) != 1 || ps[0].Addr() != d.source {
			t.Errorf("%s: connections from %v, want one from %v", d.domain, ps, d.source)
		}
		for _, q := range d.dns.Queries() {
			if q.From.Addr() != d.source || q.Name != f.Name {
				t.Errorf("%s: asked %+v", d.domain, q)
			}
		}
	}
}
