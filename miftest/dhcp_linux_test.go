package miftest_test

import (
	"errors"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-mif/mif/miftest"
	"github.com/vishvananda/netlink"
)

func dhcpRouter(t *testing.T, n *miftest.Net, ifname string, d *miftest.DHCP) *miftest.Router {
	t.Helper()
	return n.Router(t, miftest.RouterConfig{Interface: ifname, IPv4: netip.MustParsePrefix("192.168.1.1/24"), DHCP: d})
}

func TestDHCP(t *testing.T) {
	t.Parallel()
	n := miftest.New(t)
	given := &miftest.DHCP{
		LeaseTime: 10 * time.Minute, DNS: []netip.Addr{netip.MustParseAddr("192.168.1.53"), netip.MustParseAddr("192.168.1.54")},
		DomainName: "example.com", Search: []string{"corp.example.com", "example.net"}, NTP: []netip.Addr{netip.MustParseAddr("192.168.1.123")},
		MTU: 1400, CaptivePortal: "https://portal.example.com/", Extra: map[uint8][]byte{224: {1, 2, 3}},
	}
	dhcpRouter(t, n, "eth0", given)
	l, err := n.Host().DHCPClient("eth0")
	must(t, err)
	if l.Address != netip.MustParsePrefix("192.168.1.2/24") || l.Server != netip.MustParseAddr("192.168.1.1") || l.Duration != given.LeaseTime {
		t.Errorf("lease %v by %v for %v", l.Address, l.Server, l.Duration)
	}
	if !slices.Equal(l.DNS, given.DNS) || !slices.Equal(l.NTP, given.NTP) || !slices.Equal(l.Search, given.Search) || l.DomainName != given.DomainName {
		t.Errorf("lease %+v, want %+v", l, given)
	}
	if string(l.Options[114]) != given.CaptivePortal || !slices.Equal(l.Options[224], []byte{1, 2, 3}) || !slices.Equal(l.Options[26], []byte{5, 120}) {
		t.Errorf("options %v", l.Options)
	}
	a, ok := address(t, n.Host(), "eth0", l.Address.Addr())
	if !ok || a.ValidLft > 600 || a.ValidLft < 500 || a.PreferedLft != a.ValidLft {
		t.Errorf("address %+v, want lifetimes of ten minutes", a)
	}
	routes := defaults(t, n.Host(), netlink.FAMILY_V4)
	if len(routes) != 1 || routes[0].Gw.String() != "192.168.1.1" || routes[0].Protocol != 16 || routes[0].Priority <= 100 {
		t.Errorf("default routes %v, want one by 192.168.1.1, proto dhcp", routes)
	}
}

func TestDHCPRenew(t *testing.T) {
	t.Parallel()
	n := miftest.New(t)
	r := dhcpRouter(t, n, "eth0", &miftest.DHCP{})
	l, err := n.Host().DHCPClient("eth0")
	must(t, err)
	must(t, n.Host().SetLifetimes("eth0", l.Address, 5*time.Second, 5*time.Second))
	must(t, l.Renew())
	if a, _ := address(t, n.Host(), "eth0", l.Address.Addr()); a.ValidLft < 3500 {
		t.Errorf("renewed for %d s, want an hour", a.ValidLft)
	}
	old := l.Address.Addr()
	must(t, r.SetDHCP(&miftest.DHCP{First: netip.MustParseAddr("192.168.1.50")}))
	if l.Renew() == nil {
		t.Error("renewed an address that is given no more")
	}
	if _, ok := address(t, n.Host(), "eth0", old); ok || len(defaults(t, n.Host(), netlink.FAMILY_V4)) != 0 {
		t.Error("a refused lease is still configured")
	}
	l, err = n.Host().DHCPClient("eth0")
	must(t, err)
	if l.Address.Addr() != netip.MustParseAddr("192.168.1.50") {
		t.Errorf("new lease %v", l.Address)
	}
	must(t, l.Release())
	if got := addrs(t, n.Host(), "eth0"); slices.ContainsFunc(got, func(a netlink.Addr) bool { return a.IP.To4() != nil }) {
		t.Errorf("after release: %v", got)
	}
}

// The lease is left for others as dhclient leaves it, as long as it is one.
func TestLeaseFile(t *testing.T) {
	t.Parallel()
	n := miftest.New(t)
	dns := netip.MustParseAddr("192.168.1.53")
	dhcpRouter(t, n, "eth0", &miftest.DHCP{DNS: []netip.Addr{dns}, Search: []string{"a.example", "b.example"}})
	l, err := n.Host().DHCPClient("eth0")
	must(t, err)
	file := filepath.Join(n.Host().Root(), "var/lib/dhcp/dhclient.eth0.leases")
	b, err := os.ReadFile(file)
	must(t, err)
	for _, line := range []string{
		`interface "eth0";`, "fixed-address 192.168.1.2;", "option routers 192.168.1.1;", "option domain-name-servers 192.168.1.53;",
		`option domain-search "a.example", "b.example";`, "option dhcp-lease-time 3600;",
	} {
		if !strings.Contains(string(b), line) {
			t.Errorf("no %q in\n%s", line, b)
		}
	}
	must(t, l.Release())
	if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("after release: %v", err)
	}
}

// Two links with the same numbers, each with a default route of its own.
func TestDHCPOverlap(t *testing.T) {
	t.Parallel()
	n := miftest.New(t)
	for _, ifname := range []string{"eth0", "wlan0"} {
		r := dhcpRouter(t, n, ifname, nil)
		must(t, r.SetDHCP(&miftest.DHCP{}))
		l, err := n.Host().DHCPClient(ifname)
		must(t, err)
		s, err := r.ServeLine(netip.MustParseAddrPort("192.168.1.1:80"), ifname, 0)
		must(t, err)
		if got := (bound{n.Host(), ifname, l.Address.Addr()}).read(t, s.Addr()); got != ifname+"\n" {
			t.Errorf("%s reached %q", ifname, got)
		}
	}
	routes := defaults(t, n.Host(), netlink.FAMILY_V4)
	if len(routes) != 2 || routes[0].Priority == routes[1].Priority {
		t.Errorf("default routes %v, want two with two metrics", routes)
	}
}

func TestDHCPNoRouters(t *testing.T) {
	t.Parallel()
	n := miftest.New(t)
	dhcpRouter(t, n, "eth0", &miftest.DHCP{Routers: []netip.Addr{}})
	l, err := n.Host().DHCPClient("eth0")
	must(t, err)
	if len(l.Routers) != 0 || len(defaults(t, n.Host(), netlink.FAMILY_V4)) != 0 {
		t.Errorf("routers %v of a server that gives none", l.Routers)
	}
	must(t, l.Release())
}
