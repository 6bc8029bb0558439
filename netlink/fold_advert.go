package netlink

import (
	"slices"
	"strings"
	"time"

	"github.com/go-mif/mif/pvd"
)

// advertEvent folds a whole advertisement. What is inside its PvD option comes
// last, and so wins. It tells whether the link is there.
func (t *tables) advertEvent(a *advertisement) bool {
	l := t.links[a.index]
	if l == nil || !l.id.IsValid() {
		return false
	}
	t.refresh(a.index)
	r := t.router(l, a.router, a.domain.FQDN)
	if r == nil {
		return true
	}
	fresh := r.heard.IsZero()
	r.heard = t.now
	t.header(r, a)
	t.options(l, r, a.outside)
	t.options(l, r, a.inside)
	r.bound(t.now)
	if fresh && r.past(t.now) { // it says nothing that would have to be kept
		l.ras = slices.DeleteFunc(l.ras, func(o *ra) bool { return o == r })
		return true
	}
	t.touch(l, dirtyRAs)
	return true
}

// header folds what an advertisement says of its router and of its domain.
func (t *tables) header(r *ra, a *advertisement) {
	h := &a.header
	r.managed, r.other = h.managed, h.other
	value := pvd.Router{Addr: r.router, Preference: h.preference}
	putBy(t, r, &r.said.Routers, value, uint32(h.lifetime), func(*pvd.Router) bool { return true })
	if a.domain.FQDN != "" {
		a.domain.FQDN = r.fqdn // as it was written first
		r.said.PvDOption = one(r, a.domain, time.Time{})
	}
}

// wholeOption folds an option that only whole advertisements have.
func (t *tables) wholeOption(l *link, r *ra, kind uint8, v []byte) {
	switch kind {
	case optMTU:
		if mtu, ok := decodeMTU(v, l.mtu); ok {
			r.said.MTU = one(r, mtu, time.Time{})
		}
	case optRoute:
		var o routeOption
		if o.decode(v) {
			route := pvd.Route{Destination: o.prefix, Gateway: r.router, Preference: o.preference}
			putBy(t, r, &r.said.Routes, route, o.lifetime, func(old *pvd.Route) bool { return old.Destination == route.Destination })
		}
	case optDNR:
		t.dnrOption(r, v)
	}
}

// dnrOption folds an Encrypted DNS option. Each is of a resolver of its own, but a
// lifetime of zero ends all of its name (RFC 9463 section 6.1).
func (t *tables) dnrOption(r *ra, v []byte) {
	var o dnrOption
	if !o.decode(v) {
		return
	}
	if o.lifetime != 0 {
		putBy(t, r, &r.said.EncryptedResolvers, o.resolver, o.lifetime, o.same)
		return
	}
	r.said.EncryptedResolvers = slices.DeleteFunc(r.said.EncryptedResolvers, func(d pvd.Datum[pvd.EncryptedResolver]) bool {
		return strings.EqualFold(d.Value.Name, o.resolver.Name)
	})
}

// same tells whether a resolver is the one of the option: all but its addresses is,
// which can change.
func (o *dnrOption) same(old *pvd.EncryptedResolver) bool {
	n := &o.resolver
	return old.Name == n.Name && old.Priority == n.Priority && old.Port == n.Port && old.Path == n.Path && slices.Equal(old.ALPN, n.ALPN)
}

// bound lets what has no lifetime of its own hold as long as anything else that
// the same router says of the same domain.
func (r *ra) bound(now time.Time) {
	end, lasts := r.lasts(now)
	bound(&r.said.MTU, end, lasts)
	bound(&r.said.CaptivePortal, end, lasts)
	bound(&r.said.PvDOption, end, lasts)
}

func bound[T any, D ~[]pvd.Datum[T]](d *D, end time.Time, lasts bool) {
	if !lasts {
		*d = nil
	}
	for i := range *d {
		(*d)[i].Expiry = end
	}
}

// lasts is the latest end of all that has a lifetime of its own; the zero Time is
// the end of time. It tells whether anything of that holds.
func (r *ra) lasts(now time.Time) (end time.Time, any bool) {
	s := &r.said
	l := latest{now: now}
	look(&l, s.Routers)
	look(&l, s.Routes)
	look(&l, s.Prefixes)
	look(&l, s.DNSServers)
	look(&l, s.SearchDomains)
	look(&l, s.PREF64)
	look(&l, s.EncryptedResolvers)
	if l.never {
		return time.Time{}, true
	}
	return l.end, !l.end.IsZero()
}

// A latest is the latest of some ends.
type latest struct {
	now, end time.Time
	never    bool
}

func look[T any](l *latest, d []pvd.Datum[T]) {
	for i := range d {
		switch e := d[i].Expiry; {
		case e.IsZero():
			l.never = true
		case e.After(l.now) && e.After(l.end):
			l.end = e
		}
	}
}
