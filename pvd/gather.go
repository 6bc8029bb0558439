package pvd

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A gathering is what is true of one link now, each datum and address with its
// element, not yet divided among domains.
type gathering struct {
	facts   *Facts
	now     time.Time
	expires time.Time // earliest end of anything in it
	ras     []RA      // of implicit domains, with what is true now only
	named   []RA      // of explicit domains, likewise
	known   Configuration
	v4, v6  []Address
	dhcp4   bool   // the kernel's hints show a DHCPv4 client
	four    *group // that what DHCPv4 gave belongs to
	scratch scratch
}

// gather begins anew. The memory of the gathering before is used again, so nothing
// that is kept may lie in it.
func (g *gathering) gather(f *Facts, now time.Time) {
	g.facts, g.now, g.expires, g.ras, g.named = f, now, time.Time{}, g.ras[:0], g.named[:0]
	g.known.clear()
	g.known.Routes = slices.Grow(g.known.Routes, len(f.Routes))
	g.v4, g.v6 = g.scratch.v4[:0], g.scratch.v6[:0]
	g.scratch.used = 0
	g.dhcp4 = slices.ContainsFunc(f.Addresses, func(a AddressFact) bool { return a.Prefix.Addr().Is4() && !a.Valid.IsZero() }) ||
		slices.ContainsFunc(f.Routes, func(r RouteFact) bool { return r.Destination.Addr().Is4() && r.Protocol == protocolDHCP })
	for i := range f.RAs {
		g.ra(&f.RAs[i])
	}
	for i := range f.Known {
		g.add(&f.Known[i])
	}
	for i := range f.Addresses {
		g.address(&f.Addresses[i])
	}
	g.scratch.v4, g.scratch.v6 = g.v4, g.v6
	g.v4, g.v6 = ordered(g.v4), ordered(g.v6)
	for i := range f.Routes {
		g.route(&f.Routes[i])
	}
	g.mtu()
}

// ordered sorts addresses, and keeps one of those that the kernel tells apart by
// their peers only.
func ordered(a []Address) []Address {
	slices.SortStableFunc(a, func(x, y Address) int { return x.Prefix.Compare(y.Prefix) })
	return slices.CompactFunc(a, func(x, y Address) bool { return x.Prefix == y.Prefix })
}

// live tells whether something is true now, and if so notes when it will end.
func (g *gathering) live(_ ElementType, _ string, end time.Time) bool {
	if past(end, g.now) {
		return false
	}
	g.expires = earlier(g.expires, end)
	return true
}

// add adds what a client, a manager or the host's resolver knows. What it made of a
// router's advertisements is that router's.
func (g *gathering) add(c *Configuration) {
	before := len(g.known.DNSServers)
	var routers []netip.Addr
	g.known.collect(c, func(t ElementType, source string, end time.Time) bool {
		router := advertiser(t, source)
		if router.IsValid() && !slices.Contains(routers, router) {
			routers = append(routers, router)
		}
		return !router.IsValid() && g.live(t, source, end)
	})
	g.zone(g.known.DNSServers[before:])
	for _, r := range routers {
		g.retold(r, c)
	}
}

// zone gives servers on the link its zone.
func (g *gathering) zone(servers DNSServers) {
	for i := range servers {
		v := servers[i].Value
		servers[i].Value = netip.AddrPortFrom(g.zoned(v.Addr()), v.Port())
	}
}

// zoneResolvers does so for encrypted resolvers. Their addresses are shared.
func (g *gathering) zoneResolvers(all EncryptedResolvers) {
	for i := range all {
		v := &all[i].Value
		for k, a := range v.Addresses {
			if z := g.zoned(a); z != a {
				v.Addresses = slices.Clone(v.Addresses)
				v.Addresses[k] = z
			}
		}
	}
}

// zoned gives a link-local address the numeric zone of the link.
func (g *gathering) zoned(a netip.Addr) netip.Addr {
	if a.Is6() && a.IsLinkLocalUnicast() {
		return a.WithZone(strconv.Itoa(g.facts.Interface.Index))
	}
	return a
}

// ra adds what a router said.
func (g *gathering) ra(ra *RA) {
	now := RA{Router: ra.Router, FQDN: strings.TrimSuffix(ra.FQDN, "."), Managed: ra.Managed, Other: ra.Other, Heard: ra.Heard}
	now.Configuration.collect(&ra.Configuration, g.live)
	g.zone(now.Configuration.DNSServers)
	switch {
	case now.Configuration.empty():
	case now.FQDN != "":
		g.named = append(g.named, now)
	default:
		g.ras = append(g.ras, now)
	}
}

// address adds an address. Ends of lifetimes are the kernel's to tell: it is on
// time, and knows of refreshes.
func (g *gathering) address(f *AddressFact) {
	a := f.Address
	a.Element = f.Origin()
	if a.Prefix.Addr().Is4() {
		g.v4 = append(g.v4, a)
	} else {
		g.v6 = append(g.v6, a)
	}
	if a.Element == ElementRA && f.Protocol == addressProtocolRA && g.router(a.Prefix.Addr()) < 0 && longest(g.named, a.Prefix.Addr(), nil) < 0 {
		g.prefix(&a)
	}
}

// prefix adds the prefix of an address that the kernel made of an advertisement
// heard before anybody listened.
func (g *gathering) prefix(a *Address) {
	p := Prefix{Prefix: a.Prefix.Masked(), Autonomous: true, Preferred: a.Preferred}
	p.OnLink = slices.ContainsFunc(g.facts.Routes, func(r RouteFact) bool {
		return r.Destination == p.Prefix && !r.Gateway.IsValid()
	})
	if !slices.ContainsFunc(g.known.Prefixes, func(d Datum[Prefix]) bool { return d.Value.Prefix == p.Prefix }) {
		g.known.Prefixes = append(g.known.Prefixes, Datum[Prefix]{p, ElementRA, sourceKernel, a.Valid})
	}
}

// sourceKernel is the Source of what only the kernel's state shows.
const sourceKernel = "kernel"

// route adds a route, and its gateway as a router if it is a default route.
func (g *gathering) route(f *RouteFact) {
	if f.Protocol == protocolOurs || !g.live(0, "", f.Expiry) {
		return
	}
	t := g.installer(f)
	source := sourceKernel
	if t == ElementRA && f.Gateway.IsValid() {
		source = f.Gateway.String()
	}
	g.known.Routes = append(g.known.Routes, Datum[Route]{f.Route, t, source, f.Expiry})
	if !isDefault(f.Destination) || !f.Gateway.IsValid() {
		return
	}
	r := Router{f.Gateway, f.Preference}
	has := func(d Datum[Router]) bool { return d.Value == r && d.Element == t }
	g.prefer(r)
	if !slices.ContainsFunc(g.known.Routers, has) && (t != ElementRA || !announced(g.ras, r.Addr) && !announced(g.named, r.Addr)) {
		g.known.Routers = append(g.known.Routers, Datum[Router]{r, t, source, f.Expiry})
	}
}

// installer finds which element a route belongs to. The clients dhclient and
// udhcpc install theirs as if they were set by hand, so where an address shows
// DHCPv4, an IPv4 default route that may be set by hand is taken for DHCPv4's.
// Likewise one that a router was heard to advertise, as dhcpcd installs those.
func (g *gathering) installer(f *RouteFact) ElementType {
	v4 := f.Destination.Addr().Is4()
	switch f.Protocol {
	case protocolRA:
		return ElementRA
	case protocolDHCP:
		if v4 {
			return ElementDHCPv4
		}
		return ElementDHCPv6
	case protocolBoot:
		if v4 && g.dhcp4 && isDefault(f.Destination) {
			return ElementDHCPv4
		}
		if advertised(g.ras, f) || advertised(g.named, f) {
			return ElementRA
		}
	case protocolKernel:
		return g.covering(f.Destination)
	}
	return ElementStatic
}

// covering is the element of the address that made the kernel add a route.
func (g *gathering) covering(p netip.Prefix) ElementType {
	of := g.v4
	if p.Addr().Is6() {
		of = g.v6
	}
	for i := range of {
		if of[i].Prefix.Masked() == p {
			return of[i].Element
		}
	}
	if p.Addr().Is6() && !p.Addr().IsLinkLocalUnicast() {
		return ElementRA // without an address: an advertised prefix that is only on-link
	}
	return ElementStatic
}

// mtu adds the MTU that a router set: the kernel shows it only by its effect.
func (g *gathering) mtu() {
	f := g.facts
	said := func(ra RA) bool { return len(ra.Configuration.MTU) > 0 }
	if f.MTU6 != 0 && f.MTU6 < f.Interface.MTU && len(g.ras) > 0 && !slices.ContainsFunc(g.ras, said) && !slices.ContainsFunc(g.named, said) {
		g.known.MTU = append(g.known.MTU, Datum[int]{f.MTU6, ElementRA, sourceKernel, time.Time{}})
	}
}

// advertised tells whether a router was heard to advertise a route (RFC 4191).
func advertised(ras []RA, f *RouteFact) bool {
	return slices.ContainsFunc(ras, func(ra RA) bool {
		return slices.ContainsFunc(ra.Configuration.Routes, func(d Datum[Route]) bool {
			return d.Value.Destination == f.Destination && d.Value.Gateway == f.Gateway
		})
	})
}

// announced tells whether a router says that it is a default router.
func announced(ras []RA, router netip.Addr) bool {
	return slices.ContainsFunc(ras, func(ra RA) bool {
		return slices.ContainsFunc(ra.Configuration.Routers, func(d Datum[Router]) bool { return d.Value.Addr == router })
	})
}

// router is the index in ras of the router that announced the prefix of an
// address, the longest if several cover it; -1 if none did.
func (g *gathering) router(a netip.Addr) int { return longest(g.ras, a, nil) }

// longest is the index of the advertisement with the longest prefix that covers an
// address, of several the one heard last, and the first of these; -1 if there is
// none. If heeded is not nil, it says which advertisements count.
func longest(ras []RA, a netip.Addr, heeded func(*RA) bool) int {
	best, bits := -1, -1
	for i := range ras {
		for _, p := range ras[i].Configuration.Prefixes {
			n := p.Value.Prefix.Bits()
			if n < bits || n == bits && !ras[i].Heard.After(ras[best].Heard) || !p.Value.Prefix.Contains(a) {
				continue
			}
			if heeded == nil || heeded(&ras[i]) {
				best, bits = i, n
			}
		}
	}
	return best
}
