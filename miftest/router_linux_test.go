package miftest_test

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/go-mif/mif/miftest"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

var (
	prefix1 = netip.MustParsePrefix("2001:db8:1::/64")
	prefix2 = netip.MustParsePrefix("2001:db8:2::/64")
)

func TestSLAAC(t *testing.T) {
	t.Parallel()
	n := miftest.New(t)
	r := n.Router(t, miftest.RouterConfig{Interface: "eth0", RA: miftest.NewRA(prefix1)})
	a, err := n.Host().AwaitSLAAC("eth0", prefix1)
	must(t, err)
	if want := netip.MustParseAddr("2001:db8:1::ff:fe00:1"); a != want {
		t.Errorf("address %v, want %v", a, want)
	}
	have, _ := address(t, n.Host(), "eth0", a)
	if have.ValidLft < 7000 || have.ValidLft > 7200 || have.PreferedLft > 3600 {
		t.Errorf("lifetimes %d and %d, want an hour and two", have.PreferedLft, have.ValidLft)
	}
	routes := defaults(t, n.Host(), netlink.FAMILY_V6)
	if len(routes) != 1 || !routes[0].Gw.Equal(r.LinkLocal().AsSlice()) {
		t.Errorf("default routes %v, want one by %v", routes, r.LinkLocal())
	}
}

// A host that sets its link up later solicits, and is answered.
func TestSolicitation(t *testing.T) {
	t.Parallel()
	n := miftest.New(t)
	r := n.Router(t, miftest.RouterConfig{Interface: "eth0", RA: miftest.NewRA(prefix1)})
	a, err := n.Host().AwaitSLAAC("eth0", prefix1)
	must(t, err)
	c, err := r.Capture()
	must(t, err)
	for range 5 {
		must(t, n.Host().SetDown("eth0"))
		if _, ok := address(t, n.Host(), "eth0", a); ok {
			t.Fatal("the address outlived its interface")
		}
		must(t, n.Host().SetUp("eth0"))
		_, err = n.Host().AwaitSLAAC("eth0", prefix1)
		must(t, err)
	}
	for name, icmpType := range map[string]uint8{"solicitation": 133, "advertisement": 134} {
		if _, err := c.Wait(10*time.Second, func(p miftest.Packet) bool { return p.Protocol == 58 && p.ICMPType == icmpType }); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The interval of an RA is kept without anybody asking.
func TestInterval(t *testing.T) {
	t.Parallel()
	n := miftest.New(t)
	ra := miftest.NewRA(prefix1)
	ra.Interval = time.Millisecond
	r := n.Router(t, miftest.RouterConfig{Interface: "eth0", RA: ra})
	c, err := r.Capture()
	must(t, err)
	eventually(t, "three advertisements", func() bool {
		return count(c, func(p miftest.Packet) bool { return p.FromRouter && p.ICMPType == 134 }) >= 3
	})
}

func TestRenumber(t *testing.T) {
	t.Parallel()
	n := miftest.New(t)
	r := n.Router(t, miftest.RouterConfig{Interface: "eth0", RA: miftest.NewRA(prefix1)})
	before, err := n.Host().AwaitSLAAC("eth0", prefix1)
	must(t, err)
	ra := miftest.NewRA(prefix2, prefix1)
	ra.Prefixes[1].Preferred, ra.Prefixes[1].Valid = 0, 0
	must(t, r.SetRA(ra))
	_, err = n.Host().AwaitSLAAC("eth0", prefix2)
	must(t, err)
	eventually(t, "the old address deprecated", func() bool {
		a, ok := address(t, n.Host(), "eth0", before)
		return ok && a.PreferedLft == 0 && a.Flags&unix.IFA_F_DEPRECATED != 0
	})
}

// What changes behind a pulled cable is told when it is asked for.
func TestRenumberUnplugged(t *testing.T) {
	t.Parallel()
	n := miftest.New(t)
	r := n.Router(t, miftest.RouterConfig{Interface: "eth0", RA: miftest.NewRA(prefix1)})
	_, err := n.Host().AwaitSLAAC("eth0", prefix1)
	must(t, err)
	must(t, r.CablePull())
	must(t, r.SetRA(miftest.NewRA(prefix2)))
	must(t, r.CablePlug())
	must(t, r.Advertise())
	a, err := n.Host().AwaitSLAAC("eth0", prefix2)
	must(t, err)
	s, err := r.ServeLine(netip.MustParseAddrPort("[2001:db8:2::80]:80"), "here", 0)
	must(t, err)
	if got := (bound{n.Host(), "eth0", a}).read(t, s.Addr()); got != "here\n" {
		t.Errorf("read %q", got)
	}
}

func TestWithdrawRouter(t *testing.T) {
	t.Parallel()
	n := miftest.New(t)
	ra := miftest.NewRA(prefix1)
	r := n.Router(t, miftest.RouterConfig{Interface: "eth0", RA: ra})
	_, err := n.Host().AwaitSLAAC("eth0", prefix1)
	must(t, err)
	last := *ra
	last.RouterLifetime = 0
	must(t, r.SetRA(&last))
	eventually(t, "no default router", func() bool { return len(defaults(t, n.Host(), netlink.FAMILY_V6)) == 0 })
	must(t, r.SetRA(nil))
	must(t, r.Advertise()) // says nothing, and that is no error
}

func TestTwoRoutersOnOneLink(t *testing.T) {
	t.Parallel()
	n := miftest.New(t)
	first := n.Router(t, miftest.RouterConfig{Interface: "eth0", RA: miftest.NewRA(prefix1), IPv4: netip.MustParsePrefix("192.168.1.1/24")})
	second := n.Router(t, miftest.RouterConfig{Interface: "eth0", RA: miftest.NewRA(prefix2), IPv4: netip.MustParsePrefix("192.168.1.2/24")})
	h := n.Host()
	a, err := h.AwaitSLAAC("eth0", prefix1)
	must(t, err)
	b, err := h.AwaitSLAAC("eth0", prefix2)
	must(t, err)
	must(t, h.AddAddress("eth0", netip.MustParsePrefix("192.168.1.9/24")))
	c := netip.MustParseAddr("192.168.1.9")
	hears, err := first.Capture()
	must(t, err)
	for i, x := range []struct {
		router *miftest.Router
		at     string
		from   netip.Addr
		line   string
	}{
		{first, "[2001:db8:1::80]:80", a, "first by IPv6"},
		{second, "[2001:db8:2::80]:80", b, "second by IPv6"},
		{first, "192.168.1.1:80", c, "first by IPv4"},
		{second, "192.168.1.2:80", c, "second by IPv4"},
	} {
		s, err := x.router.ServeLine(netip.MustParseAddrPort(x.at), x.line, 0)
		must(t, err)
		if got := (bound{h, "eth0", x.from}).read(t, s.Addr()); got != x.line+"\n" {
			t.Errorf("%d: read %q, want %q", i, got, x.line)
		}
	}
	for _, p := range hears.Packets() {
		if p.Protocol == 6 && (p.Involves(netip.MustParseAddr("192.168.1.2")) || p.Involves(b)) {
			t.Errorf("the first router saw the second's %v -> %v", p.Source, p.Destination)
		}
	}
	if routes := defaultGateways(defaults(t, h, netlink.FAMILY_V6)); len(routes) != 2 {
		t.Errorf("default routers %v, want two", routes)
	}
	// The cable is the link's, whichever router it is pulled by.
	must(t, second.CablePull())
	if carrier(t, h, "eth0") {
		t.Error("carrier without cable")
	}
	must(t, second.CablePlug())
	for _, at := range []string{"[2001:db8:1::80]:80", "[2001:db8:2::80]:80"} {
		(bound{h, "eth0", netip.IPv6Unspecified()}).read(t, netip.MustParseAddrPort(at))
	}
	// One router's death is not the other's.
	must(t, first.Die())
	must(t, second.Flap(1))
	if got := (bound{h, "eth0", c}).read(t, netip.MustParseAddrPort("192.168.1.2:80")); got != "second by IPv4\n" {
		t.Errorf("after the first router's death: %q", got)
	}
}

// defaultGateways takes multipath routes apart.
func defaultGateways(routes []netlink.Route) (gws []net.IP) {
	for _, r := range routes {
		if r.Gw != nil {
			gws = append(gws, r.Gw)
		}
		for _, hop := range r.MultiPath {
			gws = append(gws, hop.Gw)
		}
	}
	return gws
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	n := miftest.New(t)
	r := n.Router(t, miftest.RouterConfig{
		Interface: "eth0", RA: miftest.NewRA(prefix1), MAC: net.HardwareAddr{2, 9, 9, 9, 9, 9},
		Addresses: []netip.Prefix{netip.MustParsePrefix("2001:db8:ffff::/64")},
	})
	a, err := n.Host().AwaitSLAAC("eth0", prefix1)
	must(t, err)
	if want := netip.MustParseAddr("fe80::9:9ff:fe09:909"); r.LinkLocal() != want {
		t.Errorf("link-local address %v, want %v", r.LinkLocal(), want)
	}
	l, err := r.Listen(netip.MustParseAddrPort("[2001:db8:ffff::]:443"))
	must(t, err)
	got := make(chan net.Addr, 1)
	go func() {
		if c, err := l.Accept(); err == nil {
			got <- c.RemoteAddr()
			c.Close()
		}
	}()
	(bound{n.Host(), "eth0", a}).connect(t, "tcp", netip.MustParseAddrPort("[2001:db8:ffff::]:443")).Close()
	if from := (<-got).(*net.TCPAddr).AddrPort().Addr(); from != a {
		t.Errorf("connection from %v, want %v", from, a)
	}
}

func TestBadConfig(t *testing.T) {
	t.Parallel()
	n := miftest.New(t)
	for name, c := range map[string]miftest.RouterConfig{
		"no interface":      {},
		"long interface":    {Interface: "a-name-of-16-byte"},
		"short MAC":         {Interface: "eth0", MAC: net.HardwareAddr{2}},
		"IPv6 for IPv4":     {Interface: "eth0", IPv4: prefix1},
		"DHCP without IPv4": {Interface: "eth1", DHCP: &miftest.DHCP{}},
	} {
		if _, err := n.AddRouter(c); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
