package pvd

import (
	"testing"
)

func resolvConf(servers ...string) *Configuration {
	c := &Configuration{SearchDomains: SearchDomains{{"example.net", ElementHost, "/etc/resolv.conf", forever}}}
	for _, s := range servers {
		c.DNSServers = append(c.DNSServers, dns(s, ElementHost, "/etc/resolv.conf", forever)...)
	}
	return c
}

func uplinkTo(f *Facts, gateways ...string) *Facts {
	return with(f, func(f *Facts) {
		f.Routes = nil
		for _, g := range gateways {
			f.Routes = append(f.Routes, defaultRoute(g, 4))
		}
	})
}

const (
	v4server = "Host /etc/resolv.conf forever 192.0.2.53:53"
	v6server = "Host /etc/resolv.conf forever [2001:db8::53]:53"
)

// TestResolverConfiguration: a server of unknown origin is believed to be of a
// domain only if just one could own it.
func TestResolverConfiguration(t *testing.T) {
	h := newHost(t)
	h.o.Resolver = resolvConf("192.0.2.53", "2001:db8::53", "fe80::53%9")
	a, b := dual(2, "eth0"), dual(3, "eth1")
	up := uplinkTo(a, "192.0.2.1", "fe80::1")
	check := func(what, domain string, want ...string) {
		t.Helper()
		expect(t, what+": "+domain, h.data(domain, ElementAny, ItemDNSServers), want)
	}
	h.learn(a, b)
	check("no uplink", "eth0/ipv4")
	h.learn(up)
	check("one", "eth0/ipv4", v4server)
	check("one", "eth0/ipv6", v6server)
	check("one", "eth1/ipv4")
	two := h.learn(uplinkTo(b, "192.0.2.1"))
	check("two for IPv4", "eth0/ipv4")
	check("two for IPv4", "eth0/ipv6", v6server)
	check("two for IPv4", "eth1/ipv4")
	if len(two) == 0 || two[0] != "no element eth0/ipv4 Host" {
		t.Errorf("told %q", two)
	}
	h.learn(uplinkTo(a, "fe80::1"))
	check("moved", "eth0/ipv4")
	check("moved", "eth1/ipv4", v4server)
	h.step(nil, []InterfaceID{b.Interface.ID})
	h.learn(up)
	check("one again", "eth0/ipv4", v4server)
	h.o.Resolver = resolvConf("192.0.2.53")
	h.learn()
	check("another file", "eth0/ipv4", v4server)
	check("another file", "eth0/ipv6")
	expect(t, "the search list goes with the servers", h.data("eth0/ipv6", ElementAny, ItemSearchDomains), nil)
	expect(t, "the search list", h.data("eth0/ipv4", ElementHost, ItemSearchDomains), []string{"Host /etc/resolv.conf forever example.net"})
	h.o.Resolver = nil
	h.learn()
	check("no file", "eth0/ipv4")
}

// TestResolverOfTwoDomains: both routers' domains could own the server.
func TestResolverOfTwoDomains(t *testing.T) {
	h := newHost(t)
	h.o.Resolver = resolvConf("2001:db8::53")
	h.learn(uplinkTo(two(), "fe80::1"))
	for _, d := range []string{"eth0/ipv6", "eth0/ipv6/fe80::2"} {
		expect(t, d, h.data(d, ElementHost, ItemDNSServers), nil)
	}
	h.o.MergeFamilies = true
	h.learn(uplinkTo(dual(2, "eth0"), "192.0.2.1", "fe80::1"))
	expect(t, "merged", h.data("eth0", ElementHost, ItemDNSServers), []string{v6server})
}

// TestResolverZone: a link-local server's zone names its link.
func TestResolverZone(t *testing.T) {
	h := newHost(t)
	h.o.Resolver = resolvConf("fe80::53%3")
	a, b := uplinkTo(dual(2, "eth0"), "fe80::1"), uplinkTo(dual(3, "eth1"), "fe80::1")
	h.learn(a)
	expect(t, "of another link", h.data("eth0/ipv6", ElementHost, ItemDNSServers), nil)
	h.learn(b)
	expect(t, "of this", h.data("eth1/ipv6", ElementHost, ItemDNSServers), []string{"Host /etc/resolv.conf forever [fe80::53%3]:53"})
	expect(t, "of another link", h.data("eth0/ipv6", ElementHost, ItemDNSServers), nil)
}

// TestUplinkReplaced: another interface in the place of one of two uplinks, in one
// step with news of the other, does not make the other the only one.
func TestUplinkReplaced(t *testing.T) {
	h := newHost(t)
	h.o.Resolver = resolvConf("192.0.2.53")
	a, b := uplinkTo(dual(2, "eth0"), "192.0.2.1"), uplinkTo(dual(3, "eth1"), "192.0.2.1")
	h.learn(a, b)
	down := with(b, func(f *Facts) { f.Interface.Up = false })
	h.step([]*Facts{down, with(a, func(f *Facts) { f.Interface.MTU = 1400 }), b}, nil)
	expect(t, "two uplinks", h.data("eth0/ipv4", ElementHost, ItemDNSServers), nil)
}

// TestResolverRepeats: what the host's resolver has from elsewhere is told once, and
// what it says besides goes where its servers are.
func TestResolverRepeats(t *testing.T) {
	f := dual(2, "eth0")
	f.Addresses[0] = address("192.0.2.5/24", after(600))
	f.Routes = []RouteFact{defaultRoute("192.0.2.1", protocolDHCP), defaultRoute("fe80::1", protocolRA)}
	lease := Configuration{DNSServers: dns("192.0.2.53", ElementDHCPv4, "lease", after(600)), SearchDomains: SearchDomains{{"lab.example", ElementDHCPv4, "lease", after(600)}}}
	says := Configuration{DNSServers: append(dns("192.0.2.53", ElementHost, "resolver", forever), dns("2001:db8::53", ElementHost, "resolver", forever)...),
		SearchDomains: SearchDomains{{"lab.example", ElementHost, "resolver", forever}, {"more.example", ElementHost, "resolver", forever}}}
	onLink := with(f, func(f *Facts) {
		says := says
		says.RoutingDomains = RoutingDomains{{".", ElementHost, "resolver", forever}}
		f.Known = []Configuration{lease, says}
	})
	ofHost := with(f, func(f *Facts) { f.Known = []Configuration{lease} })
	for name, c := range map[string]struct {
		facts   *Facts
		options Options
		routing []string
	}{
		"of the link": {onLink, Options{}, []string{"Host resolver forever ."}},
		"of the host": {ofHost, Options{Resolver: &says}, nil},
	} {
		h := newHost(t)
		h.o = c.options
		h.learn(c.facts)
		expect(t, name, h.data("eth0/ipv4", ElementAny, ItemDNSServers), []string{"DHCPv4 lease 600 192.0.2.53:53"})
		expect(t, name, h.data("eth0/ipv4", ElementAny, ItemSearchDomains), []string{"DHCPv4 lease 600 lab.example", "Host resolver forever more.example"})
		expect(t, name, h.data("eth0/ipv4", ElementAny, ItemRoutingDomains), c.routing)
		expect(t, name, h.data("eth0/ipv6", ElementAny, ItemDNSServers), []string{"Host resolver forever [2001:db8::53]:53"})
		expect(t, name, h.data("eth0/ipv6", ElementAny, ItemSearchDomains), []string{"Host resolver forever more.example"})
	}
}
