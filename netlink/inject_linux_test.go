package netlink

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

var allNodes = netip.MustParseAddr("ff02::1").AsSlice()

// inject sends a packet as a frame from the router, as if by a wire.
func (c *cable) inject(t *testing.T, body []byte) {
	t.Helper()
	c.injectPacket(t, unix.IPPROTO_ICMPV6, c.summed(body))
}

// summed is an ICMPv6 message to all nodes with its checksum.
func (c *cable) summed(body []byte) []byte {
	b := slices.Clone(body)
	binary.BigEndian.PutUint16(b[2:], 0)
	pseudo := slices.Concat(c.router.AsSlice(), allNodes, seconds(uint32(len(b))), []byte{0, 0, 0, unix.IPPROTO_ICMPV6}, b)
	binary.BigEndian.PutUint16(b[2:], internetChecksum(pseudo))
	return b
}

func (c *cable) injectPacket(t *testing.T, next byte, b []byte) {
	t.Helper()
	head := binary.BigEndian.AppendUint16([]byte{0x60, 0, 0, 0}, uint16(len(b)))
	frame := slices.Concat([]byte{0x33, 0x33, 0, 0, 0, 1}, c.far.Attrs().HardwareAddr, []byte{0x86, 0xdd}, head, []byte{next, 255}, c.router.AsSlice(), allNodes, b)
	c.remote.do(t, func() error {
		fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		return unix.Sendto(fd, frame, 0, &unix.SockaddrLinklayer{Ifindex: c.far.Attrs().Index, Halen: 6})
	})
}

// internetChecksum is RFC 1071's.
func internetChecksum(b []byte) uint16 {
	sum := uint32(0)
	for ; len(b) >= 2; b = b[2:] {
		sum += uint32(binary.BigEndian.Uint16(b))
	}
	if len(b) == 1 {
		sum += uint32(b[0]) << 8
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}
