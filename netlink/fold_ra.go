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
	if r := t.router(l, m.router, ""); r != nil {
		r.heard = t.now
		t.options(l, r, m.options)
		t.touch(l, dirtyRAs)
	}
}

// options folds options one by one: a bad one does not harm its neighbours.
func (t *tables) options(l *link, r *ra, b []byte) {
	for len(b) > 0 {
		kind, v, rest, ok := cutOption(b)
		if !ok {
			break
		}
		t.option(l, r, kind, v)
		b = rest
	}
}

func (t *tables) option(l *link, r *ra, kind uint8, v []byte) {
	switch kind {
	case optPrefix:
		t.prefixOption(l, r, v)
	case optRDNSS:
		t.rdnssOption(l, r, v)
	case optDNSSL:
		t.dnsslOption(r, v)
	case optPREF64:
		if p, seconds, ok := decodePREF64(v); ok {
			put(t, r, &r.said.PREF64, p, seconds)
		}
	case optCaptivePortal:
		if uri, ok := decodePortal(v); ok {
			r.said.CaptivePortal = one(r, uri, t.after(longestRouter))
		}
	default:
		if t.whole {
			t.wholeOption(l, r, kind, v)
		}
	}
}

func (t *tables) prefixOption(l *link, r *ra, v []byte) {
	var o prefixOption
	if !o.decode(v) {
		return
	}
	if o.valid != 0 {
		t.move(l, r, o.prefix)
	}
	p := pvd.Prefix{Prefix: o.prefix, OnLink: o.onLink, Autonomous: o.autonomous, Preferred: t.after(o.preferred)}
	putBy(t, r, &r.said.Prefixes, p, o.valid, func(old *pvd.Prefix) bool { return old.Prefix == p.Prefix })
}

func (t *tables) rdnssOption(l *link, r *ra, v []byte) {
	seconds, addrs, ok := decodeRDNSS(v)
	for ; ok && len(addrs) >= 16; addrs = addrs[16:] {
		a := netip.AddrFrom16([16]byte(addrs[:16]))
		if a.IsUnspecified() || a.IsMulticast() || a.IsLoopback() {
			continue
		}
		put(t, r, &r.said.DNSServers, netip.AddrPortFrom(zoned(a, l.index), 53), seconds)
	}
}

// zoned gives a link-local address the numeric zone of its link.
func zoned(a netip.Addr, index int32) netip.Addr {
	if a.IsLinkLocalUnicast() {
		return a.WithZone(strconv.Itoa(int(index)))
	}
	return a
}

func (t *tables) dnsslOption(r *ra, v []byte) {
	seconds, names, ok := decodeDNSSL(v)
	for i := 0; ok && i < len(names); i++ {
		put(t, r, &r.said.SearchDomains, names[i], seconds)
	}
}

func put[T comparable, D ~[]pvd.Datum[T]](t *tables, r *ra, in *D, value T, seconds uint32) {
	putBy(t, r, in, value, seconds, func(old *T) bool { return *old == value })
}

// putBy puts a datum among those of its kind, in place of the same of before, or ends
// it. Its end is what was said last: whether that is news is for others to decide.
func putBy[T any, D ~[]pvd.Datum[T]](t *tables, r *ra, in *D, value T, seconds uint32, same func(*T) bool) {
	at := slices.IndexFunc(*in, func(d pvd.Datum[T]) bool { return same(&d.Value) })
	if seconds == 0 {
		if at >= 0 {
			*in = slices.Delete(*in, at, at+1)
		}
		return
	}
	d := pvd.Datum[T]{Value: value, Element: pvd.ElementRA, Source: r.source, Expiry: t.after(seconds)}
	if at >= 0 {
		(*in)[at] = d
		return
	}
	*in = slices.DeleteFunc(*in, func(d pvd.Datum[T]) bool { return past(d.Expiry, t.now) })
	if len(*in) < maxData {
		*in = append(*in, d)
	}
}

// one is for what there is but one of.
func one[T any](r *ra, value T, end time.Time) []pvd.Datum[T] {
	return []pvd.Datum[T]{{Value: value, Element: pvd.ElementRA, Source: r.source, Expiry: end}}
}

func past(at, now time.Time) bool { return !at.IsZero() && !at.After(now) }
