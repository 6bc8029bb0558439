package connect

import (
	"math/bits"
	"net/netip"
	"slices"
)

// A selection is what RFC 6724, section 5, goes by besides the addresses themselves.
type selection struct {
	dst     netip.Addr
	policy  policy
	public  bool       // rule 7 reversed
	nextHop netip.Addr // for rule 5.5; zero: not known, or of no consequence
}

// candidates returns the addresses that may be the source of a packet to dst, best
// first. Equals keep the order they came in.
//
// Of the rules, 4 (home addresses) does not apply, and 5 (the outgoing interface)
// cannot tell one domain's addresses apart.
func (s *selection) candidates(all []Address) []Address {
	var usable []Address
	for _, a := range all {
		if !a.Tentative && couldReach(a.Prefix.Addr(), s.dst) {
			usable = append(usable, a)
		}
	}
	slices.SortStableFunc(usable, func(a, b Address) int {
		order, _ := s.compare(a, b)
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

// A rule is one of RFC 6724, section 5: negative if a is the better source.
type rule struct {
	number  int // 5 is 5.5
	compare func(s *selection, a, b Address) int
}

var rules = []rule{
	{1, func(s *selection, a, b Address) int {
		return prefer(a.Prefix.Addr() == s.dst, b.Prefix.Addr() == s.dst)
	}},
	{2, func(s *selection, a, b Address) int {
		return compareScope(scope(s.dst), scope(a.Prefix.Addr()), scope(b.Prefix.Addr()))
	}},
	{3, func(_ *selection, a, b Address) int { return prefer(!a.Deprecated, !b.Deprecated) }},
	{5, func(s *selection, a, b Address) int { return prefer(s.advertised(a), s.advertised(b)) }},
	{6, func(s *selection, a, b Address) int {
		l := s.policy.label(s.dst)
		return prefer(s.policy.label(a.Prefix.Addr()) == l, s.policy.label(b.Prefix.Addr()) == l)
	}},
	{7, func(s *selection, a, b Address) int { return prefer(a.Temporary != s.public, b.Temporary != s.public) }},
	{8, func(s *selection, a, b Address) int { return common(b.Prefix, s.dst) - common(a.Prefix, s.dst) }},
}

// compare orders two sources: negative if a is the better one. It also tells the
// rule that decided, 0 if none did.
func (s *selection) compare(a, b Address) (order, by int) {
	for _, r := range rules {
		if o := r.compare(s, a, b); o != 0 {
			return o, r.number
		}
	}
	return 0, 0
}

// advertised says whether the next hop gave the address its prefix.
func (s *selection) advertised(a Address) bool {
	return a.Router.IsValid() && a.Router.WithZone("").Unmap() == s.nextHop
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
