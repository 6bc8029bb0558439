package netlink

import "net/netip"

// An optionMessage is an nduseroptmsg: options of one router advertisement, as
// the router wrote them.
type optionMessage struct {
	index   int32
	router  netip.Addr
	options []byte // in the buffer it was decoded from
}

// decode tells whether b is a whole message of a router advertisement that names
// its router.
func (m *optionMessage) decode(b []byte) bool {
	*m = optionMessage{}
	if len(b) < 16 || b[0] != afINET6 || b[8] != icmpRouterAdvert || b[9] != 0 {
		return false
	}
	m.index = int32(host.Uint32(b[4:]))
	n := 16 + int(host.Uint16(b[2:]))
	if n > len(b) {
		return false
	}
	m.options = b[16:n]
	for b = b[min(align(n), len(b)):]; len(b) > 0; {
		kind, v, rest, ok := cutAttribute(b)
		if !ok {
			return false
		}
		if kind == ndSourceAddr {
			m.router = address(v)
		}
		b = rest
	}
	return m.index > 0 && m.router.Is6() && m.router.IsLinkLocalUnicast()
}
