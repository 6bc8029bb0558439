package pvd

import (
	"net/netip"
	"slices"
	"time"
)

func always(ElementType, string, time.Time) bool { return true }

// An assignment gives each datum to the groups that it belongs to.
type assignment struct {
	*gathering
	v4             *group   // the implicit IPv4 domain
	v6, named, all []*group // the implicit IPv6 domains, one at least; the explicit ones; all
	dhcp6          []*group // those that what DHCPv6 says belongs to
	lone           bool     // only explicit domains can be used
	some           []*group // memory used again
}

// these returns groups in memory that is used again.
func (a *assignment) these(some ...*group) []*group {
	a.some = append(a.some[:0], some...)
	return a.some
}

func (g *gathering) assign(v4 *group, v6, named, all []*group) {
	a := &g.scratch.assignment
	*a = assignment{gathering: g, v4: v4, v6: v6, named: named, all: all, some: a.some}
	for i := range g.ras {
		to := owner(v6, g.ras[i].Router)
		to.conf.collect(&g.ras[i].Configuration, always)
		to.managed, to.other = to.managed || g.ras[i].Managed, to.other || g.ras[i].Other
	}
	a.dhcp6 = stateless(v6, all)
	a.lone = !slices.ContainsFunc(all, func(g *group) bool { return g.key == "" && g.usable() })
	a.values()
	rest := g.known
	rest.DNSServers, rest.Routers, rest.Routes, rest.Prefixes = nil, nil, nil, nil
	for _, to := range all {
		to.conf.collect(&rest, func(t ElementType, _ string, _ time.Time) bool { return a.belongs(t, to) })
	}
	onlyNews(all, func(c *Configuration) *DNSServers { return &c.DNSServers })
	onlyNews(all, func(c *Configuration) *SearchDomains { return &c.SearchDomains })
	onlyNews(all, func(c *Configuration) *RoutingDomains { return &c.RoutingDomains })
}

// onlyNews leaves out what is of unknown origin and told under another element of the
// link, too: the host's resolver has it from there, and does not tell domains apart.
func onlyNews[T comparable, D ~[]Datum[T]](all []*group, of func(*Configuration) *D) {
	told := func(v T) bool {
		return slices.ContainsFunc(all, func(to *group) bool {
			return slices.ContainsFunc(*of(&to.conf), func(d Datum[T]) bool { return d.Value == v && d.Element != ElementHost })
		})
	}
	for _, to := range all {
		data := of(&to.conf)
		*data = slices.DeleteFunc(*data, func(d Datum[T]) bool { return d.Element == ElementHost && told(d.Value) })
	}
}

// belongs tells whether what an element says belongs to a group, if the element is
// all there is to go by.
func (a *assignment) belongs(t ElementType, to *group) bool {
	switch t {
	case ElementDHCPv4:
		return to == a.four
	case ElementRA:
		return to.key == "" && to.family != IPv4
	case ElementDHCPv6:
		return slices.Contains(a.dhcp6, to)
	case ElementHost: // it goes with its servers
		return to.host
	}
	return to.key == "" || a.lone && !added(to.key)
}

// values gives those data to groups whose value shows where they belong.
func (a *assignment) values() {
	for _, d := range a.known.Routers {
		for _, to := range a.ways(d.Element, netip.PrefixFrom(d.Value.Addr, d.Value.Addr.BitLen()), d.Value.Addr) {
			to.conf.Routers = append(to.conf.Routers, d)
		}
	}
	for _, d := range a.known.Routes {
		for _, to := range a.ways(d.Element, d.Value.Destination, d.Value.Gateway) {
			to.route(d)
		}
	}
	for _, d := range a.known.Prefixes {
		for _, to := range a.ways(d.Element, d.Value.Prefix, netip.Addr{}) {
			to.conf.Prefixes = append(to.conf.Prefixes, d)
		}
	}
	for _, d := range a.known.DNSServers {
		for _, to := range a.servers(d) {
			to.server(d)
		}
	}
}

// server adds a server that is not there yet.
func (g *group) server(d Datum[netip.AddrPort]) {
	g.host = g.host || d.Element == ElementHost
	if !slices.ContainsFunc(g.conf.DNSServers, func(e Datum[netip.AddrPort]) bool {
		return e.Value == d.Value && e.Element == d.Element && e.Source == d.Source
	}) {
		g.conf.DNSServers = append(g.conf.DNSServers, d)
	}
}

// route adds a route that the host has, in place of what a router said of it.
func (g *group) route(d Datum[Route]) {
	if i := g.said(d.Value.Destination, d.Value.Gateway); i >= 0 {
		g.conf.Routes = slices.Delete(g.conf.Routes, i, i+1)
	}
	g.conf.Routes = append(g.conf.Routes, d)
}

// ways are the groups through which a destination is reached by a gateway, or
// without one, on the link.
func (a *assignment) ways(t ElementType, to netip.Prefix, gateway netip.Addr) []*group {
	switch {
	case to.Addr().Is4() && t == ElementDHCPv4:
		return a.these(a.four)
	case to.Addr().Is4() && !gateway.IsValid():
		return a.these(a.own4(to))
	case to.Addr().Is4():
		return a.these(a.v4)
	case gateway.IsValid():
		return a.through(to, gateway)
	}
	ip := to.Addr()
	n, r := longest(a.gathering.named, ip, nil), a.router(ip)
	switch {
	case n >= 0 && (r < 0 || a.later(n, r, ip)):
		return a.these(domainOf(a.named, a.gathering.named[n].FQDN))
	case r >= 0:
		return a.these(owner(a.v6, a.ras[r].Router))
	}
	for _, g := range a.all {
		if g.family != IPv4 && g.within(to) {
			return a.these(g)
		}
	}
	return a.v6[:1]
}

// own4 is the program's domain with an address in an IPv4 prefix that is on the link,
// the implicit one if there is none.
func (a *assignment) own4(p netip.Prefix) *group {
	for _, g := range a.named {
		if added(g.key) && g.within(p) {
			return g
		}
	}
	return a.v4
}

// within tells whether the group has an address in a prefix.
func (g *group) within(p netip.Prefix) bool {
	return slices.ContainsFunc(g.addresses, func(a Address) bool { return !a.LinkLocal && p.Contains(a.Prefix.Addr()) })
}

// through are the groups whose routers announced a way by a gateway: explicit domains
// may share their router. If none did, it is those that the router is known of.
func (a *assignment) through(to netip.Prefix, gateway netip.Addr) []*group {
	some := a.these()
	for _, g := range a.all {
		if g.family != IPv4 && g.announces(to, gateway) {
			some = append(some, g)
		}
	}
	if len(some) == 0 && !slices.ContainsFunc(a.ras, func(ra RA) bool { return ra.Router == gateway }) {
		for _, g := range a.named {
			if slices.Contains(g.announcers, gateway) {
				some = append(some, g)
			}
		}
	}
	if len(some) == 0 {
		some = append(some, owner(a.v6, gateway))
	}
	a.some = some
	return some
}

// announces tells whether a router said that it is a way to a destination.
func (g *group) announces(to netip.Prefix, gateway netip.Addr) bool {
	return isDefault(to) && slices.ContainsFunc(g.conf.Routers, func(d Datum[Router]) bool { return d.Value.Addr == gateway }) ||
		g.said(to, gateway) >= 0
}

// said is the index of a route that the host does not have, but was told of; -1 if
// there is none. These stand before those that it has, of which there may be many.
func (g *group) said(to netip.Prefix, gateway netip.Addr) int {
	for i := range g.conf.Routes {
		r := &g.conf.Routes[i].Value
		switch {
		case r.Table != 0:
			return -1
		case r.Destination == to && r.Gateway == gateway:
			return i
		}
	}
	return -1
}

// owner is the group of a router, the first if it is nobody's.
func owner(v6 []*group, router netip.Addr) *group {
	for _, to := range v6 {
		if slices.Contains(to.routers, router) {
			return to
		}
	}
	return v6[0]
}

// servers are the groups that a server learnt from a client or a manager belongs
// to. What is of unknown origin is nobody's if several could own it.
func (a *assignment) servers(d Datum[netip.AddrPort]) []*group {
	switch d.Element {
	case ElementDHCPv4:
		return a.these(a.four)
	case ElementDHCPv6:
		return a.dhcp6
	case ElementRA:
		return a.v6[:1]
	}
	could := slices.DeleteFunc(slices.Clone(a.all), func(g *group) bool { return !g.family.has(d.Value.Addr()) || !g.usable() })
	if d.Element != ElementHost {
		return slices.DeleteFunc(could, func(g *group) bool { return !a.belongs(d.Element, g) })
	}
	if len(could) > 1 {
		return nil
	}
	return could
}

// types are the elements of a group: those that gave it an address or any datum.
// Link-local addresses are given by nobody.
func types(g *group) (have [1 << 8]bool) {
	for _, a := range g.addresses {
		have[a.Element] = true
	}
	var none Configuration
	none.collect(&g.conf, func(t ElementType, _ string, _ time.Time) bool {
		have[t] = true
		return false
	})
	have[ElementAny], have[ElementLinkLocal] = false, false
	return have
}
