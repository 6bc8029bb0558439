package mif

import (
	"context"
	"errors"
	"fmt"
	"net"
	"testing"
	"time"
)

// tcpPair is a connection over loopback, as seen from both ends.
func tcpPair(t *testing.T) (near, far net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if near, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if far, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { near.Close(); far.Close() })
	return near, far
}

func unixPair(t *testing.T) (near, far net.Conn) {
	t.Helper()
	l, err := net.Listen("unix", "@mif-test-"+t.Name())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if near, err = net.Dial("unix", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if far, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { near.Close(); far.Close() })
	return near, far
}

func readableSession(t *testing.T) *subscriber {
	return newFakeHost(t, nil, func(w *world) { w.add("eth0", 2, "192.0.2.5/24") }).subscriber()
}

// watches is how many connections are watched.
func (s *subscriber) watches() int {
	s.poller.mu.Lock()
	defer s.poller.mu.Unlock()
	return max(len(s.poller.conns), len(s.poller.tokens))
}

// Check waits for the communications API as well: data, the end of a stream, and a
// reset are readable (§3.4.2).
func TestReadable(t *testing.T) {
	s := readableSession(t)
	for i, c := range []struct {
		pair func(*testing.T) (net.Conn, net.Conn)
		far  func(net.Conn)
	}{
		{tcpPair, func(c net.Conn) { c.Write([]byte("x")) }},
		{tcpPair, func(c net.Conn) { c.Close() }},
		{tcpPair, func(c net.Conn) { c.(*net.TCPConn).CloseWrite() }},
		{tcpPair, func(c net.Conn) { c.(*net.TCPConn).SetLinger(0); c.Close() }},
		{unixPair, func(c net.Conn) { c.Write([]byte("x")) }},
	} {
		near, far := c.pair(t)
		id := ConnectionID(i + 1)
		s.post(WatchReadable{ID: id, Conn: near})
		s.expect() // there is nothing yet
		c.far(far)
		s.until(fmt.Sprint("readable ", id))
		s.post(Relay{1}) // it was told once, though it is still readable
		s.until("relayed 1")
		s.expect()
	}
}

// A connection that is readable already is told at once, each time it is asked for,
// and the data is left for the subscriber.
func TestReadableAgain(t *testing.T) {
	s := readableSession(t)
	near, far := tcpPair(t)
	far.Write([]byte("ab"))
	b := make([]byte, 1)
	for _, want := range "ab" {
		s.post(WatchReadable{ID: 1, Conn: near})
		s.until("readable 1")
		if _, err := near.Read(b); err != nil || b[0] != byte(want) {
			t.Fatalf("read %q, %v", b, err)
		}
	}
}

// A later watch of a connection takes the place of the earlier, and no memory is
// kept of that.
func TestReadableReplaced(t *testing.T) {
	s := readableSession(t)
	near, far := tcpPair(t)
	for i := range 1000 {
		s.post(WatchReadable{ID: ConnectionID(i + 1), Conn: near})
	}
	if n := s.watches(); n != 1 {
		t.Errorf("%d watches are kept", n)
	}
	far.Write([]byte("x"))
	s.until("readable 1000")
	s.expect()
}

// Closing a connection ends its watch; another with the same descriptor is another.
func TestReadableConnClosed(t *testing.T) {
	s := readableSession(t)
	for i := range 100 {
		near, far := tcpPair(t)
		s.post(WatchReadable{ID: ConnectionID(i + 1), Conn: near})
		near.Close()
		far.Close()
	}
	near, far := tcpPair(t)
	s.post(WatchReadable{ID: 1000, Conn: near})
	far.Write([]byte("x"))
	s.until("readable 1000")
	s.expect()
	if err := s.Post(WatchReadable{ID: 1, Conn: func() net.Conn { near.Close(); return near }()}); !errors.Is(err, net.ErrClosed) {
		t.Errorf("watching a closed connection: %v", err)
	}
}

// Closing the session, or the host, ends its watches and leaves the connections be.
func TestReadableSessionClosed(t *testing.T) {
	for _, host := range []bool{false, true} {
		s := readableSession(t)
		near, far := tcpPair(t)
		s.post(WatchReadable{ID: 1, Conn: near})
		checked := make(chan error)
		go func() { checked <- s.Check(context.Background()) }()
		if host {
			s.host.Close()
		} else {
			s.Close()
		}
		if err := <-checked; !errors.Is(err, net.ErrClosed) {
			t.Errorf("Check: %v", err)
		}
		far.Write([]byte("x"))
		near.SetDeadline(time.Now().Add(10 * time.Second))
		if _, err := near.Read(make([]byte, 1)); err != nil {
			t.Errorf("the connection: %v", err)
		}
	}
}

// Data of many connections is all told of.
func TestReadableMany(t *testing.T) {
	s := readableSession(t)
	var want []string
	var far []net.Conn
	for i := range 200 {
		n, f := tcpPair(t)
		s.post(WatchReadable{ID: ConnectionID(i + 1), Conn: n})
		want, far = append(want, fmt.Sprint("readable ", i+1)), append(far, f)
	}
	for _, f := range far {
		f.Write([]byte("x"))
	}
	s.until(want...)
	if n := s.watches(); n != 0 {
		t.Errorf("%d watches are kept", n)
	}
}
