package connect

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// rejecting has r2 answer "no route" for far destinations other than its own.
func rejecting(t testing.TB) (*uplinks, *Dialer) {
	u := distinct(t)
	u.r2.sysctl("net/ipv4/ip_forward", "1")
	u.r2.sysctl("net/ipv6/conf/all/forwarding", "1")
	u.r2.route("198.51.100.0/24", "", "", kind(unix.RTN_UNREACHABLE))
	u.r2.route("2001:db8:f0::/48", "", "", kind(unix.RTN_UNREACHABLE))
	d := fixed(domain2(u.host.index("up2")))
	d.NetNS = u.host.path()
	return u, d
}

var rejectedByRouter = map[string]error{
	"198.51.100.1:80":     syscall.EHOSTUNREACH,
	"[2001:db8:f0::1]:80": syscall.ENETUNREACH,
}

// An ICMP unreachable ends a TCP dial as what it is, and at the first SYN.
func TestUnreachableEndsDial(t *testing.T) {
	u, d := rejecting(t)
	for to, want := range rejectedByRouter {
		right := u.host.capture("up2")
		conn, err := d.DialContext(context.Background(), "tcp", to)
		checkError(t, to, conn, err, want)
		if errors.Is(err, ErrNoRoute) {
			t.Errorf("%s: the network's refusal looks like our own: %v", to, err)
		}
		var e *Error
		if !errors.As(err, &e) {
			continue
		}
		if e.Origin != e.router() || !e.Soft || !strings.HasSuffix(err.Error(), ", says "+e.router().String()) {
			t.Errorf("%s: %v: origin %v, soft %v", to, err, e.Origin, e.Soft)
		}
		if syns := sent(right.frames(), e.Source, e.To.Addr()); len(syns) != 1 {
			t.Errorf("%s: %d packets sent before the answer was heard: %v", to, len(syns), syns)
		}
	}
}

// router is r2 in the family of the error.
func (e *Error) router() netip.Addr {
	if e.To.Addr().Is4() {
		return netip.MustParseAddr("10.2.0.1")
	}
	return netip.MustParseAddr("2001:db8:2::1")
}

// What an administrator forbids, and a port that is closed to ICMP, are no passing
// conditions; a reset has no ICMP at all.
func TestHardErrors(t *testing.T) {
	u, d := rejecting(t)
	u.r2.route("198.51.101.0/24", "", "", kind(unix.RTN_PROHIBIT))
	u.r2.route("2001:db8:f1::/48", "", "", kind(unix.RTN_PROHIBIT))
	for _, c := range []struct {
		to     string
		want   error
		origin string
	}{
		{"198.51.101.1:80", syscall.EHOSTUNREACH, "10.2.0.1"},
		{"[2001:db8:f1::1]:80", syscall.EACCES, "2001:db8:2::1"},
		{far4 + ":81", syscall.ECONNREFUSED, "invalid IP"},
		{"[" + far6 + "]:81", syscall.ECONNREFUSED, "invalid IP"},
	} {
		conn, err := d.DialContext(context.Background(), "tcp", c.to)
		checkError(t, c.to, conn, err, c.want)
		var e *Error
		if errors.As(err, &e) && (e.Soft || e.Origin.String() != c.origin) {
			t.Errorf("%s: %v: origin %v, soft %v", c.to, err, e.Origin, e.Soft)
		}
	}
}

// UDP hears of a closed port always, of an unreachable host if asked to.
func TestUnreachableByUDP(t *testing.T) {
	_, d := rejecting(t)
	readError := func(to string) error {
		conn, err := d.DialContext(context.Background(), "udp", to)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(safetyNet))
		if _, err := conn.Write([]byte("x")); err != nil {
			return err
		}
		_, err = conn.Read(make([]byte, 1))
		return err
	}
	for _, report := range []bool{false, true} {
		d.ReportUnreachable = report
		for _, to := range []string{far4 + ":81", "[" + far6 + "]:81"} {
			if err := readError(to); !errors.Is(err, syscall.ECONNREFUSED) {
				t.Errorf("%s: %v, want refused", to, err)
			}
		}
	}
	for to, want := range rejectedByRouter {
		if err := readError(to); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", to, err, want)
		}
	}
}

// What was asked for while connecting must not make an established connection
// brittle.
func TestSocketOptionsOfConnections(t *testing.T) {
	u := distinct(t)
	d := fixed(domain2(u.host.index("up2")))
	d.NetNS = u.host.path()
	for _, c := range []struct{ network, to string }{{"tcp", far4}, {"tcp", far6}, {"udp", far4}, {"udp", far6}} {
		conn, err := d.DialContext(context.Background(), c.network, net.JoinHostPort(c.to, "80"))
		if err != nil {
			t.Fatal(err)
		}
		raw, err := conn.(syscall.Conn).SyscallConn()
		u.host.must(err)
		u.host.must(raw.Control(func(fd uintptr) {
			if got, err := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_BINDTOIFINDEX); got != u.host.index("up2") || err != nil {
				t.Errorf("%v: bound to interface %d, %v", c, got, err)
			}
			v4, _ := unix.GetsockoptInt(int(fd), unix.SOL_IP, unix.IP_RECVERR)
			v6, _ := unix.GetsockoptInt(int(fd), unix.SOL_IPV6, unix.IPV6_RECVERR)
			if v4 != 0 || c.to == far6 && v6 != 0 {
				t.Errorf("%v: ICMP errors are hard: %d %d", c, v4, v6)
			}
			flags, _ := unix.FcntlInt(fd, unix.F_GETFD, 0)
			if flags&unix.FD_CLOEXEC == 0 {
				t.Errorf("%v: children inherit the socket", c)
			}
		}))
		conn.Close()
	}
}

// One source port can serve several destinations: with a range of a few ports, more
// connections than ports.
func TestPortsAreShared(t *testing.T) {
	u := distinct(t)
	u.host.sysctl("net/ipv4/ip_local_port_range", "40000 40003")
	for _, a := range []string{"203.0.113.11", "203.0.113.12", "203.0.113.13"} {
		u.r2.addr("lo", a+"/32")
		u.r2.serve("r2", a)
	}
	d := fixed(domain2(u.host.index("up2")))
	d.NetNS = u.host.path()
	dial := func(to string) (net.Conn, error) {
		conn, err := d.DialContext(context.Background(), "tcp", to+":80")
		if err == nil {
			t.Cleanup(func() { conn.Close() })
		}
		return conn, err
	}
	for range 4 {
		for _, a := range []string{far4, "203.0.113.11", "203.0.113.12", "203.0.113.13"} {
			if _, err := dial(a); err != nil {
				t.Fatal(err)
			}
		}
	}
	conn, err := dial(far4) // all four ports are taken for this one
	checkError(t, "out of ports", conn, err, syscall.EADDRNOTAVAIL)
	if errors.Is(err, ErrNoSource) {
		t.Errorf("want of ports looks like want of an address: %v", err)
	}
	u.host.addr("up2", "10.2.0.3/24")
	domain := domain2(u.host.index("up2"))
	domain.Addresses = addresses("10.2.0.2/24 10.2.0.3/24")
	d = fixed(domain)
	d.NetNS = u.host.path()
	conn, err = dial(far4)
	wantServer(t, "with another address", conn, err, "10.2.0.3")
}

// Errors nobody collects must not crowd out the data: with ReportUnreachable some
// 280 of them fill the receive buffer, so it is not the default.
func TestUnreachablesLeaveRoomForData(t *testing.T) {
	u := distinct(t)
	u.r2.sysctl("net/ipv4/icmp_ratelimit", "0")
	u.r2.sysctl("net/ipv4/icmp_msgs_per_sec", "1000000")
	u.r2.sysctl("net/ipv4/icmp_msgs_burst", "1000000")
	d := fixed(domain2(u.host.index("up2")))
	d.NetNS = u.host.path()
	conn, err := d.DialContext(context.Background(), "udp", far4+":82")
	u.host.must(err)
	defer conn.Close()
	refused := 0
	for range 2000 {
		if _, err := conn.Write([]byte("x")); errors.Is(err, syscall.ECONNREFUSED) {
			refused++
		}
	}
	if refused < 500 {
		t.Fatalf("the rig is broken: only %d ICMP errors came back", refused)
	}
	u.r2.serveUDP("r2", netip.MustParseAddrPort(far4+":82"))
	conn.Write([]byte("x")) // takes the last error
	wantServer(t, "after many errors", conn, nil, "10.2.0.2")
}

// Whatever the control messages hold, nothing is read beyond them.
func FuzzErrQueue(f *testing.F) {
	b := make([]byte, unix.CmsgSpace(16+28))
	h := (*unix.Cmsghdr)(unsafe.Pointer(&b[0]))
	h.Level, h.Type = unix.SOL_IPV6, unix.IPV6_RECVERR
	h.SetLen(unix.CmsgLen(16 + 28))
	b[unix.CmsgLen(0)+4] = unix.SO_EE_ORIGIN_ICMP6
	f.Add(b)
	f.Add(b[:20])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		if m, ok := parseErrQueue(b); ok != (m != nil) {
			t.Fatal("found nothing, or lost it")
		}
	})
}
