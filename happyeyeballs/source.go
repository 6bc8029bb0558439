package happyeyeballs

import (
	"cmp"
	"math/bits"
	"net/netip"

	"github.com/go-mif/mif/pvd"
)

// source is Source(D) of RFC 6724, section 6: the address of the domain that
// package connect will choose for a destination, nil if there is none. It sorts
// destinations; it does not bind.
func source(dst netip.Addr, own []pvd.Address) *pvd.Address {
	var best *pvd.Address
	for i := range own {
		a := &own[i]
		if a.Usable() && serves(a.Prefix.Addr(), dst) && (best == nil || better(dst, a, best) < 0) {
			best = a
		}
	}
	return best
}

// serves tells whether packets from one address to the other make sense: routers
// do not forward what comes from a link-local address.
func serves(src, dst netip.Addr) bool {
	return src.Is4() == dst.Is4() && !src.IsLoopback() && (!src.IsLinkLocalUnicast() || dst.IsLinkLocalUnicast())
}

// better is negative if a is the better source (RFC 6724, section 5).
func better(dst netip.Addr, a, b *pvd.Address) int {
	x, y := a.Prefix.Addr(), b.Prefix.Addr()
	return cmp.Or(
		prefer(x == dst, y == dst),
		cmp.Compare(misfit(x, dst), misfit(y, dst)),
		prefer(!a.Deprecated, !b.Deprecated),
		prefer(label(x) == label(dst), label(y) == label(dst)),
		prefer(a.Temporary, b.Temporary),
		cmp.Compare(common(b.Prefix, dst), common(a.Prefix, dst)),
	)
}

// misfit is 0 for the scope of the destination, less for the best of others: rule
// 2 wants the smallest that is enough, else the largest.
func misfit(src, dst netip.Addr) int {
	s, d := scope(src), scope(dst)
	if s >= d {
		return s - d
	}
	return 16 + d - s
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

var siteLocal = netip.MustParsePrefix("fec0::/10")

// scope is that of a unicast address, in multicast's numbers (RFC 6724, sections
// 3.1 and 3.2).
func scope(a netip.Addr) int {
	switch {
	case a.IsLinkLocalUnicast() || a.IsLoopback():
		return 0x2
	case siteLocal.Contains(a):
		return 0x5
	}
	return 0xe
}

// policy is the default table (RFC 6724, section 2.1), longest prefixes first,
// without the row of IPv4.
var policy = []struct {
	prefix            netip.Prefix
	precedence, label int
}{
	{netip.MustParsePrefix("::1/128"), 50, 0},
	{netip.MustParsePrefix("::/96"), 1, 3},
	{netip.MustParsePrefix("2001::/32"), 5, 5},
	{netip.MustParsePrefix("2002::/16"), 30, 2},
	{netip.MustParsePrefix("3ffe::/16"), 1, 12},
	{netip.MustParsePrefix("fec0::/10"), 1, 11},
	{netip.MustParsePrefix("fc00::/7"), 3, 13},
	{netip.MustParsePrefix("::/0"), 40, 1},
}

func lookUpPolicy(a netip.Addr) (precedence, label int) {
	if a.Is4() {
		return 35, 4
	}
	for _, p := range policy {
		if p.prefix.Contains(a) {
			return p.precedence, p.label
		}
	}
	return 40, 1
}

func label(a netip.Addr) int      { _, l := lookUpPolicy(a); return l }
func precedence(a netip.Addr) int { p, _ := lookUpPolicy(a); return p }

// common is CommonPrefixLen (RFC 6724, section 2.2), never longer than the
// source's own prefix.
func common(src netip.Prefix, dst netip.Addr) int {
	x, y, n := src.Addr().AsSlice(), dst.AsSlice(), 0
	if len(x) != len(y) {
		return 0
	}
	for i := range x {
		same := bits.LeadingZeros8(x[i] ^ y[i])
		if n += same; same < 8 {
			break
		}
	}
	return min(n, src.Bits())
}
