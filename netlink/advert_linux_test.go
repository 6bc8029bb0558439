package netlink

import (
	"net"
	"net/netip"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/net/ipv6"

	"github.com/go-mif/mif/pvd"
)

// A cable is a link between the namespace watched and a router's.
type cable struct {
	*oracle
	conn   *ipv6.PacketConn // the router's
	router netip.Addr
	far    netlink.Link
	remote *space // the router's
}

func newCable(t *testing.T) *cable { return newCableTo(t, nil) }

func newCableTo(t *testing.T, config *Config) *cable {
	s, r := newSpace(t), newSpace(t)
	s.still(t)
	r.still(t)
	must(t, s.LinkAdd(&netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "v0"}, PeerName: "v1"}))
	near, err := s.LinkByName("v0")
	must(t, err)
	c := &cable{oracle: newOracle(t, s, config), remote: r}
	c.far, err = s.LinkByName("v1")
	must(t, err)
	must(t, s.LinkSetNsFd(c.far, r.fd))
	c.far, err = r.LinkByName("v1")
	must(t, err)
	must(t, r.LinkSetUp(c.far))
	must(t, s.LinkSetUp(near))
	c.picture.until(t, c.Watcher, func() bool { f := c.facts(); return f != nil && f.Interface.Carrier && len(f.Addresses) > 0 })
	all, err := r.AddrList(c.far, netlink.FAMILY_V6)
	must(t, err)
	c.router, _ = netip.AddrFromSlice(all[0].IP)
	r.do(t, func() error {
		p, err := net.ListenPacket("ip6:ipv6-icmp", "::")
		if err == nil {
			c.conn = ipv6.NewPacketConn(p)
			t.Cleanup(func() { p.Close() })
		}
		return err
	})
	must(t, c.conn.SetChecksum(true, 2))
	return c
}

func (c *cable) facts() *pvd.Facts { return c.picture.named("v0") }

// advertise sends a Router Advertisement (RFC 4861 section 4.2).
func (c *cable) advertise(t *testing.T, lifetime uint16, options ...[]byte) {
	t.Helper()
	b := append([]byte{134, 0, 0, 0, 64, 0x40}, byte(lifetime>>8), byte(lifetime), 0, 0, 0, 0, 0, 0, 0, 0)
	for _, o := range options {
		b = append(b, o...)
	}
	c.send(t, 255, c.router, b)
}

func TestAdvertisement(t *testing.T) { testAdvertisement(t, &Config{}) }

// TestAdvertisementUnprivileged hears what the kernel tells alone.
func TestAdvertisementUnprivileged(t *testing.T) { testAdvertisement(t, &Config{deaf: true}) }

func testAdvertisement(t *testing.T, config *Config) {
	c := newCableTo(t, config)
	names := append(append([]byte{0, 0}, seconds(300)...), "\x04corp\x07example\x00\x03lab\x00"...)
	pref64 := append([]byte{600 >> 8, 600 & 0xf8}, addr16("64:ff9b::")[:12]...)
	c.advertise(t, 1800, prefixInformation(3600, 1800), servers(forever, "2001:db8::53", "fe80::53"), option(optDNSSL, names...),
		option(optPREF64, pref64...), option(optCaptivePortal, []byte("https://portal.example/api")...))
	c.picture.until(t, c.Watcher, func() bool {
		f := c.facts()
		return len(f.RAs) == 1 && len(f.RAs[0].Configuration.CaptivePortal) == 1 && has(f, "::/0", c.router.String()) && f.Other
	})
	said := c.facts().RAs[0].Configuration
	zoned := netip.MustParseAddr("fe80::53").WithZone(strconv.Itoa(c.facts().Interface.Index))
	if c.facts().RAs[0].Router != c.router || len(said.Prefixes) != 1 || len(said.DNSServers) != 2 || len(said.SearchDomains) != 2 || len(said.PREF64) != 1 {
		t.Fatalf("%+v", c.facts().RAs)
	}
	if d := said.DNSServers; d[0].Value != netip.MustParseAddrPort("[2001:db8::53]:53") || d[1].Value.Addr() != zoned ||
		!d[0].Expiry.IsZero() || d[0].Element != pvd.ElementRA || d[0].Source != c.router.String() {
		t.Errorf("servers %+v", d)
	}
	if d := said.SearchDomains; d[0].Value != "corp.example" || d[1].Value != "lab" || time.Until(d[0].Expiry) > 300*time.Second {
		t.Errorf("names %+v", d)
	}
	if d := said.Prefixes[0].Value; d.Prefix.String() != "2001:db8:1::/64" || !d.OnLink || !d.Autonomous || d.Preferred.IsZero() {
		t.Errorf("prefix %+v", d)
	}
	if said.PREF64[0].Value.String() != "64:ff9b::/96" || said.CaptivePortal[0].Value != "https://portal.example/api" {
		t.Errorf("%+v", said)
	}
}

func TestAdvertisementEnds(t *testing.T) { testAdvertisementEnds(t, &Config{}) }

func TestAdvertisementEndsUnprivileged(t *testing.T) { testAdvertisementEnds(t, &Config{deaf: true}) }

func testAdvertisementEnds(t *testing.T, config *Config) {
	c := newCableTo(t, config)
	c.advertise(t, 1800, servers(100, "2001:db8::53"))
	c.picture.until(t, c.Watcher, func() bool { f := c.facts(); return len(f.RAs) == 1 && len(f.RAs[0].Configuration.DNSServers) == 1 })
	before := c.facts().RAs[0].Configuration
	c.advertise(t, 0, servers(0, "2001:db8::53"))
	c.picture.until(t, c.Watcher, func() bool {
		f := c.facts()
		return len(f.RAs[0].Configuration.DNSServers) == 0 && !has(f, "::/0", "")
	})
	if len(before.DNSServers) != 1 || before.DNSServers[0].Source == "" {
		t.Error("what was told was written")
	}
}

// TestRouteRefreshed has the kernel prolong and shorten a route without a word.
func TestRouteRefreshed(t *testing.T) {
	c := newCable(t)
	expiry := func() time.Duration {
		for _, r := range c.facts().Routes {
			if r.Destination.Bits() == 0 {
				return time.Until(r.Expiry)
			}
		}
		return 0
	}
	for _, lifetime := range []uint16{100, 1800, 30} {
		c.advertise(t, lifetime, servers(100, "2001:db8::53"))
		want := time.Duration(lifetime) * time.Second
		c.picture.until(t, c.Watcher, func() bool { d := expiry(); return d > want/2 && d <= want })
	}
}

// TestRouteRefreshedUnheard does so with an advertisement that the kernel says
// nothing of at all.
func TestRouteRefreshedUnheard(t *testing.T) {
	c := newCable(t)
	c.advertise(t, 3)
	c.picture.until(t, c.Watcher, func() bool { return has(c.facts(), "::/0", c.router.String()) })
	c.advertise(t, 900)
	c.picture.until(t, c.Watcher, func() bool {
		i := slices.IndexFunc(c.facts().Routes, func(r pvd.RouteFact) bool { return r.Destination.Bits() == 0 })
		return i < 0 || time.Until(c.facts().Routes[i].Expiry) > time.Minute
	})
	if !has(c.facts(), "::/0", "") {
		t.Error("a refreshed route was taken for expired")
	}
}
