package pvd

import (
	"net/netip"
	"slices"
	"time"
)

// assign gives each datum to the groups that it belongs to.
func (g *gathering) assign(v4 *group, v6, all []*group) {
	whole := func(ElementType, time.Time) bool { return true }
	for i := range g.ras {
		owner(v6, g.ras[i].Router).conf.collect(&g.ras[i].Configuration, whole)
	}
	g.values(v4, v6, all)
	rest := g.known
	rest.DNSServers, rest.Routers, rest.Routes, rest.Prefixes = nil, nil, nil, nil
	for _, to := range all {
		to.conf.collect(&rest, func(t ElementType, _ time.Time) bool {
			switch t {
			case ElementDHCPv4:
				return to == v4
			case ElementRA, ElementDHCPv6:
				return to.family != IPv4
			case ElementHost: // it goes with its servers
				return slices.ContainsFunc(to.conf.DNSServers, func(d Datum[netip.AddrPort]) bool { return d.Element == t })
			}
			return true
		})
	}
}

// values gives those data to groups whose value shows where they belong.
func (g *gathering) values(v4 *group, v6, all []*group) {
	for _, d := range g.known.Routers {
		to := g.way(v4, v6, netip.PrefixFrom(d.Value.Addr, d.Value.Addr.BitLen()), d.Value.Addr)
		to.conf.Routers = append(to.conf.Routers, d)
	}
	for _, d := range g.known.Routes {
		to := g.way(v4, v6, d.Value.Destination, d.Value.Gateway)
		to.conf.Routes = append(to.conf.Routes, d)
	}
	for _, d := range g.known.Prefixes {
		to := g.way(v4, v6, d.Value.Prefix, netip.Addr{})
		to.conf.Prefixes = append(to.conf.Prefixes, d)
	}
	for _, d := range g.known.DNSServers {
		for _, to := range g.servers(d, v4, v6, all) {
			to.conf.DNSServers = append(to.conf.DNSServers, d)
		}
	}
}

// way is the group through which a destination is reached by a gateway, or
// without one, on the link.
func (g *gathering) way(v4 *group, v6 []*group, to netip.Prefix, gateway netip.Addr) *group {
	if to.Addr().Is4() {
		return v4
	}
	if gateway.IsValid() {
		return owner(v6, gateway)
	}
	if r := g.router(to.Addr()); r >= 0 {
		return owner(v6, g.ras[r].Router)
	}
	in := func(a Address) bool { return !a.LinkLocal && to.Contains(a.Prefix.Addr()) }
	return v6[max(slices.IndexFunc(v6, func(g *group) bool { return slices.ContainsFunc(g.addresses, in) }), 0)]
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
// to. What DHCPv6 says of a link with several routers is all their domains'
// (RFC 8801 section 3.4.1). What is of unknown origin is nobody's if several
// could own it.
func (g *gathering) servers(d Datum[netip.AddrPort], v4 *group, v6, all []*group) []*group {
	switch d.Element {
	case ElementDHCPv4:
		return []*group{v4}
	case ElementDHCPv6:
		return v6
	case ElementRA:
		router, _ := netip.ParseAddr(d.Source)
		return []*group{owner(v6, router.WithZone(""))}
	}
	could := slices.DeleteFunc(slices.Clone(all), func(g *group) bool { return !g.family.Has(d.Value.Addr()) || !g.usable() })
	if len(could) > 1 && d.Element == ElementHost {
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
	none.collect(&g.conf, func(t ElementType, _ time.Time) bool {
		have[t] = true
		return false
	})
	have[ElementAny], have[ElementLinkLocal] = false, false
	return have
}
