package netlink

import (
	"encoding/binary"
	"net/netip"
)

var (
	host    = binary.NativeEndian
	network = binary.BigEndian
)

// A message is one netlink message (RFC 3549 section 2.2). Its body lies in the
// buffer it was read into.
type message struct {
	kind, flags uint16
	seq         uint32
	body        []byte
}

const headerLen = 16

// cutMessage cuts the first message off b. A message that does not fit into what
// is left is the end.
func cutMessage(b []byte) (m message, rest []byte, ok bool) {
	if len(b) < headerLen {
		return message{}, nil, false
	}
	n := int(host.Uint32(b))
	if n < headerLen || n > len(b) {
		return message{}, nil, false
	}
	m = message{kind: host.Uint16(b[4:]), flags: host.Uint16(b[6:]), seq: host.Uint32(b[8:]), body: b[headerLen:n]}
	return m, b[min(align(n), len(b)):], true
}

// family is the address family of a message, with which all that matter begin; 0 if
// it is empty.
func (m *message) family() uint8 {
	if len(m.body) == 0 {
		return afUnspec
	}
	return m.body[0]
}

// cutAttribute cuts the first attribute off b. Flags in its type are left out.
func cutAttribute(b []byte) (kind uint16, value, rest []byte, ok bool) {
	if len(b) < 4 {
		return 0, nil, nil, false
	}
	n := int(host.Uint16(b))
	if n < 4 || n > len(b) {
		return 0, nil, nil, false
	}
	return host.Uint16(b[2:]) & 0x3fff, b[4:n], b[min(align(n), len(b)):], true
}

func align(n int) int { return (n + 3) &^ 3 }

// address is an IP address as it stands in an attribute; the zero Addr if it is
// of a wrong length.
func address(b []byte) netip.Addr {
	a, _ := netip.AddrFromSlice(b)
	return a
}

// number is a 32-bit number in an attribute; 0 if it is cut.
func number(b []byte) uint32 {
	if len(b) < 4 {
		return 0
	}
	return host.Uint32(b)
}

// cstring is b up to its first NUL.
func cstring(b []byte) []byte {
	for i, c := range b {
		if c == 0 {
			return b[:i]
		}
	}
	return b
}

// digest mixes b into h (FNV-1a): what the tables need to tell apart but not to
// know.
func digest(h uint64, b []byte) uint64 {
	if h == 0 {
		h = 14695981039346656037
	}
	for _, c := range b {
		h = (h ^ uint64(c)) * 1099511628211
	}
	return h
}
