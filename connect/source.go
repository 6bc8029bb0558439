package connect

import (
	"math/bits"
	"net/netip"
	"slices"
)

// candidates returns the addresses that may be the source of a packet to dst, best
// first, by RFC 6724, section 5. Equals keep the order they came in.
//
// Of the rules, 4 (home addresses) does not apply, and 5 and 5.5 (the outgoing
// interface, the next hop) cannot tell one domain's addresses apart.
func candidates(dst netip.Addr, all []Address) []Address {
	var usable []Address
	for _, a := range all {
		if !a.Tentative && couldReach(a.Prefix.Addr(), dst) {
			usable = append(usable, a)
		}
	}
	slices.SortStableFunc(usable, func(a, b Address) int {
		order, _ := compare(dst, a, b)
		return order
	})
	return usable
}

// couldReach says whether a packet from src to dst makes sense at all. Routers do
// not forward what comes from a link-local address (RFC 4291, section 2.5.6; RFC
// 3927, section 2.7), so such a source is kept for the link; [Dialer.DialFrom] can
// still insist on it.
func couldReach(src, dst netip.Addr) bool {
	switch {
	case !src.IsValid() || src.Is4() != dst.Is4():
		return false
	case src.IsUnspecified() || src.IsMulticast() || src.IsLoopback():
		return false
	}
	return !src.IsLinkLocalUnicast() || scope(dst) <= scopeLink
}

// compare orders two sources for dst: negative if a is the better one. It also
// tells the rule that decided, 0 if none did.
func compare(dst netip.Addr, a, b Address) (order, rule int) {
	x, y := a.Prefix.Addr(), b.Prefix.Addr()
	if o := prefer(x == dst, y == dst); o != 0 {
		return o, 1
	}
	if o := compareScope(scope(dst), scope(x), scope(y)); o != 0 {
		return o, 2
	}
	if o := prefer(!a.Deprecated, !b.Deprecated); o != 0 {
		return o, 3
	}
	if o := prefer(label(x) == label(dst), label(y) == label(dst)); o != 0 {
		return o, 6
	}
	if o := prefer(a.Temporary, b.Temporary); o != 0 {
		return o, 7
	}
	if o := common(b.Prefix, dst) - common(a.Prefix, dst); o != 0 {
		return o, 8
	}
	return 0, 0
}

// prefer is negative if only a holds and positive if only b does.
func prefer(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}

// compareScope is rule 2: the smallest scope that is enough for the destination,
// else the largest there is.
func compareScope(dst, a, b int) int {
	switch {
	case a < b && a < dst, b < a && b >= dst:
		return 1
	case a < b, b < a:
		return -1
	}
	return 0
}

// Scopes are those of RFC 6724, section 3.1: multicast's numbers for unicast too.
const (
	scopeLink   = 0x2
	scopeSite   = 0x5
	scopeGlobal = 0xe
)

var siteLocal = netip.MustParsePrefix("fec0::/10")

// scope follows RFC 6724, sections 3.1 and 3.2. Private IPv4 addresses and unique
// local ones are global there.
func scope(a netip.Addr) int {
	switch {
	case a.Is4() && a.IsMulticast():
		return scope4(a)
	case a.IsMulticast():
		b := a.As16()
		return int(b[1] & 0xf)
	case a.IsLoopback() || a.IsLinkLocalUnicast():
		return scopeLink
	case siteLocal.Contains(a.WithZone("")):
		return scopeSite
	}
	return scopeGlobal
}

// scope4 maps IPv4 multicast: 224.0.0.0/24 never leaves the link (RFC 5771,
// section 4), the rest may.
func scope4(a netip.Addr) int {
	if a.IsLinkLocalMulticast() {
		return scopeLink
	}
	return scopeGlobal
}

// policy is the default table of RFC 6724, section 2.1, longest prefix first,
// without the precedences, which only order destinations.
var policy = []struct {
	prefix netip.Prefix
	label  int
}{
	{netip.MustParsePrefix("::1/128"), 0},
	{netip.MustParsePrefix("::/96"), 3},
	{netip.MustParsePrefix("2001::/32"), 5},
	{netip.MustParsePrefix("2002::/16"), 2},
	{netip.MustParsePrefix("3ffe::/16"), 12},
	{netip.MustParsePrefix("fec0::/10"), 11},
	{netip.MustParsePrefix("fc00::/7"), 13},
	{netip.MustParsePrefix("::/0"), 1},
}

// labelIPv4 is the label of ::ffff:0:0/96, under which all of IPv4 falls.
const labelIPv4 = 4

func label(a netip.Addr) int {
	if a.Is4() || a.Is4In6() {
		return labelIPv4
	}
	a = a.WithZone("")
	for _, p := range policy {
		if p.prefix.Contains(a) {
			return p.label
		}
	}
	return 1
}

// common is CommonPrefixLen of RFC 6724, section 2.2: never longer than the
// source's own prefix.
func common(src netip.Prefix, dst netip.Addr) int {
	a, b := src.Addr().AsSlice(), dst.AsSlice()
	n := 0
	for i := range a {
		same := bits.LeadingZeros8(a[i] ^ b[i])
		if n += same; same < 8 {
			break
		}
	}
	return min(n, src.Bits())
}
