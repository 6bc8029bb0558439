package connect

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// oneUplink has an on-link network and no default route.
func oneUplink(t testing.TB) (*uplinks, *Dialer) {
	u := newUplinks(t)
	u.host.addr("up1", "10.1.0.2/24", "2001:db8:1::2/64")
	u.host.addr("up2", "10.2.0.2/24", "2001:db8:2::2/64")
	u.r2.addr("dn", "10.2.0.1/24", "2001:db8:2::1/64")
	d := fixed(Domain{Name: "up2", Interface: u.host.index("up2"), Addresses: addresses("10.2.0.2/24 2001:db8:2::2/64")})
	d.NetNS = u.host.path()
	return u, d
}

func (u *uplinks) wantRefused(t *testing.T, d *Dialer, network, to string, want ...error) {
	t.Helper()
	c1, c2 := u.host.capture("up1"), u.host.capture("up2")
	conn, err := d.DialContext(context.Background(), network, to)
	for _, w := range want {
		checkError(t, network+" to "+to, conn, err, w)
	}
	dst := netip.MustParseAddrPort(to).Addr()
	for _, c := range []*capture{c1, c2} {
		for _, f := range c.frames() {
			if f.dst == dst {
				t.Errorf("%s to %s: %s carried %v", network, to, c.f.Name(), f)
			}
		}
	}
}

// Without a route by the interface nothing is sent, not even ARP, whether the host
// has a route elsewhere or none at all.
func TestNoRoute(t *testing.T) {
	u, d := oneUplink(t)
	all := func(when string) {
		t.Run(when, func(t *testing.T) {
			for _, network := range []string{"tcp", "udp"} {
				u.wantRefused(t, d, network, far4+":80", ErrNoRoute, syscall.ENETUNREACH)
				u.wantRefused(t, d, network, "["+far6+"]:80", ErrNoRoute, syscall.ENETUNREACH)
			}
			u.wantRefused(t, d, "tcp", "10.1.0.7:80", ErrNoRoute)
			u.wantRefused(t, d, "tcp", "[2001:db8:1::7]:80", ErrNoRoute)
			u.wantRefused(t, d, "tcp", "127.0.0.1:80", ErrBadDestination)
			u.wantRefused(t, d, "tcp", "[::1]:80", ErrBadDestination)
		})
	}
	all("nowhere")
	u.host.route("0.0.0.0/0", "10.1.0.1", "up1")
	u.host.route("::/0", "2001:db8:1::1", "up1")
	all("by the other uplink")
}

// An on-link route makes a destination outside of every prefix on-link indeed.
func TestOnLinkRoute(t *testing.T) {
	u, d := oneUplink(t)
	u.r2.addr("lo", "172.16.0.9/32")
	u.r2.serve("r2", "172.16.0.9")
	u.host.route("172.16.0.0/16", "", "up2", scopeLinkRoute)
	conn, err := d.DialContext(context.Background(), "tcp", "172.16.0.9:80")
	wantServer(t, "on-link route", conn, err, "10.2.0.2")
}

func TestRejectingRoutes(t *testing.T) {
	u, d := oneUplink(t)
	u.host.route("0.0.0.0/0", "10.2.0.1", "up2")
	u.host.route("::/0", "2001:db8:2::1", "up2")
	for _, c := range []struct {
		kind   int
		p4, p6 string
		errno  syscall.Errno
	}{
		{unix.RTN_UNREACHABLE, "198.51.100", "2001:db8:f0", syscall.EHOSTUNREACH},
		{unix.RTN_BLACKHOLE, "198.51.101", "2001:db8:f1", syscall.EINVAL},
		{unix.RTN_PROHIBIT, "198.51.102", "2001:db8:f2", syscall.EACCES},
	} {
		u.host.route(c.p4+".0/24", "", "", kind(c.kind))
		u.host.route(c.p6+"::/48", "", "", kind(c.kind))
		for _, network := range []string{"tcp", "udp"} {
			u.wantRefused(t, d, network, c.p4+".1:80", ErrNoRoute, c.errno)
			u.wantRefused(t, d, network, "["+c.p6+"::1]:80", ErrNoRoute, c.errno)
		}
	}
}

func TestNoCarrierAndDown(t *testing.T) {
	u, d := oneUplink(t)
	u.host.route("0.0.0.0/0", "10.2.0.1", "up2")
	u.host.route("::/0", "2001:db8:2::1", "up2")
	try := func(when string, want ...error) {
		t.Helper()
		for _, to := range []string{far4 + ":80", "10.2.0.1:80", "[" + far6 + "]:80", "[2001:db8:2::1]:80"} {
			conn, err := d.DialContext(context.Background(), "tcp", to)
			for _, w := range want {
				checkError(t, when+": "+to, conn, err, w)
			}
		}
	}
	u.r2.down("dn")
	u.host.await("carrier lost", func() bool { return u.host.link("up2").Attrs().OperState != netlink.OperUp })
	try("no carrier", ErrNoRoute, syscall.ENETDOWN)
	u.host.down("up2")
	try("down", ErrNoRoute, syscall.ENETUNREACH)
	u.host.must(u.host.h.LinkDel(u.host.link("up2")))
	try("gone", ErrNoRoute)
}

// A source that has gone from the host is named as such, and the next one is taken.
func TestSourceGone(t *testing.T) {
	u, d := oneUplink(t)
	u.r2.serve("r2", "10.2.0.1", "2001:db8:2::1")
	with := func(as string) {
		domain, _ := d.Domain()
		domain.Addresses = addresses(as)
		d = fixed(domain)
		d.NetNS = u.host.path()
	}
	for _, c := range []struct{ gone, also, to, from string }{
		{"10.2.0.7/24", "10.2.0.2/24", "10.2.0.1:80", "10.2.0.2"},
		{"2001:db8:2::7/64", "2001:db8:2::2/64", "[2001:db8:2::1]:80", "2001:db8:2::2"},
	} {
		for _, network := range []string{"tcp", "udp"} {
			with(c.gone)
			u.wantRefused(t, d, network, c.to, ErrNoSource, syscall.EADDRNOTAVAIL)
			with(c.gone + " " + c.also)
			conn, err := d.DialContext(context.Background(), network, c.to)
			wantServer(t, "next source", conn, err, c.from)
		}
	}
}

// An address in duplicate address detection cannot be bound: an error, not a wait.
func TestTentativeOnTheHost(t *testing.T) {
	u, d := oneUplink(t)
	for _, scope := range []string{"all", "up2"} {
		u.host.sysctl("net/ipv6/conf/"+scope+"/accept_dad", "1")
	}
	u.host.sysctl("net/ipv6/conf/up2/dad_transmits", "1000")
	u.host.must(u.host.h.AddrAdd(u.host.link("up2"), ipAddr("2001:db8:2::9/64")))
	domain, _ := d.Domain()
	domain.Addresses = addresses("2001:db8:2::9/64")
	d = fixed(domain)
	d.NetNS = u.host.path()
	u.wantRefused(t, d, "tcp", "[2001:db8:2::1]:80", ErrNoSource, syscall.EADDRNOTAVAIL)
	if _, err := d.Listen(context.Background(), "tcp", ":0"); !errors.Is(err, ErrNoSource) || !errors.Is(err, syscall.EADDRNOTAVAIL) {
		t.Errorf("Listen at a tentative address: %v", err)
	}
}

func TestConnectionRefused(t *testing.T) {
	u := distinct(t)
	d := fixed(domain2(u.host.index("up2")))
	d.NetNS = u.host.path()
	for _, to := range []string{far4 + ":81", "[" + far6 + "]:81"} {
		conn, err := d.DialContext(context.Background(), "tcp", to)
		checkError(t, to, conn, err, syscall.ECONNREFUSED)
		var e *Error
		if errors.As(err, &e) && (e.Timeout() || !e.Source.IsValid() || e.Domain != "up2" || !strings.Contains(e.Error(), "refused")) {
			t.Errorf("%s: %+v", to, e)
		}
	}
}

func TestForeignSourceSendsNothing(t *testing.T) {
	u := distinct(t)
	d := fixed(domain2(u.host.index("up2")))
	d.NetNS = u.host.path()
	c1, c2 := u.host.capture("up1"), u.host.capture("up2")
	from, to := netip.MustParseAddr("10.1.0.2"), netip.MustParseAddrPort(far4+":80")
	conn, err := d.DialFrom(context.Background(), "tcp", from, to)
	checkError(t, "up1's address", conn, err, ErrForeignSource)
	c1.wantNone(from, to.Addr())
	c2.wantNone(from, to.Addr())
}

// Two routers on one link: the kernel's choice is not the domain's.
func TestForeignNextHop(t *testing.T) {
	u, d := oneUplink(t)
	u.host.addr("up2", "10.3.0.2/24", "2001:db8:3::2/64")
	u.host.route("0.0.0.0/0", "10.2.0.1", "up2")
	u.host.route("::/0", "2001:db8:2::1", "up2")
	domain, _ := d.Domain()
	domain.Addresses = addresses("10.3.0.2/24 2001:db8:3::2/64")
	domain.Routers = []netip.Addr{netip.MustParseAddr("10.3.0.1"), netip.MustParseAddr("2001:db8:3::1")}
	d = fixed(domain)
	d.NetNS = u.host.path()
	for _, network := range []string{"tcp", "udp"} {
		u.wantRefused(t, d, network, far4+":80", ErrForeignNextHop)
		u.wantRefused(t, d, network, "["+far6+"]:80", ErrForeignNextHop)
	}
	_, err := d.DialContext(context.Background(), "tcp", far4+":80")
	if err == nil || !strings.Contains(err.Error(), "10.2.0.1") || !strings.Contains(err.Error(), "10.3.0.1") {
		t.Errorf("both routers should be named: %v", err)
	}
}

// Source-specific routes put the next hop right, in a table of their own.
func TestOwnNextHopBySourceRule(t *testing.T) {
	u, d := oneUplink(t)
	u.r2.addr("lo", far4+"/32", far6+"/128")
	u.r2.addr("dn", "10.3.0.1/24", "2001:db8:3::1/64")
	u.r2.serve("r2", far4, far6)
	u.host.addr("up2", "10.3.0.2/24", "2001:db8:3::2/64")
	u.host.route("0.0.0.0/0", "10.2.0.1", "up2")
	u.host.route("::/0", "2001:db8:2::1", "up2")
	u.host.route("0.0.0.0/0", "10.3.0.1", "up2", table(77))
	u.host.route("::/0", "2001:db8:3::1", "up2", table(77))
	u.host.ruleFrom("10.3.0.0/24", 77)
	u.host.ruleFrom("2001:db8:3::/64", 77)
	domain, _ := d.Domain()
	domain.Addresses = addresses("10.3.0.2/24 2001:db8:3::2/64")
	domain.Routers = []netip.Addr{netip.MustParseAddr("10.3.0.1"), netip.MustParseAddr("2001:db8:3::1")}
	d = fixed(domain)
	d.NetNS = u.host.path()
	for to, from := range map[string]string{far4 + ":80": "10.3.0.2", "[" + far6 + "]:80": "2001:db8:3::2"} {
		conn, err := d.DialContext(context.Background(), "tcp", to)
		wantServer(t, to, conn, err, from)
	}
}

// Of several next hops the one on the domain's interface counts.
func TestMultipathRoute(t *testing.T) {
	u := distinct(t)
	d := fixed(domain2(u.host.index("up2")))
	d.NetNS = u.host.path()
	for prefix, via := range map[string][2]string{
		"203.0.113.0/24":     {"10.1.0.1", "10.2.0.1"},
		"2001:db8:ffff::/48": {"2001:db8:1::1", "2001:db8:2::1"},
	} {
		u.host.must(u.host.h.RouteAdd(&netlink.Route{Dst: ipNet(netip.MustParsePrefix(prefix)), MultiPath: []*netlink.NexthopInfo{
			{LinkIndex: u.host.index("up1"), Gw: netip.MustParseAddr(via[0]).AsSlice()},
			{LinkIndex: u.host.index("up2"), Gw: netip.MustParseAddr(via[1]).AsSlice()},
		}}))
	}
	for to, want := range map[string]string{far4 + ":80": "10.2.0.1", "[" + far6 + "]:80": "2001:db8:2::1"} {
		e, err := d.Explain(netip.MustParseAddrPort(to))
		if err != nil || e.Refusal != nil || e.NextHop.String() != want {
			t.Errorf("%s: %v, %v; want %s", to, e, err, want)
		}
	}
	u.host.do(func() { reach(t, d) })
}

// The interface's own addresses are this host; those of its other interfaces are,
// in this domain, somewhere beyond the router.
func TestOwnAddresses(t *testing.T) {
	u := distinct(t)
	d := fixed(domain2(u.host.index("up2")))
	d.NetNS = u.host.path()
	u.host.serve("r2", "10.2.0.2", "2001:db8:2::2")
	for to, from := range map[string]string{"10.2.0.2:80": "10.2.0.2", "[2001:db8:2::2]:80": "2001:db8:2::2"} {
		for _, network := range []string{"tcp", "udp"} {
			conn, err := d.DialContext(context.Background(), network, to)
			wantServer(t, network+" "+to, conn, err, from)
		}
	}
	right := u.host.capture("up2")
	for to, from := range map[string]string{"10.1.0.2:80": "10.2.0.2", "[2001:db8:1::2]:80": "2001:db8:2::2"} {
		conn, err := d.DialContext(context.Background(), "udp", to)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Write([]byte("x")); err != nil {
			t.Error(err)
		}
		conn.Close()
		right.wantSome(netip.MustParseAddr(from), netip.MustParseAddrPort(to).Addr())
	}
	conn, err := d.DialContext(context.Background(), "tcp", "10.2.0.255:80")
	checkError(t, "TCP broadcast", conn, err, ErrBadDestination)
}

// Multicast and broadcast by UDP go to the domain's link.
func TestMulticastByUDP(t *testing.T) {
	u := distinct(t)
	d := fixed(domain2(u.host.index("up2")))
	d.NetNS = u.host.path()
	for to, from := range map[string]string{"224.0.0.251:5353": "10.2.0.2", "239.1.1.1:9": "10.2.0.2",
		"255.255.255.255:9": "10.2.0.2", "10.2.0.255:9": "10.2.0.2", "[ff0e::9]:9": "2001:db8:2::2"} {
		wrong, right := u.host.capture("up1"), u.host.capture("up2")
		conn, err := d.DialContext(context.Background(), "udp", to)
		if err != nil {
			t.Errorf("%s: %v", to, err)
			continue
		}
		if _, err := conn.Write([]byte("x")); err != nil {
			t.Errorf("%s: %v", to, err)
		}
		right.wantSome(netip.MustParseAddr(from), netip.MustParseAddrPort(to).Addr())
		wrong.wantNone(netip.MustParseAddr(from), netip.MustParseAddrPort(to).Addr())
		conn.Close()
	}
}

// A router that rejects one prefix of the domain may take the other.
func TestNextSourceAfterUnreachable(t *testing.T) {
	u, d := oneUplink(t)
	const target = "2001:db8:2:8000::1" // nearer to the first source by rule 8
	u.host.addr("up2", "2001:db8:3::2/64")
	u.host.route("::/0", "2001:db8:2::1", "up2")
	u.r2.addr("dn", "2001:db8:3::1/64")
	u.r2.addr("lo", target+"/128")
	u.r2.serve("r2", target)
	u.r2.sysctl("net/ipv6/conf/all/forwarding", "1")
	u.r2.route("::/0", "", "", kind(unix.RTN_PROHIBIT), table(66))
	u.r2.rule("2001:db8:2::/64", 66, 1)
	r := netlink.NewRule() // what is for the router itself is looked up after the reject
	r.Family, r.Table, r.Priority = unix.AF_INET6, unix.RT_TABLE_LOCAL, 100
	u.r2.must(u.r2.h.RuleAdd(r))
	local := netlink.NewRule()
	local.Family, local.Table, local.Priority = unix.AF_INET6, unix.RT_TABLE_LOCAL, 0
	u.r2.must(u.r2.h.RuleDel(local))
	domain, _ := d.Domain()
	domain.Addresses = addresses("2001:db8:3::2/64 2001:db8:2::2/64")
	d = fixed(domain)
	d.NetNS = u.host.path()
	right := u.host.capture("up2")
	conn, err := d.DialContext(context.Background(), "tcp", "["+target+"]:80")
	wantServer(t, "second prefix", conn, err, "2001:db8:3::2")
	right.wantSome(netip.MustParseAddr("2001:db8:2::2"), netip.MustParseAddr(target))
	domain.Addresses = addresses("2001:db8:2::2/64")
	var c net.Conn
	c, err = d.DialFrom(context.Background(), "tcp", netip.MustParseAddr("2001:db8:2::2"), netip.MustParseAddrPort("["+target+"]:80"))
	checkError(t, "that source alone", c, err, syscall.EACCES)
}
