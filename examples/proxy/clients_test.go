package main

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-mif/mif/examples/internal/exampletest"
	"github.com/go-mif/mif/miftest"
)

// to is a request of SOCKS5 to the echo service of a target.
const to = "\x05\x01\x00\x01\xcb\x00\x71\x50\x00\x07"

// tunnel asks for a connection to the echo service, and uses it.
func tunnel(c net.Conn) error {
	c.SetDeadline(time.Now().Add(limit))
	if _, err := io.WriteString(c, "\x05\x01\x00"+to+"hello"); err != nil {
		return err
	}
	b := make([]byte, 2+10+5)
	if _, err := io.ReadFull(c, b); err != nil || string(b[12:]) != "hello" {
		return fmt.Errorf("%q: %w", b, err)
	}
	return nil
}

func echoing(t *testing.T, u *exampletest.Uplink) *miftest.TCPServer {
	t.Helper()
	s, err := u.Serve(netip.AddrPortFrom(exampletest.Target, 7), func(c net.Conn) { io.Copy(c, c) })
	must(t, err)
	return s
}

// A thousand clients, all served and all connected at the same time.
func TestThousand(t *testing.T) {
	t.Parallel()
	n, all := exampletest.Sites(t)
	target := echoing(t, all[0])
	p := start(t, n.Host(), "-pvd", "eth0")
	conns := make([]net.Conn, 1000)
	for i := range conns {
		conns[i] = p.dial()
	}
	var wg sync.WaitGroup
	for _, c := range conns {
		wg.Go(func() {
			if err := tunnel(c); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if peers := target.Peers(); len(peers) != len(conns) || !all[0].Peer.Contains(peers[0].Addr()) {
		t.Errorf("the target saw %d clients", len(peers))
	}
	for _, c := range conns {
		c.Close()
	}
	p.stop()
}

// No more clients are served at once than -clients says: one that comes after four
// silent ones has to wait until three of them have made room.
func TestBound(t *testing.T) {
	t.Parallel()
	n, all := exampletest.Sites(t)
	echoing(t, all[0])
	p := start(t, n.Host(), "-pvd", "eth0", "-clients", "2", "-handshake", "300ms")
	for range 4 {
		p.dial()
	}
	must(t, tunnel(p.dial()))
	p.await("msg=connected")
	p.Lock()
	before, _, _ := strings.Cut(p.log.String(), "msg=connected")
	p.Unlock()
	if silent := strings.Count(before, "said nothing"); silent < 3 {
		t.Errorf("it was served after %d silent ones:\n%s", silent, before)
	}
	p.stop()
}

// A connection ends when its domain goes, and when there is no traffic on it.
func TestEnds(t *testing.T) {
	t.Parallel()
	n, all := exampletest.Sites(t)
	echoing(t, all[0])
	p, idle := start(t, n.Host(), "-pvd", "eth0"), start(t, n.Host(), "-pvd", "eth0", "-idle", "300ms")
	ends := func(c net.Conn) {
		t.Helper()
		if _, err := c.Read(make([]byte, 1)); err == nil || isTimeout(err) {
			t.Error(err)
		}
	}
	c := idle.dial()
	must(t, tunnel(c))
	ends(c)
	idle.stop()
	c = p.dial()
	must(t, tunnel(c))
	must(t, all[0].CablePull())
	ends(c)
	p.stop()
}

func isTimeout(err error) bool {
	e, ok := err.(net.Error)
	return ok && e.Timeout()
}

// Interrupted, the proxy lets a client end what it has begun, and takes no other.
func TestGrace(t *testing.T) {
	t.Parallel()
	n, all := exampletest.Sites(t)
	echoing(t, all[0])
	p := start(t, n.Host(), "-pvd", "eth0", "-grace", "30s")
	c := p.dial()
	must(t, tunnel(c))
	stopped := make(chan struct{})
	go func() { defer close(stopped); p.stop() }()
	for { // until it has heard
		d, err := exampletest.Dial(n.Host(), p.address)
		if err != nil {
			break
		}
		d.Close()
	}
	say(t, c, "still", "still")
	must(t, c.(*net.TCPConn).CloseWrite())
	if b, err := io.ReadAll(c); err != nil || len(b) > 0 {
		t.Errorf("%q %v", b, err)
	}
	<-stopped
}

// A client that goes on is closed when its grace is over.
func TestGraceOver(t *testing.T) {
	t.Parallel()
	n, all := exampletest.Sites(t)
	echoing(t, all[0])
	p := start(t, n.Host(), "-pvd", "eth0", "-grace", "0s")
	c := p.dial()
	must(t, tunnel(c))
	p.stop()
	if _, err := c.Read(make([]byte, 1)); err == nil || isTimeout(err) {
		t.Error(err)
	}
}

// What one connection learnt of a domain, the next one on another port knows: an address
// that did not answer is not tried again before one that did.
func TestLearns(t *testing.T) {
	t.Parallel()
	n, all := exampletest.Sites(t)
	echoing(t, all[0])
	must(t, all[0].Silent(exampletest.Dead))
	p := start(t, n.Host(), "-listen", "127.0.0.1:0=eth0", "-listen", "127.0.0.1:0=eth0/ipv4")
	capture, err := all[0].Capture()
	must(t, err)
	var tried []int // connections to the dead address so far, after each
	for _, told := range p.told {
		p.address, _, _ = strings.Cut(told, " ")
		c := p.dial()
		say(t, c, "\x05\x01\x00\x05\x01\x00"+name(exampletest.HalfDead, 7)+"hello", "\x05\x00\x05\x00\x00\x01")
		local := make([]byte, 6+5)
		_, err := io.ReadFull(c, local)
		must(t, err)
		port := uint16(local[4])<<8 | uint16(local[5])
		_, err = capture.Wait(limit, func(p miftest.Packet) bool { return p.SYN && p.Source.Port() == port })
		must(t, err)
		tried = append(tried, attempts(capture, exampletest.Dead))
		c.Close()
	}
	if tried[0] != 1 || tried[1] != 1 {
		t.Errorf("the dead address was tried %v times", tried)
	}
	p.stop()
}

// attempts counts the connections that an address was sent a SYN for.
func attempts(c *miftest.Capture, to netip.Addr) int {
	from := map[netip.AddrPort]bool{}
	for _, p := range c.Packets() {
		if p.SYN && p.Destination.Addr() == to {
			from[p.Source] = true
		}
	}
	return len(from)
}
