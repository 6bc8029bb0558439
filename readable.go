package mif

import (
	"fmt"
	"net"
	"sync"
	"syscall"
)

// A poller waits for connections to become readable. It has one goroutine, and
// never touches what a connection has to say.
type poller struct {
	wait   waiter
	tell   func(ConnectionID)
	mu     sync.Mutex
	next   int32
	conns  map[int32]watched // by the token that the waiter gives back
	tokens map[uintptr]int32 // by descriptor: the latest
}

// A watched connection. It is held on to, so that its descriptor stays its own.
type watched struct {
	id   ConnectionID
	conn net.Conn
	fd   uintptr
}

// A waiter waits for descriptors to become readable, each once.
type waiter interface {
	add(fd uintptr, token int32) error
	next() (token int32, err error) // blocks until close
	close() error
}

// watchReadable begins to watch a connection (§3.4.2).
func (s *Session) watchReadable(r WatchReadable) error {
	if s.poller == nil {
		w, err := newWaiter()
		if err != nil {
			return fmt.Errorf("mif: WatchReadable: %w", err)
		}
		s.poller = &poller{wait: w, conns: map[int32]watched{}, tokens: map[uintptr]int32{}, tell: s.readable}
		s.running.Go(s.poller.run)
	}
	if err := s.poller.add(r); err != nil {
		return fmt.Errorf("mif: WatchReadable.Conn: %w", err)
	}
	return nil
}

func (s *Session) readable(id ConnectionID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed == nil {
		s.put(item{event: Readable{id}})
		s.signal()
	}
}

func (p *poller) add(r WatchReadable) (err error) {
	raw, err := r.Conn.(syscall.Conn).SyscallConn()
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	control := raw.Control(func(fd uintptr) { err = p.watch(watched{r.ID, r.Conn, fd}) })
	if err == nil {
		err = control
	}
	return err
}

// watch watches a descriptor. Whatever was watched under its number before is
// watched no more: the same connection, or one that is closed.
func (p *poller) watch(w watched) error {
	if err := p.wait.add(w.fd, p.next+1); err != nil {
		return err
	}
	p.next++
	delete(p.conns, p.tokens[w.fd])
	p.conns[p.next], p.tokens[w.fd] = w, p.next
	return nil
}

func (p *poller) run() {
	for {
		token, err := p.wait.next()
		if err != nil {
			return
		}
		p.mu.Lock()
		w, ok := p.conns[token]
		delete(p.conns, token)
		if p.tokens[w.fd] == token {
			delete(p.tokens, w.fd)
		}
		p.mu.Unlock()
		if ok {
			p.tell(w.id)
		}
	}
}

func (p *poller) close() {
	if p != nil {
		p.wait.close()
	}
}
