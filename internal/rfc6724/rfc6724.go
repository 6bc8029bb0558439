// Package rfc6724 orders the addresses of a host and those it wants to reach, by RFC
// 6724. Its functions are of their arguments alone. Which interface an address is on
// does not count: callers ask about the addresses of one.
package rfc6724

import (
	"cmp"
	"math/bits"
	"net/netip"
	"slices"
)

// An Address is one of the host's own.
type Address struct {
	Prefix     netip.Prefix // the address with its prefix length; no zone
	Deprecated bool
	Temporary  bool
}

// An Entry is a line of the policy table of section 2.1.
type Entry struct {
	Prefix            netip.Prefix
	Precedence, Label int
}

var table = []Entry{
	{netip.MustParsePrefix("::1/128"), 50, 0},
	{netip.MustParsePrefix("::ffff:0:0/96"), 35, 4},
	{netip.MustParsePrefix("::/96"), 1, 3},
	{netip.MustParsePrefix("2001::/32"), 5, 5},
	{netip.MustParsePrefix("2002::/16"), 30, 2},
	{netip.MustParsePrefix("3ffe::/16"), 1, 12},
	{netip.MustParsePrefix("fec0::/10"), 1, 11},
	{netip.MustParsePrefix("fc00::/7"), 3, 13},
	{netip.MustParsePrefix("::/0"), 40, 1},
}

// Table returns the default table, longest prefixes first.
func Table() []Entry { return slices.Clone(table) }

// Precedence and Label are those of the default table.
func Precedence(a netip.Addr) int { return look(a).Precedence }
func Label(a netip.Addr) int      { return look(a).Label }

func look(a netip.Addr) Entry {
	a = netip.AddrFrom16(a.As16()) // maps IPv4, and has no zone
	for _, e := range table {
		if e.Prefix.Contains(a) {
			return e
		}
	}
	return Entry{Label: -1}
}

// Scopes are those of section 3.1: multicast's numbers for unicast too.
const (
	Link   = 0x2
	Site   = 0x5
	Global = 0xe
)

var siteLocal = netip.MustParsePrefix("fec0::/10")

// Scope follows sections 3.1 and 3.2. Private IPv4 addresses and unique local ones are
// global there. Of IPv4 multicast 224.0.0.0/24 never leaves the link (RFC 5771, section
// 4); the rest may.
func Scope(a netip.Addr) int {
	switch {
	case a.Is6() && a.IsMulticast():
		b := a.As16()
		return int(b[1] & 0xf)
	case a.IsLoopback(), a.IsLinkLocalUnicast(), a.IsLinkLocalMulticast():
		return Link
	case siteLocal.Contains(a.WithZone("")):
		return Site
	}
	return Global
}

// Common is CommonPrefixLen of section 2.2: never longer than the source's own prefix,
// and 0 for addresses of two families.
func Common(src netip.Prefix, dst netip.Addr) int {
	if src.Addr().Is4() != dst.Is4() {
		return 0
	}
	a, b := src.Addr().As16(), dst.As16()
	n := 0
	for i := range a {
		same := bits.LeadingZeros8(a[i] ^ b[i])
		if n += same; same < 8 {
			break
		}
	}
	if dst.Is4() {
		n = max(n-96, 0)
	}
	return min(n, src.Bits())
}

// Prefer is negative if only a holds and positive if only b does.
func Prefer(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}

// CouldReach says whether a packet from src to dst makes sense at all. Routers do not
// forward what comes from a link-local address (RFC 4291, section 2.5.6; RFC 3927,
// section 2.7).
func CouldReach(src, dst netip.Addr) bool {
	switch {
	case !src.IsValid() || src.Is4() != dst.Is4():
		return false
	case src.IsUnspecified() || src.IsMulticast() || src.IsLoopback():
		return false
	}
	return !src.IsLinkLocalUnicast() || Scope(dst) <= Link
}

// CompareScope is rule 2 of section 5: the smallest scope that is enough for the
// destination, else the largest there is.
func CompareScope(dst, a, b int) int {
	switch {
	case a < b && a < dst, b < a && b >= dst:
		return 1
	case a < b, b < a:
		return -1
	}
	return 0
}

// Source is the address of own that section 5 would choose for a destination, nil if
// none could reach it. The rules that need more than the addresses, 4, 5 and 5.5, are
// left out.
func Source(dst netip.Addr, own []Address) (best *Address) {
	for i := range own {
		a := &own[i]
		if CouldReach(a.Prefix.Addr(), dst) && (best == nil || better(dst, a, best) < 0) {
			best = a
		}
	}
	return best
}

func better(dst netip.Addr, a, b *Address) int {
	x, y := a.Prefix.Addr(), b.Prefix.Addr()
	return cmp.Or(
		Prefer(x == dst, y == dst),
		CompareScope(Scope(dst), Scope(x), Scope(y)),
		Prefer(!a.Deprecated, !b.Deprecated),
		Prefer(Label(x) == Label(dst), Label(y) == Label(dst)),
		Prefer(a.Temporary, b.Temporary),
		cmp.Compare(Common(b.Prefix, dst), Common(a.Prefix, dst)),
	)
}

// A Destination is an address to reach, with what its order depends on.
type Destination struct {
	Addr   netip.Addr
	Source *Address // nil: none could reach it
}

// Compare is the order of destinations of section 6 without its rule 9: negative if a
// comes first. Rule 4 is about Mobile IP and rule 7 about tunnels.
func Compare(a, b Destination) int {
	if a.Source == nil || b.Source == nil {
		return Prefer(a.Source != nil, b.Source != nil)
	}
	x, y := a.Source.Prefix.Addr(), b.Source.Prefix.Addr()
	return cmp.Or(
		Prefer(Scope(a.Addr) == Scope(x), Scope(b.Addr) == Scope(y)),
		Prefer(!a.Source.Deprecated, !b.Source.Deprecated),
		Prefer(Label(a.Addr) == Label(x), Label(b.Addr) == Label(y)),
		cmp.Compare(Precedence(b.Addr), Precedence(a.Addr)),
		cmp.Compare(Scope(a.Addr), Scope(b.Addr)),
	)
}

// CompareCommon is rule 9 of section 6, for IPv6 alone: IPv4 prefixes say nothing about
// distance.
func CompareCommon(a, b Destination) int {
	if a.Source == nil || b.Source == nil || a.Addr.Is4() || b.Addr.Is4() {
		return 0
	}
	return cmp.Compare(Common(b.Source.Prefix, b.Addr), Common(a.Source.Prefix, a.Addr))
}

// Sort puts destinations in the order of section 6, in place. Equals keep theirs (rule
// 10).
func Sort(addrs []netip.Addr, own []Address) {
	all := make([]Destination, len(addrs))
	for i, a := range addrs {
		all[i] = Destination{a, Source(a, own)}
	}
	slices.SortStableFunc(all, func(a, b Destination) int { return cmp.Or(Compare(a, b), CompareCommon(a, b)) })
	for i := range all {
		addrs[i] = all[i].Addr
	}
}
