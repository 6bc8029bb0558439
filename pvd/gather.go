package pvd

import (
	"net/netip"
	"slices"
	"strconv"
	"time"
)

// A gathering is what is true of one link now, each datum and address with its
// element, not yet divided among domains.
type gathering struct {
	facts   *Facts
	now     time.Time
	expires time.Time // earliest end of anything in it
	ras     []RA      // with what is true now only
	known   Configuration
	v4, v6  []Address
	dhcp4   bool // the kernel's hints show a DHCPv4 client
	scratch scratch
}

// gather begins anew. The memory of the gathering before is used again, so nothing
// that is kept may lie in it.
func (g *gathering) gather(f *Facts, now time.Time) {
	g.facts, g.now, g.expires, g.ras = f, now, time.Time{}, g.ras[:0]
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
func (g *gathering) live(_ ElementType, end time.Time) bool {
	if past(end, g.now) {
		return false
	}
	g.expires = earlier(g.expires, end)
	return true
}

// add adds what a client, a manager or the host's resolver knows.
func (g *gathering) add(c *Configuration) {
	before := len(g.known.DNSServers)
	g.known.collect(c, g.live)
	g.zone(g.known.DNSServers[before:])
}

func (g *gathering) zone(servers DNSServers) {
	for i := range servers {
		v := servers[i].Value
		servers[i].Value = netip.AddrPortFrom(g.zoned(v.Addr()), v.Port())
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
	now := RA{Router: ra.Router}
	now.Configuration.collect(&ra.Configuration, g.live)
	g.zone(now.Configuration.DNSServers)
	if !now.Configuration.empty() {
		g.ras = append(g.ras, now)
	}
}

// address adds an address. Ends of lifetimes are the kernel's to tell: it is on
// time, and knows of refreshes.
func (g *gathering) address(f *AddressFact) {
	a := f.Address
	a.Element = g.origin(f)
	if a.Prefix.Addr().Is4() {
		g.v4 = append(g.v4, a)
	} else {
		g.v6 = append(g.v6, a)
	}
	if a.Element == ElementRA && f.Protocol == addressProtocolRA && g.router(a.Prefix.Addr()) < 0 {
		g.prefix(&a)
	}
}

// origin finds who gave an address. The kernel says so only of addresses that it
// made itself; for others a finite lifetime shows a client, and a length of 128
// shows DHCPv6, which gives no prefixes.
func (g *gathering) origin(f *AddressFact) ElementType {
	finite := !f.Valid.IsZero()
	switch a := f.Prefix.Addr(); {
	case f.LinkLocal:
		return ElementLinkLocal
	case a.Is4() && finite:
		return ElementDHCPv4
	case a.Is4():
		return ElementStatic
	case f.Protocol == addressProtocolRA, f.ManageTemp, f.Temporary, finite && f.Prefix.Bits() != 128:
		return ElementRA
	case finite:
		return ElementDHCPv6
	}
	return ElementStatic
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
	if !g.live(0, f.Expiry) {
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
	if !slices.ContainsFunc(g.known.Routers, has) &&
		!slices.ContainsFunc(g.ras, func(ra RA) bool { return slices.ContainsFunc(ra.Configuration.Routers, has) }) {
		g.known.Routers = append(g.known.Routers, Datum[Router]{r, t, source, f.Expiry})
	}
}

// installer finds which element a route belongs to. The clients dhclient and
// udhcpc install theirs as if they were set by hand, so where an address shows
// DHCPv4, an IPv4 default route that may be set by hand is taken for DHCPv4's.
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
	if f.MTU6 != 0 && f.MTU6 < f.Interface.MTU && len(g.ras) > 0 {
		g.known.MTU = append(g.known.MTU, Datum[int]{f.MTU6, ElementRA, sourceKernel, time.Time{}})
	}
}

// router is the index in ras of the router that announced the prefix of an
// address, the longest if several cover it; -1 if none did.
func (g *gathering) router(a netip.Addr) int {
	best, bits := -1, -1
	for i := range g.ras {
		for _, p := range g.ras[i].Configuration.Prefixes {
			if p.Value.Prefix.Contains(a) && p.Value.Prefix.Bits() > bits {
				best, bits = i, p.Value.Prefix.Bits()
			}
		}
	}
	return best
}
