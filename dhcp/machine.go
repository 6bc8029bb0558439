package dhcp

import (
	"cmp"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/go-mif/mif/pvd"
)

// A place is what there is at most one Question about.
type place struct {
	index   int
	element pvd.ElementType
}

func (q *Question) place() place { return place{q.index(), q.Element()} }

// A machine has the exchanges. Time and datagrams go in, datagrams and answers come
// out: it reads and sends nothing itself.
type machine struct {
	exchanges map[place]*exchange
	random    func() float64
	news      bool // the answers are others than those told last
}

func newMachine() *machine {
	return &machine{exchanges: map[place]*exchange{}, random: rand.Float64}
}

// ask goes on with the Questions that were there, begins with new ones and forgets
// the others with their answers.
func (m *machine) ask(all []Question, now time.Time) {
	old := m.exchanges
	m.exchanges = make(map[place]*exchange, len(all))
	for _, q := range all {
		e := old[q.place()]
		if e == nil || e.Question != q {
			e = newExchange(q, now, m.random)
		}
		m.exchanges[q.place()] = e
	}
	for at, e := range old {
		m.news = m.news || e.answer != nil && m.exchanges[at] != e
	}
}

// A frame is a datagram on the way out.
type frame struct {
	index int
	datagram
}

// due takes what is to be sent now, and forgets what is too old.
func (m *machine) due(now time.Time) (out []frame) {
	for at, e := range m.exchanges {
		m.news = e.expire(now) || m.news
		if d, due := e.message(now); due {
			out = append(out, frame{at.index, d})
		}
	}
	return out
}

// hear takes a datagram that came by an interface.
func (m *machine) hear(index int, d *datagram, now time.Time) {
	e := m.exchanges[place{index, elementOf(d.from.Addr())}]
	if e != nil && e.hear(d, now) {
		m.news = true
	}
}

// wake is when due has something to do; zero: never.
func (m *machine) wake(now time.Time) (next time.Time) {
	for _, e := range m.exchanges {
		if t := e.wake(now); next.IsZero() || t.Before(next) {
			next = t
		}
	}
	return next
}

// waits tells whether any answer is waited for.
func (m *machine) waits(now time.Time) bool {
	for _, e := range m.exchanges {
		if e.waits(now) {
			return true
		}
	}
	return false
}

// answers are those that count, in order of interface.
func (m *machine) answers() (all []Answer) {
	m.news = false
	order := func(a, b place) int {
		return cmp.Or(cmp.Compare(a.index, b.index), cmp.Compare(a.element, b.element))
	}
	for _, at := range slices.SortedFunc(maps.Keys(m.exchanges), order) {
		if e := m.exchanges[at]; e.answer != nil {
			all = append(all, e.said())
		}
	}
	return all
}
