package miftest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"
)

// Listen returns a TCP listener behind the router, for an http.Server and the
// like. The router gets the address if it does not have it; one of the link's
// prefixes it cannot get while the cable is pulled. The listener is
// closed with the router; connections are the caller's.
func (r *Router) Listen(at netip.AddrPort) (net.Listener, error) {
	var l net.Listener
	err := r.listen(at, func() (err error) {
		l, err = net.ListenTCP("tcp", net.TCPAddrFromAddrPort(at))
		return err
	})
	if err != nil {
		return nil, err
	}
	return l, r.keep(quiet{l})
}

// ListenPacket returns a UDP socket behind the router, as Listen does.
func (r *Router) ListenPacket(at netip.AddrPort) (net.PacketConn, error) {
	var c net.PacketConn
	err := r.listen(at, func() (err error) {
		c, err = net.ListenUDP("udp", net.UDPAddrFromAddrPort(at))
		return err
	})
	if err != nil {
		return nil, err
	}
	return c, r.keep(quiet{c})
}

func (r *Router) listen(at netip.AddrPort, f func() error) error {
	if r.isDead() {
		return r.closed()
	}
	if err := r.own(at.Addr()); err != nil {
		return err
	}
	if err := r.ns.do(f); err != nil {
		return fmt.Errorf("miftest: router on %s: %w", r.name, err)
	}
	return nil
}

// quiet makes closing again no error.
type quiet struct{ io.Closer }

func (q quiet) Close() error {
	if err := q.Closer.Close(); !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// A TCPServer is a TCP target behind a router.
type TCPServer struct {
	listener net.Listener
	handle   func(context.Context, net.Conn)
	stop     context.CancelFunc
	running  sync.WaitGroup

	mu    sync.Mutex
	conns map[net.Conn]bool
	peers []netip.AddrPort
}

// Serve accepts TCP connections at an address behind the router and calls
// handler for each in a goroutine of its own; the connection is closed when
// handler returns, and ends under it when the server does. The router gets the
// address if it does not have it.
func (r *Router) Serve(at netip.AddrPort, handler func(net.Conn)) (*TCPServer, error) {
	return r.serve(at, func(_ context.Context, c net.Conn) { handler(c) })
}

// ServeLine is Serve with a handler that, delay after a connection was made,
// sends a line and closes it.
func (r *Router) ServeLine(at netip.AddrPort, line string, delay time.Duration) (*TCPServer, error) {
	return r.serve(at, func(ctx context.Context, c net.Conn) {
		if !pause(ctx, delay) {
			return
		}
		// Closing with unread data would be a reset, which can overtake the line.
		io.WriteString(c, line+"\n")
		c.(*net.TCPConn).CloseWrite()
		io.Copy(io.Discard, c)
	})
}

func (r *Router) serve(at netip.AddrPort, handle func(context.Context, net.Conn)) (*TCPServer, error) {
	l, err := r.Listen(at)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	s := &TCPServer{listener: l, handle: handle, stop: stop, conns: map[net.Conn]bool{}}
	s.running.Go(func() { s.accept(ctx) })
	return s, r.keep(s)
}

func (s *TCPServer) accept(ctx context.Context) {
	for {
		c, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.conns[c] = true
		s.peers = append(s.peers, c.RemoteAddr().(*net.TCPAddr).AddrPort())
		s.mu.Unlock()
		s.running.Go(func() {
			defer s.forget(c)
			if ctx.Err() == nil { // else Close may not have seen it
				s.handle(ctx, c)
			}
		})
	}
}

func (s *TCPServer) forget(c net.Conn) {
	c.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
}

// Addr returns the address the server listens at.
func (s *TCPServer) Addr() netip.AddrPort { return s.listener.Addr().(*net.TCPAddr).AddrPort() }

// Peers returns who has connected, in order.
func (s *TCPServer) Peers() []netip.AddrPort {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]netip.AddrPort(nil), s.peers...)
}

// Close stops the server, closes its connections and waits for the handlers.
func (s *TCPServer) Close() error {
	s.stop()
	err := quiet{s.listener}.Close()
	s.mu.Lock()
	for c := range s.conns {
		c.Close()
	}
	s.mu.Unlock()
	s.running.Wait()
	return err
}

// pause waits and reports whether it was left to wait all the time.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
