package netlink

import "net/netip"

// Options that the kernel does not pass on, though it may heed them.
const (
	optMTU   = 5   // RFC 4861 section 4.6.4
	optPvD   = 21  // RFC 8801 section 3.1
	optRoute = 24  // RFC 4191 section 2.3
	optDNR   = 144 // RFC 9463 section 6
)

// A routeOption is a Route Information option.
type routeOption struct {
	prefix     netip.Prefix
	preference int8
	lifetime   uint32 // seconds
}

// decode takes an option's octets behind type and length. The prefix is of as
// many octets as there is room for.
func (o *routeOption) decode(v []byte) bool {
	if len(v) != 6 && len(v) != 14 && len(v) != 22 || v[0] > 128 || int(v[0]) > 8*(len(v)-6) {
		return false
	}
	var a [16]byte
	copy(a[:], v[6:])
	const reserved = 2
	*o = routeOption{netip.PrefixFrom(netip.AddrFrom16(a), int(v[0])).Masked(), preference([]byte{v[1] >> 3}), network.Uint32(v[2:])}
	return v[1]>>3&3 != reserved && !o.prefix.Addr().IsMulticast() && !o.prefix.Addr().IsLinkLocalUnicast()
}

// minMTU is the least that an IPv6 link can carry (RFC 8200 section 5).
const minMTU = 1280

// decodeMTU is the MTU of a link in octets, which cannot exceed that of the
// interface.
func decodeMTU(v []byte, interfaceMTU uint32) (mtu int, ok bool) {
	if len(v) != 6 {
		return 0, false
	}
	n := network.Uint32(v[2:])
	return int(n), n >= minMTU && n <= 1<<16 && (interfaceMTU == 0 || n <= interfaceMTU)
}
