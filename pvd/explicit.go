package pvd

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
)

// folded is the name of an explicit domain as it is compared: without regard to
// case (RFC 8801 section 3.4).
func folded(fqdn string) string { return strings.ToLower(fqdn) }

// explicit makes the groups of a link's explicit domains, in order of name: those
// that routers announce, which may be several for one domain, and those that were
// there before, since their addresses outlive what was announced.
func (g *gathering) explicit(old *Link) (named []*group) {
	for i := range g.named {
		ra := &g.named[i]
		to := g.group(&named, ra.FQDN)
		to.announcers = append(to.announcers, ra.Router)
		to.other = to.other || ra.Other
		to.managed = to.managed || ra.Managed
		to.conf.collect(&ra.Configuration, always)
	}
	for _, d := range old.domains {
		if d.id.key != "" && !added(d.id.key) {
			g.group(&named, d.id.fqdn)
		}
	}
	slices.SortFunc(named, func(a, b *group) int { return cmp.Compare(a.key, b.key) })
	return named
}

// group is the one of an explicit domain, made if need be.
func (g *gathering) group(named *[]*group, fqdn string) *group {
	key := folded(fqdn)
	if i := slices.IndexFunc(*named, func(n *group) bool { return n.key == key }); i >= 0 {
		return (*named)[i]
	}
	n := g.scratch.group(Both)
	n.fqdn, n.key = fqdn, key
	*named = append(*named, n)
	return n
}

// claim gives explicit domains their addresses: those of the prefixes that they
// announced, or did so once. The rest is left to the implicit domains.
func (g *gathering) claim(named []*group, old *Link) {
	if len(named) == 0 {
		return
	}
	rest := g.v6[:0]
	for _, a := range g.v6 {
		if to := g.claimant(named, &a, old); to != nil {
			to.addresses = append(to.addresses, a)
		} else {
			rest = append(rest, a)
		}
	}
	g.v6 = rest
	g.legacy(named)
}

// claimant is the explicit domain of an address, nil if there is none. An address
// from DHCPv6 belongs only where the M flag is set (RFC 8801 section 3.4.1).
func (g *gathering) claimant(named []*group, a *Address, old *Link) *group {
	if a.LinkLocal {
		return nil
	}
	ip := a.Prefix.Addr()
	at := longest(g.named, ip, func(ra *RA) bool { return a.Element != ElementDHCPv6 || ra.Managed })
	other := g.router(ip)
	switch {
	case at >= 0 && (other < 0 || g.later(at, other, ip)):
		return domainOf(named, g.named[at].FQDN)
	case other >= 0 || longest(g.named, ip, nil) >= 0:
		return nil
	}
	for _, d := range old.domains {
		if d.id.key != "" && !added(d.id.key) && slices.ContainsFunc(d.addresses, func(b Address) bool { return b.Prefix == a.Prefix }) {
			return domainOf(named, d.id.fqdn)
		}
	}
	return nil
}

// later tells whether the prefix of an address belongs to an explicit domain and
// not to an implicit one.
func (g *gathering) later(named, other int, ip netip.Addr) bool {
	two := []RA{g.named[named], g.ras[other]}
	return longest(two, ip, nil) == 0
}

func domainOf(named []*group, fqdn string) *group {
	key := folded(fqdn)
	return named[slices.IndexFunc(named, func(n *group) bool { return n.key == key })]
}

// legacy gives what DHCPv4 gave to the explicit domain that says so, if it is the
// only one (RFC 8801 section 3.4.2).
func (g *gathering) legacy(named []*group) {
	says := func(n *group) bool {
		return slices.ContainsFunc(n.conf.PvDOption, func(d Datum[Option]) bool { return d.Value.Legacy })
	}
	i := slices.IndexFunc(named, says)
	if i < 0 || slices.ContainsFunc(named[i+1:], says) {
		return
	}
	g.four = named[i]
	g.v4 = g.four.take(g.v4, func(a *Address) bool { return a.Element == ElementDHCPv4 })
}

// take takes some addresses and returns the rest, in the same memory.
func (g *group) take(from []Address, mine func(*Address) bool) (rest []Address) {
	rest = from[:0]
	for _, a := range from {
		if mine(&a) {
			g.addresses = append(g.addresses, a)
		} else {
			rest = append(rest, a)
		}
	}
	return rest
}

// implicit is l without other domains than implicit ones.
func (l *Link) implicit() *Link {
	explicit := func(d *Domain) bool { return d.id.key != "" }
	if !slices.ContainsFunc(l.domains, explicit) {
		return l
	}
	return &Link{domains: slices.DeleteFunc(slices.Clone(l.domains), explicit)}
}

// stateless are the groups that what DHCPv6 says belongs to: all whose
// advertisements had the O flag, and those that have an address from DHCPv6 by the M
// flag, which stands for both (RFC 8801 section 3.4.1, RFC 4861 section 4.2). If
// nobody had it, or it is not known, it is the implicit domains.
func stateless(v6, all []*group) (some []*group) {
	for _, to := range all {
		if to.other || to.managed && slices.ContainsFunc(to.addresses, func(a Address) bool { return a.Element == ElementDHCPv6 }) {
			some = append(some, to)
		}
	}
	if len(some) == 0 {
		return v6
	}
	return some
}
