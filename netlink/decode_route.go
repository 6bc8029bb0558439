package netlink

import "net/netip"

// A groupKey is what the kernel sorts routes by: those with one key form a list
// in the kernel's order. For link-local destinations, of which every interface
// has the same, the interface is part of it.
type groupKey struct {
	dst, src                    [16]byte
	table, metric               uint32
	index                       int32
	dstBits, srcBits, tos, inet uint8 // inet is the address family
}

// A nexthop is where packets go next.
type nexthop struct {
	gateway netip.Addr // the zero Addr: on-link
	index   int32      // of the interface; 0: none
	weight  uint16
	extra   uint64 // digest of what else tells it from others
}

// A routeMessage is an rtmsg with the attributes that matter.
type routeMessage struct {
	key                groupKey
	kind, scope, proto uint8
	preference         int8
	source             netip.Addr // preferred
	object             uint32     // id of a nexthop object, which tells all hops
	expires            int32      // in clock ticks; 0: never; less: expired
	extra              uint64     // digest of what else tells an IPv4 route from others
	hops               []nexthop  // its memory is used again
}

// skippedRoute tells of a message, from its first octets, that the tables have no
// use for it: the local table has the host's own addresses, which are known, and
// clones are no routes.
func skippedRoute(b []byte) bool {
	return len(b) < 12 || b[4] == tableLocal || host.Uint32(b[8:])&routeCloned != 0 || b[0] != afINET && b[0] != afINET6
}

// decode tells whether b is a whole message of an IP route.
func (m *routeMessage) decode(b []byte) bool {
	*m = routeMessage{hops: m.hops[:0]}
	if skippedRoute(b) {
		return false
	}
	m.key = groupKey{inet: b[0], dstBits: b[1], srcBits: b[2], tos: b[3], table: uint32(b[4])}
	m.proto, m.scope, m.kind = b[5], b[6], b[7]
	only := nexthop{extra: uint64(host.Uint32(b[8:]) & routeFlagsOfHop)}
	for b = b[12:]; len(b) > 0; {
		kind, v, rest, ok := cutAttribute(b)
		if !ok || !m.attribute(kind, v, &only) {
			return false
		}
		b = rest
	}
	return m.check(only)
}

func (m *routeMessage) attribute(kind uint16, v []byte, only *nexthop) bool {
	switch kind {
	case rtaDst:
		return m.prefix(&m.key.dst, v)
	case rtaSrc:
		return m.prefix(&m.key.src, v)
	case rtaPriority:
		m.key.metric = number(v)
	case rtaTable:
		m.key.table = number(v)
	case rtaPrefSrc:
		m.source = address(v)
	case rtaNexthop:
		m.object = number(v)
	case rtaMetrics:
		if m.key.inet == afINET { // IPv6 does not tell routes apart by them
			m.extra = digest(m.extra, v)
		}
	case rtaMultipath:
		return m.multipath(v)
	case rtaPref:
		m.preference = preference(v)
	case rtaCacheInfo:
		if len(v) >= 12 {
			m.expires = int32(host.Uint32(v[8:]))
		}
	default:
		only.attribute(kind, v)
	}
	return true
}

// prefix takes an address of the route's family.
func (m *routeMessage) prefix(to *[16]byte, v []byte) bool {
	if len(v) != 4 && m.key.inet == afINET || len(v) != 16 && m.key.inet == afINET6 {
		return false
	}
	copy(to[:], v)
	return true
}

// preference is a router preference as RFC 4191 section 2.1 writes it in two bits.
func preference(v []byte) int8 {
	if len(v) == 0 {
		return 0
	}
	switch v[0] & 3 {
	case 1:
		return 1
	case 3:
		return -1
	}
	return 0
}

func (h *nexthop) attribute(kind uint16, v []byte) {
	switch kind {
	case rtaOIF:
		h.index = int32(number(v))
	case rtaGateway:
		h.gateway = address(v)
	case rtaVia: // a family in 16 bits, then the address
		if len(v) > 2 {
			h.gateway = address(v[2:])
		}
	case rtaFlow, rtaEncap, rtaEncapType:
		h.extra = digest(h.extra, v)
	}
}

// multipath takes the hops of a route that has several: each an rtnexthop and
// its attributes.
func (m *routeMessage) multipath(b []byte) bool {
	for len(b) >= 8 {
		n := int(host.Uint16(b))
		if n < 8 || n > len(b) {
			return false
		}
		h := nexthop{weight: uint16(b[3]), index: int32(host.Uint32(b[4:])), extra: uint64(b[2] & routeFlagsOfHop)}
		for a := b[8:n]; len(a) > 0; {
			kind, v, rest, ok := cutAttribute(a)
			if !ok {
				return false
			}
			h.attribute(kind, v)
			a = rest
		}
		m.hops = append(m.hops, h)
		b = b[min(align(n), len(b)):]
	}
	return len(b) == 0
}

// check ends the decoding. The hops that the kernel repeats from a nexthop object
// are left out: they can change without a word on the route.
func (m *routeMessage) check(only nexthop) bool {
	k, longest := &m.key, uint8(128)
	if k.inet == afINET {
		longest = 32
	}
	if k.dstBits > longest || k.srcBits > longest || k.table == tableLocal {
		return false
	}
	switch {
	case m.object != 0:
		m.hops = m.hops[:0]
	case len(m.hops) == 0 && only.index > 0:
		m.hops = append(m.hops, only)
	}
	return true
}

func (k *groupKey) linkLocal() bool {
	return k.inet == afINET6 && k.dst[0] == 0xfe && k.dst[1]&0xc0 == 0x80 && k.dstBits >= 10
}

func (k *groupKey) multicast() bool { return k.inet == afINET6 && k.dst[0] == 0xff && k.dstBits >= 8 }

// prefix is the destination.
func (k *groupKey) prefix() netip.Prefix { return netip.PrefixFrom(k.addr(&k.dst), int(k.dstBits)) }

// from is the source that packets must have; the zero Prefix: any.
func (k *groupKey) from() netip.Prefix {
	if k.srcBits == 0 {
		return netip.Prefix{}
	}
	return netip.PrefixFrom(k.addr(&k.src), int(k.srcBits))
}

func (k *groupKey) addr(a *[16]byte) netip.Addr {
	if k.inet == afINET {
		return netip.AddrFrom4([4]byte(a[:4]))
	}
	return netip.AddrFrom16(*a)
}
