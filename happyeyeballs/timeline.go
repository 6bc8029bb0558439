package happyeyeballs

import (
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/go-mif/mif"
)

// A Timeline collects one race and prints it as a picture. The zero Timeline is
// ready: give its Trace to a Dialer, dial once, print it.
//
//	                    0         50        100 ms
//	eth0/ipv4           .....................
//	  A www.example     ====1                  20 ms
//	  198.51.100.1                    ------*  30 ms, won after 100 ms
//	eth0/ipv6           .....................
//	  AAAA www.example  ====================/  cancelled
//
// A line of dots is a domain while it takes part. A look-up is drawn with = and ends
// in the number of its addresses (9 for more), one of a service in that of its hints.
// An attempt is drawn with -, from + on with = while its connection is checked, and
// ends in * if it won, x if it failed, and / if it was cancelled. What was still
// going on has no end.
//
// A Timeline may be used by several goroutines, but races at the same time get
// into one picture.
type Timeline struct {
	mu      sync.Mutex
	began   time.Time
	ended   time.Time
	domains []*domainLine
}

// A domainLine is a domain and what was done in it.
type domainLine struct {
	domain     Domain
	join, left time.Time
	bars       []*bar
}

// A bar is a look-up or an attempt.
type bar struct {
	lookup  *Lookup  // or nil
	attempt *Attempt // or nil
	from    time.Time
	up      time.Time // connected; zero: not
	to      time.Time // zero: still going on
	addrs   int
	err     error
}

// Trace returns hooks that collect into the Timeline.
func (t *Timeline) Trace() *Trace {
	return &Trace{
		Joined: func(now time.Time, d Domain) {
			t.edit(now, d.PvD, func(l *domainLine) { l.domain = d })
		},
		Left: func(now time.Time, d Domain) {
			t.edit(now, d.PvD, func(l *domainLine) { l.left = now })
		},
		Asked: func(now time.Time, q Lookup) {
			t.edit(now, q.PvD, func(l *domainLine) { l.bars = append(l.bars, &bar{lookup: &q, from: now}) })
		},
		Answered: func(now time.Time, q Lookup, addrs []netip.Addr, err error) {
			t.end(now, q.PvD, func(b *bar) bool { return b.lookup != nil && *b.lookup == q }, len(addrs), err)
		},
		Started: func(now time.Time, a Attempt) {
			t.edit(now, a.PvD, func(l *domainLine) { l.bars = append(l.bars, &bar{attempt: &a, from: now}) })
		},
		Connected: func(now time.Time, a Attempt) {
			t.edit(now, a.PvD, func(l *domainLine) {
				if b := l.open(func(b *bar) bool { return b.attempt != nil && *b.attempt == a }); b != nil {
					b.up = now
				}
			})
		},
		Ended: func(now time.Time, a Attempt, err error) {
			t.end(now, a.PvD, func(b *bar) bool { return b.attempt != nil && *b.attempt == a }, 0, err)
		},
	}
}

// edit changes the line of a domain.
func (t *Timeline) edit(now time.Time, id mif.PvDID, change func(*domainLine)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.began.IsZero() {
		t.began = now
	}
	t.ended = later(t.ended, now)
	i := slices.IndexFunc(t.domains, func(l *domainLine) bool { return l.domain.PvD == id })
	if i < 0 {
		i = len(t.domains)
		t.domains = append(t.domains, &domainLine{domain: Domain{PvD: id}, join: now})
	}
	change(t.domains[i])
}

// open finds a bar that has no end.
func (l *domainLine) open(match func(*bar) bool) *bar {
	for _, b := range l.bars {
		if b.to.IsZero() && match(b) {
			return b
		}
	}
	return nil
}

func (t *Timeline) end(now time.Time, id mif.PvDID, match func(*bar) bool, addrs int, err error) {
	t.edit(now, id, func(l *domainLine) {
		if b := l.open(match); b != nil {
			b.to, b.addrs, b.err = now, addrs, err
		}
	})
}
