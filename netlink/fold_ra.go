package netlink

import (
	"net/netip"
	"slices"
	"strconv"
	"time"

	"github.com/go-mif/mif/pvd"
)

// What routers of a link can make us keep.
const (
	maxRouters = 64
	maxData    = 64 // of a kind and a router
)

// longestRouter is the longest lifetime that a router can claim (RFC 4861 section
// 4.2). A captive portal has none of its own, and the kernel does not tell the
// router's.
const longestRouter = 65535

// An ra is what one router said. Its slices are never written once told.
type ra struct {
	router netip.Addr
	source string
	heard  time.Time
	said   pvd.Configuration
}

func (t *tables) optionEvent(m *optionMessage) {
	l := t.links[m.index]
	if l == nil || !l.id.IsValid() {
		return
	}
	t.refresh(m.index)
	r := t.router(l, m.router)
	if r == nil {
		return
	}
	changed := settle(&r.heard, t.now)
	for b := m.options; len(b) > 0; {
		kind, v, rest, ok := cutOption(b)
		if !ok {
			break
		}
		changed = t.option(l, r, kind, v) || changed
		b = rest
	}
	if changed {
		t.touch(l, dirtyRAs)
	}
}

// router is a router of the link; nil if there are too many.
func (t *tables) router(l *link, a netip.Addr) *ra {
	for _, r := range l.ras {
		if r.router == a {
			return r
		}
	}
	if len(l.ras) >= maxRouters {
		l.ras = slices.DeleteFunc(l.ras, func(r *ra) bool { return r.past(t.now) })
	}
	if len(l.ras) >= maxRouters {
		if !l.rasDropped {
			l.rasDropped = true
			t.log.Warn("more routers on a link than are kept", "interface", l.name, "kept", maxRouters)
		}
		return nil
	}
	r := &ra{router: a, source: a.String()}
	at, _ := slices.BinarySearchFunc(l.ras, a, func(r *ra, a netip.Addr) int { return r.router.Compare(a) })
	l.ras = slices.Insert(l.ras, at, r)
	return r
}

// option folds an option and tells whether anything changed.
func (t *tables) option(l *link, r *ra, kind uint8, v []byte) bool {
	switch kind {
	case optPrefix:
		return t.prefixOption(r, v)
	case optRDNSS:
		return t.rdnssOption(l, r, v)
	case optDNSSL:
		return t.dnsslOption(r, v)
	case optPREF64:
		p, seconds, ok := decodePREF64(v)
		return ok && put(t, r, &r.said.PREF64, p, seconds)
	case optCaptivePortal:
		uri, ok := decodePortal(v)
		if !ok {
			return false
		}
		if c := r.said.CaptivePortal; len(c) > 0 && c[0].Value != uri {
			r.said.CaptivePortal = nil // there is but one
		}
		return put(t, r, &r.said.CaptivePortal, uri, longestRouter)
	}
	return false
}

func (t *tables) prefixOption(r *ra, v []byte) bool {
	var o prefixOption
	if !o.decode(v) {
		return false
	}
	p := pvd.Prefix{Prefix: o.prefix, OnLink: o.onLink, Autonomous: o.autonomous, Preferred: t.after(o.preferred)}
	return putBy(t, r, &r.said.Prefixes, p, o.valid, func(keep *pvd.Prefix) (same, changed bool) {
		if keep.Prefix != p.Prefix {
			return false, false
		}
		was := *keep
		*keep = p
		if keep.Preferred = was.Preferred; settle(&keep.Preferred, p.Preferred) {
			return true, true
		}
		return true, *keep != was
	})
}

func (t *tables) rdnssOption(l *link, r *ra, v []byte) bool {
	seconds, addrs, ok := decodeRDNSS(v)
	changed := false
	for ; ok && len(addrs) >= 16; addrs = addrs[16:] {
		a := netip.AddrFrom16([16]byte(addrs[:16]))
		if a.IsUnspecified() || a.IsMulticast() || a.IsLoopback() {
			continue
		}
		if a.IsLinkLocalUnicast() {
			a = a.WithZone(strconv.Itoa(int(l.index)))
		}
		changed = put(t, r, &r.said.DNSServers, netip.AddrPortFrom(a, 53), seconds) || changed
	}
	return changed
}

func (t *tables) dnsslOption(r *ra, v []byte) bool {
	seconds, names, ok := decodeDNSSL(v)
	changed := false
	for i := 0; ok && i < len(names); i++ {
		changed = put(t, r, &r.said.SearchDomains, names[i], seconds) || changed
	}
	return changed
}

func put[T comparable, D ~[]pvd.Datum[T]](t *tables, r *ra, in *D, value T, seconds uint32) bool {
	return putBy(t, r, in, value, seconds, func(keep *T) (bool, bool) { return *keep == value, false })
}

// putBy puts a datum among those of its kind, or prolongs or ends it, and tells
// whether anything changed. What is told already is not written.
func putBy[T any, D ~[]pvd.Datum[T]](t *tables, r *ra, in *D, value T, seconds uint32, same func(*T) (bool, bool)) bool {
	for i, d := range *in {
		is, changed := same(&d.Value)
		switch {
		case !is:
			continue
		case seconds == 0:
			*in = slices.Delete(slices.Clone(*in), i, i+1)
			return true
		case settle(&d.Expiry, t.after(seconds)) || changed:
			*in = slices.Clone(*in)
			(*in)[i] = d
			return true
		}
		return false
	}
	if seconds == 0 {
		return false
	}
	fresh := slices.DeleteFunc(slices.Clone(*in), func(d pvd.Datum[T]) bool { return past(d.Expiry, t.now) })
	if len(fresh) >= maxData {
		return false
	}
	*in = append(fresh, pvd.Datum[T]{Value: value, Element: pvd.ElementRA, Source: r.source, Expiry: t.after(seconds)})
	return true
}

func past(at, now time.Time) bool { return !at.IsZero() && !at.After(now) }

// past tells whether nothing the router said holds any more.
func (r *ra) past(now time.Time) bool {
	return allPast(r.said.DNSServers, now) && allPast(r.said.SearchDomains, now) && allPast(r.said.Prefixes, now) &&
		allPast(r.said.PREF64, now) && allPast(r.said.CaptivePortal, now)
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
		f[i] = pvd.RA{Router: r.router, Heard: r.heard, Configuration: r.said}
	}
	return f
}
