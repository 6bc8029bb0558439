package mif

import (
	"context"
	"slices"
	"sync"

	"github.com/go-mif/mif/pvd"
)

// few is how many waiting sessions the loop looks after by itself. More are looked
// after by another goroutine, so that the loop's work does not grow with them.
const few = 64

// waiting are the sessions that have nothing to get, and are woken when something
// changes that they care about. Its lock is held for a short time at most, and
// never while the program's code runs.
type waiting struct {
	kick chan struct{} // tells the waker that there are jobs

	mu       sync.Mutex
	sessions []*Session // that the loop looks after
	jobs     []job
	away     int // how many the waker looks after
}

// A job is work for the waker: sessions to look after, and what changed.
type job struct {
	sessions []*Session
	changes  []pvd.Change
	all      bool // too much changed to look at: everybody is woken
}

// backlog is how many jobs the waker may be behind.
const backlog = 64

// add puts a session that has been told everything up to a Snapshot among those
// who wait. It fails if that is no longer the present one.
func (w *waiting) add(s *Session, seen *pvd.Snapshot) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if s.host.Snapshot() != seen {
		return false
	}
	if s.armed.Swap(true) {
		return true
	}
	if len(w.sessions) == cap(w.sessions) {
		w.sessions = slices.DeleteFunc(w.sessions, func(s *Session) bool { return s.dead.Load() })
	}
	w.sessions = append(w.sessions, s)
	return true
}

// wake wakes those who care about what changed from old to now. Now has been
// published: whoever is added later has seen it.
func (w *waiting) wake(old, now *pvd.Snapshot) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.sessions)+w.away == 0 {
		return
	}
	if len(w.sessions) <= few && w.away == 0 {
		w.wakeFew(old, now)
		return
	}
	w.away += len(w.sessions)
	if n := len(w.jobs); n < backlog {
		w.jobs = append(w.jobs, job{w.sessions, slices.Collect(pvd.Diff(old, now)), false})
	} else {
		w.jobs[n-1] = job{append(w.jobs[n-1].sessions, w.sessions...), nil, true}
	}
	w.sessions = nil
	select {
	case w.kick <- struct{}{}:
	default:
	}
}

// wakeFew wakes those who care, and looks no further when all are awake.
func (w *waiting) wakeFew(old, now *pvd.Snapshot) {
	one := make([]pvd.Change, 1)
	for one[0] = range pvd.Diff(old, now) {
		if w.sessions = wakeSome(w.sessions, job{changes: one}); len(w.sessions) == 0 {
			return
		}
	}
}

// wakeSome wakes those who care and returns the others.
func wakeSome(sessions []*Session, j job) []*Session {
	return slices.DeleteFunc(sessions, func(s *Session) bool {
		if !j.all && !s.dead.Load() && !s.topics.care(j.changes) {
			return false
		}
		s.armed.Store(false)
		s.signal()
		return true
	})
}

// work is the goroutine that looks after many sessions.
func (w *waiting) work(ctx context.Context) {
	var many []*Session
	for {
		select {
		case <-w.kick:
			many = w.do(many)
		case <-ctx.Done():
			return
		}
	}
}

// do does what there is to do, and gives the sessions back to the loop when only
// few are left.
func (w *waiting) do(many []*Session) []*Session {
	for {
		w.mu.Lock()
		jobs := w.jobs
		w.jobs = nil
		if len(jobs) == 0 {
			w.away = len(many)
			if len(many) <= few/2 {
				w.sessions = append(w.sessions, many...)
				w.away, many = 0, nil
			}
			w.mu.Unlock()
			return many
		}
		w.mu.Unlock()
		for _, j := range jobs {
			many = wakeSome(append(many, j.sessions...), j)
		}
	}
}
