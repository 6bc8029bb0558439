package netlink

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/go-mif/mif/pvd"
)

// has tells whether the link has a route to a prefix, by a gateway or by any.
func has(f *pvd.Facts, dst, gateway string) bool {
	return f != nil && slices.ContainsFunc(f.Routes, func(r pvd.RouteFact) bool {
		return r.Destination.String() == dst && (gateway == "" || r.Gateway.String() == gateway)
	})
}

// A scene is a link with an address, a default route and a Watcher.
type scene struct {
	*oracle
	*speaker
	link netlink.Link
	to   way // the default route
}

func newScene(t *testing.T, addrs ...string) *scene {
	s := newSpace(t)
	s.still(t)
	c := &scene{speaker: s.speaker(t), link: isolated(t, s, "d0")}
	for _, a := range addrs {
		p := addr(t, a)
		p.Flags = unix.IFA_F_NODAD
		must(t, s.AddrAdd(c.link, p))
	}
	c.to = way{dst: netip.MustParsePrefix("0.0.0.0/0"), table: 254, kind: unix.RTN_UNICAST, proto: unix.RTPROT_STATIC,
		hops: []nexthop{c.by("192.0.2.9")}}
	must(t, c.ask(rtmNewRoute, unix.NLM_F_CREATE, c.to.body()))
	c.oracle = newOracle(t, s, nil)
	if !has(c.facts(), "0.0.0.0/0", "192.0.2.9") {
		t.Fatalf("%+v", c.facts())
	}
	return c
}

func (c *scene) by(gateway string) nexthop {
	h := nexthop{index: int32(c.link.Attrs().Index)}
	if gateway != "" {
		h.gateway = netip.MustParseAddr(gateway)
	}
	return h
}

func (c *scene) facts() *pvd.Facts { return c.picture.named("d0") }

func (c *scene) until(t *testing.T, is func() bool) {
	t.Helper()
	c.picture.until(t, c.Watcher, is)
	c.check(t)
}

// gone waits for the default route to be gone.
func (c *scene) gone(t *testing.T) {
	t.Helper()
	c.until(t, func() bool { return !has(c.facts(), "0.0.0.0/0", "") })
}

func TestSilentDown(t *testing.T) {
	c := newScene(t, "192.0.2.1/24")
	must(t, c.space.LinkSetDown(c.link))
	c.gone(t)
}

func TestSilentFlap(t *testing.T) {
	c := newScene(t, "192.0.2.1/24")
	must(t, c.space.LinkSetDown(c.link))
	must(t, c.space.LinkSetUp(c.link))
	c.gone(t)
}

func TestSilentLastAddress(t *testing.T) {
	c := newScene(t, "192.0.2.1/24")
	must(t, c.space.AddrDel(c.link, addr(t, "192.0.2.1/24")))
	must(t, c.space.AddrAdd(c.link, addr(t, "192.0.2.2/24")))
	c.gone(t)
}

func TestSilentNexthopObject(t *testing.T) {
	c := newScene(t, "192.0.2.1/24")
	must(t, c.ask(rtmNewNexthop, unix.NLM_F_CREATE, objectBody(7, afINET, c.by("192.0.2.7"), nil)))
	w := c.to
	w.dst, w.hops, w.object = netip.MustParsePrefix("198.51.100.0/24"), nil, 7
	must(t, c.ask(rtmNewRoute, unix.NLM_F_CREATE, w.body()))
	c.until(t, func() bool { return has(c.facts(), "198.51.100.0/24", "192.0.2.7") })
	must(t, c.ask(rtmNewNexthop, unix.NLM_F_CREATE|unix.NLM_F_REPLACE, objectBody(7, afINET, c.by("192.0.2.8"), nil)))
	c.until(t, func() bool { return has(c.facts(), "198.51.100.0/24", "192.0.2.8") })
	must(t, c.ask(rtmDelNexthop, 0, objectBody(7, 0, nexthop{}, nil)))
	c.until(t, func() bool { return !has(c.facts(), "198.51.100.0/24", "") })
}

func TestReplace(t *testing.T) {
	c := newScene(t, "192.0.2.1/24")
	c.to.hops[0] = c.by("192.0.2.10")
	must(t, c.ask(rtmNewRoute, unix.NLM_F_REPLACE, c.to.body()))
	c.until(t, func() bool { return has(c.facts(), "0.0.0.0/0", "192.0.2.10") })
	if has(c.facts(), "0.0.0.0/0", "192.0.2.9") {
		t.Error("the replaced route is still told")
	}
}

func TestOneHopOfSeveral(t *testing.T) {
	c := newScene(t, "192.0.2.1/24", "2001:db8::1/64")
	w := c.to
	w.dst, w.hops = netip.MustParsePrefix("::/0"), []nexthop{c.by("2001:db8::a")}
	must(t, c.ask(rtmNewRoute, unix.NLM_F_CREATE, w.body()))
	w.hops = []nexthop{c.by("2001:db8::b")}
	must(t, c.ask(rtmNewRoute, unix.NLM_F_CREATE|unix.NLM_F_APPEND, w.body()))
	c.until(t, func() bool { return has(c.facts(), "::/0", "2001:db8::a") && has(c.facts(), "::/0", "2001:db8::b") })
	must(t, c.ask(rtmDelRoute, 0, w.body()))
	c.until(t, func() bool { return !has(c.facts(), "::/0", "2001:db8::b") })
	if !has(c.facts(), "::/0", "2001:db8::a") {
		t.Error("the other hop is gone, too")
	}
}

func TestSourceRoute(t *testing.T) {
	c := newScene(t, "192.0.2.1/24", "2001:db8::1/64")
	w := c.to
	w.dst, w.from, w.table = netip.MustParsePrefix("::/0"), netip.MustParsePrefix("2001:db8::/64"), 1000
	w.hops = []nexthop{c.by("2001:db8::a")}
	must(t, c.ask(rtmNewRoute, unix.NLM_F_CREATE, w.body()))
	c.until(t, func() bool { return has(c.facts(), "::/0", "2001:db8::a") })
	for _, r := range c.facts().Routes {
		if r.Destination == w.dst && (r.Source != w.from || r.Table != 1000) {
			t.Errorf("%+v", r)
		}
	}
}

// TestOracleCanFail leaves out what a silent case owes, and sees the oracle differ.
func TestOracleCanFail(t *testing.T) {
	c := newScene(t, "192.0.2.1/24")
	must(t, c.space.LinkSetDown(c.link))
	must(t, c.burst(true))
	if len(c.tables.owed) == 0 {
		t.Fatal("nothing is owed")
	}
	clear(c.tables.owed)
	c.settle(t)
	fresh := newOracle(t, c.space, nil)
	if slices.Equal(c.tables.dump(), fresh.tables.dump()) {
		t.Error("the oracle does not see a route that vanished")
	}
}

// TestCertainFirst: that a link has come up is told before the lists that it makes
// necessary are asked for.
func TestCertainFirst(t *testing.T) {
	c := newScene(t, "192.0.2.1/24")
	must(t, c.space.LinkSetDown(c.link))
	c.until(t, func() bool { return !c.facts().Interface.Up })
	lists := c.lists
	must(t, c.space.LinkSetUp(c.link))
	for !c.facts().Interface.Up {
		c.take(t, time.Now().Add(patience))
	}
	if due := len(c.tables.owed); c.lists != lists || due == 0 {
		t.Errorf("%d lists came first, %d are due", c.lists-lists, due)
	}
	c.check(t)
}

// TestReplacedUnlisted: a route that leads nowhere was there before the Watcher, which
// lists only others, and it is that one which is replaced.
func TestReplacedUnlisted(t *testing.T) {
	c := newScene(t, "192.0.2.1/24")
	must(t, c.space.LinkSetUp(&netlink.GenericLink{LinkAttrs: netlink.LinkAttrs{Index: 1}}))
	for _, r := range []struct {
		dst      string
		old, new nexthop
	}{
		{"198.51.100.0/24", c.by("192.0.2.9"), c.by("192.0.2.7")}, {"2001:db8:9::/48", c.by(""), nexthop{index: 1}},
	} {
		w := c.to
		w.dst, w.metric, w.kind = netip.MustParsePrefix(r.dst), 7, unix.RTN_BLACKHOLE
		w.hops = nil
		must(t, c.ask(rtmNewRoute, unix.NLM_F_CREATE, w.body()))
		w.kind, w.hops = unix.RTN_UNICAST, []nexthop{r.old}
		must(t, c.ask(rtmNewRoute, unix.NLM_F_CREATE|unix.NLM_F_APPEND, w.body()))
		late := &scene{oracle: newOracle(t, c.space, nil)}
		w.hops = []nexthop{r.new}
		must(t, c.ask(rtmNewRoute, unix.NLM_F_REPLACE, w.body()))
		late.check(t)
		if !has(late.facts(), r.dst, "") {
			t.Errorf("%s is gone", r.dst)
		}
		late.Close()
	}
}
