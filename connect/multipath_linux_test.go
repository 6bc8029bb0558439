package connect

import (
	"context"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func needMultipath(t *testing.T, u *uplinks) {
	t.Helper()
	var enabled []byte
	u.host.do(func() { enabled, _ = os.ReadFile("/proc/sys/net/mptcp/enabled") })
	if strings.TrimSpace(string(enabled)) != "1" {
		t.Skip("no Multipath TCP in this kernel")
	}
}

// Multipath TCP takes the same path, bound the same, in its own namespace and from
// another one; its errors are the same.
func TestMultipath(t *testing.T) {
	u := distinct(t)
	needMultipath(t, u)
	for _, a := range []string{far4, far6} {
		u.r2.serveMultipath("r2", net.JoinHostPort(a, "8080"))
	}
	for _, netns := range []string{"", u.host.path()} {
		for to, from := range map[string]string{far4: "10.2.0.2", far6: "2001:db8:2::2"} {
			d := fixed(domain2(u.host.index("up2")))
			d.NetNS, d.Multipath, d.UserTimeout = netns, true, 7*time.Second
			var conn net.Conn
			var err error
			wrong, right := u.host.capture("up1"), u.host.capture("up2")
			u.inside(netns, func() { conn, err = d.DialContext(context.Background(), "tcp", net.JoinHostPort(to, "8080")) })
			if err != nil {
				t.Errorf("%s: %v", to, err)
				continue
			}
			if on, err := conn.(*net.TCPConn).MultipathTCP(); !on || err != nil {
				t.Errorf("%s: Multipath TCP is %v, %v", to, on, err)
			}
			if name, err := whoIsThere(conn); name != "r2" || err != nil {
				t.Errorf("%s: reached %q, %v", to, name, err)
			}
			right.wantSome(netip.MustParseAddr(from), netip.MustParseAddr(to))
			wrong.wantNone(netip.MustParseAddr(from), netip.MustParseAddr(to))
			conn.Close()
			u.inside(netns, func() { conn, err = d.DialContext(context.Background(), "tcp", net.JoinHostPort(to, "81")) })
			checkError(t, to, conn, err, syscall.ECONNREFUSED)
		}
	}
}

func (n *node) serveMultipath(name, at string) {
	n.t.Helper()
	var lc net.ListenConfig
	lc.SetMultipathTCP(true)
	var ln net.Listener
	var err error
	n.do(func() { ln, err = lc.Listen(context.Background(), "tcp", at) })
	n.must(err)
	n.answer(name, ln)
}

// inside runs f where a Dialer with that NetNS belongs.
func (u *uplinks) inside(netns string, f func()) {
	if netns == "" {
		u.host.do(f)
	} else {
		f()
	}
}

// Over IPv6 the kernel lets the first subflow forget an error that comes within the
// connect call, whatever is set on the socket; it is seen at the next SYN.
func TestMultipathUnreachable(t *testing.T) {
	u, d := rejecting(t)
	needMultipath(t, u)
	d.Multipath = true
	for to, want := range rejectedByRouter {
		conn, err := d.DialContext(context.Background(), "tcp", to)
		checkError(t, to, conn, err, want)
	}
}

func TestMultipathListen(t *testing.T) {
	u := distinct(t)
	needMultipath(t, u)
	d := fixed(domain2(u.host.index("up2")))
	d.NetNS, d.Multipath = u.host.path(), true
	ln, err := d.Listen(context.Background(), "tcp", ":0")
	u.host.must(err)
	defer ln.Close()
	if got := option(t, ln.(syscall.Conn), unix.SOL_SOCKET, unix.SO_PROTOCOL); got != unix.IPPROTO_MPTCP {
		t.Errorf("the listener's protocol is %d", got)
	}
	if err := u.knock(u.r2, ln.Addr().(*net.TCPAddr).AddrPort()); err != nil {
		t.Error(err)
	}
}

func TestUserTimeout(t *testing.T) {
	u := distinct(t)
	d := fixed(domain2(u.host.index("up2")))
	d.NetNS = u.host.path()
	for timeout, want := range map[time.Duration]int{0: 0, time.Nanosecond: 1, 1500 * time.Microsecond: 2, time.Minute: 60000} {
		d.UserTimeout = timeout
		for _, to := range []string{far4, far6} {
			conn, err := d.DialContext(context.Background(), "tcp", net.JoinHostPort(to, "80"))
			u.host.must(err)
			if got := option(t, conn.(syscall.Conn), unix.SOL_TCP, unix.TCP_USER_TIMEOUT); got != want {
				t.Errorf("%v: %d ms, want %d", timeout, got, want)
			}
			conn.Close()
		}
		conn, err := d.DialContext(context.Background(), "udp", net.JoinHostPort(far4, "80"))
		wantServer(t, "UDP has no such thing", conn, err, "10.2.0.2")
	}
}

// The kernel itself gives up on a silent peer, and that counts as a time-out.
func TestUserTimeoutEndsConnect(t *testing.T) {
	u := swallowing(t)
	d := fixed(domain2(u.host.index("up2")))
	d.NetNS, d.UserTimeout = u.host.path(), time.Millisecond
	conn, err := d.DialContext(context.Background(), "tcp", silent4)
	checkError(t, silent4, conn, err, syscall.ETIMEDOUT)
	if e, ok := err.(*Error); !ok || !e.Timeout() {
		t.Errorf("not a time-out: %v", err)
	}
}

func option(t *testing.T, c syscall.Conn, level, name int) (value int) {
	t.Helper()
	raw, err := c.SyscallConn()
	if err == nil {
		if e := raw.Control(func(fd uintptr) { value, err = unix.GetsockoptInt(int(fd), level, name) }); e != nil {
			err = e
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return value
}
