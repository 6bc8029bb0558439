package connect

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// oneLink is a host with one link to two routers, each with a prefix of its own of
// either family and both with the same far addresses. The host's default router is
// r1.
type oneLink struct {
	host, r1, r2 *node
	d1, d2       *Dialer
}

func newOneLink(t testing.TB) *oneLink {
	needRig(t)
	l := &oneLink{host: newNode(t), r1: newNode(t), r2: newNode(t)}
	hub := newNode(t)
	hub.must(hub.h.LinkAdd(&netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: "br"}}))
	hub.up("br")
	for name, n := range map[string]*node{"p0": l.host, "p1": l.r1, "p2": l.r2} {
		veth(n, "lan", hub, name)
		hub.must(hub.h.LinkSetMaster(hub.link(name), hub.link("br")))
	}
	l.host.addr("lan", "10.1.0.2/24", "10.2.0.2/24", "2001:db8:1::2/64", "2001:db8:2::2/64")
	for i, r := range []*node{l.r1, l.r2} {
		r.addr("lan", fmt.Sprintf("10.%d.0.1/24", i+1), fmt.Sprintf("2001:db8:%d::1/64", i+1))
		r.addr("lo", far4+"/32", far6+"/128")
		r.serve(fmt.Sprintf("r%d", i+1), far4, far6)
	}
	l.host.route("0.0.0.0/0", "10.1.0.1", "lan")
	l.host.route("::/0", "2001:db8:1::1", "lan")
	l.d1, l.d2 = l.dialer(1), l.dialer(2)
	return l
}

func (l *oneLink) dialer(i int) *Dialer {
	d := fixed(Domain{Name: fmt.Sprintf("lan/%d", i), Interface: l.host.index("lan"),
		Addresses: addresses(fmt.Sprintf("10.%d.0.2/24 2001:db8:%d::2/64", i, i)),
		Routers:   []netip.Addr{netip.MustParseAddr(fmt.Sprintf("10.%d.0.1", i)), netip.MustParseAddr(fmt.Sprintf("2001:db8:%d::1", i))}})
	d.NetNS = l.host.path()
	return d
}

func domainsOf(t testing.TB, dialers ...*Dialer) (all []Domain) {
	for _, d := range dialers {
		x, err := d.Domain()
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, x)
	}
	return all
}

// wantReached dials the far addresses and checks who answers, and from where.
func wantReached(t *testing.T, d *Dialer, name string) {
	t.Helper()
	domain := domainsOf(t, d)[0]
	for i, to := range []string{far4, far6} {
		for _, network := range []string{"tcp", "udp"} {
			conn, err := d.DialContext(context.Background(), network, net.JoinHostPort(to, "80"))
			if err != nil {
				t.Errorf("%s to %s: %v", domain.Name, to, err)
				continue
			}
			who, err := whoIsThere(conn)
			from := domain.Addresses[i].Prefix.Addr().String()
			if host, _, _ := net.SplitHostPort(conn.LocalAddr().String()); who != name || err != nil || host != from {
				t.Errorf("%s: %s to %s: reached %q from %s, %v; want %s from %s", domain.Name, network, to, who, host, err, name, from)
			}
			conn.Close()
		}
	}
}

func install(t testing.TB, netns string, domains ...Domain) *Installer {
	t.Helper()
	i, err := OpenInstaller(netns)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { i.Close() })
	if err := i.Install(domains); err != nil {
		t.Fatal(err)
	}
	return i
}

// state is all rules and routes of a host, as text.
func (n *node) state() (all []string) {
	n.t.Helper()
	for _, family := range []int{netlink.FAMILY_V4, netlink.FAMILY_V6} {
		rules, err := n.h.RuleList(family)
		n.must(err)
		for _, r := range rules {
			all = append(all, fmt.Sprintf("%+v", r))
		}
		routes, err := n.h.RouteListFiltered(family, &netlink.Route{Table: unix.RT_TABLE_UNSPEC}, netlink.RT_FILTER_TABLE)
		n.must(err)
		for _, r := range routes {
			all = append(all, r.String())
		}
	}
	slices.Sort(all)
	return all
}

// ours are the rules and routes with our protocol number, counted.
func (n *node) ours() (rules, routes int) {
	n.t.Helper()
	for _, family := range []int{netlink.FAMILY_V4, netlink.FAMILY_V6} {
		rs, err := n.h.RuleList(family)
		n.must(err)
		for _, r := range rs {
			if r.Protocol == InstallerProtocol {
				rules++
			}
		}
		ts, err := n.h.RouteListFiltered(family, &netlink.Route{Protocol: InstallerProtocol}, netlink.RT_FILTER_PROTOCOL|netlink.RT_FILTER_TABLE)
		n.must(err)
		routes += len(ts)
	}
	return rules, routes
}

func (n *node) wantState(when string, want []string) {
	n.t.Helper()
	if got := n.state(); !slices.Equal(got, want) {
		n.t.Errorf("%s: the host's rules and routes differ:\n%s\nwant\n%s", when, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// Two domains on one link: without routes by source the second is refused, with them
// each uses its own router and nobody else's, and it is undone without a trace.
func TestInstallerTwoRoutersOnOneLink(t *testing.T) {
	l := newOneLink(t)
	before := l.host.state()
	for _, to := range []string{far4, far6} {
		conn, err := l.d2.DialContext(context.Background(), "tcp", net.JoinHostPort(to, "80"))
		checkError(t, to, conn, err, ErrForeignNextHop)
	}
	wantReached(t, l.d1, "r1")
	i := install(t, l.host.path(), domainsOf(t, l.d1, l.d2)...)
	at1, at2 := l.r1.capture("lan"), l.r2.capture("lan")
	wantReached(t, l.d1, "r1")
	wantReached(t, l.d2, "r2")
	f1, f2 := at1.frames(), at2.frames()
	for n, own := range [][2][]frame{{f1, f2}, {f2, f1}} {
		for _, pair := range [][2]string{{fmt.Sprintf("10.%d.0.2", n+1), far4}, {fmt.Sprintf("2001:db8:%d::2", n+1), far6}} {
			src, dst := netip.MustParseAddr(pair[0]), netip.MustParseAddr(pair[1])
			if len(sent(own[0], src, dst)) == 0 || len(sent(own[1], src, dst)) > 0 {
				t.Errorf("%v to %v: %d packets at its own router, %d at the other", src, dst, len(sent(own[0], src, dst)), len(sent(own[1], src, dst)))
			}
		}
	}
	u := &uplinks{host: l.host}
	if name := u.plainDial(t, far4); name != "r1" {
		t.Errorf("what is not bound to the link reaches %q", name)
	}
	l.host.must(i.Close())
	l.host.must(i.Close())
	l.host.wantState("after Close", before)
	if err := i.Install(nil); err == nil {
		t.Error("a closed Installer installs")
	}
}

// plainDial connects as any other program of the host and tells who answered.
func (u *uplinks) plainDial(t *testing.T, to string) (name string) {
	t.Helper()
	u.host.do(func() {
		conn, err := net.DialTimeout("tcp", net.JoinHostPort(to, "80"), safetyNet)
		if err == nil {
			name, err = whoIsThere(conn)
			conn.Close()
		}
		if err != nil {
			t.Errorf("plain dial to %s: %v", to, err)
		}
	})
	return name
}

// On the link, packets go to the neighbour, not by way of the router.
func TestInstallerKeepsTheLink(t *testing.T) {
	l := newOneLink(t)
	l.r1.addr("lan", "10.2.0.9/24", "2001:db8:2::9/64")
	l.r1.serve("r1", "10.2.0.9", "2001:db8:2::9")
	l.host.route("198.51.100.0/24", "10.2.0.1", "lan") // of the second domain's router
	l.host.route("2001:db8:f0::/48", "2001:db8:1::1", "lan")
	install(t, l.host.path(), domainsOf(t, l.d1, l.d2)...)
	for to, hop := range map[string]string{"10.2.0.9:80": "invalid IP", "[2001:db8:2::9]:80": "invalid IP",
		"198.51.100.1:80": "10.2.0.1", "[2001:db8:f0::1]:80": "2001:db8:2::1"} {
		if e, err := l.d2.Explain(netip.MustParseAddrPort(to)); err != nil || e.Refusal != nil || e.NextHop.String() != hop {
			t.Errorf("%v, %v; want by %s", e, err, hop)
		}
	}
	conn, err := l.d2.DialContext(context.Background(), "tcp", "10.2.0.9:80")
	l.host.must(err)
	defer conn.Close()
	if who, err := whoIsThere(conn); who != "r1" || err != nil {
		t.Errorf("the neighbour is %q, %v", who, err)
	}
}

// Strict reverse path filters let the replies of both uplinks pass, and other
// programs go where they went.
func TestInstallerCuresReversePathFilter(t *testing.T) {
	u := distinct(t)
	u.host.sysctl("net/ipv4/conf/all/rp_filter", "1")
	u.host.addr("lo", "172.16.0.9/32")
	u.host.serve("host", "10.2.0.2")
	before := u.host.state()
	d1 := fixed(Domain{Name: "up1", Interface: u.host.index("up1"), Addresses: addresses("10.1.0.2/24 2001:db8:1::2/64"),
		Routers: []netip.Addr{netip.MustParseAddr("10.1.0.1"), netip.MustParseAddr("2001:db8:1::1")}})
	d2 := fixed(domain2(u.host.index("up2")))
	d1.NetNS, d2.NetNS = u.host.path(), u.host.path()
	u.wantRefused(t, d2, "tcp", far4+":80", ErrRepliesDropped)
	i := install(t, u.host.path(), domainsOf(t, d1, d2)...)
	wantReached(t, d1, "r1")
	wantReached(t, d2, "r2")
	if name := u.plainDial(t, far4); name != "r1" {
		t.Errorf("an unbound program reaches %q", name)
	}
	if err := u.knock(u.r1, netip.MustParseAddrPort("10.2.0.2:80")); err != nil {
		t.Errorf("the host's answers to its other network are lost: %v", err)
	}
	u.host.must(i.Close())
	u.host.wantState("after Close", before)
	u.wantRefused(t, d2, "tcp", far4+":80", ErrRepliesDropped)
}

// With the same addresses on both links only bound sockets can be told apart; those
// are.
func TestInstallerWithOverlap(t *testing.T) {
	u := newUplinks(t)
	u.host.addr("up1", "192.168.1.2/24")
	u.host.addr("up2", "192.168.1.2/24")
	var dialers []*Dialer
	for i, r := range []*node{u.r1, u.r2} {
		r.addr("dn", "192.168.1.1/24")
		r.addr("lo", far4+"/32")
		r.serve([]string{"up1", "up2"}[i], far4)
		name := []string{"up1", "up2"}[i]
		d := fixed(Domain{Name: name, Interface: u.host.index(name), Addresses: addresses("192.168.1.2/24"), Routers: []netip.Addr{netip.MustParseAddr("192.168.1.1")}})
		d.NetNS = u.host.path()
		dialers = append(dialers, d)
	}
	install(t, u.host.path(), domainsOf(t, dialers...)...)
	for i, d := range dialers {
		conn, err := d.DialContext(context.Background(), "tcp", far4+":80")
		if err != nil {
			t.Error(err)
			continue
		}
		if who, err := whoIsThere(conn); who != []string{"up1", "up2"}[i] || err != nil {
			t.Errorf("domain %d reached %q, %v", i, who, err)
		}
		conn.Close()
	}
}

// Install repeated changes nothing; after a change on the host or of the domains, it
// makes good just that.
func TestInstallerFollows(t *testing.T) {
	l := newOneLink(t)
	domains := domainsOf(t, l.d1, l.d2)
	i := install(t, l.host.path(), domains...)
	whole := l.host.state()
	heard := l.host.listen()
	l.host.must(i.Install(domains))
	if n := heard(); n != 0 {
		t.Errorf("Install repeated: %d changes", n)
	}
	l.host.down("lan") // the kernel forgets IPv4 routes silently, and IPv6 addresses
	l.host.up("lan")
	l.host.addr("lan", "2001:db8:1::2/64", "2001:db8:2::2/64")
	l.host.route("0.0.0.0/0", "10.1.0.1", "lan")
	l.host.route("::/0", "2001:db8:1::1", "lan")
	l.host.await("carrier", func() bool { return l.host.link("lan").Attrs().OperState == netlink.OperUp })
	l.host.must(i.Install(domains))
	l.host.await("state as before", func() bool { return slices.Equal(l.host.state(), whole) })
	wantReached(t, l.d2, "r2")
	heard()
	domains[1].Routers = domains[0].Routers
	l.host.must(i.Install(domains))
	if n := heard(); n != 4 {
		t.Errorf("other routers for one domain of two families: %d changes, want 4", n)
	}
	l.host.must(i.Install(domains[:1]))
	if rules, routes := l.host.ours(); rules != 2 || routes == 0 {
		t.Errorf("with one domain: %d rules, %d routes", rules, routes)
	}
	l.host.must(i.Install(nil))
	if rules, routes := l.host.ours(); rules+routes != 0 {
		t.Errorf("with none: %d rules, %d routes", rules, routes)
	}
}

// listen counts, at each call, what the kernel has told of rules and routes since the
// last one.
func (n *node) listen() func() int {
	n.t.Helper()
	var fd int
	var err error
	n.do(func() { fd, err = makeSocket(unix.AF_NETLINK, unix.SOCK_RAW, unix.NETLINK_ROUTE) })
	n.must(err)
	n.t.Cleanup(func() { unix.Close(fd) })
	n.must(unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}))
	for _, g := range []int{unix.RTNLGRP_IPV4_RULE, unix.RTNLGRP_IPV6_RULE, unix.RTNLGRP_IPV4_ROUTE, unix.RTNLGRP_IPV6_ROUTE} {
		n.must(unix.SetsockoptInt(fd, unix.SOL_NETLINK, unix.NETLINK_ADD_MEMBERSHIP, g))
	}
	return func() (count int) {
		for buf := make([]byte, 16384); ; count++ {
			if _, _, err := unix.Recvfrom(fd, buf, 0); err != nil {
				return count
			}
		}
	}
}

// A domain whose interface has gone is nobody's fault; one that cannot be routed is
// told, and does not stop the others.
func TestInstallerErrors(t *testing.T) {
	l := newOneLink(t)
	domains := domainsOf(t, l.d1, l.d2)
	domains[0].Interface = 9999
	i := install(t, l.host.path(), domains...)
	wantReached(t, l.d2, "r2")
	veth(l.host, "off", newNode(t), "off")
	l.host.down("off")
	domains[0] = Domain{Name: "off", Interface: l.host.index("off"), Addresses: addresses("10.9.0.2/24"), Routers: []netip.Addr{netip.MustParseAddr("10.9.0.1")}}
	if err := i.Install(domains); !errors.Is(err, unix.ENETDOWN) {
		t.Errorf("routes by a link that is down: %v", err)
	}
	wantReached(t, l.d2, "r2")
	if _, err := OpenInstaller("/proc/self/fd/no-such"); err == nil {
		t.Error("no such namespace, and no error")
	}
}
