package dhcp

import "golang.org/x/sys/unix"

// Classic BPF instructions (socket filters of Linux, networking/filter.rst).
const (
	loadByte  = unix.BPF_LD | unix.BPF_B | unix.BPF_ABS
	loadHalf  = unix.BPF_LD | unix.BPF_H | unix.BPF_ABS
	loadHead4 = unix.BPF_LDX | unix.BPF_B | unix.BPF_MSH // the length of an IPv4 header, into x
	loadHalfX = unix.BPF_LD | unix.BPF_H | unix.BPF_IND
	and       = unix.BPF_ALU | unix.BPF_AND | unix.BPF_K
	ifEqual   = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
	ifAnySet  = unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K
	done      = unix.BPF_RET | unix.BPF_K

	packetType = 0xfffff000 + 4 // SKF_AD_OFF + SKF_AD_PKTTYPE of linux/filter.h
)

// filter lets those packets pass that are for this host, and are unfragmented UDP
// datagrams to the port of a DHCP client. A jump counts the instructions passed over.
var filter = [...]unix.SockFilter{
	{Code: loadByte, K: packetType},
	{Code: ifEqual, K: unix.PACKET_OUTGOING, Jt: 16},
	{Code: ifEqual, K: unix.PACKET_OTHERHOST, Jt: 15},
	{Code: loadByte, K: 0},
	{Code: and, K: 0xf0},
	{Code: ifEqual, K: 0x60, Jt: 8},
	{Code: ifEqual, K: 0x40, Jf: 11},

	{Code: loadByte, K: 9}, // IPv4
	{Code: ifEqual, K: udp, Jf: 9},
	{Code: loadHalf, K: 6},
	{Code: ifAnySet, K: 0x3fff, Jt: 7},
	{Code: loadHead4, K: 0},
	{Code: loadHalfX, K: 2},
	{Code: ifEqual, K: client4, Jt: 5, Jf: 4},

	{Code: loadByte, K: 6}, // IPv6
	{Code: ifEqual, K: udp, Jf: 2},
	{Code: loadHalf, K: ip6Len + 2},
	{Code: ifEqual, K: client6, Jt: 1},

	{Code: done, K: 0},
	{Code: done, K: maxPacket + 1}, // one more than is read, so that what is longer shows
}
