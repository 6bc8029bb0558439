package netlink

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/go-mif/mif/pvd"
)

// An ra is what one router said of one domain. What was told of it is never written:
// it is copied before.
type ra struct {
	router         netip.Addr
	name           string // of the domain, in small letters; empty: it has none
	source         string
	first, heard   time.Time // for the first time, and last
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
	r := &ra{router: a, name: strings.ToLower(fqdn), fqdn: fqdn, first: t.now}
	at, ok := slices.BinarySearchFunc(l.ras, r, (*ra).compare)
	if ok {
		l.ras[at].own()
		return l.ras[at]
	}
	if !t.admit(l, r) {
		return nil
	}
	at, _ = slices.BinarySearchFunc(l.ras, r, (*ra).compare)
	r.source = a.String()
	l.ras = slices.Insert(l.ras, at, r)
	return r
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
