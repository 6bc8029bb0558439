package netlink

import "net"

// A linkMessage is an ifinfomsg with the attributes that matter. Its slices lie
// in the buffer it was decoded from.
type linkMessage struct {
	family               uint8
	index                int32
	flags                uint32
	name, hardware, kind []byte
	mtu                  uint32
	master               int32
	operState            uint8
	raFlags              uint32
	mtu6                 uint32
	hasIPv6              bool // raFlags and mtu6 are told
}

// decode tells whether b is a whole message.
func (m *linkMessage) decode(b []byte) bool {
	*m = linkMessage{}
	if len(b) < 16 {
		return false
	}
	m.family, m.index, m.flags = b[0], int32(host.Uint32(b[4:])), host.Uint32(b[8:])
	for b = b[16:]; len(b) > 0; {
		kind, v, rest, ok := cutAttribute(b)
		if !ok {
			return false
		}
		m.attribute(kind, v)
		b = rest
	}
	return m.index > 0
}

func (m *linkMessage) attribute(kind uint16, v []byte) {
	switch kind {
	case iflaAddress:
		m.hardware = v
	case iflaName:
		m.name = cstring(v)
	case iflaMTU:
		m.mtu = number(v)
	case iflaMaster:
		m.master = int32(number(v))
	case iflaOperState:
		if len(v) > 0 {
			m.operState = v[0]
		}
	case iflaLinkInfo:
		m.kind = cstring(nested(v, iflaInfoKind))
	case iflaAFSpec:
		m.hasIPv6 = true // if only that there is none, as where the MTU is too small for it
		m.ipv6(nested(v, afINET6))
	case iflaProtInfo:
		if m.family == afINET6 {
			m.ipv6(v)
		}
	}
}

// ipv6 takes what IPv6 says of the interface.
func (m *linkMessage) ipv6(v []byte) {
	if f := nested(v, iflaInet6Flags); f != nil {
		m.raFlags, m.hasIPv6 = number(f), true
	}
	if c := nested(v, iflaInet6Conf); len(c) >= 4*(inet6ConfMTU+1) {
		m.mtu6 = number(c[4*inet6ConfMTU:])
	}
}

// nested is the first attribute of a kind in v; nil if there is none.
func nested(v []byte, want uint16) []byte {
	for {
		kind, value, rest, ok := cutAttribute(v)
		if !ok || kind == want {
			return value
		}
		v = rest
	}
}

// netFlags are an interface's flags as the standard library numbers them.
func netFlags(f uint32) net.Flags {
	var n net.Flags
	for _, p := range [...]struct {
		kernel uint32
		net    net.Flags
	}{
		{iffUp, net.FlagUp}, {iffBroadcast, net.FlagBroadcast}, {iffLoopback, net.FlagLoopback},
		{iffPointToPoint, net.FlagPointToPoint}, {iffMulticast, net.FlagMulticast}, {iffRunning, net.FlagRunning},
	} {
		if f&p.kernel != 0 {
			n |= p.net
		}
	}
	return n
}

// carrier tells whether the link below works, as far as the kernel knows.
func carrier(flags uint32, operState uint8) bool {
	return flags&iffLowerUp != 0 && (operState == operUnknown || operState == operUp)
}
