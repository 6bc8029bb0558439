package connect

import (
	"context"
	"net"
	"net/netip"
	"strconv"
	"testing"
	"time"
)

// A listener hears its own link and address only, be it here or in another
// namespace. One that is not bound to the link would hear the other router too.
func TestListen(t *testing.T) {
	u := distinct(t)
	u.host.serveTCP("anywhere", netip.MustParseAddrPort("[::]:99"))
	for _, a := range []string{"10.2.0.2:99", "[2001:db8:2::2]:99"} {
		if err := u.knock(u.r1, netip.MustParseAddrPort(a)); err != nil {
			t.Fatalf("the rig is broken: %s from r1: %v", a, err)
		}
	}
	for _, netns := range []string{"", u.host.path()} {
		for _, c := range []struct{ network, address, at, peer string }{
			{"tcp", ":0", "2001:db8:2::2", "2001:db8:2::1"},
			{"tcp4", ":0", "10.2.0.2", "10.2.0.1"},
			{"tcp", "[2001:db8:2::2]:0", "2001:db8:2::2", "2001:db8:2::1"},
			{"tcp", "10.2.0.2:0", "10.2.0.2", "10.2.0.1"},
		} {
			t.Run(c.network+" "+c.address+" "+netns, func(t *testing.T) {
				ln := u.listen(t, netns, c.network, c.address)
				defer ln.Close()
				at := ln.Addr().(*net.TCPAddr).AddrPort()
				if at.Addr() != netip.MustParseAddr(c.at) {
					t.Fatalf("listens at %v, want %s", at, c.at)
				}
				if err := u.knock(u.r2, at); err != nil {
					t.Errorf("from the domain's link: %v", err)
				}
				from, err := accept(ln)
				if err != nil || from != netip.MustParseAddr(c.peer) {
					t.Errorf("accepted %v, %v; want %s", from, err, c.peer)
				}
				if err := u.knock(u.r1, at); err == nil {
					t.Error("heard the other link")
				}
			})
		}
	}
}

func (u *uplinks) listen(t *testing.T, netns, network, address string) (ln net.Listener) {
	t.Helper()
	d := fixed(domain2(u.host.index("up2")))
	d.NetNS = netns
	var err error
	listen := func() { ln, err = d.Listen(context.Background(), network, address) }
	if netns == "" {
		u.host.do(listen)
	} else {
		listen()
	}
	if err != nil {
		t.Fatal(err)
	}
	return ln
}

func accept(ln net.Listener) (netip.Addr, error) {
	ln.(*net.TCPListener).SetDeadline(time.Now().Add(safetyNet))
	conn, err := ln.Accept()
	if err != nil {
		return netip.Addr{}, err
	}
	defer conn.Close()
	return conn.RemoteAddr().(*net.TCPAddr).AddrPort().Addr(), nil
}

// knock connects from a node as any program would. A router of the other link
// routes to the host, which would take the packet for any of its addresses.
func (u *uplinks) knock(n *node, at netip.AddrPort) error {
	if n == u.r1 {
		via := map[bool]string{true: "10.1.0.2", false: "2001:db8:1::2"}[at.Addr().Is4()]
		_ = n.h.RouteAdd(routeTo(at.Addr(), via)) // there already the second time
	}
	var err error
	n.do(func() {
		var conn net.Conn
		if conn, err = net.DialTimeout("tcp", at.String(), 200*time.Millisecond); err == nil {
			conn.Close()
		}
	})
	return err
}

func TestListenPortInUse(t *testing.T) {
	u := distinct(t)
	ln := u.listen(t, u.host.path(), "tcp4", ":0")
	defer ln.Close()
	port := ln.Addr().(*net.TCPAddr).Port
	d := fixed(domain2(u.host.index("up2")))
	d.NetNS = u.host.path()
	if second, err := d.Listen(context.Background(), "tcp4", ":"+strconv.Itoa(port)); err == nil {
		second.Close()
		t.Error("two listeners at one port")
	}
}

// An unconnected socket leaves by the domain's link, whatever the host prefers.
func TestListenPacket(t *testing.T) {
	u := distinct(t)
	d := fixed(domain2(u.host.index("up2")))
	d.NetNS = u.host.path()
	for _, c := range []struct{ network, from, to string }{{"udp4", "10.2.0.2", far4}, {"udp", "2001:db8:2::2", far6}} {
		t.Run(c.network, func(t *testing.T) {
			wrong, right := u.host.capture("up1"), u.host.capture("up2")
			pc, err := d.ListenPacket(context.Background(), c.network, ":0")
			if err != nil {
				t.Fatal(err)
			}
			defer pc.Close()
			dst := netip.MustParseAddr(c.to)
			if _, err := pc.WriteTo([]byte("who?"), net.UDPAddrFromAddrPort(netip.AddrPortFrom(dst, 80))); err != nil {
				t.Fatal(err)
			}
			pc.SetReadDeadline(time.Now().Add(safetyNet))
			buf := make([]byte, 10)
			n, _, err := pc.ReadFrom(buf)
			if string(buf[:n]) != "r2" || err != nil {
				t.Errorf("answered by %q, %v", buf[:n], err)
			}
			right.wantSome(netip.MustParseAddr(c.from), dst)
			wrong.wantNone(netip.MustParseAddr(c.from), dst)
		})
	}
}
