package connect

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

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

// Strict reverse path filtering kills the replies on the link the host does not
// prefer, and only there. It is foretold, and told with the time-out.
func TestReversePathFilter(t *testing.T) {
	u := distinct(t)
	d := fixed(domain2(u.host.index("up2")))
	d.NetNS = u.host.path()
	to := netip.MustParseAddrPort(far4 + ":80")
	warned := func() bool {
		e, err := d.Explain(to)
		u.host.must(err)
		return len(e.Warnings) == 1 && strings.Contains(e.String(), "rp_filter is strict")
	}
	for _, c := range []struct {
		all, own string
		want     bool
	}{{"0", "0", false}, {"1", "0", true}, {"0", "1", true}, {"2", "1", false}, {"1", "2", false}, {"1", "1", true}} {
		u.host.sysctl("net/ipv4/conf/all/rp_filter", c.all)
		u.host.sysctl("net/ipv4/conf/up2/rp_filter", c.own)
		if got := warned(); got != c.want {
			t.Errorf("rp_filter all=%s up2=%s: warned %v", c.all, c.own, got)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	conn, err := d.Dial(ctx, "tcp", to)
	checkError(t, "strict filter", conn, err, context.DeadlineExceeded)
	if !strings.Contains(err.Error(), "rp_filter is strict") {
		t.Errorf("a bare time-out: %v", err)
	}
	u.host.route("203.0.113.0/24", "10.2.0.1", "up2") // now up2 is preferred for it
	if warned() {
		t.Error("warned though the host prefers the domain's link")
	}
	conn, err = d.Dial(context.Background(), "tcp", to)
	wantServer(t, "preferred link", conn, err, "10.2.0.2")
}
