package connect

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// safetyNet is how long a test waits for what must come; no test measures by it.
const safetyNet = 20 * time.Second

// A capture sees every frame of one link, both ways.
type capture struct {
	t     testing.TB
	n     *node
	index int
	f     *os.File
}

func (n *node) capture(name string) *capture {
	n.t.Helper()
	c := &capture{t: n.t, n: n, index: n.index(name)}
	fd := c.packetSocket() // of no protocol: it must hear nothing until it is bound to the link
	n.must(unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: bigEndian(unix.ETH_P_ALL), Ifindex: c.index}))
	c.f = os.NewFile(uintptr(fd), "capture of "+name)
	n.t.Cleanup(func() { c.f.Close() })
	return c
}

func (c *capture) packetSocket() (fd int) {
	c.t.Helper()
	var err error
	c.n.do(func() {
		fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	})
	c.n.must(err)
	return fd
}

func bigEndian(v uint16) uint16 {
	return binary.NativeEndian.Uint16(binary.BigEndian.AppendUint16(nil, v))
}

const markerType = 0x88b5 // local experimental

// frames returns what the link has carried up to now. It sends a marker and reads
// until it comes by, so that nothing earlier can be missed.
func (c *capture) frames() []frame {
	c.t.Helper()
	fd := c.packetSocket()
	defer unix.Close(fd)
	marker := append(make([]byte, 12, 60), binary.BigEndian.AppendUint16(nil, markerType)...)
	c.n.must(unix.Sendto(fd, marker[:60], 0, &unix.SockaddrLinklayer{Ifindex: c.index}))
	c.n.must(c.f.SetReadDeadline(time.Now().Add(safetyNet)))
	var all []frame
	buf := make([]byte, 2048)
	for {
		n, err := c.f.Read(buf)
		c.n.must(err)
		f := parseFrame(slices.Clone(buf[:n]))
		if f.marker {
			return all
		}
		all = append(all, f)
	}
}

// A frame is what matters here of one: who talks to whom, or who is asked for.
type frame struct {
	marker   bool
	what     string // "ip", "arp", "ns" (neighbour solicitation) or ""
	src, dst netip.Addr
	length   int
}

func (f frame) String() string { return fmt.Sprintf("%s %v > %v (%d)", f.what, f.src, f.dst, f.length) }

func parseFrame(b []byte) frame {
	f := frame{length: len(b)}
	if len(b) < 14 {
		return f
	}
	p := b[14:]
	switch kind := binary.BigEndian.Uint16(b[12:]); {
	case kind == markerType:
		f.marker = true
	case kind == unix.ETH_P_ARP && len(p) >= 28:
		f.what, f.src, f.dst = "arp", addrOf(p[14:18]), addrOf(p[24:28])
	case kind == unix.ETH_P_IP && len(p) >= 20:
		f.what, f.src, f.dst = "ip", addrOf(p[12:16]), addrOf(p[16:20])
	case kind == unix.ETH_P_IPV6 && len(p) >= 40:
		f.what, f.src, f.dst = "ip", addrOf(p[8:24]), addrOf(p[24:40])
		if p[6] == unix.IPPROTO_ICMPV6 && len(p) >= 64 && p[40] == 135 {
			f.what, f.dst = "ns", addrOf(p[48:64])
		}
	}
	return f
}

// sent are the packets from an address to another.
func sent(all []frame, src, dst netip.Addr) (hits []frame) {
	for _, f := range all {
		if f.what == "ip" && f.src == src && f.dst == dst {
			hits = append(hits, f)
		}
	}
	return hits
}

// wantNone fails if the link has carried anything to or for the destination, or with
// the domain's source.
func (c *capture) wantNone(src, dst netip.Addr) {
	c.t.Helper()
	for _, f := range c.frames() {
		if f.dst == dst || f.src == dst || f.src == src {
			c.t.Errorf("%s: carried %v", c.f.Name(), f)
		}
	}
}

func (c *capture) wantSome(src, dst netip.Addr) {
	c.t.Helper()
	if all := c.frames(); len(sent(all, src, dst)) == 0 {
		c.t.Errorf("%s: nothing from %v to %v among %v", c.f.Name(), src, dst, all)
	}
}

// serve answers at an address of the node, port 80, TCP and UDP, with a name.
func (n *node) serve(name string, addrs ...string) {
	n.t.Helper()
	for _, a := range addrs {
		at := netip.AddrPortFrom(netip.MustParseAddr(a), 80)
		n.serveTCP(name, at)
		n.serveUDP(name, at)
	}
}

func (n *node) serveTCP(name string, at netip.AddrPort) {
	n.t.Helper()
	var ln *net.TCPListener
	var err error
	n.do(func() { ln, err = net.ListenTCP("tcp", net.TCPAddrFromAddrPort(at)) })
	n.must(err)
	n.answer(name, ln)
}

// answer accepts, says the name and closes, until the test ends.
func (n *node) answer(name string, ln net.Listener) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			c.Write([]byte(name))
			c.Close()
		}
	}()
	n.t.Cleanup(func() { ln.Close(); <-done })
}

func (n *node) serveUDP(name string, at netip.AddrPort) {
	n.t.Helper()
	var pc *net.UDPConn
	var err error
	n.do(func() { pc, err = net.ListenUDP("udp", net.UDPAddrFromAddrPort(at)) })
	n.must(err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 100)
		for {
			_, from, err := pc.ReadFromUDPAddrPort(buf)
			if err != nil {
				return
			}
			pc.WriteToUDPAddrPort([]byte(name), from)
		}
	}()
	n.t.Cleanup(func() { pc.Close(); <-done })
}

// whoIsThere reads the name of the server a connection has reached, over TCP until
// the server's end.
func whoIsThere(c net.Conn) (string, error) {
	if err := c.SetDeadline(time.Now().Add(safetyNet)); err != nil {
		return "", err
	}
	if _, ok := c.(*net.TCPConn); ok {
		name, err := io.ReadAll(c)
		return string(name), err
	}
	if _, err := c.Write([]byte("who?")); err != nil {
		return "", err
	}
	buf := make([]byte, 100)
	n, err := c.Read(buf)
	return string(buf[:n]), err
}
