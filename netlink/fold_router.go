package netlink

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/go-mif/mif/pvd"
)

// What routers of a link can make us keep.
const (
	maxRouters = 64  // that have no name for their domain
	maxDomains = 64  // that have one
	maxNamed   = 256 // routers, each counted for every named domain that it announces
	maxData    = 64  // of a kind and a router
)

// An ra is what one router said of one domain. What was told of it is never written:
// it is copied before.
type ra struct {
	router         netip.Addr
	name           string // of the domain, in small letters; empty: it has none
	source         string
	heard          time.Time
	managed, other bool
	fqdn           string // the name as the router writes it
	said           pvd.Configuration
	told           bool // others hold what was said
}

// own lets what was said be written to.
func (r *ra) own() {
	if r.told {
		r.said, r.told = r.said.Clone(), false
	}
}

func (r *ra) compare(o *ra) int {
	return cmp.Or(r.router.Compare(o.router), cmp.Compare(r.name, o.name))
}

// router is a router of the link, in its role for a domain, to be written to; nil if
// there are too many.
func (t *tables) router(l *link, a netip.Addr, fqdn string) *ra {
	r := &ra{router: a, name: strings.ToLower(fqdn), fqdn: fqdn}
	at, ok := slices.BinarySearchFunc(l.ras, r, (*ra).compare)
	if ok {
		l.ras[at].own()
		return l.ras[at]
	}
	if !l.room(r) {
		l.ras = slices.DeleteFunc(l.ras, func(r *ra) bool { return r.past(t.now) })
		if !l.room(r) {
			t.full(l, r)
			return nil
		}
		at, _ = slices.BinarySearchFunc(l.ras, r, (*ra).compare)
	}
	r.source = a.String()
	l.ras = slices.Insert(l.ras, at, r)
	return r
}

// room tells whether one more can be kept: those with a name do not crowd out
// those without, and the other way round.
func (l *link) room(r *ra) bool {
	routers, named, domains := 0, 0, map[string]bool{r.name: true}
	for _, o := range l.ras {
		if o.name == "" {
			routers++
			continue
		}
		named++
		domains[o.name] = true
	}
	if r.name == "" {
		return routers < maxRouters
	}
	return named < maxNamed && len(domains) <= maxDomains
}

// full says that there are too many, once for routers and once for domains.
func (t *tables) full(l *link, r *ra) {
	switch {
	case r.name == "" && !l.rasDropped:
		l.rasDropped = true
		t.log.Warn("more routers on a link than are kept", "interface", l.name, "kept", maxRouters)
	case r.name != "" && !l.domainsDropped:
		l.domainsDropped = true
		t.log.Warn("more named provisioning domains on a link than are kept", "interface", l.name, "kept", maxDomains)
	}
}

// move takes a prefix from what was said of other domains: it belongs to the last
// advertisement that has it (RFC 8801 section 3.4). Domains without a name are told
// apart by their routers, and routers may share a prefix.
func (t *tables) move(l *link, to *ra, p netip.Prefix) {
	for _, r := range l.ras {
		if r.name == to.name {
			continue
		}
		i := slices.IndexFunc(r.said.Prefixes, func(d pvd.Datum[pvd.Prefix]) bool { return d.Value.Prefix == p })
		if i >= 0 {
			r.own()
			r.said.Prefixes = slices.Delete(r.said.Prefixes, i, i+1)
			if t.whole {
				r.bound(t.now)
			}
			t.touch(l, dirtyRAs)
		}
	}
}

// past tells whether nothing the router said holds any more.
func (r *ra) past(now time.Time) bool {
	_, lasts := r.lasts(now)
	return !lasts && allPast(r.said.CaptivePortal, now)
}

func allPast[T any](d []pvd.Datum[T], now time.Time) bool {
	return !slices.ContainsFunc(d, func(d pvd.Datum[T]) bool { return !past(d.Expiry, now) })
}

// raFacts are what the link's routers said, by address.
func (l *link) raFacts() []pvd.RA {
	if len(l.ras) == 0 {
		return nil
	}
	f := make([]pvd.RA, len(l.ras))
	for i, r := range l.ras {
		r.told = true
		f[i] = pvd.RA{Router: r.router, FQDN: r.fqdn, Managed: r.managed, Other: r.other, Heard: r.heard, Configuration: r.said}
	}
	return f
}
