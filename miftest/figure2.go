package miftest

import (
	"fmt"
	"net/netip"
	"time"
)

// Figure2 is the example of section 4 of draft-ietf-mif-api-extension-00 on
// documentation addresses: a host with two interfaces and three provisioning
// domains, whose DNS servers answer one name each in its own way.
//
//	eth0   IPv4  192.168.1.0/24 by DHCP  DNS 192.168.1.1      203.0.113.17, 192.168.1.80
//	eth0   IPv6  2001:db8:1::/64 by RA   DNS 2001:db8:1::53   203.0.113.17, 2001:db8:ffff::1
//	wlan0  IPv6  2001:db8:2::/64 by RA   DNS 2001:db8:2::53   2001:db8:ffff::1
//
// As in the figure, 192.168.1.80 answers first, 2001:db8:ffff::1 by wlan0 next
// and by eth0 last, and 203.0.113.17 never. What answers at Port sends a line
// that names the domain it was reached through: "eth0/ipv4", "eth0/ipv6" or
// "wlan0/ipv6".
type Figure2 struct {
	Name string // "host.example.com"
	Port uint16 // 80

	Eth0, Wlan0 *Router
	Lease       *Lease // of eth0

	// The domains' DNS servers.
	Eth0IPv4DNS, Eth0IPv6DNS, Wlan0IPv6DNS *DNSServer
	// The targets, by the domain they are reached through.
	Eth0IPv4, Eth0IPv6, Wlan0IPv6 *TCPServer
}

// Figure2 builds the draft's example. On return the host has all its addresses.
func (n *Net) Figure2() (*Figure2, error) {
	f := &Figure2{Name: "host.example.com", Port: 80}
	for _, step := range []func(*Net) error{f.routers, f.servers, f.targets, f.settle} {
		if err := step(n); err != nil {
			return nil, fmt.Errorf("miftest: figure 2: %w", err)
		}
	}
	return f, nil
}

func (f *Figure2) routers(n *Net) (err error) {
	dns := netip.MustParseAddr("192.168.1.1")
	f.Eth0, err = n.AddRouter(RouterConfig{
		Interface: "eth0",
		IPv4:      netip.PrefixFrom(dns, 24),
		DHCP:      &DHCP{First: netip.MustParseAddr("192.168.1.100"), DNS: []netip.Addr{dns}, DomainName: "example.com"},
		RA:        figure2RA("2001:db8:1::/64", "2001:db8:1::53"),
	})
	if err != nil {
		return err
	}
	f.Wlan0, err = n.AddRouter(RouterConfig{Interface: "wlan0", RA: figure2RA("2001:db8:2::/64", "2001:db8:2::53")})
	return err
}

func figure2RA(prefix, dns string) *RA {
	ra := NewRA(netip.MustParsePrefix(prefix))
	ra.RDNSS = []netip.Addr{netip.MustParseAddr(dns)}
	return ra
}

func (f *Figure2) servers(*Net) error {
	for _, s := range []struct {
		server  **DNSServer
		router  *Router
		at      string
		answers []string
	}{
		{&f.Eth0IPv4DNS, f.Eth0, "192.168.1.1:53", []string{"203.0.113.17", "192.168.1.80"}},
		{&f.Eth0IPv6DNS, f.Eth0, "[2001:db8:1::53]:53", []string{"203.0.113.17", "2001:db8:ffff::1"}},
		{&f.Wlan0IPv6DNS, f.Wlan0, "[2001:db8:2::53]:53", []string{"2001:db8:ffff::1"}},
	} {
		var name Name
		for _, a := range s.answers {
			name.Addresses = append(name.Addresses, netip.MustParseAddr(a))
		}
		var err error
		if *s.server, err = s.router.DNS(netip.MustParseAddrPort(s.at), Zone{f.Name: name}); err != nil {
			return err
		}
	}
	return f.Eth0.Silent(netip.MustParseAddr("203.0.113.17"))
}

func (f *Figure2) targets(*Net) error {
	for _, t := range []struct {
		server **TCPServer
		router *Router
		at     string
		domain string
		delay  time.Duration
	}{
		{&f.Eth0IPv4, f.Eth0, "192.168.1.80", "eth0/ipv4", 10 * time.Millisecond},
		{&f.Wlan0IPv6, f.Wlan0, "2001:db8:ffff::1", "wlan0/ipv6", 30 * time.Millisecond},
		{&f.Eth0IPv6, f.Eth0, "2001:db8:ffff::1", "eth0/ipv6", 60 * time.Millisecond},
	} {
		at := netip.AddrPortFrom(netip.MustParseAddr(t.at), f.Port)
		var err error
		if *t.server, err = t.router.ServeLine(at, t.domain, t.delay); err != nil {
			return err
		}
	}
	return nil
}

// settle gets the lease and waits for the addresses.
func (f *Figure2) settle(n *Net) (err error) {
	if f.Lease, err = n.host.DHCPClient("eth0"); err != nil {
		return err
	}
	for ifname, prefix := range map[string]string{"eth0": "2001:db8:1::/64", "wlan0": "2001:db8:2::/64"} {
		if _, err := n.host.AwaitSLAAC(ifname, netip.MustParsePrefix(prefix)); err != nil {
			return err
		}
	}
	return nil
}
