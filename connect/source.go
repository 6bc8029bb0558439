package connect

import (
	"net/netip"
	"slices"

	"github.com/go-mif/mif/internal/rfc6724"
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
// cannot tell one domain's addresses apart. A link-local source is for the link alone;
// [Dialer.DialFrom] can still insist on it.
func (s *selection) candidates(all []Address) []Address {
	var usable []Address
	for _, a := range all {
		if !a.Tentative && rfc6724.CouldReach(a.Prefix.Addr(), s.dst) {
			usable = append(usable, a)
		}
	}
	slices.SortStableFunc(usable, func(a, b Address) int {
		order, _ := s.compare(a, b)
		return order
	})
	return usable
}

// A rule is one of RFC 6724, section 5: negative if a is the better source.
type rule struct {
	number  int // 5 is 5.5
	compare func(s *selection, a, b Address) int
}

var rules = []rule{
	{1, func(s *selection, a, b Address) int {
		return rfc6724.Prefer(a.Prefix.Addr() == s.dst, b.Prefix.Addr() == s.dst)
	}},
	{2, func(s *selection, a, b Address) int {
		return rfc6724.CompareScope(rfc6724.Scope(s.dst), rfc6724.Scope(a.Prefix.Addr()), rfc6724.Scope(b.Prefix.Addr()))
	}},
	{3, func(_ *selection, a, b Address) int { return rfc6724.Prefer(!a.Deprecated, !b.Deprecated) }},
	{5, func(s *selection, a, b Address) int { return rfc6724.Prefer(s.advertised(a), s.advertised(b)) }},
	{6, func(s *selection, a, b Address) int {
		l := s.policy.label(s.dst)
		return rfc6724.Prefer(s.policy.label(a.Prefix.Addr()) == l, s.policy.label(b.Prefix.Addr()) == l)
	}},
	{7, func(s *selection, a, b Address) int {
		return rfc6724.Prefer(a.Temporary != s.public, b.Temporary != s.public)
	}},
	{8, func(s *selection, a, b Address) int {
		return rfc6724.Common(b.Prefix, s.dst) - rfc6724.Common(a.Prefix, s.dst)
	}},
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
