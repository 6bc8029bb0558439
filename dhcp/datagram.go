package dhcp

import (
	"encoding/binary"
	"net/netip"
)

// Ports (RFC 2131 section 4.1, RFC 8415 section 7.2).
const (
	server4, client4 = 67, 68
	server6, client6 = 547, 546
)

const (
	udp      = 17
	udpLen   = 8
	ip4Len   = 20
	ip6Len   = 40
	hopLimit = 64
)

var network = binary.BigEndian

// A datagram is a UDP datagram of either family.
type datagram struct {
	from, to netip.AddrPort
	payload  []byte
}

// packet is the datagram as an IP packet.
func (d *datagram) packet() []byte {
	if d.from.Addr().Is4() {
		return d.packet4()
	}
	return d.packet6()
}

func (d *datagram) packet4() []byte {
	b := make([]byte, ip4Len, ip4Len+udpLen+len(d.payload))
	b[0], b[8], b[9] = 4<<4|ip4Len/4, hopLimit, udp
	network.PutUint16(b[2:], uint16(cap(b)))
	copy(b[12:], d.from.Addr().AsSlice())
	copy(b[16:], d.to.Addr().AsSlice())
	network.PutUint16(b[10:], ^fold(sum(0, b)))
	return d.appendUDP(b)
}

func (d *datagram) packet6() []byte {
	b := make([]byte, ip6Len, ip6Len+udpLen+len(d.payload))
	b[0], b[6], b[7] = 6<<4, udp, hopLimit
	network.PutUint16(b[4:], uint16(udpLen+len(d.payload)))
	copy(b[8:], d.from.Addr().AsSlice())
	copy(b[24:], d.to.Addr().AsSlice())
	return d.appendUDP(b)
}

func (d *datagram) appendUDP(b []byte) []byte {
	at := len(b)
	b = network.AppendUint16(b, d.from.Port())
	b = network.AppendUint16(b, d.to.Port())
	b = network.AppendUint16(b, uint16(udpLen+len(d.payload)))
	b = append(b, 0, 0)
	b = append(b, d.payload...)
	check := ^d.checksum(b[at:])
	if check == 0 {
		check = 0xffff // 0 says that there is none
	}
	network.PutUint16(b[at+6:], check)
	return b
}

// parsePacket takes an IP packet apart that is whole and carries UDP right behind
// its header. If checked, the checksum is known to be right, or not filled in yet.
func parsePacket(b []byte, checked bool) (d datagram, ok bool) {
	var from, to netip.Addr
	switch {
	case len(b) >= ip4Len && b[0]>>4 == 4:
		head, size := int(b[0]&15)*4, int(network.Uint16(b[2:]))
		if head < ip4Len || size < head || size > len(b) || b[9] != udp || network.Uint16(b[6:])&0x3fff != 0 {
			return d, false
		}
		from, to = netip.AddrFrom4([4]byte(b[12:])), netip.AddrFrom4([4]byte(b[16:]))
		b = b[head:size]
	case len(b) >= ip6Len && b[0]>>4 == 6:
		size := ip6Len + int(network.Uint16(b[4:]))
		if size > len(b) || b[6] != udp {
			return d, false
		}
		from, to = netip.AddrFrom16([16]byte(b[8:])), netip.AddrFrom16([16]byte(b[24:]))
		b = b[ip6Len:size]
	}
	return d, from.IsValid() && d.parseUDP(b, from, to, checked)
}

func (d *datagram) parseUDP(b []byte, from, to netip.Addr, checked bool) bool {
	if len(b) < udpLen {
		return false
	}
	size := int(network.Uint16(b[4:]))
	if size < udpLen || size > len(b) {
		return false
	}
	b = b[:size]
	d.from = netip.AddrPortFrom(from, network.Uint16(b))
	d.to = netip.AddrPortFrom(to, network.Uint16(b[2:]))
	d.payload = b[udpLen:]
	none := network.Uint16(b[6:]) == 0 && from.Is4()
	return checked || none || d.checksum(b) == 0xffff
}

// checksum is the sum of a UDP datagram and its pseudo header; of one that is right
// it is 0xffff.
func (d *datagram) checksum(b []byte) uint16 {
	s := sum(0, d.from.Addr().AsSlice())
	s = sum(s, d.to.Addr().AsSlice())
	return fold(sum(s+udp+uint32(len(b)), b))
}

// sum adds the 16-bit words of b (RFC 1071).
func sum(s uint32, b []byte) uint32 {
	for ; len(b) >= 2; b = b[2:] {
		s += uint32(network.Uint16(b))
	}
	if len(b) == 1 {
		s += uint32(b[0]) << 8
	}
	return s
}

func fold(s uint32) uint16 {
	for s > 0xffff {
		s = s>>16 + s&0xffff
	}
	return uint16(s)
}
