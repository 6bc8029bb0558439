package netlink

import (
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"
)

func (c *churner) hop4() nexthop {
	h := nexthop{index: c.index(), weight: uint16(c.IntN(2))}
	if c.IntN(3) > 0 {
		h.gateway = netip.AddrFrom4([4]byte{10, byte(c.IntN(3)), 0, byte(10 + c.IntN(2))})
	}
	return h
}

func (c *churner) hop6() nexthop {
	h := nexthop{index: c.index(), weight: uint16(c.IntN(2))}
	if c.IntN(4) > 0 {
		h.gateway = netip.MustParseAddr(fmt.Sprintf("fe80::%d", 1+c.IntN(3)))
	}
	return h
}

// aWay is a random route, of few that are much alike.
func (c *churner) aWay(dst []string, hop func() nexthop, objects uint32) *way {
	w := &way{
		dst:    netip.MustParsePrefix(dst[c.IntN(len(dst))]),
		metric: []uint32{0, 0, 100}[c.IntN(3)],
		table:  []uint32{254, 254, 100, 1000}[c.IntN(4)],
		kind:   unix.RTN_UNICAST,
		proto:  []uint8{unix.RTPROT_STATIC, unix.RTPROT_BOOT, unix.RTPROT_DHCP}[c.IntN(3)],
	}
	switch n := c.IntN(12); {
	case n < 2:
		w.kind = []uint8{unix.RTN_BLACKHOLE, unix.RTN_UNREACHABLE, unix.RTN_PROHIBIT, unix.RTN_THROW}[c.IntN(4)]
	case n < 4:
		w.object = objects + 2*uint32(c.IntN(3)) + 10*uint32(c.IntN(2))
	case n < 7:
		w.hops = []nexthop{hop(), hop()}
	default:
		w.hops = []nexthop{hop()}
	}
	if c.IntN(8) == 0 {
		w.mtu = 1300
	}
	return w
}

var verbs = [...]uint16{
	unix.NLM_F_CREATE | unix.NLM_F_EXCL,
	unix.NLM_F_CREATE,
	unix.NLM_F_CREATE | unix.NLM_F_APPEND,
	unix.NLM_F_CREATE | unix.NLM_F_REPLACE,
	unix.NLM_F_REPLACE,
}

func (c *churner) way4() *way {
	w := c.aWay([]string{"0.0.0.0/0", "10.8.0.0/24", "10.8.1.0/24"}, c.hop4, 1)
	switch c.IntN(8) {
	case 0:
		w.tos = 16
	case 1:
		w.source = netip.AddrFrom4([4]byte{10, byte(c.IntN(3)), 0, byte(1 + c.IntN(4))})
	case 2:
		w.metric = 0
		w.dst = netip.MustParsePrefix("10.0.0.0/24") // beside what the kernel makes for addresses
	}
	return w
}

func (c *churner) way6() *way {
	w := c.aWay([]string{"::/0", "2001:db8:8::/48", "2001:db8:9::/48"}, c.hop6, 2)
	switch c.IntN(8) {
	case 0:
		w.from = netip.MustParsePrefix("2001:db8:1::/64")
	case 1:
		w.expires = uint32(1000 + c.IntN(1000))
	case 2:
		w.proto = unix.RTPROT_RA
	case 3:
		w.dst = netip.MustParsePrefix("fe80::/64")
		w.metric = 256
	}
	return w
}

func (c *churner) route4() error {
	return c.speaker.ask(rtmNewRoute, verbs[c.IntN(len(verbs))], c.way4().body())
}

func (c *churner) route6() error {
	return c.speaker.ask(rtmNewRoute, verbs[c.IntN(len(verbs))], c.way6().body())
}

// del removes a route that the way describes in part or whole.
func (c *churner) del(w *way) error {
	if w.withoutHops = c.IntN(2) == 0; w.withoutHops {
		w.kind, w.proto, w.object, w.mtu = 0, 0, 0, 0
	}
	return c.speaker.ask(rtmDelRoute, 0, w.body())
}

func (c *churner) delRoute4() error { return c.del(c.way4()) }

func (c *churner) delRoute6() error { return c.del(c.way6()) }
