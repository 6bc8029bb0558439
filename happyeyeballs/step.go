package happyeyeballs

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/go-mif/mif"
)

// The bounds of a Connection Attempt Delay (RFC 8305, section 5).
const (
	floor   = 10 * time.Millisecond  // never less
	minimum = 100 * time.Millisecond // not less if computed from history
	maximum = 2 * time.Second
)

// timing are the configurable values (RFC 8305, section 8) and the head start
// between uplinks.
type timing struct {
	resolution, attempt, domain, resort time.Duration
	count                               int // First Address Family Count
}

var defaultTiming = timing{
	resolution: 50 * time.Millisecond,
	attempt:    250 * time.Millisecond,
	domain:     250 * time.Millisecond,
	resort:     2 * time.Second,
	count:      1,
}

// step gives what is to be done since the last step. Everything that has happened
// by now must have been told before.
func (m *machine) step(now time.Time) []action {
	m.wake = time.Time{}
	if !m.over {
		m.inquire(now)
		m.proceed(now)
	}
	if !m.over {
		m.lastResorts(now) // an attempt just started can be the last one
		m.out = append(m.out, wait{m.wake})
	}
	out := m.out
	m.out = nil
	return out
}

// at wants step to be called at a time that has not come.
func (m *machine) at(t time.Time) {
	if m.wake.IsZero() || t.Before(m.wake) {
		m.wake = t
	}
}

// proceed starts an attempt if it is time, and ends the race if there is nothing
// left of it.
func (m *machine) proceed(now time.Time) {
	if !m.listed {
		return
	}
	m.open(now)
	if g := m.turn(now); g != nil {
		if now.Before(m.next) {
			m.at(m.next)
		} else {
			m.start(now, g)
			m.proceed(now) // for the time of the next
		}
		return
	}
	if !slices.ContainsFunc(m.groups, func(g *group) bool { return !g.exhausted() }) {
		var err error
		if len(m.failures) == 0 {
			err = ErrNoDomain
		}
		m.abort(now, err)
	}
}

// open lets groups begin, best first: the first at once, each after it when the one
// before has had its head start, or has nothing left.
func (m *machine) open(now time.Time) {
	for i, g := range m.groups {
		if !g.opened.IsZero() {
			continue
		}
		if i > 0 && !m.groups[i-1].exhausted() {
			if t := m.groups[i-1].opened.Add(m.timing.domain); now.Before(t) {
				m.at(t)
				return
			}
		}
		g.opened = now
	}
}

// turn is the group that starts the next attempt: of those that have one to start,
// the one that has not for the longest time.
func (m *machine) turn(now time.Time) (best *group) {
	for _, g := range m.groups {
		if g.opened.IsZero() || !m.goes(now, g) {
			continue
		}
		if best == nil || g.turn.Before(best.turn) {
			best = g
		}
	}
	return best
}

// goes tells whether a group has something to start and need not wait for a better
// answer (RFC 8305, section 3).
func (m *machine) goes(now time.Time, g *group) bool {
	if !g.hasCandidates() {
		return false
	}
	if t := g.first.Add(m.timing.resolution); !g.going && !g.settled(m.target) && now.Before(t) {
		m.at(t)
		return false
	}
	g.going = true
	return true
}

// start starts an attempt.
func (m *machine) start(now time.Time, g *group) {
	c := g.next(m.timing.count, m.history, now)
	n := c.member
	n.take(c)
	n.running++
	n.last, m.last, g.turn = now, now, now
	g.count = g.tried(c.service) + 1
	g.service, g.family = c.service, c.family()
	m.ids++
	a := &attempt{
		Attempt:   Attempt{n.domain.PvD, c.to()},
		id:        mif.ConnectionID(m.ids),
		candidate: c,
		started:   now,
		delay:     m.delay(now, c),
	}
	m.attempts[a.id] = a
	m.next = now.Add(a.delay)
	m.out = append(m.out, start{a.id, a.PvD, a.To})
	m.trace.started(now, a.Attempt)
}

// delay is the Connection Attempt Delay after an attempt: about when its second SYN
// is due, if its round-trip time is known (RFC 8305, section 5).
func (m *machine) delay(now time.Time, c *candidate) time.Duration {
	if e, ok := m.history.recall(c.member.domain.PvD, c.dial, now); ok {
		return min(max(2*e.rtt+4*e.variance, minimum), maximum)
	}
	return m.timing.attempt
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
