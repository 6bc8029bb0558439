package pvd

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// A group is what will be one domain.
type group struct {
	family    Family
	routers   []netip.Addr // of an implicit domain, that announced its prefixes
	addresses []Address
	conf      Configuration
	old       *Domain // that it continues, nil if it is new

	fqdn, key      string       // of an explicit or added domain, as written and as compared
	announcers     []netip.Addr // of an explicit domain
	host           bool         // the host's own resolver uses servers of it
	managed, other bool         // the M and the O flag, as far as heard
}

func (g *group) usable() bool {
	return slices.ContainsFunc(g.addresses, func(a Address) bool { return a.Usable() && !a.LinkLocal })
}

// domains divides what was gathered into an implicit IPv4 domain, and an implicit
// IPv6 domain per router as soon as the router of each prefix is known (RFC 8801
// section 2), one before. Groups that have no address to use are left out, since
// a domain announced can be used. Explicit domains take theirs first.
func (g *gathering) domains(merge bool, old *Link) []*group {
	g.four = nil
	own := g.programs()
	named := g.explicit(old)
	g.inform(named, old)
	g.claim(named, old)
	named = append(own, named...)
	v4 := g.scratch.group(IPv4)
	v4.addresses = g.v4
	v6 := g.divide(old.implicit())
	all := append(append(g.scratch.all[:0], v4), v6...)
	if merge {
		v6[0].family = Both
		v6[0].addresses = slices.Concat(v4.addresses, v6[0].addresses)
		v4, all = v6[0], append(g.scratch.all[:0], v6...)
	}
	g.share(named)
	all = append(all, named...)
	g.scratch.all = all
	if g.four == nil {
		g.four = v4
	}
	g.assign(v4, v6, named, all)
	all = slices.DeleteFunc(all, func(g *group) bool { return !g.usable() })
	match(all, old.domains)
	return all
}

// divide makes the groups of the IPv6 addresses: one of all until the router of
// every address that a router gave is known. The first also has what cannot be
// told to be another's. Routers whose prefixes gave no address have groups too,
// lest what they say be taken for a neighbour's.
func (g *gathering) divide(old *Link) []*group {
	all := g.scratch.group(IPv6)
	all.addresses = g.v6
	g.scratch.one = append(g.scratch.one[:0], all)
	one := g.scratch.one
	parts := g.parts(old)
	if len(parts) == 0 {
		return one
	}
	var groups []*group
	for _, p := range parts {
		of := g.scratch.group(IPv6)
		of.routers = p
		groups = append(groups, of)
	}
	var rest []Address
	for _, a := range g.v6 {
		switch at := g.part(parts, &a, old); {
		case a.LinkLocal:
		case at >= 0:
			groups[at].addresses = append(groups[at].addresses, a)
		case a.Element == ElementRA && !old.divided():
			return one
		default:
			rest = append(rest, a)
		}
	}
	old.rank(groups)
	if len(groups[0].addresses) == 0 {
		return one
	}
	groups[0].addresses = append(groups[0].addresses, rest...)
	g.share(groups)
	return groups
}

// share gives every group the link-local addresses.
func (g *gathering) share(groups []*group) {
	for _, to := range groups {
		for _, a := range g.v6 {
			if a.LinkLocal {
				to.addresses = append(to.addresses, a)
			}
		}
		slices.SortFunc(to.addresses, func(a, b Address) int { return a.Prefix.Compare(b.Prefix) })
	}
}

// parts are the sets of routers that announce prefixes, in order of router. Two
// routers that announce the same prefix are of one network, and so of one domain,
// or its addresses would move at every RA. The routers of domains that were
// there before keep a part as well: their addresses outlive what they announced.
func (g *gathering) parts(old *Link) (parts [][]netip.Addr) {
	var prefixes [][]Datum[Prefix] // of each part
	for _, ra := range g.ras {
		routers, theirs := []netip.Addr{ra.Router}, slices.Clone(ra.Configuration.Prefixes)
		for i := len(parts) - 1; i >= 0; i-- {
			if slices.Contains(parts[i], ra.Router) || overlap(prefixes[i], ra.Configuration.Prefixes) {
				routers, theirs = append(routers, parts[i]...), append(theirs, prefixes[i]...)
				parts, prefixes = slices.Delete(parts, i, i+1), slices.Delete(prefixes, i, i+1)
			}
		}
		if len(theirs) > 0 {
			parts, prefixes = append(parts, sorted(routers)), append(prefixes, theirs)
		}
	}
	for _, d := range old.domains {
		if len(d.routers) > 0 && indexOf(parts, d.routers) < 0 {
			parts = append(parts, d.routers)
		}
	}
	slices.SortFunc(parts, func(a, b []netip.Addr) int { return a[0].Compare(b[0]) })
	return parts
}

// overlap tells whether a prefix is in both lists.
func overlap(a, b []Datum[Prefix]) bool {
	return slices.ContainsFunc(a, func(p Datum[Prefix]) bool {
		return slices.ContainsFunc(b, func(q Datum[Prefix]) bool { return p.Value.Prefix == q.Value.Prefix })
	})
}

func sorted(routers []netip.Addr) []netip.Addr {
	slices.SortFunc(routers, netip.Addr.Compare)
	return slices.Compact(routers)
}

// rank puts first the group that goes on with the link's first IPv6 domain, and
// last those that cannot be used, since the first gets what is nobody's.
func (l *Link) rank(groups []*group) {
	i := slices.IndexFunc(l.domains, func(d *Domain) bool { return d.id.family != IPv4 })
	rank := func(g *group) int {
		switch {
		case len(g.addresses) == 0:
			return 4
		case !g.usable():
			return 3
		case i >= 0 && g.has(l.domains[i].addresses):
			return 0
		case i >= 0 && indexOf([][]netip.Addr{g.routers}, l.domains[i].routers) == 0:
			return 1
		}
		return 2
	}
	slices.SortStableFunc(groups, func(a, b *group) int { return cmp.Compare(rank(a), rank(b)) })
}

// has tells whether the group has any of some addresses. Link-local ones, which
// are everybody's, do not count.
func (g *group) has(some []Address) bool {
	return slices.ContainsFunc(g.addresses, func(a Address) bool {
		return !a.LinkLocal && slices.ContainsFunc(some, func(b Address) bool { return a.Prefix == b.Prefix })
	})
}

// divided tells whether several routers made several domains of the link.
func (l *Link) divided() bool {
	n := 0
	for _, d := range l.domains {
		if d.id.family != IPv4 {
			n++
		}
	}
	return n > 1
}

// indexOf is the part that has any of some routers, -1 if none has.
func indexOf(parts [][]netip.Addr, routers []netip.Addr) int {
	return slices.IndexFunc(parts, func(p []netip.Addr) bool {
		return slices.ContainsFunc(p, func(r netip.Addr) bool { return slices.Contains(routers, r) })
	})
}

// part is the part whose router announced the prefix of an address, or did so
// once; -1 if none did.
func (g *gathering) part(parts [][]netip.Addr, a *Address, old *Link) int {
	if r := g.router(a.Prefix.Addr()); r >= 0 {
		return indexOf(parts, []netip.Addr{g.ras[r].Router})
	}
	for _, d := range old.domains {
		if slices.ContainsFunc(d.addresses, func(b Address) bool { return b.Prefix == a.Prefix }) {
			return indexOf(parts, d.routers)
		}
	}
	return -1
}

// match finds the domain that each group continues. Of an explicit domain it is the
// one of that name; of others one with an address of its
// own, or else with a router of its own, or else, where routers are not known, the
// first of its family that nobody continues. What was merged or divided meanwhile
// counts as the family that it has.
func match(groups []*group, old []*Domain) {
	taken := func(d *Domain) bool {
		return slices.ContainsFunc(groups, func(g *group) bool { return g.old == d })
	}
	continues := func(same func(*group, *Domain) bool) {
		for _, g := range groups {
			for _, d := range old {
				if g.old == nil && !taken(d) && d.id.family == g.family && d.id.key == g.key && same(g, d) {
					g.old = d
				}
			}
		}
	}
	continues(func(g *group, d *Domain) bool { return g.has(d.addresses) })
	continues(func(g *group, d *Domain) bool { return indexOf([][]netip.Addr{g.routers}, d.routers) == 0 })
	continues(func(g *group, d *Domain) bool { return len(g.routers) == 0 || len(d.routers) == 0 })
}

// domain makes the domain of a group, or returns the one that it continues if
// nothing changed.
func (g *group) domain(l *Link, all []*group, now *gathering) *Domain {
	d := Domain{routers: g.routers, addresses: g.addresses, elements: now.scratch.elements[:0]}
	same := g.old != nil
	if same {
		d.id = g.old.id
		same = settleAddresses(d.addresses, g.old.addresses, now) && slices.Equal(d.routers, g.old.routers)
	} else {
		d.id = ID{&domain{l.iface.ID, g.label(l, all), g.family, g.fqdn, g.key}}
	}
	for t, is := range types(g) {
		if is {
			d.elements = append(d.elements, g.element(ElementType(t), now))
		}
	}
	now.scratch.elements = d.elements
	if same && slices.Equal(d.elements, g.old.elements) {
		return g.old
	}
	return d.kept()
}

// element makes an element of a group, or returns the one that it continues if
// nothing changed.
func (g *group) element(t ElementType, now *gathering) *element {
	conf := &now.scratch.conf
	conf.clear()
	conf.collect(&g.conf, func(u ElementType, _ string, _ time.Time) bool { return u == t })
	conf.rank()
	now.zoneResolvers(conf.EncryptedResolvers)
	if old := g.old.element(t); old != nil && conf.settle(&old.conf, now) {
		return old
	}
	return &element{t, conf.Clone()}
}

// label is what tells a new domain from the others that are on its link now.
func (g *group) label(l *Link, all []*group) string {
	switch {
	case added(g.key):
		return "program/" + g.fqdn
	case strings.Contains(g.fqdn, "."):
		return g.fqdn
	case g.fqdn != "":
		return g.fqdn + "." // or a domain named ipv4 could be taken for another
	}
	return label(g.family, g.routers, func(s string) bool {
		return slices.ContainsFunc(l.domains, func(d *Domain) bool { return d.id.label == s }) ||
			slices.ContainsFunc(all, func(g *group) bool { return g.old != nil && g.old.id.label == s })
	})
}

func (d *Domain) element(t ElementType) *element {
	if d == nil {
		return nil
	}
	i := slices.IndexFunc(d.elements, func(e *element) bool { return e.typ == t })
	if i < 0 {
		return nil
	}
	return d.elements[i]
}

// settleAddresses settles the lifetimes of addresses in order against old ones,
// and tells whether they are then the same.
func settleAddresses(now, old []Address, g *gathering) bool {
	same := len(now) == len(old)
	o := 0
	for i := range now {
		a := &now[i]
		for o < len(old) && old[o].Prefix.Compare(a.Prefix) < 0 {
			o++
		}
		if o == len(old) || old[o].Prefix != a.Prefix {
			same = false
			continue
		}
		same = settleAddress(a, &old[o], g) && same
	}
	return same
}

func settleAddress(a, old *Address, g *gathering) bool {
	preferred, same := g.settle(a.Preferred, old.Preferred)
	valid, too := g.settle(a.Valid, old.Valid)
	a.Preferred, a.Valid = preferred, valid
	return same && too && *a == *old
}
