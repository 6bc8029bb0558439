package netlink

import (
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"reflect"
	"runtime"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// A churner makes random changes. Many are refused: it asks for more than makes
// sense. The same seed asks for the same as long as the kernel numbers alike.
type churner struct {
	testing.TB
	*rand.Rand
	home, away *space
	speaker    *speaker
	done       int      // operations that the kernel carried out
	trace      []string // the last of them
	what       string   // more about one
}

func newChurner(t testing.TB, s *space, seed uint64) *churner {
	return &churner{TB: t, Rand: rand.New(rand.NewPCG(seed, 0)), home: s, away: newSpace(t), speaker: s.speaker(t)}
}

const names = 8

func (c *churner) name() string { return fmt.Sprint("l", c.IntN(names)) }

// link is a random interface; one without index if it does not exist.
func (c *churner) link() netlink.Link {
	n := c.name()
	if l, err := c.home.LinkByName(n); err == nil {
		c.what += fmt.Sprint(" ", n, "=", l.Attrs().Index)
		return l
	}
	return &netlink.GenericLink{LinkAttrs: netlink.LinkAttrs{Name: n}}
}

func (c *churner) index() int32 { return int32(c.link().Attrs().Index) }

// step makes one random change.
func (c *churner) step() {
	ops := [...]struct {
		weight int
		do     func() error
	}{
		{3, c.addLink}, {1, c.delLink}, {8, c.upLink}, {4, c.downLink}, {2, c.renameLink}, {2, c.tuneLink},
		{2, c.enslave}, {1, c.moveAway}, {1, c.moveHome}, {12, c.address}, {8, c.delAddress}, {6, c.address6}, {3, c.delAddress6},
		{20, c.route4}, {8, c.delRoute4}, {20, c.route6}, {10, c.delRoute6}, {5, c.object}, {2, c.delObject},
		{3, c.rule}, {2, c.flap},
	}
	total := 0
	for _, o := range ops {
		total += o.weight
	}
	n := c.IntN(total)
	for _, o := range ops {
		if n -= o.weight; n < 0 {
			if c.what = ""; o.do() == nil {
				c.done++
				c.trace = append(c.trace, runtime.FuncForPC(reflect.ValueOf(o.do).Pointer()).Name()+c.what)
			}
			return
		}
	}
}

func (c *churner) addLink() error {
	a := netlink.LinkAttrs{Name: c.name()}
	if c.IntN(2) == 0 {
		a.Index = 1000 + c.IntN(4) // one that was used before
	}
	switch c.IntN(4) {
	case 0:
		return c.home.LinkAdd(&netlink.Veth{LinkAttrs: a, PeerName: c.name()})
	case 1:
		return c.home.LinkAdd(&netlink.Bridge{LinkAttrs: a})
	}
	return c.home.LinkAdd(&netlink.Ifb{LinkAttrs: a})
}

func (c *churner) delLink() error { return c.home.LinkDel(c.link()) }

func (c *churner) upLink() error { return c.home.LinkSetUp(c.link()) }

func (c *churner) downLink() error { return c.home.LinkSetDown(c.link()) }

func (c *churner) flap() error {
	l := c.link()
	if err := c.home.LinkSetDown(l); err != nil {
		return err
	}
	return c.home.LinkSetUp(l)
}

func (c *churner) renameLink() error { return c.home.LinkSetName(c.link(), c.name()) }

func (c *churner) tuneLink() error {
	if c.IntN(2) == 0 {
		return c.home.LinkSetMTU(c.link(), 1000+c.IntN(500)) // some too small for IPv6
	}
	return c.home.LinkSetHardwareAddr(c.link(), net.HardwareAddr{2, 0, 0, 0, 0, byte(c.IntN(200))})
}

func (c *churner) enslave() error {
	if c.IntN(2) == 0 {
		return c.home.LinkSetNoMaster(c.link())
	}
	return c.home.LinkSetMasterByIndex(c.link(), int(c.index()))
}

func (c *churner) moveAway() error { return c.home.LinkSetNsFd(c.link(), c.away.fd) }

func (c *churner) moveHome() error {
	all, err := c.away.LinkList()
	if err != nil || len(all) < 2 {
		return unix.ENOENT
	}
	return c.away.LinkSetNsFd(all[1+c.IntN(len(all)-1)], c.home.fd)
}

func (c *churner) anAddress() *netlink.Addr {
	a := &netlink.Addr{IPNet: &net.IPNet{
		IP:   net.IPv4(10, byte(c.IntN(3)), 0, byte(1+c.IntN(4))),
		Mask: net.CIDRMask([]int{16, 24, 24, 32}[c.IntN(4)], 32),
	}}
	switch c.IntN(6) {
	case 0:
		a.Peer = &net.IPNet{IP: net.IPv4(10, 9, 0, byte(1+c.IntN(3))), Mask: a.Mask}
	case 1:
		a.ValidLft, a.PreferedLft = 2000+c.IntN(1000), 1000
	case 2:
		a.Flags = unix.IFA_F_NOPREFIXROUTE
	}
	return a
}

func (c *churner) address() error {
	if c.IntN(3) == 0 {
		return c.home.AddrReplace(c.link(), c.anAddress())
	}
	return c.home.AddrAdd(c.link(), c.anAddress())
}

func (c *churner) delAddress() error {
	l := c.link()
	if c.IntN(2) == 0 {
		return c.home.AddrDel(l, c.anAddress())
	}
	return c.delAny(l, netlink.FAMILY_V4)
}

func (c *churner) delAny(l netlink.Link, family int) error {
	all, err := c.home.AddrList(l, family)
	if err != nil || len(all) == 0 || l.Attrs().Index == 0 {
		return unix.ENOENT
	}
	return c.home.AddrDel(l, &all[c.IntN(len(all))])
}

func (c *churner) address6() error {
	l := c.link()
	a := &netlink.Addr{Flags: unix.IFA_F_NODAD, IPNet: &net.IPNet{
		IP:   netip.MustParseAddr(fmt.Sprintf("2001:db8:%d::%d", c.IntN(3), 1+c.IntN(4))).AsSlice(),
		Mask: net.CIDRMask([]int{64, 64, 128}[c.IntN(3)], 128),
	}}
	switch c.IntN(5) {
	case 0:
		a.ValidLft, a.PreferedLft = 2000+c.IntN(1000), 1000
	case 1:
		if l.Attrs().RawFlags&unix.IFF_RUNNING != 0 { // else there is nothing to hear of it by
			a.Flags |= unix.IFA_F_NOPREFIXROUTE
		}
	}
	c.what += " " + a.String()
	return c.home.AddrReplace(l, a)
}

func (c *churner) delAddress6() error { return c.delAny(c.link(), netlink.FAMILY_V6) }

// object makes or replaces a nexthop object or a group of them.
func (c *churner) object() error {
	id := uint32(1 + c.IntN(6))
	flags := uint16(unix.NLM_F_CREATE | unix.NLM_F_REPLACE)
	if c.IntN(3) == 0 {
		a, b := uint32(1+c.IntN(6)), uint32(1+c.IntN(6))
		return c.speaker.ask(rtmNewNexthop, flags, objectBody(id+10, 0, nexthop{}, []uint32{a, b}))
	}
	h := c.hop4()
	family := byte(afINET)
	if id%2 == 0 {
		h, family = c.hop6(), afINET6
	}
	return c.speaker.ask(rtmNewNexthop, flags, objectBody(id, family, h, nil))
}

func (c *churner) delObject() error {
	id := uint32(1 + c.IntN(6) + 10*c.IntN(2))
	return c.speaker.ask(rtmDelNexthop, 0, objectBody(id, 0, nexthop{}, nil))
}

func (c *churner) rule() error {
	r := netlink.NewRule()
	r.Priority, r.Table = 100+c.IntN(4), 100
	if r.Family = netlink.FAMILY_V4; c.IntN(2) == 0 {
		r.Family = netlink.FAMILY_V6
	}
	if c.IntN(2) == 0 {
		r.OifName = c.name()
	}
	if c.IntN(2) == 0 {
		return c.home.RuleDel(r)
	}
	return c.home.RuleAdd(r)
}

// Fatalf also tells what was done last.
func (c *churner) Fatalf(format string, args ...any) {
	c.Helper()
	for _, op := range c.trace {
		c.Log(op)
	}
	c.TB.Fatalf(format, args...)
}
