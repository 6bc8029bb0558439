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
	changed := settle(&r.heard, t.now)
	changed = t.header(r, a) || changed
	changed = t.options(l, r, a.outside) || changed
	changed = t.options(l, r, a.inside) || changed
	if t.bound(r) || changed {
		t.touch(l, dirtyRAs)
	}
	if fresh && r.past(t.now) { // it says nothing that would have to be kept
		l.ras = slices.DeleteFunc(l.ras, func(o *ra) bool { return o == r })
	}
	return true
}

// header folds what an advertisement says of its router and of its domain.
func (t *tables) header(r *ra, a *advertisement) bool {
	h := &a.header
	changed := r.managed != h.managed || r.other != h.other
	r.managed, r.other = h.managed, h.other
	value := pvd.Router{Addr: r.router, Preference: h.preference}
	changed = putBy(t, r, &r.said.Routers, value, uint32(h.lifetime), only(value)) || changed
	if a.domain.FQDN == "" {
		return changed
	}
	a.domain.FQDN = r.fqdn // as it was written first
	return one(r, &r.said.PvDOption, a.domain) || changed
}

// one is for what has no lifetime of its own and of which there is but one. Its end
// is left to bound.
func one[T comparable, D ~[]pvd.Datum[T]](r *ra, in *D, value T) bool {
	d := pvd.Datum[T]{Value: value, Element: pvd.ElementRA, Source: r.source}
	if len(*in) > 0 {
		if (*in)[0].Value == value {
			return false
		}
		d.Expiry = (*in)[0].Expiry
	}
	*in = D{d}
	return true
}

// only says that there is but one value of a kind: a new one takes its place.
func only[T comparable](value T) func(*T) (same, changed bool) {
	return func(keep *T) (bool, bool) {
		changed := *keep != value
		*keep = value
		return true, changed
	}
}

// wholeOption folds an option that only whole advertisements have.
func (t *tables) wholeOption(l *link, r *ra, kind uint8, v []byte) bool {
	switch kind {
	case optMTU:
		mtu, ok := decodeMTU(v, l.mtu)
		return ok && one(r, &r.said.MTU, mtu)
	case optRoute:
		var o routeOption
		if !o.decode(v) {
			return false
		}
		route := pvd.Route{Destination: o.prefix, Gateway: r.router, Preference: o.preference}
		return putBy(t, r, &r.said.Routes, route, o.lifetime, func(keep *pvd.Route) (same, changed bool) {
			if keep.Destination != route.Destination {
				return false, false
			}
			return only(route)(keep)
		})
	case optDNR:
		return t.dnrOption(l, r, v)
	}
	return false
}

// dnrOption folds an Encrypted DNS option. Each is of a resolver of its own, but a
// lifetime of zero ends all of its name (RFC 9463 section 6.1).
func (t *tables) dnrOption(l *link, r *ra, v []byte) bool {
	var o dnrOption
	if !o.decode(v) {
		return false
	}
	if o.lifetime != 0 {
		o.onLink(l.index)
		return putBy(t, r, &r.said.EncryptedResolvers, o.resolver, o.lifetime, sameResolver(&o.resolver))
	}
	named := func(d pvd.Datum[pvd.EncryptedResolver]) bool { return strings.EqualFold(d.Value.Name, o.resolver.Name) }
	before := r.said.EncryptedResolvers
	r.said.EncryptedResolvers = slices.DeleteFunc(slices.Clone(before), named)
	return len(r.said.EncryptedResolvers) < len(before)
}

// sameResolver tells of a resolver that it is the same if all but its addresses
// is: they can change.
func sameResolver(r *pvd.EncryptedResolver) func(*pvd.EncryptedResolver) (same, changed bool) {
	return func(keep *pvd.EncryptedResolver) (bool, bool) {
		if keep.Name != r.Name || keep.Priority != r.Priority || keep.Port != r.Port || keep.Path != r.Path || !slices.Equal(keep.ALPN, r.ALPN) {
			return false, false
		}
		changed := !slices.Equal(keep.Addresses, r.Addresses)
		keep.Addresses = r.Addresses
		return true, changed
	}
}

// bound lets what has no lifetime of its own hold as long as anything else that
// the same router says of the same domain. It tells whether anything changed.
func (t *tables) bound(r *ra) bool {
	if !t.whole {
		return false
	}
	end, lasts := r.lasts(t.now)
	changed := bound(&r.said.MTU, end, lasts)
	changed = bound(&r.said.CaptivePortal, end, lasts) || changed
	return bound(&r.said.PvDOption, end, lasts) || changed
}

func bound[T any, D ~[]pvd.Datum[T]](d *D, end time.Time, lasts bool) (changed bool) {
	if !lasts {
		changed = len(*d) > 0
		*d = nil
		return changed
	}
	for i, x := range *d {
		if settle(&x.Expiry, end) {
			*d = slices.Clone(*d)
			(*d)[i] = x
			changed = true
		}
	}
	return changed
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
