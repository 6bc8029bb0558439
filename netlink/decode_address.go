package netlink

import "net/netip"

// An addressMessage is an ifaddrmsg with the attributes that matter.
type addressMessage struct {
	family, bits, scope, proto uint8
	flags                      uint32
	index                      int32
	local, peer                netip.Addr
	preferred, valid           uint32 // seconds from now
}

// decode tells whether b is a whole message of an IP address.
func (m *addressMessage) decode(b []byte) bool {
	*m = addressMessage{preferred: forever, valid: forever}
	if len(b) < 8 || b[0] != afINET && b[0] != afINET6 {
		return false
	}
	m.family, m.bits, m.flags, m.scope = b[0], b[1], uint32(b[2]), b[3]
	m.index = int32(host.Uint32(b[4:]))
	for b = b[8:]; len(b) > 0; {
		kind, v, rest, ok := cutAttribute(b)
		if !ok {
			return false
		}
		m.attribute(kind, v)
		b = rest
	}
	return m.check()
}

func (m *addressMessage) attribute(kind uint16, v []byte) {
	switch kind {
	case ifaAddress:
		m.peer = address(v)
	case ifaLocal:
		m.local = address(v)
	case ifaFlags:
		m.flags = number(v)
	case ifaProto:
		if len(v) > 0 {
			m.proto = v[0]
		}
	case ifaCacheInfo:
		if len(v) >= 8 {
			m.preferred, m.valid = host.Uint32(v), host.Uint32(v[4:])
		}
	}
}

// check fills in the local address where the kernel leaves it out: it does for
// IPv6 unless there is a peer.
func (m *addressMessage) check() bool {
	if !m.local.IsValid() {
		m.local = m.peer
	}
	if !m.peer.IsValid() {
		m.peer = m.local
	}
	return m.index > 0 && m.local.Is4() == (m.family == afINET) && m.peer.BitLen() == m.local.BitLen() &&
		int(m.bits) <= m.local.BitLen()
}
