package netlink

import "net/netip"

// An objectMessage is an nhmsg: a nexthop object, alone or a group of others.
type objectMessage struct {
	id      uint32
	index   int32
	gateway netip.Addr
	reject  bool     // a black hole
	members []uint32 // ids; its memory is used again
}

// decode tells whether b is a whole message.
func (m *objectMessage) decode(b []byte) bool {
	*m = objectMessage{members: m.members[:0]}
	if len(b) < 8 {
		return false
	}
	for b = b[8:]; len(b) > 0; {
		kind, v, rest, ok := cutAttribute(b)
		if !ok {
			return false
		}
		m.attribute(kind, v)
		b = rest
	}
	return m.id != 0
}

func (m *objectMessage) attribute(kind uint16, v []byte) {
	switch kind {
	case nhaID:
		m.id = number(v)
	case nhaOIF:
		m.index = int32(number(v))
	case nhaGateway:
		m.gateway = address(v)
	case nhaBlackhole:
		m.reject = true
	case nhaGroup:
		for ; len(v) >= 8; v = v[8:] {
			m.members = append(m.members, host.Uint32(v))
		}
	}
}
