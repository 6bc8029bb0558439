package netlink

import (
	"net/netip"
	"slices"
	"strconv"
	"time"

	"github.com/go-mif/mif/pvd"
)

// longestRouter is the longest lifetime that a router can claim (RFC 4861 section
// 4.2). A captive portal has none of its own, and the kernel does not tell the
// router's.
const longestRouter = 65535

// optionEvent folds options that the kernel passes on, unless whole advertisements
// are heard: then they are known already.
func (t *tables) optionEvent(m *optionMessage) {
	l := t.links[m.index]
	if l == nil || !l.id.IsValid() {
		return
	}
	t.refresh(m.index)
	if t.whole {
		return
	}
	r := t.router(l, m.router, "")
	if r == nil {
		return
	}
	changed := settle(&r.heard, t.now)
	if t.options(l, r, m.options) || changed {
		t.touch(l, dirtyRAs)
	}
}

// options folds options one by one: a bad one does not harm its neighbours. It
// tells whether anything changed.
func (t *tables) options(l *link, r *ra, b []byte) (changed bool) {
	for len(b) > 0 {
		kind, v, rest, ok := cutOption(b)
		if !ok {
			break
		}
		changed = t.option(l, r, kind, v) || changed
		b = rest
	}
	return changed
}

// option folds an option and tells whether anything changed.
func (t *tables) option(l *link, r *ra, kind uint8, v []byte) bool {
	switch kind {
	case optPrefix:
		return t.prefixOption(l, r, v)
	case optRDNSS:
		return t.rdnssOption(l, r, v)
	case optDNSSL:
		return t.dnsslOption(r, v)
	case optPREF64:
		p, seconds, ok := decodePREF64(v)
		return ok && put(t, r, &r.said.PREF64, p, seconds)
	case optCaptivePortal:
		uri, ok := decodePortal(v)
		if !ok || t.whole {
			return ok && one(r, &r.said.CaptivePortal, uri)
		}
		if c := r.said.CaptivePortal; len(c) > 0 && c[0].Value != uri {
			r.said.CaptivePortal = nil // there is but one
		}
		return put(t, r, &r.said.CaptivePortal, uri, longestRouter)
	}
	return t.whole && t.wholeOption(l, r, kind, v)
}

func (t *tables) prefixOption(l *link, r *ra, v []byte) bool {
	var o prefixOption
	if !o.decode(v) {
		return false
	}
	if o.valid != 0 {
		t.move(l, r, o.prefix)
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
		changed = put(t, r, &r.said.DNSServers, netip.AddrPortFrom(zoned(a, l.index), 53), seconds) || changed
	}
	return changed
}

// zoned gives a link-local address the numeric zone of its link.
func zoned(a netip.Addr, index int32) netip.Addr {
	if a.IsLinkLocalUnicast() {
		return a.WithZone(strconv.Itoa(int(index)))
	}
	return a
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
