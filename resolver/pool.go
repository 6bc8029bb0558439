package resolver

import (
	"context"
	"maps"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"time"
)

const (
	poolSize  = 8                // UDP sockets to one server
	maxUses   = 100              // queries by one UDP socket
	linkLife  = 10 * time.Second // of a UDP socket, or of an unused stream
	maxServed = 64               // servers remembered
)

// pick gives one of the pool's sockets, with a reference taken, or nil if there is
// none: the one by which queries are about to go, so that this one goes with them,
// or else one by chance.
func (s *server) pick() *link {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.gathering.Load()
	if l == nil || !l.take() {
		place := &s.pool[rand.N(poolSize)]
		if l = *place; l == nil || !l.take() {
			*place = nil
			return nil
		}
	}
	if l.worn() {
		s.remove(l)
	}
	return l
}

// open makes a UDP socket, with a reference taken, and puts it into the pool
// if there is room.
func (s *server) open(ctx context.Context) (*link, error) {
	conn, err := s.dial(ctx, "udp")
	if err != nil {
		return nil, err
	}
	l := newLink(s, conn, false)
	if err := s.r.links.add(l); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, i := range rand.Perm(poolSize) {
		if s.pool[i] == nil {
			s.pool[i] = l
			return l, nil
		}
	}
	l.retire()
	return l, nil
}

// drop takes a socket out of use.
func (s *server) drop(l *link) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.remove(l)
}

func (s *server) remove(l *link) {
	for i := range s.pool {
		if s.pool[i] == l {
			s.pool[i] = nil
		}
	}
	if s.flow == l {
		s.flow = nil
	}
}

// An opening is a stream on its way, which several exchanges wait for.
type opening struct {
	done chan struct{}
	err  error
}

// openFlow gives the stream in use with a reference taken, or makes one. Only
// one is made at a time (RFC 7766 §6.2.2).
func (s *server) openFlow(ctx context.Context) (l *link, reused bool, err error) {
	for ctx.Err() == nil {
		l, o, ours := s.joinFlow()
		switch {
		case l != nil:
			return l, true, nil
		case ours:
			l, err := s.newFlow(ctx, o)
			return l, false, err
		}
		select {
		case <-o.done:
			if o.err != nil {
				return nil, false, o.err
			}
		case <-ctx.Done():
		}
	}
	return nil, false, ctx.Err()
}

func (s *server) joinFlow() (l *link, o *opening, ours bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.flow != nil && s.flow.take() {
		return s.flow, nil, false
	}
	s.flow = nil
	if s.opening == nil {
		s.opening, ours = &opening{done: make(chan struct{})}, true
	}
	return nil, s.opening, ours
}

// newFlow makes a stream. If the one who makes it stops wanting it, those who
// wait for it are told nothing, and try themselves.
func (s *server) newFlow(ctx context.Context, o *opening) (l *link, err error) {
	conn, err := s.dial(ctx, "tcp")
	if err == nil {
		l = newLink(s, conn, true)
		err = s.r.links.add(l)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case err == nil:
		s.flow = l
	case ctx.Err() == nil:
		o.err = err
	}
	if err != nil {
		l = nil
	}
	s.opening = nil
	close(o.done)
	return l, err
}

// links are all sockets that are open. The zero value has none.
type links struct {
	mu      sync.Mutex
	open    map[*link]struct{}
	closed  bool
	readers sync.WaitGroup
}

// add begins to read a socket, or closes it if it comes too late.
func (ls *links) add(l *link) error {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	if ls.closed {
		_ = l.conn.Close()
		return net.ErrClosed
	}
	if ls.open == nil {
		ls.open = map[*link]struct{}{}
	}
	ls.open[l] = struct{}{}
	l.start()
	ls.readers.Go(l.read)
	return nil
}

func (ls *links) remove(l *link) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	delete(ls.open, l)
}

// all gives the sockets that are open.
func (ls *links) all() []*link {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	return slices.Collect(maps.Keys(ls.open))
}

// retire lets no socket be used for new queries.
func (ls *links) retire() {
	for _, l := range ls.all() {
		l.server.drop(l)
		l.retire()
	}
}

// close ends all sockets and waits for those who read them.
func (ls *links) close() {
	ls.mu.Lock()
	ls.closed = true
	ls.mu.Unlock()
	for _, l := range ls.all() {
		l.fail(net.ErrClosed)
	}
	ls.readers.Wait()
}
