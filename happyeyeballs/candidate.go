package happyeyeballs

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"github.com/go-mif/mif/pvd"
)

// atMost is how many addresses of a family are taken from one domain in one race.
const atMost = 64

// A candidate is an address to try in the domain that gave it.
type candidate struct {
	member *member
	dest   netip.Addr // what it is sorted by: the IPv4 address behind a NAT64
	dial   netip.Addr // what is dialled
	expiry time.Time  // zero: not during the race
}

// family is that of the destination: a synthesised address is one of IPv4 (version
// 3, section 8.2).
func (c *candidate) family() pvd.Family {
	if c.dest.Is4() {
		return pvd.IPv4
	}
	return pvd.IPv6
}

// An answer is an address that waits for a NAT64 prefix to be known.
type answer struct {
	addr   netip.Addr
	expiry time.Time
}

// add makes candidates of an address that the domain gave, or of the literal.
func (m *member) add(a answer) {
	four := a.addr
	if !four.Is4() {
		var ok bool
		if four, ok = m.behindNAT64(a.addr); !ok {
			m.candidate(a.addr, a.addr, a.expiry)
			return
		}
	}
	if m.reaches(four) {
		m.candidate(four, four, a.expiry)
		return
	}
	for _, p := range m.pref64 {
		if six, ok := synthesize(p, four); ok {
			m.candidate(four, six, a.expiry)
		}
	}
	if len(m.pref64) == 0 && len(m.waiting) < atMost {
		m.waiting = append(m.waiting, a)
	}
}

func (m *member) behindNAT64(a netip.Addr) (four netip.Addr, ok bool) {
	for _, p := range m.pref64 {
		if four, ok = extract(p, a); ok {
			return four, true
		}
	}
	return four, false
}

// candidate adds a candidate unless it is known, or there are too many.
func (m *member) candidate(dest, dial netip.Addr, expiry time.Time) {
	if m.tried[dial] {
		return
	}
	for _, c := range m.candidates {
		if c.dial == dial {
			if expiry.IsZero() || !c.expiry.IsZero() && expiry.After(c.expiry) {
				c.expiry = expiry
			}
			return
		}
	}
	c := &candidate{m, dest, dial, expiry}
	if f := c.family(); m.added[f] < atMost {
		m.added[f]++
		m.candidates = append(m.candidates, c)
	}
}

// expire drops what has expired and not been tried (RFC 8305, section 6), and tells
// which families have to be asked again.
func (m *member) expire(now time.Time) (again []pvd.Family) {
	m.candidates = slices.DeleteFunc(m.candidates, func(c *candidate) bool {
		if c.expiry.IsZero() || now.Before(c.expiry) {
			return false
		}
		if f := c.family(); !slices.Contains(again, f) {
			again = append(again, f)
		}
		return true
	})
	return again
}

// sorted gives the candidates of a group, best first (RFC 8305, section 4).
func (g *group) sorted(h *History, now time.Time) []*candidate {
	var all []*judged
	for _, m := range g.members {
		for _, c := range m.candidates {
			all = append(all, judge(c, h, now))
		}
	}
	slices.SortStableFunc(all, compare)
	out := make([]*candidate, len(all))
	for i, j := range all {
		out[i] = j.candidate
	}
	return out
}

// judged is a candidate with what its order depends on.
type judged struct {
	*candidate
	source *pvd.Address
	known  experience
	used   bool
}

func judge(c *candidate, h *History, now time.Time) *judged {
	j := &judged{candidate: c, source: source(c.dial, c.member.addrs)}
	j.known, j.used = h.recall(c.member.domain.PvD, c.dial, now)
	return j
}

// compare is the order of destinations (RFC 6724, section 6, with the two rules
// that RFC 8305, section 4, puts between 8 and 9). Rule 4 is about Mobile IP and rule
// 7 about tunnels: the candidates of an uplink share their link. Rule 10 is that the sort
// is stable. What is synthesised is after native IPv4 by rule 5, as its source is of IPv6.
func compare(a, b *judged) int {
	if a.source == nil || b.source == nil {
		return prefer(a.source != nil, b.source != nil)
	}
	x, y := a.source.Prefix.Addr(), b.source.Prefix.Addr()
	return cmp.Or(
		prefer(scope(a.dest) == scope(x), scope(b.dest) == scope(y)),
		prefer(!a.source.Deprecated, !b.source.Deprecated),
		prefer(label(a.dest) == label(x), label(b.dest) == label(y)),
		cmp.Compare(precedence(b.dest), precedence(a.dest)),
		cmp.Compare(scope(a.dest), scope(b.dest)),
		compareExperience(a, b),
		compareCommon(a, b),
	)
}

// compareExperience prefers less round-trip time, then what was used before.
func compareExperience(a, b *judged) int {
	if a.used && b.used {
		return cmp.Compare(a.known.rtt, b.known.rtt)
	}
	return prefer(a.used, b.used)
}

// compareCommon is rule 9, for IPv6 alone: IPv4 prefixes say nothing about distance.
func compareCommon(a, b *judged) int {
	if a.dest.Is4() || b.dest.Is4() {
		return 0
	}
	return cmp.Compare(common(b.source.Prefix, b.dest), common(a.source.Prefix, a.dest))
}
