package pvd

import (
	"net/netip"
	"testing"
)

// retold is what a manager makes of an advertisement.
func retold(router, server, search, prefix string) Configuration {
	return Configuration{
		DNSServers:    dns(server, ElementRA, router, after(3600)),
		SearchDomains: SearchDomains{{search, ElementRA, router, after(3600)}},
		Routers:       Routers{{Router{Addr: ip(router)}, ElementRA, router, after(1800)}},
		Prefixes:      Prefixes{{Prefix{Prefix: netip.MustParsePrefix(prefix), Autonomous: true}, ElementRA, router, after(3600)}},
		MTU:           MTU{{1480, ElementRA, router, forever}},
		CaptivePortal: CaptivePortal{{"https://portal.example/", ElementRA, router, forever}},
	}
}

// retoldItems are the items that a manager tells.
var retoldItems = []Item{ItemDNSServers, ItemSearchDomains, ItemRouters, ItemPrefixes, ItemMTU, ItemCaptivePortal}

// TestRetoldOnce: what a router was heard to say, and a manager tells too, is told
// once; what only the manager tells is added.
func TestRetoldOnce(t *testing.T) {
	h := newHost(t)
	f := ethernet(2, "eth0")
	f.Addresses = []AddressFact{address("fe80::5/64", forever), slaac("2001:db8:1::5/64", after(3600))}
	f.RAs = []RA{{Router: ip("fe80::1"), Heard: start, Configuration: retold("fe80::1", "fe80::53", "one.example", "2001:db8:1::/64")}}
	h.learn(f)
	var heard [][]string
	for _, i := range retoldItems {
		heard = append(heard, h.data("eth0/ipv6", ElementAny, i))
	}
	told := with(f, func(f *Facts) {
		f.Known = []Configuration{retold("fe80::1", "fe80::53", "one.example", "2001:db8:1::/64")}
		f.Known[0].Prefixes[0].Value.Preferred = after(1799) // counted from another second
	})
	h.learn(told)
	for k, i := range retoldItems {
		if len(heard[k]) != 1 {
			t.Errorf("%v heard: %q", i, heard[k])
		}
		expect(t, i.String(), h.data("eth0/ipv6", ElementAny, i), heard[k])
	}
	h.learn(with(f, func(f *Facts) {
		f.Known = []Configuration{retold("fe80::1", "fe80::54", "two.example", "2001:db8:1::/64")}
	}))
	expect(t, "more", h.data("eth0/ipv6", ElementAny, ItemSearchDomains), []string{"RA fe80::1 3600 one.example", "RA fe80::1 3600 two.example"})
	expect(t, "more", h.data("eth0/ipv6", ElementAny, ItemDNSServers), []string{"RA fe80::1 3600 [fe80::53%2]:53", "RA fe80::1 3600 [fe80::54%2]:53"})
}

// TestRetoldByRouter: where only a manager tells of advertisements, the data of two
// routers are two domains' all the same.
func TestRetoldByRouter(t *testing.T) {
	h := newHost(t)
	f := two()
	f.RAs = nil
	f.Known = []Configuration{retold("fe80::1", "2001:db8:1::53", "one.example", "2001:db8:1::/64"), retold("fe80::2", "2001:db8:2::53", "two.example", "2001:db8:2::/64")}
	h.learn(f)
	expect(t, "domains", h.domains(), []string{first, second})
	expect(t, "first", h.data("eth0/ipv6", ElementAny, ItemSearchDomains), []string{"RA fe80::1 3600 one.example"})
	expect(t, "second", h.data("eth0/ipv6/fe80::2", ElementAny, ItemSearchDomains), []string{"RA fe80::2 3600 two.example"})
	expect(t, "second", h.data("eth0/ipv6/fe80::2", ElementAny, ItemDNSServers), []string{"RA fe80::2 3600 [2001:db8:2::53]:53"})
}

// TestRetoldPreference: managers do not tell a router's preference, the kernel does.
func TestRetoldPreference(t *testing.T) {
	h := newHost(t)
	f := two()
	f.RAs = nil
	f.Known = []Configuration{retold("fe80::1", "2001:db8:1::53", "one.example", "2001:db8:1::/64")}
	r := defaultRoute("fe80::1", protocolRA)
	r.Preference = 1
	f.Routes = []RouteFact{r}
	h.learn(f)
	d := h.domain("eth0/ipv6").Data(ElementAny, ItemRouters).(Routers)
	if len(d) != 1 || d[0].Value != (Router{ip("fe80::1"), 1}) {
		t.Errorf("got %+v", d)
	}
}

// TestRetoldExplicit: of a router that announces explicit domains, managers know
// nothing that was not heard, and to whom it belongs they do not know.
func TestRetoldExplicit(t *testing.T) {
	h := newHost(t)
	f := corp()
	h.learn(f)
	var heard [][]string
	for _, i := range retoldItems {
		heard = append(heard, h.data("eth0/ipv6", ElementAny, i))
	}
	h.learn(with(f, func(f *Facts) {
		f.Known = []Configuration{retold("fe80::1", "2001:db8:2::53", "corp.example.com", "2001:db8:2::/64")}
	}))
	for k, i := range retoldItems {
		expect(t, i.String(), h.data("eth0/ipv6", ElementAny, i), heard[k])
	}
}
