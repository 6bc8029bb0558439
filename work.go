package mif

import (
	"context"
	"iter"
	"net"

	"github.com/go-mif/mif/pvd"
	"github.com/go-mif/mif/resolver"
)

// work is what a session has under way: translations and connections, by the
// subscriber's numbers, until their end is got.
type work struct {
	translations map[TranslationID]*task
	connections  map[ConnectionID]*task
}

// A task is a translation or a connection. Its goroutine names the task, not the
// number, since a number can be used again.
type task struct {
	translation TranslationID
	connection  ConnectionID
	pvd         PvDID
	cancel      context.CancelCauseFunc
	conn        net.Conn // made, but not got
	ended       bool     // its end waits to be got
	close       bool     // when the path is lost
}

// connected is a connection that waits to be got.
type connected struct{ task *task }

func (connected) event() {}

// empty tells whether there is nothing whose end is to be got.
func (w *work) empty() bool { return len(w.translations)+len(w.connections) == 0 }

// all yields the tasks that have not ended.
func (w *work) all() iter.Seq[*task] {
	return func(yield func(*task) bool) {
		for _, t := range w.translations {
			if !t.ended && !yield(t) {
				return
			}
		}
		for _, t := range w.connections {
			if !t.ended && !yield(t) {
				return
			}
		}
	}
}

// translate begins a translation, of a name (§3.5.16) or a service. What looks is its
// goroutine.
func (s *Session) translate(r Request, id TranslationID, p PvDID, look func(context.Context, *task, *domain)) {
	if t := s.work.translations[id]; t != nil && !t.ended {
		s.put(item{event: Rejected{r, ErrIDInUse}})
		return
	}
	t := &task{translation: id, pvd: p}
	d, life := s.begin(t, r)
	if d == nil {
		return
	}
	if s.work.translations == nil {
		s.work.translations = map[TranslationID]*task{}
	}
	s.work.translations[id] = t
	s.running.Go(func() {
		defer t.cancel(nil)
		look(life, t, d)
	})
}

// connect begins a connection (§3.5.19, §3.5.20). The zero From leaves the choice
// to the domain.
func (s *Session) connect(asked Request, r ConnectToAddressFromAddress) {
	if t := s.work.connections[r.ID]; t != nil && !t.ended {
		s.put(item{event: Rejected{asked, ErrIDInUse}})
		return
	}
	t := &task{connection: r.ID, pvd: r.PvD, close: r.CloseOnPathLost}
	d, life := s.begin(t, asked)
	if d == nil {
		return
	}
	if s.work.connections == nil {
		s.work.connections = map[ConnectionID]*task{}
	}
	s.work.connections[r.ID] = t
	s.running.Go(func() { s.dial(life, t, d, r) })
}

// begin finds the domain of a task and gives the task its life, or tells that
// there is no such domain.
func (s *Session) begin(t *task, r Request) (*domain, context.Context) {
	d, err := s.host.domain(t.pvd)
	if err != nil {
		s.put(item{event: Rejected{r, err}})
		return nil, nil
	}
	var life context.Context
	life, t.cancel = context.WithCancelCause(d.life)
	return d, life
}

// look translates a name.
func (s *Session) look(life context.Context, t *task, d *domain, n TranslateName) {
	var end error
	for group, err := range d.lookup(life, n.Name, resolverFamily(n.Family)) {
		end = err
		events := make([]Event, len(group))
		for i, a := range group {
			events[i] = NameTranslation{t.translation, t.pvd, a.Addr, a.Expiry, a.CanonicalName, a.Server, a.Origin}
		}
		s.answer(t, events)
	}
	s.translated(t, d, end)
}

// lookService translates a service.
func (s *Session) lookService(life context.Context, t *task, d *domain, r TranslateService) {
	all, err := d.services(life, r)
	events := make([]Event, len(all))
	for i, service := range all {
		events[i] = ServiceTranslation{t.translation, t.pvd, service}
	}
	s.answer(t, events)
	s.translated(t, d, err)
}

// translated ends a translation.
func (s *Session) translated(t *task, d *domain, end error) {
	if gone := context.Cause(d.life); end != nil && gone != nil {
		end = gone // not what the resolver made of it
	}
	s.end(t, TranslationDone{t.translation, end})
}

func resolverFamily(f Family) resolver.Family {
	switch f {
	case pvd.IPv4:
		return resolver.IPv4
	case pvd.IPv6:
		return resolver.IPv6
	}
	return resolver.Both
}

// answer queues all of one answer before the first can be got (§3.5.18).
func (s *Session) answer(t *task, group []Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t.ended {
		return
	}
	for _, e := range group {
		s.put(item{event: e, task: t})
	}
	s.signal()
}

// dial is the goroutine of a connection.
func (s *Session) dial(life context.Context, t *task, d *domain, r ConnectToAddressFromAddress) {
	defer t.cancel(nil)
	conn, err := d.dial(life, r)
	if err != nil {
		s.end(t, NotConnected{t.connection, err})
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if t.ended {
		conn.Close()
		return
	}
	t.conn = conn
	s.put(item{event: connected{t}, task: t})
	s.signal()
}

// end queues the end of a task, if that has not ended.
func (s *Session) end(t *task, e Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t.ended {
		return
	}
	t.ended = true
	s.put(item{event: e, task: t})
	s.signal()
}

// stopTask stops what the subscriber wants stopped; it may be nil, or have ended.
func (s *Session) stopTask(t *task) {
	if t == nil {
		return
	}
	if e := s.stop(t, ErrStopped); e != nil {
		s.put(item{event: e, task: t})
	}
}

// stop ends a task for a reason and returns its end, nil if it had ended or its end
// is where its connection was. Translations that were not got are taken back.
func (s *Session) stop(t *task, reason error) Event {
	keep := func(i item) bool {
		return i.task != t || !translates(i.event)
	}
	s.in.filter(keep)
	s.out.filter(keep)
	if t.ended {
		return nil
	}
	made := t.conn != nil
	end := t.stop(reason)
	if !made {
		return end
	}
	for _, q := range []*fifo[item]{&s.in, &s.out} {
		q.replace(func(i item) item {
			if i.task == t {
				i.event = end
			}
			return i
		})
	}
	return nil
}

// translates tells whether an event is part of a translation, and not its end.
func translates(e Event) bool {
	switch e.(type) {
	case NameTranslation, ServiceTranslation:
		return true
	}
	return false
}

// stop ends a task that has not ended, for a reason, and returns its end. A
// connection that was not got is closed.
func (t *task) stop(reason error) Event {
	t.ended = true
	t.cancel(reason)
	if t.conn != nil {
		t.conn.Close()
	}
	if t.connection != 0 {
		return NotConnected{t.connection, reason}
	}
	return TranslationDone{t.translation, reason}
}

// endGone ends the tasks whose domain is gone, before that is told. What they left
// by then is got before it as well, and so is what an earlier task of the same
// number left. A connection made in time is the subscriber's all the same: its
// path is what is lost.
func (s *Session) endGone(now *pvd.Snapshot) {
	if s.work.empty() {
		return
	}
	gone := map[number]bool{}
	for t := range s.work.all() {
		gone[t.number()] = gone[t.number()] || now.Domain(t.pvd) == nil
	}
	for i := range s.in.all() {
		if i.task != nil && now.Domain(i.task.pvd) == nil {
			gone[i.task.number()] = true
		}
	}
	s.in.filter(func(i item) bool {
		late := i.task != nil && gone[i.task.number()]
		if late {
			s.out.push(i)
		}
		return !late
	})
	for t := range s.work.all() {
		if t.conn == nil && now.Domain(t.pvd) == nil {
			s.out.push(item{event: t.stop(unknownPvD(t.pvd)), task: t})
		}
	}
}

// A number is the subscriber's of a task: one of the two.
type number struct {
	translation TranslationID
	connection  ConnectionID
}

func (t *task) number() number { return number{t.translation, t.connection} }

// deliver makes of an item what the subscriber gets, and forgets what has ended.
func (s *Session) deliver(i item) Event {
	switch e := i.event.(type) {
	case connected:
		return s.handOver(e.task)
	case TranslationDone:
		if s.work.translations[e.ID] == i.task {
			delete(s.work.translations, e.ID)
		}
	case NotConnected:
		if s.work.connections[e.ID] == i.task {
			delete(s.work.connections, e.ID)
		}
	}
	return i.event
}

// handOver gives the subscriber a connection (§3.5.21): from now on it is theirs.
func (s *Session) handOver(t *task) Event {
	conn := t.conn
	t.conn, t.ended = nil, true
	if s.work.connections[t.connection] == t {
		delete(s.work.connections, t.connection)
	}
	if s.closed == nil {
		s.topics.depend(t.pvd.Interface())
		s.paths.add(newPath(t, conn))
		s.paths.update(s.seen, s.tell)
	}
	return Connected{t.connection, t.pvd, conn}
}
