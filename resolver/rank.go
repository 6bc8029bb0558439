package resolver

import (
	"cmp"
	"slices"
	"strings"
)

// A Candidate is a provisioning domain that could be asked for a name.
type Candidate struct {
	// Routing are the domains whose names this one's servers are said to know
	// best, as a DHCP or router option names them (RFC 6731 §4.2, §4.3). The root,
	// ".", stands for all names. What is no domain name is ignored.
	Routing []string

	// RoutingOnly says that it is to be asked for names in Routing only, as a VPN
	// that is not for the rest of the traffic.
	RoutingOnly bool

	// Trust says how far the domain is trusted, more being better. It is the
	// host's own judgement, such as of a VPN or a wired network, and never what
	// the domain says of itself.
	Trust int

	// Preference is the one its servers came with: positive for high, zero for
	// medium, negative for low (RFC 6731 §4.2).
	Preference int
}

// Rank gives the indexes of the candidates to ask for a name, in the order of
// RFC 6731 §4.1: the more trusted first, whatever a less trusted one claims to
// know (§4.1, §9); among those, the ones that route the longest suffix of the
// name; then the ones of higher preference; else as they come. A candidate with
// RoutingOnly is left out if the name is in none of its domains.
//
// A later candidate is to be asked only when the earlier ones did not answer, or
// if that is what the caller wants: an answer that there is no such name counts.
// Rank is a function of its arguments alone. A name that is none gives nothing.
func Rank(name string, candidates []Candidate) []int {
	t, err := parseTarget(name)
	if err != nil || t.addr.IsValid() {
		return nil
	}
	labels := make([]int, len(candidates))
	var order []int
	for i := range candidates {
		labels[i] = candidates[i].routes(t.name)
		if labels[i] >= 0 || !candidates[i].RoutingOnly {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Or(
			cmp.Compare(candidates[b].Trust, candidates[a].Trust),
			cmp.Compare(labels[b], labels[a]),
			cmp.Compare(candidates[b].Preference, candidates[a].Preference),
		)
	})
	return order
}

// routes gives the number of labels of the longest routing domain that a name
// is in, or -1.
func (c *Candidate) routes(name string) int {
	longest := -1
	for _, domain := range c.Routing {
		if domain == "." {
			longest = max(longest, 0)
			continue
		}
		suffix, _, err := asciiName(domain)
		if err == nil && within(name, suffix) {
			longest = max(longest, 1+strings.Count(suffix, "."))
		}
	}
	return longest
}
