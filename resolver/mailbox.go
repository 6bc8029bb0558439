package resolver

import (
	"sync"
	"time"
)

// An event is what happened to a query: a socket is open, it failed, or a
// reply came by it.
type event struct {
	peer    *peer
	waiter  *waiter // the query it is about, if it was sent
	stream  bool    // about the opening of a stream
	reused  bool    // it was open before
	link    *link   // open, with a reference
	err     error
	message message
	verdict verdict
}

// A mailbox holds events for whoever runs an exchange. Who puts one never
// waits. There are not many: each query tells of a kind of reply once.
type mailbox struct {
	mu     sync.Mutex
	events []event
	room   [1]event
	alarm  *alarm
}

func (m *mailbox) put(e event) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.events == nil {
		m.events = m.room[:0]
	}
	m.events = append(m.events, e)
	select {
	case m.alarm.bell <- struct{}{}:
	default:
	}
}

// get takes the first event out.
func (m *mailbox) get() (e event, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.events) == 0 {
		return event{}, false
	}
	e = m.events[0]
	m.events[0] = event{}
	if m.events = m.events[1:]; len(m.events) == 0 {
		m.events = nil
	}
	return e, true
}

// ready gives the channel that has something in it when there may be events.
func (m *mailbox) ready() <-chan struct{} { return m.alarm.bell }

// An alarm is what whoever runs an exchange waits for: a time, or events.
type alarm struct {
	timer *time.Timer
	bell  chan struct{}
}

// alarm gives an alarm that is not set, for keep to take back.
func (r *Resolver) alarm() *alarm {
	if a, ok := r.alarms.Get().(*alarm); ok {
		return a
	}
	a := &alarm{timer: time.NewTimer(time.Hour), bell: make(chan struct{}, 1)}
	a.timer.Stop()
	return a
}

// keep takes an alarm back that nobody rings any more.
func (r *Resolver) keep(a *alarm) {
	a.timer.Stop()
	select {
	case <-a.bell:
	default:
	}
	r.alarms.Put(a)
}
