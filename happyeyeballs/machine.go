package happyeyeballs

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/go-mif/mif"
	"github.com/go-mif/mif/pvd"
)

// A machine decides one race. It does nothing itself: it is told what happens and
// when, and step says what is to be done. Time is an argument and never goes back.
type machine struct {
	target   target
	rules    rules
	timing   timing
	history  *History
	trace    *Trace
	validate bool // connections are to be checked before they win
	serving  serving

	members  map[mif.PvDID]*member
	groups   []*group // best first
	lookups  map[mif.TranslationID]*lookup
	attempts map[mif.ConnectionID]*attempt
	listed   bool // all domains present were told
	ids      uint64

	last     time.Time // when an attempt was started last
	next     time.Time // when the next one may be
	wake     time.Time // when step has something to do by itself
	failures []*Failure
	out      []action
	over     bool
}

// An attempt is one that runs.
type attempt struct {
	Attempt
	id mif.ConnectionID
	*candidate
	started time.Time
	up      bool          // connected, but not yet checked
	rtt     time.Duration // if up
	delay   time.Duration // Connection Attempt Delay after it
}

func newMachine(t target) *machine {
	return &machine{
		target:   t,
		timing:   defaultTiming,
		history:  &History{},
		members:  map[mif.PvDID]*member{},
		lookups:  map[mif.TranslationID]*lookup{},
		attempts: map[mif.ConnectionID]*attempt{},
	}
}

// join tells of a domain. The machine wants to know its addresses and prefixes if
// it takes it. A domain that takes part already is not taken again.
func (m *machine) join(now time.Time, d Domain) bool {
	if m.over || m.members[d.PvD] != nil || !m.rules.allow(d) || !m.target.in(d) {
		return false
	}
	n := &member{domain: d, tried: map[netip.AddrPort]bool{}, spent: map[pvd.Family]int{}}
	n.group = m.group(placeOf(d, m.rules))
	n.group.members = append(n.group.members, n)
	m.members[d.PvD] = n
	m.trace.joined(now, d)
	return true
}

// group finds a group, or makes it and puts it in its place.
func (m *machine) group(p place) *group {
	for _, g := range m.groups {
		if g.place == p {
			return g
		}
	}
	g := &group{place: p}
	at := slices.IndexFunc(m.groups, func(h *group) bool { return p.before(h.place) })
	if at < 0 {
		at = len(m.groups)
	}
	m.groups = slices.Insert(m.groups, at, g)
	return g
}

// leave tells that a domain is gone. What it does in the race ends at once.
func (m *machine) leave(now time.Time, id mif.PvDID) {
	n := m.members[id]
	if m.over || n == nil {
		return
	}
	gone := fmt.Errorf("%w: %v", mif.ErrUnknownPvD, id)
	for _, a := range m.running() {
		if a.member == n {
			m.out = append(m.out, cancel{a.id})
			m.fail(now, a, gone)
		}
	}
	for _, id := range sortedKeys(m.lookups) {
		if m.lookups[id].member == n {
			m.answered(now, id, gone)
		}
	}
	delete(m.members, id)
	g := n.group
	g.members = slices.DeleteFunc(g.members, func(o *member) bool { return o == n })
	if len(g.members) == 0 {
		m.groups = slices.DeleteFunc(m.groups, func(o *group) bool { return o == g })
	}
	m.trace.left(now, n.domain)
}
