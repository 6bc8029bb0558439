package mif

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/netip"
	"sync"
	"sync/atomic"

	"github.com/go-mif/mif/pvd"
)

// A Session is a subscriber's channel to the MIF API (§3.4). It is pulled: events
// wait in it until they are got, however long, at a cost that does not grow with
// what happens meanwhile. Its methods may be called from any goroutine.
type Session struct {
	host    *Host
	ready   chan struct{} // holds a token while there is something to get
	armed   atomic.Bool   // it is among those to wake
	dead    atomic.Bool   // it is closed
	topics  topics
	running sync.WaitGroup // its translations, connections and watches

	mu     sync.Mutex // guards what follows; never held while anything waits
	closed error      // why it was closed, if it was
	seen   *pvd.Snapshot
	in     fifo[item] // what is to be handled when its turn comes
	out    fifo[item] // what can be got: events
	work   work
	paths  paths
	poller *poller
}

// An item is what waits in a session: an event, a request to be handled when its
// turn comes so that its answer is fresh, or, if both are nil, the place where
// something was announced between two events.
type item struct {
	event   Event
	request Request
	task    *task // that the event is of
}

func newSession(h *Host) *Session {
	return &Session{host: h, ready: make(chan struct{}, 1), seen: &pvd.Snapshot{}}
}

// Post posts a request (§3.4.1). It never waits. The error tells of a request that
// makes no sense, naming the field, or wraps net.ErrClosed; nothing else is lost.
// Everything else that can go wrong is told by an event.
func (s *Session) Post(r Request) error {
	if err := validate(r); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed != nil {
		return s.closed
	}
	if err := s.accept(r); err != nil {
		return err
	}
	s.signal()
	return nil
}

// accept handles a request at once if it starts or stops something; the rest waits
// for its turn.
func (s *Session) accept(r Request) error {
	switch r := r.(type) {
	case StopAnnouncingInterfaces, StopAnnouncingProvisioningDomains,
		StopAnnouncingConfigurationElements, StopAnnouncingAddresses:
		s.stopAnnouncing(r)
	case TranslateName:
		s.translate(r, r.ID, r.PvD, func(life context.Context, t *task, d *domain) { s.look(life, t, d, r) })
	case TranslateService:
		s.translate(r, r.ID, r.PvD, func(life context.Context, t *task, d *domain) { s.lookService(life, t, d, r) })
	case ConnectToAddress:
		s.connect(r, ConnectToAddressFromAddress{r.ID, r.PvD, netip.Addr{}, r.To, r.Timeout, r.UserTimeout, r.Multipath, r.CloseOnPathLost})
	case ConnectToAddressFromAddress:
		s.connect(r, r)
	case StopTranslatingName:
		s.stopTask(s.work.translations[r.ID])
	case StopConnecting:
		s.stopTask(s.work.connections[r.ID])
	case WatchReadable:
		return s.watchReadable(r)
	case Relay:
		s.put(item{event: Relayed(r)})
	default:
		s.in.push(item{request: r})
	}
	return nil
}

// Check waits until there is an event to get (§3.4.2). It returns nil if there is,
// the context's error if that is done first, and an error that wraps net.ErrClosed
// if the session is closed and empty. An event that is there already is reported
// even if the context is done: so a done context makes Check a probe, a deadline a
// limited wait, and context.Background an unlimited one.
func (s *Session) Check(ctx context.Context) error {
	for {
		err := s.poll()
		if err != ErrNoMessage {
			return err
		}
		select {
		case <-s.ready:
		case <-ctx.Done():
			if s.poll() == nil {
				return nil
			}
			return fmt.Errorf("mif: check: %w", ended(ctx))
		}
	}
}

// ended tells why a context is done: by its Err, and by its cause if that is another.
func ended(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if errors.Is(cause, err) {
		return cause
	}
	return fmt.Errorf("%w: %w", err, cause)
}

// poll tells whether there is something to get: nil, ErrNoMessage or closed.
func (s *Session) poll() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.settle() {
		return nil
	}
	if s.closed != nil {
		return s.closed
	}
	return ErrNoMessage
}

// Get returns the next event (§3.4.3), or ErrNoMessage if there is none, or an
// error that wraps net.ErrClosed if the session is closed and empty. It never
// blocks.
func (s *Session) Get() (Event, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.fill() {
		s.settle()
		if s.closed != nil {
			return nil, s.closed
		}
		return nil, ErrNoMessage
	}
	e := s.deliver(s.out.pop())
	s.settle()
	return e, nil
}

// Ready returns a channel that can be received from when there may be an event to
// get, so that a select can wait for the session. It is not closed, and always the
// same. After receiving from it, call Get until ErrNoMessage or receive again.
func (s *Session) Ready() <-chan struct{} {
	s.poll()
	return s.ready
}

// Events yields events as they come until the context is done or the session is
// closed, and empty, which is the error then yielded last. What waits when the
// context is done stays to be got.
func (s *Session) Events(ctx context.Context) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		for {
			e, err := s.await(ctx)
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}

// await returns the next event, waiting for it. Unlike Check it gives a done
// context the precedence, so that a stream that never pauses can be ended.
func (s *Session) await(ctx context.Context) (Event, error) {
	for {
		if ctx.Err() != nil {
			return nil, fmt.Errorf("mif: events: %w", ended(ctx))
		}
		e, err := s.Get()
		if err != ErrNoMessage {
			return e, err
		}
		if err := s.Check(ctx); err != nil {
			return nil, err
		}
	}
}

// Close ends the session and returns when nothing of it is left running. What it
// has under way ends, and can be got: TranslationDone and NotConnected, with an
// error that wraps net.ErrClosed, and what was Rejected before. Connections that
// were not got are closed; announcements that were not got are dropped. It may be
// called more than once, and returns nil.
func (s *Session) Close() error {
	s.shut(errClosed)
	s.running.Wait()
	return nil
}

// shut closes the session, for a reason, without waiting.
func (s *Session) shut(reason error) {
	s.host.mu.Lock()
	delete(s.host.sessions, s)
	s.host.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed != nil {
		return
	}
	s.drop()
	s.closed = reason
	s.dead.Store(true)
	s.poller.close()
	s.paths = nil
	s.topics.clear()
	s.signal()
}

// drop ends the work under way and leaves only its ends to be got.
func (s *Session) drop() {
	for t := range s.work.all() {
		s.in.push(item{event: s.stop(t, errClosed)})
	}
	end := func(i item) bool {
		switch i.event.(type) {
		case TranslationDone, NotConnected, Rejected:
			return true
		}
		return false
	}
	s.out.filter(end)
	s.in.filter(end)
}

// put adds an item that comes of itself. What was announced before it is told
// before it.
func (s *Session) put(i item) {
	if s.seen != s.host.Snapshot() && !s.in.last().mark() {
		s.in.push(item{})
	}
	s.in.push(i)
}

func (i *item) mark() bool { return i != nil && i.event == nil && i.request == nil }

// fill sees to it that there is an event in out, if there can be one.
func (s *Session) fill() bool {
	for s.out.empty() {
		if !s.step() {
			s.catchUp()
			return !s.out.empty()
		}
	}
	return true
}

// step handles what is next to be handled, if there is anything.
func (s *Session) step() bool {
	i, ok := s.in.take()
	switch {
	case !ok:
		return false
	case i.event != nil:
		s.out.push(i)
	case i.request != nil:
		s.handle(i.request)
	default:
		s.catchUp()
	}
	return true
}

// settle makes the token say whether there is something to get. If there is not,
// the session is among those to wake, and nothing was missed.
func (s *Session) settle() bool {
	for !s.fill() {
		if s.closed != nil {
			s.signal() // so that everybody who waits learns of it
			return false
		}
		select {
		case <-s.ready:
		default:
		}
		if s.host.waiting.add(s, s.seen) {
			return false
		}
	}
	s.signal()
	return true
}

// signal leaves a token. It wakes one goroutine, which leaves another if there is
// more than it takes.
func (s *Session) signal() {
	select {
	case s.ready <- struct{}{}:
	default:
	}
}
