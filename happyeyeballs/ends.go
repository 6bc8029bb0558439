package happyeyeballs

import (
	"time"

	"github.com/go-mif/mif"
)

// connected tells that an attempt has a connection.
func (m *machine) connected(now time.Time, id mif.ConnectionID) {
	a := m.attempts[id]
	if m.over || a == nil || a.up {
		return
	}
	a.up, a.rtt = true, now.Sub(a.started)
	m.trace.connected(now, a.Attempt)
	if !m.validate {
		m.valid(now, id)
		return
	}
	m.out = append(m.out, check{id, a.ech()})
	m.next = later(m.next, now.Add(a.delay)) // time for more than the handshake of TCP (version 3, section 6.1)
}

// valid tells that a connection is fit for use: it wins.
func (m *machine) valid(now time.Time, id mif.ConnectionID) {
	a := m.attempts[id]
	if m.over || a == nil {
		return
	}
	m.history.worked(a.PvD, a.To.Addr(), a.rtt, now)
	delete(m.attempts, id)
	m.finish(now, mif.ErrStopped, func() { m.trace.ended(now, a.Attempt, nil) })
	m.out = append(m.out, done{winner: id, failures: m.failures})
}

// failed tells that an attempt has failed, or that its connection is not fit for use.
func (m *machine) failed(now time.Time, id mif.ConnectionID, err error) {
	if a := m.attempts[id]; !m.over && a != nil {
		m.fail(now, a, err)
	}
}

func (m *machine) fail(now time.Time, a *attempt, err error) {
	m.end(now, a, err)
	m.history.failed(a.PvD, a.To.Addr())
	m.failures = append(m.failures, &Failure{PvD: a.PvD, To: a.To, Err: err})
	a.member.retry(a.candidate, err)
	m.next = m.last.Add(floor)
}

// end takes an attempt out of the race.
func (m *machine) end(now time.Time, a *attempt, err error) {
	delete(m.attempts, a.id)
	a.member.running--
	m.trace.ended(now, a.Attempt, err)
}

// abort ends the race from outside.
func (m *machine) abort(now time.Time, err error) {
	if m.over {
		return
	}
	m.finish(now, err, func() {})
	m.out = append(m.out, done{failures: m.failures, err: err})
}

// finish ends all that runs, for a reason, after first was done.
func (m *machine) finish(now time.Time, reason error, first func()) {
	m.over = true
	first()
	for _, a := range m.running() {
		m.out = append(m.out, cancel{a.id})
		m.end(now, a, reason)
	}
	for _, id := range sortedKeys(m.lookups) {
		l := m.lookups[id]
		m.trace.answered(now, l.Lookup, l.addrs, mif.ErrStopped)
	}
	clear(m.lookups)
}

// running gives the attempts in the order in which they were started.
func (m *machine) running() []*attempt {
	var all []*attempt
	for _, id := range sortedKeys(m.attempts) {
		all = append(all, m.attempts[id])
	}
	return all
}
