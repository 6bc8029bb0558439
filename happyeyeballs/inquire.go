package happyeyeballs

import (
	"iter"
	"slices"
	"time"

	"github.com/go-mif/mif"
	"github.com/go-mif/mif/pvd"
)

// inquire asks what is to be asked: services first, then AAAA, then A (version 3,
// section 4.1).
func (m *machine) inquire(now time.Time) {
	again := map[*member][]question{}
	for n := range m.readyMembers() {
		again[n] = n.expire(now)
		m.refresh(now, n)
		for _, c := range n.candidates {
			if !c.record.expiry.IsZero() && !c.again {
				m.at(c.record.expiry)
			}
		}
	}
	for _, g := range m.groups {
		for _, n := range g.members {
			m.inquireService(now, n)
		}
		for _, f := range []pvd.Family{pvd.IPv6, pvd.IPv4} {
			for _, n := range g.members {
				m.inquireFamily(now, n, f, again[n])
			}
		}
	}
	for n := range m.readyMembers() {
		m.offerLiteral(now, n)
	}
	m.lastResorts(now)
}

// readyMembers yields the domains that have told of themselves, best first.
func (m *machine) readyMembers() iter.Seq[*member] {
	return func(yield func(*member) bool) {
		for _, g := range m.groups {
			for _, n := range g.members {
				if n.ready() && !yield(n) {
					return
				}
			}
		}
	}
}

// inquireService asks how the name is served, once, and again if the domain has
// changed.
func (m *machine) inquireService(now time.Time, n *member) {
	reachable := n.wants(pvd.IPv6, m.target) || n.wants(pvd.IPv4, m.target)
	if !n.ready() || m.target.name == "" || m.serving.scheme == "" || !reachable {
		return
	}
	for _, l := range n.lookups {
		if l.Service != "" && !l.stale() {
			return
		}
	}
	l := m.lookup(now, n, Lookup{PvD: n.domain.PvD, Name: m.target.name, Service: m.serving.scheme})
	m.out = append(m.out, askService{l.id, l.PvD, l.Service, l.Name, m.target.port})
}

// inquireFamily asks for the addresses of a family, once, and again if untried ones
// have expired (version 3, section 4.4) or the domain has changed.
func (m *machine) inquireFamily(now time.Time, n *member, f pvd.Family, again []question) {
	if !n.ready() || m.target.name == "" || !n.wants(f, m.target) {
		return
	}
	for _, name := range n.names(m.target) {
		q := question{canonical(name), f}
		asked, pending := false, false
		for _, l := range n.lookups {
			if l.asks(q) && !l.stale() {
				asked, pending = true, pending || !l.done
			}
		}
		if !asked || !pending && slices.Contains(again, q) {
			m.ask(now, n, name, f, false)
		}
	}
}

// offerLiteral takes the literal as an answer of the domain (RFC 8305, section
// 7.1), or asks for a NAT64 prefix to reach it by.
func (m *machine) offerLiteral(now time.Time, n *member) {
	a := m.target.literal
	if n.literal || !a.IsValid() {
		return
	}
	n.literal = true
	if a.Is4() && !n.reaches(a) && !m.target.six {
		return
	}
	if a.Is4() || n.reaches(a) {
		n.give(record{addr: a})
		m.refresh(now, n)
	}
	if a.Is4() && len(n.candidates) == 0 && m.onlyIPv6(n) {
		m.ask(now, n, discoveryName, pvd.IPv6, true)
	}
}

// onlyIPv6 tells whether a domain is one of an IPv6-only network (RFC 8305, section
// 7) whose router gave no NAT64 prefix.
func (m *machine) onlyIPv6(n *member) bool {
	if len(n.pref64) > 0 || !n.reaches(anywhere6) {
		return false
	}
	for _, o := range m.members {
		if o.domain.PvD.Interface() == n.domain.PvD.Interface() && o.reaches(anywhere4) {
			return false
		}
	}
	return true
}

func (m *machine) lastResorts(now time.Time) {
	for n := range m.readyMembers() {
		m.lastResort(now, n)
	}
}

// lastResort asks for IPv4 addresses and a NAT64 prefix to reach them by, when IPv6
// addresses have been in vain (RFC 8305, section 7.2).
func (m *machine) lastResort(now time.Time, n *member) {
	vain := !n.last.IsZero() && len(n.candidates) == 0 && !n.busy()
	if n.resorted || !vain || m.target.name == "" || !m.target.four || !m.target.six || !m.onlyIPv6(n) {
		return
	}
	if t := n.last.Add(m.timing.resort); n.running > 0 && now.Before(t) {
		m.at(t)
		return
	}
	n.resorted = true
	m.ask(now, n, discoveryName, pvd.IPv6, true)
	m.ask(now, n, m.target.name, pvd.IPv4, false)
}

func (m *machine) ask(now time.Time, n *member, name string, f pvd.Family, discover bool) {
	l := m.lookup(now, n, Lookup{PvD: n.domain.PvD, Name: name, Family: f})
	l.discover = discover
	m.out = append(m.out, ask{l.id, l.PvD, name, f})
}

// lookup notes a look-up that is to begin.
func (m *machine) lookup(now time.Time, n *member, what Lookup) *lookup {
	m.ids++
	l := &lookup{Lookup: what, id: mif.TranslationID(m.ids), member: n}
	m.lookups[l.id] = l
	n.lookups = append(n.lookups, l)
	m.trace.asked(now, l.Lookup)
	return l
}
