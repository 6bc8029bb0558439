package connect

import (
	"context"
	"encoding/binary"
	"errors"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// An ICMP error that comes long after the connect call ends the dial as well, and is
// told with its origin; one that quotes somebody else's packet does not.
func TestLateUnreachable(t *testing.T) {
	u := swallowing(t)
	d := fixed(domain2(u.host.index("up2")))
	d.NetNS = u.host.path()
	for _, c := range []struct {
		to         string
		kind, code byte
		want       error
		soft       bool
	}{
		{silent4, 3, 1, syscall.EHOSTUNREACH, true},
		{silent4, 3, 13, syscall.EHOSTUNREACH, false},
		{silent6, 1, 0, syscall.ENETUNREACH, true},
		{silent6, 1, 1, syscall.EACCES, false},
	} {
		syns := u.host.capture("up2")
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error)
		go func() {
			conn, err := d.DialContext(ctx, "tcp", c.to)
			if conn != nil {
				conn.Close()
			}
			done <- err
		}()
		syn := syns.raw(netip.MustParseAddrPort(c.to).Addr())
		other := append([]byte(nil), syn...)
		other[len(other)-40+1]++ // the source port: a SYN of Linux is 40 octets of TCP
		u.r2.sendICMP(c.kind, c.code, other)
		select {
		case err := <-done:
			t.Errorf("%s: another's error ended the dial: %v", c.to, err)
			cancel()
			continue
		case <-time.After(20 * time.Millisecond): // a round trip of the wide world
		}
		u.r2.sendICMP(c.kind, c.code, syn)
		err := <-done
		checkError(t, c.to, nil, err, c.want)
		var e *Error
		if errors.As(err, &e) && (e.Origin != e.router() || e.Soft != c.soft) {
			t.Errorf("%s: %v: origin %v, soft %v", c.to, err, e.Origin, e.Soft)
		}
		cancel()
	}
}

// raw waits for the first packet to an address and returns it without its frame.
func (c *capture) raw(dst netip.Addr) []byte {
	c.t.Helper()
	c.n.must(c.f.SetReadDeadline(time.Now().Add(safetyNet)))
	for buf := make([]byte, 2048); ; {
		n, err := c.f.Read(buf)
		c.n.must(err)
		if f := parseFrame(buf[:n]); f.what == "ip" && f.dst == dst {
			return append([]byte(nil), buf[14:n]...)
		}
	}
}

// sendICMP sends an error about a packet to its source (RFC 792, RFC 4443).
func (n *node) sendICMP(kind, code byte, about []byte) {
	n.t.Helper()
	m := append([]byte{kind, code, 0, 0, 0, 0, 0, 0}, about...)
	family, protocol := unix.AF_INET, unix.IPPROTO_ICMP
	var to unix.Sockaddr = &unix.SockaddrInet4{Addr: [4]byte(about[12:16])}
	if about[0]>>4 == 6 { // the kernel sums up ICMPv6 itself
		family, protocol = unix.AF_INET6, unix.IPPROTO_ICMPV6
		to = &unix.SockaddrInet6{Addr: [16]byte(about[8:24])}
	} else {
		binary.BigEndian.PutUint16(m[2:], checksum(m))
	}
	var err error
	n.do(func() {
		var fd int
		if fd, err = unix.Socket(family, unix.SOCK_RAW|unix.SOCK_CLOEXEC, protocol); err == nil {
			err = errors.Join(unix.Sendto(fd, m, 0, to), unix.Close(fd))
		}
	})
	n.must(err)
}

// checksum is that of RFC 1071.
func checksum(b []byte) uint16 {
	var sum uint32
	for i := 0; i+1 < len(b); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	if len(b)%2 == 1 {
		sum += uint32(b[len(b)-1]) << 8
	}
	for sum > 0xffff {
		sum = sum&0xffff + sum>>16
	}
	return ^uint16(sum)
}
