package pvd

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"
)

// named makes an advertisement one of an explicit domain.
func (ra RA) named(fqdn string) RA { return ra.option(Option{FQDN: fqdn}) }

func (ra RA) option(o Option) RA {
	ra.FQDN = o.FQDN
	ra.Configuration.PvDOption = PvDOption{{o, ElementRA, ra.Router.String(), after(3600)}}
	return ra
}

func (ra RA) heard(seconds int) RA { ra.Heard = after(seconds); return ra }

func (ra RA) flags(managed, other bool) RA { ra.Managed, ra.Other = managed, other; return ra }

func (ra RA) defaultRouter(end time.Time) RA {
	ra.Configuration.Routers = Routers{{Router{ra.Router, 0}, ElementRA, ra.Router.String(), end}}
	return ra
}

// corp is a link with an explicit domain and an implicit one, by one router.
func corp() *Facts {
	f := ethernet(2, "eth0")
	f.Addresses = []AddressFact{address("fe80::5/64", forever), slaac("2001:db8:1::5/64", after(3600)), slaac("2001:db8:2::5/64", after(3600))}
	f.RAs = []RA{
		advertisement("fe80::1", after(3600), "2001:db8:1::/64").rdnss("2001:db8:1::53", after(3600)),
		advertisement("fe80::1", after(3600), "2001:db8:2::/64").rdnss("2001:db8:2::53", after(3600)).named("corp.example.com"),
	}
	return f
}

const (
	implicit = "eth0/ipv6 ipv6 RA 2001:db8:1::5 fe80::5"
	explicit = "eth0/corp.example.com both RA 2001:db8:2::5 fe80::5"
)

// TestExplicit: everything an advertisement says belongs to the domain that it names
// (RFC 8801 section 3.4), which may share its router with others (section 3.2).
func TestExplicit(t *testing.T) {
	h := newHost(t)
	h.learn(corp())
	expect(t, "domains", h.domains(), []string{implicit, explicit})
	d := h.domain("eth0/corp.example.com")
	if d.FQDN() != "corp.example.com" || d.Family() != Both || h.domain("eth0/ipv6").FQDN() != "" {
		t.Errorf("FQDN %q, family %v", d.FQDN(), d.Family())
	}
	expect(t, "servers", h.data("eth0/corp.example.com", ElementRA, ItemDNSServers), []string{"RA fe80::1 3600 [2001:db8:2::53]:53"})
	expect(t, "the implicit one's", h.data("eth0/ipv6", ElementAny, ItemDNSServers), []string{"RA fe80::1 3600 [2001:db8:1::53]:53"})
	if o, is := d.Data(ElementRA, ItemPvDOption).(PvDOption); !is || o[0].Value.FQDN != "corp.example.com" {
		t.Errorf("option %v", d.Data(ElementRA, ItemPvDOption))
	}
}

// TestExplicitNames: they are compared without regard to case, and a dot at the end
// means nothing (RFC 8801 section 3.4). None is taken for an implicit domain.
func TestExplicitNames(t *testing.T) {
	h := newHost(t)
	h.learn(corp())
	was := h.domain("eth0/corp.example.com").ID()
	f := h.s.Facts(was.Interface())
	expect(t, "in capitals, with a dot", h.learn(with(f, func(f *Facts) { f.RAs[1].FQDN = "CORP.Example.com." })), nil)
	if d := h.s.Domain(was); d == nil || d.FQDN() != "corp.example.com" {
		t.Error("another ID")
	}
	h = newHost(t)
	h.learn(with(corp(), func(f *Facts) { f.RAs[1].FQDN = "ipv6" }))
	expect(t, "an evil name", h.domains(), []string{implicit, "eth0/ipv6. both RA 2001:db8:2::5 fe80::5"})
}

// TestExplicitOnTwoLinks: the same name is two domains (RFC 7556 section 7.1).
func TestExplicitOnTwoLinks(t *testing.T) {
	h := newHost(t)
	g := corp()
	g.Interface = ethernet(3, "eth1").Interface
	h.learn(corp(), g)
	one, two := h.domain("eth0/corp.example.com"), h.domain("eth1/corp.example.com")
	if one == nil || two == nil || one.ID() == two.ID() || one.FQDN() != two.FQDN() {
		t.Errorf("%q", h.domains())
	}
}

// TestExplicitSplit: advertisements of one domain are joined, whoever sent them (RFC
// 8801 section 3.2).
func TestExplicitSplit(t *testing.T) {
	h := newHost(t)
	f := corp()
	f.RAs = append(f.RAs, advertisement("fe80::2", after(3600), "2001:db8:1::/64").rdnss("2001:db8:2::54", after(900)).named("corp.example.com").heard(1))
	h.learn(f)
	expect(t, "domains", h.domains(), []string{"eth0/corp.example.com both RA 2001:db8:1::5 2001:db8:2::5 fe80::5"})
	expect(t, "servers", h.data("eth0/corp.example.com", ElementAny, ItemDNSServers),
		[]string{"RA fe80::1 3600 [2001:db8:2::53]:53", "RA fe80::2 900 [2001:db8:2::54]:53"})
}

// TestExplicitPrefixMoves: a prefix and its addresses belong to the last advertisement
// that has it (RFC 8801 section 3.4).
func TestExplicitPrefixMoves(t *testing.T) {
	h := newHost(t)
	f := corp()
	h.learn(f)
	old := h.domain("eth0/corp.example.com").ID()
	lab := advertisement("fe80::1", after(3600), "2001:db8:2::/64").named("lab.example")
	expect(t, "to another", h.learn(with(f, func(f *Facts) { f.RAs = append(f.RAs, lab.heard(5)) })), []string{
		"no address eth0/corp.example.com 2001:db8:2::5/64", "no address eth0/corp.example.com fe80::5/64",
		"no element eth0/corp.example.com RA", "no domain eth0/corp.example.com",
		"domain eth0/lab.example", "element eth0/lab.example RA", "address eth0/lab.example 2001:db8:2::5/64", "address eth0/lab.example fe80::5/64"})
	h.learn(with(f, func(f *Facts) { f.RAs = append(f.RAs, lab.heard(5)); f.RAs[1].Heard = after(6) }))
	expect(t, "and back", h.domains(), []string{implicit, explicit})
	if h.s.Domain(old) != nil {
		t.Error("a domain that came back has its old ID")
	}
	h.learn(with(f, func(f *Facts) {
		f.RAs[0] = advertisement("fe80::1", after(3600), "2001:db8:1::/64", "2001:db8:2::/64").heard(9)
	}))
	expect(t, "to none", h.domains(), []string{single})
}

// TestExplicitLongestPrefix: of two prefixes the longer has the address.
func TestExplicitLongestPrefix(t *testing.T) {
	h := newHost(t)
	h.learn(with(corp(), func(f *Facts) { f.RAs[0] = advertisement("fe80::1", after(3600), "2001:db8::/32").heard(99) }))
	expect(t, "domains", h.domains(), []string{implicit, explicit})
}

// TestExplicitEnds: with its last address the domain goes, and if it comes back it is
// a new one. Lifetimes end on time.
func TestExplicitEnds(t *testing.T) {
	h := newHost(t)
	f := corp()
	f.RAs[1] = advertisement("fe80::1", after(60), "2001:db8:2::/64").rdnss("2001:db8:2::53", after(30)).defaultRouter(after(40)).named("corp.example.com")
	h.learn(f)
	was := h.domain("eth0/corp.example.com").ID()
	h.wait(after(29))
	expect(t, "before", h.data("eth0/corp.example.com", ElementRA, ItemDNSServers), []string{"RA fe80::1 30 [2001:db8:2::53]:53"})
	h.wait(after(30))
	expect(t, "the server's end", h.data("eth0/corp.example.com", ElementRA, ItemDNSServers), nil)
	expect(t, "the router's is not come", h.data("eth0/corp.example.com", ElementRA, ItemRouters), []string{"RA fe80::1 40 fe80::1 0"})
	h.wait(after(40))
	expect(t, "now it is", h.data("eth0/corp.example.com", ElementRA, ItemRouters), nil)
	h.wait(after(61))
	if h.s.Domain(was) == nil {
		t.Fatal("the domain went before its address")
	}
	h.learn(with(f, func(f *Facts) { f.Addresses = f.Addresses[:2] }))
	expect(t, "gone", h.domains(), []string{implicit})
	h.learn(with(f, func(f *Facts) { f.RAs = corp().RAs }))
	expect(t, "back", h.domains(), []string{implicit, explicit})
	if h.s.Domain(was) != nil {
		t.Error("it has its old ID")
	}
}

// TestExplicitRenumbered: the domain goes on while its addresses change at once.
func TestExplicitRenumbered(t *testing.T) {
	h := newHost(t)
	f := corp()
	h.learn(f)
	was := h.domain("eth0/corp.example.com").ID()
	h.learn(with(f, func(f *Facts) {
		f.Addresses[2] = slaac("2001:db8:9::5/64", after(3600))
		f.RAs[1] = advertisement("fe80::1", after(3600), "2001:db8:9::/64").named("corp.example.com")
	}))
	if d := h.s.Domain(was); d == nil || d.addresses[0].Prefix.String() != "2001:db8:9::5/64" {
		t.Errorf("%q", h.domains())
	}
}

// TestImplicitBecomesExplicit: a router that begins to name its domain withdraws the
// implicit one.
func TestImplicitBecomesExplicit(t *testing.T) {
	h := newHost(t)
	f := with(corp(), func(f *Facts) { f.Addresses, f.RAs = f.Addresses[:2], f.RAs[:1] })
	h.learn(f)
	h.learn(with(f, func(f *Facts) { f.RAs[0] = f.RAs[0].named("corp.example.com") }))
	expect(t, "named", h.domains(), []string{"eth0/corp.example.com both RA 2001:db8:1::5 fe80::5"})
}

// leased is corp with an IPv4 lease.
func leased(legacy ...bool) *Facts {
	f := corp()
	f.Addresses = append(f.Addresses, address("192.0.2.5/24", after(600)))
	f.Routes = []RouteFact{defaultRoute("192.0.2.1", 16)}
	f.Known = []Configuration{{DNSServers: dns("192.0.2.53", ElementDHCPv4, "lease", after(600)), SearchDomains: SearchDomains{{"corp", ElementDHCPv4, "lease", after(600)}}}}
	for i, l := range legacy {
		name := fmt.Sprint("d", i, ".example")
		prefix := fmt.Sprintf("2001:db8:%d::/64", i+1)
		f.RAs[i] = advertisement("fe80::1", after(3600), prefix).option(Option{FQDN: name, Legacy: l})
	}
	return f
}

// TestDHCPv4AndOneLegacy: DHCPv4 belongs to the explicit domain that says so (RFC 8801
// section 3.4.2).
func TestDHCPv4AndOneLegacy(t *testing.T) {
	h := newHost(t)
	h.learn(leased(false, true))
	expect(t, "domains", h.domains(), []string{"eth0/d0.example both RA 2001:db8:1::5 fe80::5", "eth0/d1.example both RA DHCPv4 192.0.2.5 2001:db8:2::5 fe80::5"})
	expect(t, "servers", h.data("eth0/d1.example", ElementDHCPv4, ItemDNSServers), []string{"DHCPv4 lease 600 192.0.2.53:53"})
	expect(t, "names", h.data("eth0/d1.example", ElementDHCPv4, ItemSearchDomains), []string{"DHCPv4 lease 600 corp"})
	expect(t, "routers", h.data("eth0/d1.example", ElementDHCPv4, ItemRouters), []string{"DHCPv4 kernel forever 192.0.2.1 0"})
	expect(t, "the other's", h.data("eth0/d0.example", ElementAny, ItemSearchDomains), nil)
}

// TestDHCPv4AndTwoLegacy is a misconfiguration: it belongs to none of them.
func TestDHCPv4AndTwoLegacy(t *testing.T) {
	h := newHost(t)
	h.learn(leased(true, true))
	expect(t, "domains", h.domains(), []string{"eth0/ipv4 ipv4 DHCPv4 192.0.2.5", "eth0/d0.example both RA 2001:db8:1::5 fe80::5", "eth0/d1.example both RA 2001:db8:2::5 fe80::5"})
	expect(t, "servers", h.data("eth0/ipv4", ElementDHCPv4, ItemDNSServers), []string{"DHCPv4 lease 600 192.0.2.53:53"})
}

// TestDHCPv4AndNoLegacy: it is the implicit domain's.
func TestDHCPv4AndNoLegacy(t *testing.T) {
	h := newHost(t)
	h.learn(leased(false, false))
	expect(t, "domains", h.domains(), []string{"eth0/ipv4 ipv4 DHCPv4 192.0.2.5", "eth0/d0.example both RA 2001:db8:1::5 fe80::5", "eth0/d1.example both RA 2001:db8:2::5 fe80::5"})
}

// TestStaticIPv4StaysImplicit: only what DHCPv4 gave goes with the L flag.
func TestStaticIPv4StaysImplicit(t *testing.T) {
	h := newHost(t)
	f := leased(true, false)
	f.Addresses = append(f.Addresses, address("198.51.100.5/24", forever))
	h.learn(f)
	expect(t, "domains", h.domains(), []string{"eth0/ipv4 ipv4 Static 198.51.100.5", "eth0/d0.example both RA DHCPv4 192.0.2.5 2001:db8:1::5 fe80::5", "eth0/d1.example both RA 2001:db8:2::5 fe80::5"})
}

func withDHCPv6(f *Facts) *Facts {
	f.Known = []Configuration{{DNSServers: dns("2001:db8:6::53", ElementDHCPv6, "lease6", after(600)), NTPServers: NTPServers{{"ntp", ElementDHCPv6, "lease6", after(600)}}}}
	return f
}

// TestStatelessDHCPv6 belongs to all domains, explicit and implicit, whose
// advertisements had the O flag (RFC 8801 section 3.4.1).
func TestStatelessDHCPv6(t *testing.T) {
	server := []string{"DHCPv6 lease6 600 [2001:db8:6::53]:53"}
	for _, c := range []struct{ implicit, explicit bool }{{true, false}, {false, true}, {true, true}} {
		h := newHost(t)
		f := withDHCPv6(corp())
		f.RAs[0], f.RAs[1] = f.RAs[0].flags(false, c.implicit), f.RAs[1].flags(false, c.explicit)
		h.learn(f)
		for name, has := range map[string]bool{"eth0/ipv6": c.implicit, "eth0/corp.example.com": c.explicit} {
			var want []string
			if has {
				want = server
			}
			expect(t, name, h.data(name, ElementDHCPv6, ItemDNSServers), want)
			if got := h.domain(name).Data(ElementAny, ItemNTPServers) != nil; got != has {
				t.Errorf("%+v: %s has NTP servers: %v", c, name, got)
			}
		}
	}
	h := newHost(t)
	h.learn(withDHCPv6(corp()))
	expect(t, "nobody had it", h.data("eth0/ipv6", ElementDHCPv6, ItemDNSServers), server)
	expect(t, "not the explicit one", h.data("eth0/corp.example.com", ElementDHCPv6, ItemDNSServers), nil)
}

// TestStatefulDHCPv6: an address belongs to the domain with the M flag and a prefix
// that covers it; without one, to an implicit domain (RFC 8801 section 3.4.1).
func TestStatefulDHCPv6(t *testing.T) {
	f := withDHCPv6(corp())
	f.Addresses[2] = address("2001:db8:2::77/128", after(600))
	h := newHost(t)
	h.learn(with(f, func(f *Facts) { f.RAs[1] = f.RAs[1].flags(true, false) }))
	expect(t, "M", h.domains(), []string{implicit, "eth0/corp.example.com both RA DHCPv6 2001:db8:2::77 fe80::5"})
	expect(t, "what came with it", h.data("eth0/corp.example.com", ElementDHCPv6, ItemDNSServers), []string{"DHCPv6 lease6 600 [2001:db8:6::53]:53"})
	h = newHost(t)
	h.learn(f)
	expect(t, "no M", h.domains(), []string{"eth0/ipv6 ipv6 RA DHCPv6 2001:db8:1::5 2001:db8:2::77 fe80::5"})
	h = newHost(t)
	h.learn(with(f, func(f *Facts) {
		f.RAs[1], f.Addresses[2] = f.RAs[1].flags(true, false), address("2001:db8:7::77/128", after(600))
	}))
	expect(t, "no prefix", h.domains(), []string{"eth0/ipv6 ipv6 RA DHCPv6 2001:db8:1::5 2001:db8:7::77 fe80::5"})
}

// TestOneRouterIsOneFact: the kernel's default route is the advertised router, of each
// domain for which it is one.
func TestOneRouterIsOneFact(t *testing.T) {
	h := newHost(t)
	f := corp()
	f.RAs[1] = f.RAs[1].defaultRouter(after(900))
	r := defaultRoute("fe80::1", protocolRA)
	r.Expiry, r.Preference = after(1800), 1
	f.Routes = []RouteFact{r}
	h.learn(f)
	expect(t, "router", h.data("eth0/corp.example.com", ElementAny, ItemRouters), []string{"RA fe80::1 900 fe80::1 0"})
	expect(t, "route", h.data("eth0/corp.example.com", ElementAny, ItemRoutes), []string{"RA fe80::1 1800 ::/0"})
	expect(t, "not the implicit one's", h.data("eth0/ipv6", ElementAny, ItemRoutes), nil)
}

// TestInstalledRouteReplacesAdvertised: a route that a router advertised and the host
// has is one route.
func TestInstalledRouteReplacesAdvertised(t *testing.T) {
	h := newHost(t)
	f := corp()
	far := netip.MustParsePrefix("2001:db8:ff::/48")
	f.RAs[1].Configuration.Routes = Routes{{Route{Destination: far, Gateway: ip("fe80::1"), Preference: 1}, ElementRA, "fe80::1", after(900)}}
	h.learn(f)
	expect(t, "advertised", h.data("eth0/corp.example.com", ElementAny, ItemRoutes), []string{"RA fe80::1 900 2001:db8:ff::/48"})
	h.learn(with(f, func(f *Facts) {
		f.Routes = []RouteFact{{Route: Route{Destination: far, Gateway: ip("fe80::1"), Table: 254, Preference: 1}, Protocol: protocolRA, Expiry: after(905)}}
	}))
	expect(t, "installed", h.data("eth0/corp.example.com", ElementAny, ItemRoutes), []string{"RA fe80::1 905 2001:db8:ff::/48"})
	expect(t, "the implicit one's", h.data("eth0/ipv6", ElementAny, ItemRoutes), nil)
	h.learn(with(f, func(f *Facts) { // as dhcpcd does
		f.Routes = []RouteFact{{Route: Route{Destination: far, Gateway: ip("fe80::1"), Table: 254}, Protocol: protocolBoot}}
	}))
	expect(t, "by a client", h.data("eth0/corp.example.com", ElementAny, ItemRoutes), []string{"RA fe80::1 forever 2001:db8:ff::/48"})
}

// TestManagersView: what a manager made of an explicit domain's advertisement, taking
// it for a plain one, is no second fact, and of no other domain.
func TestManagersView(t *testing.T) {
	h := newHost(t)
	f := corp()
	f.RAs[1].Router, f.RAs[1].Configuration.DNSServers = ip("fe80::2"), dns("2001:db8:2::53", ElementRA, "fe80::2", after(3600))
	f.Known = []Configuration{{DNSServers: slices.Concat(dns("2001:db8:2::53", ElementRA, "fe80::2", after(3600)), dns("2001:db8:1::53", ElementRA, "fe80::1", after(3600)))}}
	h.learn(f)
	expect(t, "implicit", h.data("eth0/ipv6", ElementAny, ItemDNSServers), []string{"RA fe80::1 3600 [2001:db8:1::53]:53"})
	expect(t, "explicit", h.data("eth0/corp.example.com", ElementAny, ItemDNSServers), []string{"RA fe80::2 3600 [2001:db8:2::53]:53"})
}

// TestStaticServersAmongExplicit: what was set by hand on the link is the implicit
// domain's, or everybody's if there is none.
func TestStaticServersAmongExplicit(t *testing.T) {
	f := corp()
	f.Known = []Configuration{{DNSServers: dns("2001:db8:5::53", ElementStatic, "file", forever)}}
	h := newHost(t)
	h.learn(f)
	expect(t, "not the explicit one's", h.data("eth0/corp.example.com", ElementStatic, ItemDNSServers), nil)
	expect(t, "the implicit one's", h.data("eth0/ipv6", ElementStatic, ItemDNSServers), []string{"Static file forever [2001:db8:5::53]:53"})
	h = newHost(t)
	h.learn(with(f, func(f *Facts) { f.RAs, f.Addresses = f.RAs[1:], []AddressFact{f.Addresses[0], f.Addresses[2]} }))
	expect(t, "alone", h.data("eth0/corp.example.com", ElementStatic, ItemDNSServers), []string{"Static file forever [2001:db8:5::53]:53"})
}

// TestExplicitBesideMerged: merged families are the implicit domains' business.
func TestExplicitBesideMerged(t *testing.T) {
	h := newHost(t)
	h.o.MergeFamilies = true
	h.learn(leased(false, true))
	f := h.s.Facts(h.domain("eth0/d1.example").Interface())
	h.learn(with(f, func(f *Facts) { f.RAs = f.RAs[1:] }))
	expect(t, "domains", h.domains(), []string{"eth0/d0.example both RA 2001:db8:1::5 fe80::5", "eth0/d1.example both RA DHCPv4 192.0.2.5 2001:db8:2::5 fe80::5"})
	h.learn(with(f, func(f *Facts) { f.RAs = corp().RAs }))
	expect(t, "not legacy", h.domains(), []string{"eth0 both RA DHCPv4 192.0.2.5 2001:db8:1::5 fe80::5", explicit})
}
