package connect

import (
	"context"
	"net/netip"
	"testing"

	"github.com/vishvananda/netlink"
)

// An answer holds as long as the generation, no longer; a refusal not even that.
func TestDialWithCache(t *testing.T) {
	u := distinct(t)
	domain := domain2(u.host.index("up2"))
	domain.Generation = 1
	d := &Dialer{Domain: func() (Domain, error) { return domain, nil }, Timeout: safetyNet, NetNS: u.host.path(), Cache: new(RouteCache)}
	ctx := context.Background()
	for range 3 {
		for to, from := range map[string]string{far4: "10.2.0.2", far6: "2001:db8:2::2"} {
			conn, err := d.Dial(ctx, "tcp", netip.AddrPortFrom(netip.MustParseAddr(to), 80))
			wantServer(t, to, conn, err, from)
		}
	}
	if n := len(d.Cache.answers); n != 2 {
		t.Errorf("%d answers kept, want 2", n)
	}
	defaults := []*netlink.Route{
		{Dst: ipNet(netip.MustParsePrefix("0.0.0.0/0")), Gw: domain.Routers[0].AsSlice(), Priority: 200},
		{Dst: ipNet(netip.MustParsePrefix("::/0")), Gw: domain.Routers[1].AsSlice(), Priority: 200},
	}
	for _, r := range defaults {
		r.LinkIndex = u.host.index("up2")
		u.host.must(u.host.h.RouteDel(r))
	}
	domain.Generation = 2
	for _, to := range []string{far4 + ":80", "[" + far6 + "]:80"} {
		u.wantRefused(t, d, "tcp", to, ErrNoRoute)
	}
	for _, r := range defaults {
		u.host.must(u.host.h.RouteAdd(r))
	}
	conn, err := d.DialContext(ctx, "tcp", far4+":80")
	wantServer(t, "cured, same generation", conn, err, "10.2.0.2")
}
