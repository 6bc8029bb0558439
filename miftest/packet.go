package miftest

import (
	"encoding/binary"
	"net"
	"net/netip"
	"time"
)

// Ethernet types, and protocols of IP that are looked into.
const (
	etherIPv4 = 0x0800
	etherARP  = 0x0806
	etherIPv6 = 0x86dd

	protoTCP    = 6
	protoUDP    = 17
	protoICMPv6 = 58
)

// A Packet is a frame on a router's link, taken apart as far as tests ask. What
// a frame does not have, or what is cut off, is zero.
type Packet struct {
	Time       time.Time
	FromRouter bool // the router sent it; else the host or another router did

	SourceMAC, DestinationMAC net.HardwareAddr
	EtherType                 uint16

	Source, Destination netip.AddrPort // of IP or ARP; ports of TCP and UDP
	Protocol            uint8          // of IP, after extension headers
	SYN, ACK, FIN, RST  bool           // of TCP
	ICMPType            uint8          // of ICMP and ICMPv6
	Payload             []byte         // of UDP, TCP or ICMP, or of IP

	Raw []byte // the whole frame
}

// ARP reports whether the packet is ARP; then Destination is the address asked
// for or told, and Source whose packet it is.
func (p Packet) ARP() bool { return p.EtherType == etherARP }

// Involves reports whether the packet is from, to, or, for ARP and neighbour
// discovery, about an address.
func (p Packet) Involves(a netip.Addr) bool {
	return p.Source.Addr() == a || p.Destination.Addr() == a || p.Target() == a
}

// Target returns the address that a neighbour solicitation or advertisement is
// about (RFC 4861 §4.3, §4.4).
func (p Packet) Target() netip.Addr {
	if p.Protocol != protoICMPv6 || p.ICMPType != 135 && p.ICMPType != 136 || len(p.Payload) < 24 {
		return netip.Addr{}
	}
	return netip.AddrFrom16([16]byte(p.Payload[8:]))
}

// decode takes an Ethernet frame apart.
func decode(frame []byte) Packet {
	p := Packet{Raw: frame}
	if len(frame) < 14 {
		return p
	}
	p.DestinationMAC, p.SourceMAC = net.HardwareAddr(frame[:6]), net.HardwareAddr(frame[6:12])
	p.EtherType = binary.BigEndian.Uint16(frame[12:])
	switch b := frame[14:]; p.EtherType {
	case etherARP:
		p.arp(b)
	case etherIPv4:
		p.ipv4(b)
	case etherIPv6:
		p.ipv6(b)
	}
	return p
}

func (p *Packet) arp(b []byte) {
	if len(b) >= 28 {
		p.Source = netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[14:])), 0)
		p.Destination = netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[24:])), 0)
	}
}

func (p *Packet) ipv4(b []byte) {
	if len(b) < 20 || len(b) < int(b[0]&15)*4 {
		return
	}
	if size := int(binary.BigEndian.Uint16(b[2:])); size >= 20 && size < len(b) {
		b = b[:size]
	}
	p.Protocol = b[9]
	src, dst := netip.AddrFrom4([4]byte(b[12:])), netip.AddrFrom4([4]byte(b[16:]))
	p.transport(src, dst, b[min(len(b), int(b[0]&15)*4):])
}

func (p *Packet) ipv6(b []byte) {
	if len(b) < 40 {
		return
	}
	src, dst := netip.AddrFrom16([16]byte(b[8:])), netip.AddrFrom16([16]byte(b[24:]))
	next := b[6]
	b = b[40:]
	for (next == 0 || next == 43 || next == 60) && len(b) >= 8 && len(b) >= 8+int(b[1])*8 {
		next, b = b[0], b[8+int(b[1])*8:] // hop-by-hop, routing, destination options
	}
	p.Protocol = next
	p.transport(src, dst, b)
}

func (p *Packet) transport(src, dst netip.Addr, b []byte) {
	var from, to uint16
	p.Payload = b
	switch {
	case p.Protocol == protoUDP && len(b) >= 8:
		from, to = binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:])
		p.Payload = b[8:]
	case p.Protocol == protoTCP && len(b) >= 20 && len(b) >= int(b[12]>>4)*4:
		from, to = binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:])
		p.FIN, p.SYN, p.RST, p.ACK = b[13]&1 != 0, b[13]&2 != 0, b[13]&4 != 0, b[13]&16 != 0
		p.Payload = b[int(b[12]>>4)*4:]
	case (p.Protocol == 1 || p.Protocol == protoICMPv6) && len(b) >= 4:
		p.ICMPType = b[0]
	}
	p.Source, p.Destination = netip.AddrPortFrom(src, from), netip.AddrPortFrom(dst, to)
}
