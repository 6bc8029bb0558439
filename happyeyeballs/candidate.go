package happyeyeballs

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"time"

	"github.com/go-mif/mif/internal/rfc6724"
	"github.com/go-mif/mif/pvd"
)

// atMost is how many addresses of a family are tried in one domain in one race, and
// how many are kept.
const atMost = 64

// A candidate is an endpoint to try in the domain that gave its address.
type candidate struct {
	endpoint
	member  *member
	service *service // nil: the default way to reach the name
	record  *record
	port    uint16
	again   bool // it was tried, and is told how to do better
}

// An endpoint is an address, as it is sorted and as it is dialled.
type endpoint struct {
	dest netip.Addr // the IPv4 address behind a NAT64
	dial netip.Addr
}

// family is that of the destination: a synthesised address is one of IPv4 (version
// 3, section 8.2).
func (e endpoint) family() pvd.Family { return familyOf(e.dest) }

func familyOf(a netip.Addr) pvd.Family {
	if a.Is4() {
		return pvd.IPv4
	}
	return pvd.IPv6
}

// to is what is dialled.
func (c *candidate) to() netip.AddrPort { return netip.AddrPortFrom(c.dial, c.port) }

// rebuild makes the candidates of what the domain gave: for each service those of its
// target, and in the end those of the name without a service (version 3, section 5.2;
// RFC 9460, section 3).
func (m *member) rebuild(t target) {
	b := builder{member: m, seen: map[netip.AddrPort]bool{}, count: maps.Clone(m.spent)}
	m.candidates = nil
	for _, c := range m.retries {
		m.candidates = append(m.candidates, c)
		b.seen[c.to()] = true
	}
	for _, s := range m.services {
		b.add(s, s.host, cmp.Or(s.Port, t.port))
	}
	if !m.reliant {
		b.add(nil, canonical(t.name), t.port)
	}
}

// A builder makes candidates.
type builder struct {
	member *member
	seen   map[netip.AddrPort]bool
	count  map[pvd.Family]int // those that were tried too
}

// add adds the candidates of a name.
func (b *builder) add(s *service, name string, port uint16) {
	for _, r := range b.member.records {
		if !r.of(name) || r.hint != nil && r.hint != s {
			continue
		}
		for _, e := range b.member.endpoints(r.addr) {
			b.candidate(&candidate{endpoint: e, member: b.member, service: s, record: r, port: port})
		}
	}
}

// candidate adds one unless it is known, was tried, or there are too many.
func (b *builder) candidate(c *candidate) {
	if b.seen[c.to()] || b.member.tried[c.to()] || b.count[c.family()] >= atMost {
		return
	}
	b.seen[c.to()] = true
	b.count[c.family()]++
	b.member.candidates = append(b.member.candidates, c)
}

// take takes a candidate out, to be tried.
func (m *member) take(c *candidate) {
	same := func(o *candidate) bool { return o == c }
	m.candidates, m.retries = slices.DeleteFunc(m.candidates, same), slices.DeleteFunc(m.retries, same)
	m.tried[c.to()] = true
	m.spent[c.family()]++
}

// endpoints are the ways to an address in the domain.
func (m *member) endpoints(a netip.Addr) (all []endpoint) {
	four := a
	if !four.Is4() {
		var ok bool
		if four, ok = m.behindNAT64(a); !ok {
			return []endpoint{{a, a}}
		}
	}
	if m.reaches(four) {
		return []endpoint{{four, four}}
	}
	for _, p := range m.pref64 {
		if six, ok := synthesize(p, four); ok {
			all = append(all, endpoint{four, six})
		}
	}
	return all
}

func (m *member) behindNAT64(a netip.Addr) (four netip.Addr, ok bool) {
	for _, p := range m.pref64 {
		if four, ok = extract(p, a); ok {
			return four, true
		}
	}
	return four, false
}

// sorted gives the candidates of a group, best first: by service (version 3, section
// 5.2), then by address (RFC 8305, section 4).
func (g *group) sorted(h *History, now time.Time) []*candidate {
	var all []*judged
	for _, m := range g.members {
		for _, c := range m.candidates {
			all = append(all, judge(c, h, now))
		}
	}
	slices.SortStableFunc(all, func(a, b *judged) int {
		return cmp.Or(prefer(a.again, b.again), a.service.compare(b.service), compare(a, b))
	})
	out := make([]*candidate, len(all))
	for i, j := range all {
		out[i] = j.candidate
	}
	return out
}

// judged is a candidate with what its order depends on.
type judged struct {
	*candidate
	source *rfc6724.Address
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
	x, y := a.order(), b.order()
	if a.source == nil || b.source == nil {
		return rfc6724.Compare(x, y)
	}
	return cmp.Or(rfc6724.Compare(x, y), compareExperience(a, b), rfc6724.CompareCommon(x, y))
}

// compareExperience prefers less round-trip time, then what was used before.
func compareExperience(a, b *judged) int {
	if a.used && b.used {
		return cmp.Compare(a.known.rtt, b.known.rtt)
	}
	return prefer(a.used, b.used)
}
