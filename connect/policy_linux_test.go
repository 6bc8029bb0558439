package connect

import (
	"context"
	"net/netip"
	"strings"
	"testing"
)

// Two routers on the link, one domain: the source is of the prefix whose router the
// kernel uses, though another one is nearer to the destination by rule 8.
func TestSourceOfTheNextHop(t *testing.T) {
	u := distinct(t)
	u.host.addr("up2", "2001:db8:ffff:1::2/64")
	domain := domain2(u.host.index("up2"))
	domain.Addresses = addresses("2001:db8:ffff:1::2/64 2001:db8:2::2/64")
	domain.Addresses[0].Router = netip.MustParseAddr("2001:db8:2::7")
	domain.Addresses[1].Router = netip.MustParseAddr("2001:db8:2::1")
	d := fixed(domain)
	d.NetNS = u.host.path()
	to := netip.MustParseAddrPort("[" + far6 + "]:80")
	e, err := d.Explain(to)
	if err != nil || e.Rule != 5 || !strings.Contains(e.String(), "from 2001:db8:2::2 (rule 5.5)") {
		t.Errorf("Explain: %v, %v", e, err)
	}
	conn, err := d.Dial(context.Background(), "tcp", to)
	wantServer(t, "rule 5.5", conn, err, "2001:db8:2::2")
	domain.Addresses[1].Router = domain.Addresses[0].Router // neither is the next hop
	if e, err := d.Explain(to); err != nil || e.Rule != 8 {
		t.Errorf("with another router: %v, %v", e, err)
	}
}

// The Dialer's own table and preference reach the choice of source.
func TestDialerPolicy(t *testing.T) {
	u := distinct(t)
	u.host.addr("up2", "2001:db8:3::2/64")
	domain := domain2(u.host.index("up2"))
	domain.Addresses = addresses("2001:db8:2::2/64 2001:db8:3::2/64,temporary")
	d := fixed(domain)
	d.NetNS = u.host.path()
	for _, c := range []struct {
		policy []PolicyEntry
		public bool
		from   string
	}{
		{nil, false, "2001:db8:3::2"},
		{nil, true, "2001:db8:2::2"},
		{[]PolicyEntry{entry("2001:db8:ffff::/48", 5), entry("2001:db8:2::/48", 5), entry("::/0", 1)}, false, "2001:db8:2::2"},
	} {
		d.Policy, d.PreferPublic = c.policy, c.public
		if e, err := d.Explain(netip.MustParseAddrPort("[" + far6 + "]:80")); err != nil || e.Source.String() != c.from {
			t.Errorf("%+v: %v, %v", c, e, err)
		}
		conn, err := d.DialContext(context.Background(), "udp", "["+far6+"]:80")
		if err != nil {
			t.Error(err)
			continue
		}
		if !strings.HasPrefix(conn.LocalAddr().String(), "["+c.from+"]") {
			t.Errorf("%+v: from %v", c, conn.LocalAddr())
		}
		conn.Close()
	}
}
