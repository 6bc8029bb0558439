package connect

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// uplinks is a host with two uplinks, each to a router of its own, which both serve
// 203.0.113.1 and 2001:db8:ffff::1. The host prefers up1 for everything.
type uplinks struct{ host, r1, r2 *node }

const (
	far4 = "203.0.113.1"
	far6 = "2001:db8:ffff::1"
)

func newUplinks(t testing.TB) *uplinks {
	needRig(t)
	u := &uplinks{newNode(t), newNode(t), newNode(t)}
	veth(u.host, "up1", u.r1, "dn")
	veth(u.host, "up2", u.r2, "dn")
	return u
}

// distinct numbers the two links differently and gives both a default route.
func distinct(t testing.TB) *uplinks {
	u := newUplinks(t)
	u.host.addr("up1", "10.1.0.2/24", "2001:db8:1::2/64")
	u.host.addr("up2", "10.2.0.2/24", "2001:db8:2::2/64")
	u.r1.addr("dn", "10.1.0.1/24", "2001:db8:1::1/64")
	u.r2.addr("dn", "10.2.0.1/24", "2001:db8:2::1/64")
	for name, r := range map[string]*node{"r1": u.r1, "r2": u.r2} {
		r.addr("lo", far4+"/32", far6+"/128")
		r.serve(name, far4, far6)
	}
	u.r2.serve("r2", "10.2.0.1", "2001:db8:2::1")
	u.host.route("0.0.0.0/0", "10.1.0.1", "up1", metric(100))
	u.host.route("0.0.0.0/0", "10.2.0.1", "up2", metric(200))
	u.host.route("::/0", "2001:db8:1::1", "up1", metric(100))
	u.host.route("::/0", "2001:db8:2::1", "up2", metric(200))
	return u
}

// domain2 is the domain of up2 in distinct.
func domain2(index int) Domain {
	return Domain{Name: "up2", Interface: index,
		Addresses: addresses("10.2.0.2/24 2001:db8:2::2/64"),
		Routers:   []netip.Addr{netip.MustParseAddr("10.2.0.1"), netip.MustParseAddr("2001:db8:2::1")}}
}

var reachable = []struct{ network, to, from string }{
	{"tcp", far4 + ":80", "10.2.0.2"},
	{"tcp4", far4 + ":80", "10.2.0.2"},
	{"udp", far4 + ":80", "10.2.0.2"},
	{"udp4", far4 + ":80", "10.2.0.2"},
	{"tcp", "[" + far6 + "]:80", "2001:db8:2::2"},
	{"tcp6", "[" + far6 + "]:80", "2001:db8:2::2"},
	{"udp", "[" + far6 + "]:80", "2001:db8:2::2"},
	{"tcp", "[::ffff:" + far4 + "]:80", "10.2.0.2"},
	{"tcp", "10.2.0.1:80", "10.2.0.2"},
	{"udp", "10.2.0.1:80", "10.2.0.2"},
	{"tcp", "[2001:db8:2::1]:80", "2001:db8:2::2"},
}

// reach dials everything reachable, with and without a source given.
func reach(t *testing.T, d *Dialer) {
	for _, c := range reachable {
		conn, err := d.DialContext(context.Background(), c.network, c.to)
		wantServer(t, c.network+" "+c.to, conn, err, c.from)
		conn, err = d.DialFrom(context.Background(), c.network, netip.MustParseAddr(c.from), netip.MustParseAddrPort(c.to))
		wantServer(t, c.network+" "+c.to+" from "+c.from, conn, err, c.from)
	}
}

func wantServer(t *testing.T, what string, conn net.Conn, err error, from string) {
	t.Helper()
	if err != nil {
		t.Errorf("%s: %v", what, err)
		return
	}
	defer conn.Close()
	if name, err := whoIsThere(conn); name != "r2" || err != nil {
		t.Errorf("%s: reached %q, %v; want r2", what, name, err)
	}
	if host, _, _ := net.SplitHostPort(conn.LocalAddr().String()); host != from {
		t.Errorf("%s: left from %s, want %s", what, host, from)
	}
}

func (u *uplinks) wantAllByUp2(t *testing.T, wrong, right *capture) {
	t.Helper()
	frames := right.frames()
	seen := wrong.frames()
	for _, c := range reachable {
		src, dst := netip.MustParseAddr(c.from), netip.MustParseAddrPort(c.to).Addr().Unmap()
		if len(sent(frames, src, dst)) == 0 {
			t.Errorf("%s %s: not on up2", c.network, c.to)
		}
		for _, f := range seen {
			if f.dst == dst || f.src == dst || f.src == src {
				t.Errorf("%s %s: up1 carried %v", c.network, c.to, f)
			}
		}
	}
}

func TestLeavesByTheRightLink(t *testing.T) {
	u := distinct(t)
	wrong, right := u.host.capture("up1"), u.host.capture("up2")
	d := fixed(domain2(u.host.index("up2")))
	u.host.do(func() { reach(t, d) })
	u.wantAllByUp2(t, wrong, right)
}

func TestLeavesByTheRightLinkFromAnotherNamespace(t *testing.T) {
	u := distinct(t)
	wrong, right := u.host.capture("up1"), u.host.capture("up2")
	d := fixed(domain2(u.host.index("up2")))
	d.NetNS = u.host.path()
	reach(t, d)
	u.wantAllByUp2(t, wrong, right)
	u.host.await("all threads back home", func() bool { return !anyThreadIn(t, u.host) })
	d.NetNS = "/proc/self/fd/no-such"
	conn, err := d.DialContext(context.Background(), "tcp", far4+":80")
	checkError(t, "no such namespace", conn, err, os.ErrNotExist)
}

// anyThreadIn tells whether a thread of this process is in the node's namespace.
func anyThreadIn(t *testing.T, n *node) bool {
	there, err := os.Stat(n.path())
	n.must(err)
	tasks, err := os.ReadDir("/proc/self/task")
	n.must(err)
	for _, task := range tasks {
		at, err := os.Stat("/proc/self/task/" + task.Name() + "/ns/net")
		if err == nil && os.SameFile(at, there) {
			return true
		}
	}
	return false
}

// A child without any capability does the same, and is refused the same.
func TestUnprivileged(t *testing.T) {
	u := distinct(t)
	wrong, right := u.host.capture("up1"), u.host.capture("up2")
	var out []byte
	var err error
	u.host.do(func() { out, err = runWithoutCapabilities("^TestAsUnprivilegedChild$") })
	if err != nil || !strings.Contains(string(out), "--- PASS: TestAsUnprivilegedChild") {
		t.Fatalf("child: %v\n%s", err, out)
	}
	u.wantAllByUp2(t, wrong, right)
}

const childEnv = "CONNECT_TEST_CHILD"

// runWithoutCapabilities empties the bounding set of its thread, which must not be
// used again, so that exec gives root nothing.
func runWithoutCapabilities(test string) ([]byte, error) {
	for c := uintptr(0); c <= unix.CAP_LAST_CAP; c++ {
		if err := unix.Prctl(unix.PR_CAPBSET_DROP, c, 0, 0, 0); err != nil && !errors.Is(err, unix.EINVAL) {
			return nil, err
		}
	}
	cmd := exec.Command("/proc/self/exe", "-test.run", test, "-test.v")
	cmd.Env = append(os.Environ(), childEnv+"=1")
	return cmd.CombinedOutput()
}

func TestAsUnprivilegedChild(t *testing.T) {
	if os.Getenv(childEnv) == "" {
		t.Skip("run by TestUnprivileged")
	}
	status, err := os.ReadFile("/proc/self/status")
	if err != nil || !strings.Contains(string(status), "CapEff:\t0000000000000000") {
		t.Fatalf("not without capabilities: %v\n%s", err, status)
	}
	up2, err := net.InterfaceByName("up2")
	if err != nil {
		t.Fatal(err)
	}
	d := fixed(domain2(up2.Index))
	reach(t, d)
	ctx := context.Background()
	conn, err := d.DialContext(ctx, "tcp", far4+":81")
	checkError(t, "closed port", conn, err, syscall.ECONNREFUSED)
	conn, err = d.DialFrom(ctx, "tcp", netip.MustParseAddr("10.1.0.2"), netip.MustParseAddrPort(far4+":80"))
	checkError(t, "up1's address", conn, err, ErrForeignSource)
	e, err := d.Explain(netip.MustParseAddrPort(far4 + ":80"))
	if err != nil || e.Refusal != nil || e.NextHop.String() != "10.2.0.1" || e.InterfaceName != "up2" {
		t.Errorf("Explain: %+v, %v", e, err)
	}
}

// Both links are 192.168.1.0/24, with the same host and router addresses.
func TestOverlappingNetworks(t *testing.T) {
	u := newUplinks(t)
	u.host.addr("up1", "192.168.1.2/24")
	u.host.addr("up2", "192.168.1.2/24")
	for i, r := range []*node{u.r1, u.r2} {
		r.addr("dn", "192.168.1.1/24")
		r.serve([]string{"up1", "up2"}[i], "192.168.1.1")
	}
	src, dst := netip.MustParseAddr("192.168.1.2"), netip.MustParseAddr("192.168.1.1")
	for _, c := range []struct{ right, wrong string }{{"up1", "up2"}, {"up2", "up1"}} {
		for _, network := range []string{"tcp", "udp"} {
			t.Run(network+" by "+c.right, func(t *testing.T) {
				wrong, right := u.host.capture(c.wrong), u.host.capture(c.right)
				d := fixed(Domain{Name: c.right, Interface: u.host.index(c.right), Addresses: addresses("192.168.1.2/24")})
				d.NetNS = u.host.path()
				conn, err := d.Dial(context.Background(), network, netip.AddrPortFrom(dst, 80))
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close()
				if name, err := whoIsThere(conn); name != c.right || err != nil {
					t.Errorf("reached the server on %q, %v", name, err)
				}
				right.wantSome(src, dst)
				wrong.wantNone(src, dst)
			})
		}
	}
}

func TestDialUDP(t *testing.T) {
	u := distinct(t)
	d := fixed(domain2(u.host.index("up2")))
	d.NetNS = u.host.path()
	for to, from := range map[string]string{far4: "10.2.0.2", far6: "2001:db8:2::2"} {
		conn, err := d.DialUDP(context.Background(), netip.AddrPortFrom(netip.MustParseAddr(to), 80))
		wantServer(t, to, conn, err, from)
	}
	if conn, err := d.DialUDP(context.Background(), netip.AddrPort{}); conn != nil || !errors.Is(err, ErrBadDestination) {
		t.Errorf("to nowhere: %v, %v", conn, err)
	}
}

// Link-local addresses need their link, whatever the zone is called.
func TestLinkLocal(t *testing.T) {
	u := newUplinks(t)
	u.host.addr("up2", "fe80::2/64")
	u.r2.addr("dn", "fe80::1/64")
	ln := func() (l net.Listener) {
		var err error
		u.r2.do(func() { l, err = net.Listen("tcp", "[::]:80") })
		u.r2.must(err)
		return l
	}()
	defer ln.Close()
	i := u.host.index("up2")
	d := fixed(Domain{Name: "up2", Interface: i, Addresses: addresses("fe80::2/64")})
	d.NetNS = u.host.path()
	ctx := context.Background()
	for _, zone := range []string{"", "%up2", "%" + strconv.Itoa(i)} {
		conn, err := d.DialContext(ctx, "tcp", "[fe80::1"+zone+"]:80")
		if err != nil {
			t.Fatalf("zone %q: %v", zone, err)
		}
		conn.Close()
	}
	for _, zone := range []string{"%up1", "%" + strconv.Itoa(u.host.index("up1"))} {
		conn, err := d.DialContext(ctx, "tcp", "[fe80::1"+zone+"]:80")
		checkError(t, "zone "+zone, conn, err, ErrBadDestination)
	}
	conn, err := d.DialFrom(ctx, "tcp", netip.MustParseAddr("fe80::2%up2"), netip.MustParseAddrPort("[fe80::1]:80"))
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	conn, err = d.DialContext(ctx, "tcp", "["+far6+"]:80")
	checkError(t, "a link-local source for the world", conn, err, ErrNoSource)
}
