package pvd

import (
	"net/netip"
	"slices"
	"time"
)

// advertiser is the router whose advertisement a datum is from; the zero Addr if it
// is from none, or nobody knows from which.
func advertiser(t ElementType, source string) netip.Addr {
	if t != ElementRA {
		return netip.Addr{}
	}
	router, err := netip.ParseAddr(source)
	if err != nil || !router.IsLinkLocalUnicast() {
		return netip.Addr{}
	}
	return router.WithZone("")
}

// retold adds what a client or a manager made of a router's advertisements, less
// what was heard from the router itself. One that announces explicit domains was
// heard whole, and managers take those for one with the implicit domain.
func (g *gathering) retold(router netip.Addr, c *Configuration) {
	from := func(ra RA) bool { return ra.Router == router }
	if slices.ContainsFunc(g.named, from) {
		return
	}
	i := slices.IndexFunc(g.ras, from)
	var told Configuration
	told.collect(c, func(t ElementType, source string, end time.Time) bool {
		return advertiser(t, source) == router && g.live(t, source, end)
	})
	g.zone(told.DNSServers)
	switch {
	case told.empty():
	case i < 0:
		g.ras = append(g.ras, RA{Router: router, Configuration: told})
	default:
		g.ras[i].Configuration.supplement(&told)
	}
}

// supplement adds those data of d whose values c has not.
func (c *Configuration) supplement(d *Configuration) {
	supplement(&c.DNSServers, d.DNSServers, equal)
	supplement(&c.SearchDomains, d.SearchDomains, equal)
	supplement(&c.RoutingDomains, d.RoutingDomains, equal)
	supplement(&c.Routers, d.Routers, func(a, b *Router) bool { return a.Addr == b.Addr })
	supplement(&c.Routes, d.Routes, func(a, b *Route) bool { return a.Destination == b.Destination && a.Gateway == b.Gateway })
	supplement(&c.Prefixes, d.Prefixes, func(a, b *Prefix) bool { return a.Prefix == b.Prefix })
	supplement(&c.MTU, d.MTU, equal)
	supplement(&c.PREF64, d.PREF64, equal)
	supplement(&c.CaptivePortal, d.CaptivePortal, equal)
	supplement(&c.EncryptedResolvers, d.EncryptedResolvers, func(a, b *EncryptedResolver) bool { return a.Name == b.Name && a.Priority == b.Priority })
	supplement(&c.NTPServers, d.NTPServers, equal)
}

func supplement[T any, D ~[]Datum[T]](to *D, from D, same func(*T, *T) bool) {
	for i := range from {
		if find(*to, i, func(d *Datum[T]) bool { return same(&d.Value, &from[i].Value) }) < 0 {
			*to = append(*to, from[i])
		}
	}
}

// prefer takes the preference of a router that only a manager tells of from the
// kernel's route: managers do not tell it.
func (g *gathering) prefer(r Router) {
	for i := range g.ras {
		if g.ras[i].Router != r.Addr || !g.ras[i].Heard.IsZero() {
			continue
		}
		for k := range g.ras[i].Configuration.Routers {
			g.ras[i].Configuration.Routers[k].Value.Preference = r.Preference
		}
	}
}
