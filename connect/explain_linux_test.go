package connect

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

func TestExplain(t *testing.T) {
	u := distinct(t)
	u.host.addr("up2", "2001:db8:22::2/64")
	u.host.route("198.51.100.0/24", "", "", kind(unix.RTN_PROHIBIT))
	domain := domain2(u.host.index("up2"))
	domain.Addresses = addresses("10.2.0.2/24 2001:db8:22::2/64,deprecated 2001:db8:2::2/64")
	d := fixed(domain)
	d.NetNS = u.host.path()
	for _, c := range []struct {
		to, source, hop string
		rule            int
		refusal         error
		says            []string
	}{
		{far4 + ":80", "10.2.0.2", "10.2.0.1", 0, nil, []string{"up2: to 203.0.113.1:80 by up2 (index ", " from 10.2.0.2 via 10.2.0.1"}},
		{"10.2.0.1:80", "10.2.0.2", "invalid IP", 0, nil, []string{"on the link"}},
		{"[" + far6 + "]:80", "2001:db8:2::2", "2001:db8:2::1", 3, nil, []string{"(rule 3) via 2001:db8:2::1"}},
		{"198.51.100.1:80", "10.2.0.2", "invalid IP", 0, ErrNoRoute, []string{"refused: no route in the domain: a prohibit route"}},
		{far4 + ":0", "invalid IP", "invalid IP", 0, ErrBadDestination, []string{"refused: bad destination: port 0"}},
	} {
		e, err := d.Explain(netip.MustParseAddrPort(c.to))
		if err != nil {
			t.Errorf("%s: %v", c.to, err)
			continue
		}
		if e.Source.String() != c.source || e.NextHop.String() != c.hop || e.Rule != c.rule || !errors.Is(e.Refusal, c.refusal) || len(e.Warnings) > 0 {
			t.Errorf("%s: %+v", c.to, e)
		}
		for _, s := range c.says {
			if !strings.Contains(e.String(), s) {
				t.Errorf("%s: %q lacks %q", c.to, e, s)
			}
		}
	}
}

func TestExplainSendsNothing(t *testing.T) {
	u := distinct(t)
	c := u.host.capture("up2")
	d := fixed(domain2(u.host.index("up2")))
	d.NetNS = u.host.path()
	if _, err := d.Explain(netip.MustParseAddrPort(far4 + ":80")); err != nil {
		t.Fatal(err)
	}
	c.wantNone(netip.MustParseAddr("10.2.0.2"), netip.MustParseAddr(far4))
}

func TestExplainWarnsOfTheDeprecated(t *testing.T) {
	u := distinct(t)
	domain := domain2(u.host.index("up2"))
	domain.Addresses, domain.Routers = addresses("10.2.0.2/24,deprecated"), nil
	d := fixed(domain)
	d.NetNS = u.host.path()
	e, err := d.Explain(netip.MustParseAddrPort(far4 + ":80"))
	if err != nil || len(e.Warnings) != 2 || !strings.Contains(e.String(), "warning: the source is deprecated") {
		t.Errorf("%v, %v", e, err)
	}
}

// A router that has gone silent, and sources that cannot be used, are told; whole
// texts, as a person would read them.
func TestExplainInWords(t *testing.T) {
	u := distinct(t)
	u.host.addr("up2", "2001:db8:22::2/64")
	u.host.route("2001:db8:f7::/48", "2001:db8:2::66", "up2")
	domain := domain2(u.host.index("up2"))
	domain.Addresses = addresses("10.2.0.77/24 10.2.0.2/24 2001:db8:2::2/64 2001:db8:2::5/64,tentative")
	domain.Routers = append(domain.Routers, netip.MustParseAddr("2001:db8:2::66"))
	d := fixed(domain)
	d.NetNS = u.host.path()
	d.Timeout = 10 * time.Millisecond
	if conn, err := d.DialContext(context.Background(), "tcp", "[2001:db8:f7::1]:80"); err == nil {
		conn.Close()
		t.Fatal("somebody answers for the router")
	}
	for to, want := range map[string]string{
		far4 + ":80": "up2: to 203.0.113.1:80 by up2 (index N) from 10.2.0.2 via 10.2.0.1, the domain's router\n" +
			"  warning: 10.2.0.77 is passed over: no usable source address in the domain: 10.2.0.77 is gone: cannot assign requested address",
		"[2001:db8:f7::1]:80": "up2: to [2001:db8:f7::1]:80 by up2 (index N) from 2001:db8:2::2 via 2001:db8:2::66, the domain's router\n" +
			"  warning: 2001:db8:2::66 has not answered on the link of late\n" +
			"  warning: 2001:db8:2::5 is tentative: not used as yet",
		"[2001:db8:2::1]:80": "up2: to [2001:db8:2::1]:80 by up2 (index N) from 2001:db8:2::2 on the link\n" +
			"  warning: 2001:db8:2::5 is tentative: not used as yet",
		"192.0.2.1:0": "up2: to 192.0.2.1:0 by up2 (index N)\n  refused: bad destination: port 0",
	} {
		e, err := d.Explain(netip.MustParseAddrPort(to))
		got := strings.ReplaceAll(e.String(), fmt.Sprintf("(index %d)", e.Interface), "(index N)")
		if err != nil || got != want {
			t.Errorf("%v\n got %s\nwant %s", err, got, want)
		}
	}
}

// Strict reverse path filtering kills the replies on the link the host does not
// prefer, and only there. The dial is refused at once and nothing is sent.
func TestReversePathFilter(t *testing.T) {
	u := distinct(t)
	d := fixed(domain2(u.host.index("up2")))
	d.NetNS = u.host.path()
	to := netip.MustParseAddrPort(far4 + ":80")
	refused := func() bool {
		e, err := d.Explain(to)
		u.host.must(err)
		if e.Refusal != nil && !errors.Is(e.Refusal, ErrRepliesDropped) {
			t.Errorf("refused for another reason: %v", e)
		}
		return e.Refusal != nil && strings.Contains(e.String(), "rp_filter is strict")
	}
	for _, c := range []struct {
		all, own string
		want     bool
	}{{"0", "0", false}, {"1", "0", true}, {"0", "1", true}, {"2", "1", false}, {"1", "2", false}, {"1", "1", true}} {
		u.host.sysctl("net/ipv4/conf/all/rp_filter", c.all)
		u.host.sysctl("net/ipv4/conf/up2/rp_filter", c.own)
		if got := refused(); got != c.want {
			t.Errorf("rp_filter all=%s up2=%s: refused %v", c.all, c.own, got)
		}
	}
	u.wantRefused(t, d, "tcp", to.String(), ErrRepliesDropped)
	u.wantRefused(t, d, "udp", to.String(), ErrRepliesDropped)
	conn, err := d.DialContext(context.Background(), "tcp", "10.2.0.1:80")
	wantServer(t, "on the link", conn, err, "10.2.0.2")
	conn, err = d.DialContext(context.Background(), "tcp", "["+far6+"]:80")
	wantServer(t, "IPv6", conn, err, "2001:db8:2::2")
	u.host.route("203.0.113.0/24", "10.2.0.1", "up2") // now up2 is preferred for it
	if refused() {
		t.Error("refused though the host prefers the domain's link")
	}
	conn, err = d.Dial(context.Background(), "tcp", to)
	wantServer(t, "preferred link", conn, err, "10.2.0.2")
}

// A route with several next hops is good for the filter if one of them is the link.
func TestReversePathFilterWithMultipath(t *testing.T) {
	u := distinct(t)
	u.host.sysctl("net/ipv4/conf/all/rp_filter", "1")
	u.host.must(u.host.h.RouteAdd(&netlink.Route{Dst: ipNet(netip.MustParsePrefix("203.0.113.0/24")), MultiPath: []*netlink.NexthopInfo{
		{LinkIndex: u.host.index("up1"), Gw: netip.MustParseAddr("10.1.0.1").AsSlice()},
		{LinkIndex: u.host.index("up2"), Gw: netip.MustParseAddr("10.2.0.1").AsSlice()},
	}}))
	d := fixed(domain2(u.host.index("up2")))
	d.NetNS = u.host.path()
	for range 8 {
		conn, err := d.DialContext(context.Background(), "tcp", far4+":80")
		wantServer(t, "one of several", conn, err, "10.2.0.2")
	}
}
