package connect

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"testing"
)

// What comes late for a connection that was closed with something unread is answered
// without the socket, by whatever link the host's routes prefer: there is no option of
// the socket against it. One that was half closed and read to its end leaves a note of its
// link behind.
func TestLateSegment(t *testing.T) {
	for _, c := range []struct {
		name, source, to string
		end              func(*net.TCPConn) error
		installed, wrong bool
	}{
		{"unread IPv4", "10.2.0.2", far4, (*net.TCPConn).Close, false, true},
		{"unread IPv6", "2001:db8:2::2", far6, (*net.TCPConn).Close, false, true},
		{"unread, no lingering", "10.2.0.2", far4, abort, false, true},
		{"unread, strict filter, routes installed", "10.2.0.2", far4, (*net.TCPConn).Close, true, false},
		{"read to the end", "10.2.0.2", far4, readToTheEnd, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			u := distinct(t)
			d := fixed(domain2(u.host.index("up2")))
			d.NetNS = u.host.path()
			if c.installed {
				u.host.sysctl("net/ipv4/conf/all/rp_filter", "1")
				install(t, u.host.path(), domainsOf(t, d)...)
			}
			src, dst := netip.MustParseAddr(c.source), netip.MustParseAddr(c.to)
			u.r2.untilEnd(netip.AddrPortFrom(dst, 99))
			conn, err := d.DialContext(context.Background(), "tcp", net.JoinHostPort(c.to, "99"))
			u.host.must(err)
			_, err = conn.Read(make([]byte, 1)) // and leave the rest
			u.host.must(err)
			wrong := u.host.capture("up1")
			u.host.must(c.end(conn.(*net.TCPConn)))
			wrong.wantNone(src, dst) // what closing itself sends goes the right way
			right := u.host.capture("up2")
			u.r2.late(netip.AddrPortFrom(dst, 99), conn.LocalAddr().(*net.TCPAddr).AddrPort())
			by := map[bool]*capture{false: right, true: wrong}
			u.host.await("the answer", func() bool { return len(sent(by[c.wrong].frames(), src, dst)) > 0 })
			if !c.wrong {
				wrong.wantNone(src, dst)
			}
		})
	}
}

func abort(c *net.TCPConn) error {
	if err := c.SetLinger(0); err != nil {
		return err
	}
	return c.Close()
}

func readToTheEnd(c *net.TCPConn) error {
	if err := c.CloseWrite(); err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, c); err != nil {
		return err
	}
	return c.Close()
}

// untilEnd accepts, says something, and closes when the client has closed.
func (n *node) untilEnd(at netip.AddrPort) {
	n.t.Helper()
	var ln net.Listener
	var err error
	n.do(func() { ln, err = net.Listen("tcp", at.String()) })
	n.must(err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if c, err := ln.Accept(); err == nil {
			c.Write([]byte("something"))
			io.Copy(io.Discard, c)
			c.Close()
		}
	}()
	n.t.Cleanup(func() { ln.Close(); <-done })
}

// late sends a segment with an octet, as one that was long under way.
func (n *node) late(from, to netip.AddrPort) {
	n.t.Helper()
	segment := binary.BigEndian.AppendUint16(nil, from.Port())
	segment = binary.BigEndian.AppendUint16(segment, to.Port())
	segment = append(segment, 1, 2, 3, 4, 5, 6, 7, 8, 5<<4, 0x10, 0xff, 0xff, 0, 0, 0, 0, 'x') // ACK
	pseudo := append(from.Addr().AsSlice(), to.Addr().AsSlice()...)
	pseudo = append(pseudo, 0, 6, 0, byte(len(segment)))
	binary.BigEndian.PutUint16(segment[16:], checksum(append(pseudo, segment...)))
	network := map[bool]string{true: "ip4:tcp", false: "ip6:tcp"}[from.Addr().Is4()]
	var err error
	n.do(func() {
		var raw *net.IPConn
		if raw, err = net.ListenIP(network, &net.IPAddr{IP: from.Addr().AsSlice()}); err == nil {
			_, err = raw.WriteToIP(segment, &net.IPAddr{IP: to.Addr().AsSlice()})
			raw.Close()
		}
	})
	n.must(err)
}
