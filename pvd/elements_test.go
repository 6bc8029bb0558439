package pvd

import (
	"net/netip"
	"slices"
	"testing"
	"time"
)

// TestElementOfAddress is what shows who gave an address.
func TestElementOfAddress(t *testing.T) {
	week := after(7 * 86400)
	for _, c := range []struct {
		name string
		a    AddressFact
		want ElementType
	}{
		{"IPv4, finite", address("192.0.2.5/24", week), ElementDHCPv4},
		{"IPv4, for ever", address("192.0.2.5/24", forever), ElementStatic},
		{"IPv4, link-local", address("169.254.1.2/16", week), ElementLinkLocal},
		{"IPv6, link-local", address("fe80::5/64", forever), ElementLinkLocal},
		{"IFA_PROTO 2", slaac("2001:db8:1::5/64", forever), ElementRA},
		{"IPv6, finite", address("2001:db8:1::5/64", week), ElementRA},
		{"IPv6, finite, one address", address("2001:db8:1::5/128", week), ElementDHCPv6},
		{"IPv6, for ever", address("2001:db8:1::5/64", forever), ElementStatic},
		{"IPv6, for ever, one address", address("2001:db8:1::5/128", forever), ElementStatic},
		{"temporary", func() AddressFact { a := address("2001:db8:1::6/128", week); a.Temporary = true; return a }(), ElementRA},
		{"managed by the kernel", func() AddressFact { a := address("2001:db8:1::6/64", forever); a.ManageTemp = true; return a }(), ElementRA},
	} {
		if got := c.a.Origin(); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func onLink(prefix string, protocol uint8) RouteFact {
	return RouteFact{Route: Route{Destination: netip.MustParsePrefix(prefix), Table: 254}, Protocol: protocol}
}

// TestElementOfRoute is what shows who gave a route, and a default router.
func TestElementOfRoute(t *testing.T) {
	finite := address("192.0.2.5/24", after(99))
	for _, c := range []struct {
		name   string
		a      AddressFact
		r      RouteFact
		want   ElementType
		source string
	}{
		{"protocol 16", address("192.0.2.5/24", forever), defaultRoute("192.0.2.1", 16), ElementDHCPv4, "kernel"},
		{"boot, with a client's address", finite, defaultRoute("192.0.2.1", 3), ElementDHCPv4, "kernel"},
		{"boot, with another", address("192.0.2.5/24", forever), defaultRoute("192.0.2.1", 3), ElementStatic, "kernel"},
		{"static, with a client's address", finite, defaultRoute("192.0.2.1", 4), ElementStatic, "kernel"},
		{"boot, no default route", finite, onLink("198.51.100.0/24", 3), ElementStatic, "kernel"},
		{"of an address", finite, onLink("192.0.2.0/24", 2), ElementDHCPv4, "kernel"},
		{"of no address", finite, onLink("198.51.100.0/24", 2), ElementStatic, "kernel"},
		{"RA", slaac("2001:db8:1::5/64", forever), defaultRoute("fe80::1", 9), ElementRA, "fe80::1"},
		{"DHCPv6", slaac("2001:db8:1::5/64", forever), defaultRoute("fe80::1", 16), ElementDHCPv6, "kernel"},
		{"boot, IPv6", slaac("2001:db8:1::5/64", forever), defaultRoute("fe80::1", 3), ElementStatic, "kernel"},
		{"of an advertised address", slaac("2001:db8:1::5/64", forever), onLink("2001:db8:1::/64", 2), ElementRA, "kernel"},
		{"advertised, on-link only", address("2001:db8:1::5/64", forever), onLink("2001:db8:7::/64", 2), ElementRA, "kernel"},
		{"of an address by hand", address("2001:db8:1::5/64", forever), onLink("2001:db8:1::/64", 2), ElementStatic, "kernel"},
		{"link-local", slaac("2001:db8:1::5/64", forever), onLink("fe80::/64", 2), ElementStatic, "kernel"},
	} {
		h := newHost(t)
		f := ethernet(2, "eth0")
		c.r.Expiry = after(300)
		f.Addresses, f.Routes = []AddressFact{c.a}, []RouteFact{c.r}
		h.learn(f)
		name := "eth0/ipv6"
		if c.a.Prefix.Addr().Is4() {
			name = "eth0/ipv4"
		}
		expect(t, c.name, h.data(name, ElementAny, ItemRoutes), []string{c.want.String() + " " + c.source + " 300 " + c.r.Destination.String()})
		var routers []string
		if c.r.Gateway.IsValid() {
			routers = []string{c.want.String() + " " + c.source + " 300 " + c.r.Gateway.String() + " 0"}
		}
		expect(t, c.name, h.data(name, c.want, ItemRouters), routers)
	}
}

// TestRouterOnce: the kernel's default route of a router that was heard is no
// second router.
func TestRouterOnce(t *testing.T) {
	h := newHost(t)
	f := with(two(), func(f *Facts) {
		f.RAs[0].Configuration.Routers = Routers{{Router{ip("fe80::1"), 0}, ElementRA, "fe80::1", after(900)}}
		f.Routes = []RouteFact{defaultRoute("fe80::1", 9), defaultRoute("fe80::2", 9)}
	})
	h.learn(f)
	expect(t, "heard", h.data("eth0/ipv6", ElementAny, ItemRouters), []string{"RA fe80::1 900 fe80::1 0"})
	expect(t, "not heard", h.data("eth0/ipv6/fe80::2", ElementAny, ItemRouters), []string{"RA fe80::2 forever fe80::2 0"})
}

// TestPrefixWithoutRA: an address tells of a prefix announced before anybody
// listened, also when its router is of another domain.
func TestPrefixWithoutRA(t *testing.T) {
	h := newHost(t)
	f := two()
	f.Routes = []RouteFact{onLink("2001:db8:1::/64", 2), onLink("2001:db8:2::/64", 2)}
	f.RAs[1] = advertisement("fe80::2", after(60), "2001:db8:2::/64")
	h.learn(f)
	h.wait(after(61))
	expect(t, "heard", h.data("eth0/ipv6", ElementRA, ItemPrefixes), []string{"RA fe80::1 3600 2001:db8:1::/64"})
	expect(t, "not any more", h.data("eth0/ipv6/fe80::2", ElementRA, ItemPrefixes), []string{"RA kernel 3600 2001:db8:2::/64"})
	expect(t, "its route", h.data("eth0/ipv6/fe80::2", ElementRA, ItemRoutes), []string{"RA kernel forever 2001:db8:2::/64"})
}

// TestKnown: what a client or manager knows goes where it belongs.
func TestKnown(t *testing.T) {
	h := newHost(t)
	f := with(two(), func(f *Facts) { f.Addresses = append(f.Addresses, address("192.0.2.5/24", after(600))) })
	f.Known = []Configuration{
		{DNSServers: dns("192.0.2.53", ElementDHCPv4, "lease", after(600)), SearchDomains: SearchDomains{{"v4.example", ElementDHCPv4, "lease", after(600)}}},
		{DNSServers: dns("2001:db8:9::53", ElementDHCPv6, "lease6", forever), SearchDomains: SearchDomains{{"v6.example", ElementDHCPv6, "lease6", forever}}},
		{DNSServers: dns("fe80::53", ElementRA, "fe80::2%eth0", after(700))},
		{DNSServers: dns("198.51.100.53", ElementStatic, "eth0.network", forever), SearchDomains: SearchDomains{{"all.example", ElementStatic, "eth0.network", forever}}},
	}
	h.learn(f)
	for _, c := range []struct {
		domain  string
		element ElementType
		item    Item
		want    []string
	}{
		{"eth0/ipv4", ElementAny, ItemDNSServers, []string{"DHCPv4 lease 600 192.0.2.53:53", "Static eth0.network forever 198.51.100.53:53"}},
		{"eth0/ipv4", ElementDHCPv4, ItemDNSServers, []string{"DHCPv4 lease 600 192.0.2.53:53"}},
		{"eth0/ipv4", ElementStatic, ItemDNSServers, []string{"Static eth0.network forever 198.51.100.53:53"}},
		{"eth0/ipv4", ElementDHCPv6, ItemDNSServers, nil},
		{"eth0/ipv4", ElementAny, ItemSearchDomains, []string{"DHCPv4 lease 600 v4.example", "Static eth0.network forever all.example"}},
		{"eth0/ipv4", ElementAny, ItemMTU, nil},
		{"eth0/ipv6", ElementAny, ItemDNSServers, []string{"RA fe80::1 3600 [2001:db8:1::53]:53", "DHCPv6 lease6 forever [2001:db8:9::53]:53"}},
		{"eth0/ipv6", ElementAny, ItemSearchDomains, []string{"DHCPv6 lease6 forever v6.example", "Static eth0.network forever all.example"}},
		{"eth0/ipv6/fe80::2", ElementAny, ItemDNSServers, []string{
			"RA fe80::2 3600 [2001:db8:2::53]:53", "RA fe80::2%eth0 700 [fe80::53%2]:53", "DHCPv6 lease6 forever [2001:db8:9::53]:53"}},
		{"eth0/ipv6/fe80::2", ElementLinkLocal, ItemDNSServers, nil},
	} {
		expect(t, c.domain+" "+c.element.String()+" "+c.item.String(), h.data(c.domain, c.element, c.item), c.want)
	}
}

// TestUnknownElement: the set is open.
func TestUnknownElement(t *testing.T) {
	h := newHost(t)
	f := dual(2, "eth0")
	f.Known = []Configuration{{DNSServers: dns("192.0.2.53", 255, "x", forever)}}
	h.learn(f)
	expect(t, "unknown", h.data("eth0/ipv4", 255, ItemDNSServers), []string{"unknown element x forever 192.0.2.53:53"})
}

func TestZoneOfServers(t *testing.T) {
	h := newHost(t)
	f := dual(7, "eth0")
	f.RAs = []RA{advertisement("fe80::1", forever, "2001:db8:1::/64").rdnss("fe80::53", forever)}
	given := f.RAs[0].Configuration.DNSServers[0]
	addrs := []netip.Addr{ip("2001:db8::853"), ip("fe80::853")}
	f.RAs[0].Configuration.EncryptedResolvers = EncryptedResolvers{{Value: EncryptedResolver{Name: "d.example", Priority: 1, Addresses: addrs}, Element: ElementRA}}
	h.learn(f)
	if r := h.domain("eth0/ipv6").Data(ElementRA, ItemEncryptedResolvers).(EncryptedResolvers); r[0].Value.Addresses[0] != addrs[0] || r[0].Value.Addresses[1] != ip("fe80::853%7") {
		t.Errorf("%v", r[0].Value.Addresses)
	}
	expect(t, "the same again", h.learn(with(f, func(f *Facts) { f.RAs[0].Heard = after(1) })), nil)
	expect(t, "RDNSS", h.data("eth0/ipv6", ElementRA, ItemDNSServers), []string{"RA fe80::1 forever [fe80::53%7]:53"})
	if f.RAs[0].Configuration.DNSServers[0] != given || addrs[1] != ip("fe80::853") {
		t.Error("the facts were written to")
	}
}

func TestMTU(t *testing.T) {
	for mtu, want := range map[int][]string{1280: {"RA kernel forever 1280"}, 1500: nil, 0: nil} {
		h := newHost(t)
		h.learn(with(two(), func(f *Facts) { f.MTU6 = mtu }))
		expect(t, "MTU", h.data("eth0/ipv6", ElementAny, ItemMTU), want)
	}
}

// TestExpiry: data goes at its end, by Next alone, and an element goes with the
// last of its data.
func TestExpiry(t *testing.T) {
	h := newHost(t)
	f := dual(2, "eth0")
	f.Addresses[0] = address("192.0.2.5/24", forever)
	f.Known = []Configuration{{DNSServers: append(dns("192.0.2.53", ElementDHCPv4, "lease", after(50)), dns("192.0.2.54", ElementDHCPv4, "lease", after(40))...)}}
	f.Known = append(f.Known, Configuration{DNSServers: dns("192.0.2.55", ElementDHCPv4, "lease", start)})
	h.learn(f)
	expect(t, "at first", h.data("eth0/ipv4", ElementDHCPv4, ItemDNSServers), []string{"DHCPv4 lease 50 192.0.2.53:53", "DHCPv4 lease 40 192.0.2.54:53"})
	if next := h.s.Next(); !next.Equal(after(40)) {
		t.Errorf("Next is %v", next)
	}
	expect(t, "just before", h.wait(after(40).Add(-1)), nil)
	expect(t, "first end", h.wait(after(40)), []string{"element eth0/ipv4 DHCPv4"})
	expect(t, "last end", h.wait(after(60)), []string{"no element eth0/ipv4 DHCPv4"})
	if next := h.s.Next(); !next.IsZero() {
		t.Errorf("Next is %v", next)
	}
	if (&Snapshot{}).Next() != (time.Time{}) {
		t.Error("something ends in nothing")
	}
}

// TestRefreshes: a router that refreshes its lifetimes is heard of seldom, and what
// is believed is never far too early, nor past.
func TestRefreshes(t *testing.T) {
	h := newHost(t)
	f := dual(2, "eth0")
	at := func(s int) *Facts {
		return with(f, func(f *Facts) {
			f.Addresses[2] = slaac("2001:db8:1::5/64", after(s+1800))
			f.RAs = []RA{advertisement("fe80::1", after(s+1800), "2001:db8:1::/64").rdnss("2001:db8:1::53", after(s+1800))}
		})
	}
	h.learn(at(0))
	expect(t, "within an eighth", h.learn(at(200)), nil)
	expect(t, "a second nearer", h.learn(at(-1)), nil)
	expect(t, "more than an eighth", h.learn(at(300)), []string{"element eth0/ipv6 RA", "address eth0/ipv6 2001:db8:1::5/64"})
	expect(t, "a little more", h.learn(at(500)), nil)
	if next := h.s.Next(); !next.Equal(after(2100)) {
		t.Errorf("Next is %v", next.Sub(start))
	}
	expect(t, "the end believed in", h.wait(after(2100)), []string{"element eth0/ipv6 RA", "address eth0/ipv6 2001:db8:1::5/64"})
	expect(t, "the end", h.data("eth0/ipv6", ElementRA, ItemDNSServers), []string{"RA fe80::1 2300 [2001:db8:1::53]:53"})
	h.wait(after(2300))
	expect(t, "over", h.data("eth0/ipv6", ElementRA, ItemDNSServers), nil)
}

// TestEncryptedResolversRanked: less priority is better (RFC 9463 section 6.2), also
// where elements are asked together.
func TestEncryptedResolversRanked(t *testing.T) {
	resolver := func(e ElementType, priority uint16) Datum[EncryptedResolver] {
		return Datum[EncryptedResolver]{Value: EncryptedResolver{Name: "d.example", Priority: priority}, Element: e}
	}
	f := ethernet(2, "eth0")
	f.Addresses = []AddressFact{slaac("2001:db8:1::5/64", after(3600))}
	f.RAs = []RA{advertisement("fe80::1", after(3600), "2001:db8:1::/64")}
	f.RAs[0].Configuration.EncryptedResolvers = EncryptedResolvers{resolver(ElementRA, 9), resolver(ElementRA, 2)}
	f.Known = []Configuration{{EncryptedResolvers: EncryptedResolvers{resolver(ElementDHCPv6, 1), resolver(ElementDHCPv6, 5)}}}
	h := newHost(t)
	h.learn(f)
	for e, want := range map[ElementType][]uint16{ElementRA: {2, 9}, ElementAny: {1, 2, 5, 9}} {
		var got []uint16
		for _, d := range h.domain("eth0/ipv6").Data(e, ItemEncryptedResolvers).(EncryptedResolvers) {
			got = append(got, d.Value.Priority)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%v: %v", e, got)
		}
	}
}
