package netlink

import (
	"net/netip"

	"github.com/go-mif/mif/internal/value"
	"github.com/go-mif/mif/pvd"
)

// raHeaderLen is the length of a Router Advertisement without options (RFC 4861
// section 4.2).
const raHeaderLen = 16

// maxAdvert is the longest advertisement that is heard: no IP packet is longer.
const maxAdvert = 64 << 10

// A packet is an ICMPv6 message as it came in.
type packet struct {
	index      int32 // of the interface
	source     netip.Addr
	hopLimit   int    // -1: not known
	fragmented bool   // it came in fragments, or as the only one
	body       []byte // with the ICMPv6 header; the kernel has seen to the checksum
}

// An advertisement is a Router Advertisement that a host must not discard.
type advertisement struct {
	index   int32
	router  netip.Addr // without a zone
	header  raHeader
	domain  pvd.Option // of the first PvD option; without FQDN if there is none
	outside []byte     // its options
	inside  []byte     // the options in the PvD option, which come after those outside it
}

// An raHeader is what the fixed part of an advertisement says of its router.
type raHeader struct {
	managed, other bool
	preference     int8
	lifetime       uint16 // seconds; 0: not a default router
}

// decode tells whether p is a valid Router Advertisement (RFC 4861 section 6.1.2, RFC
// 6980 section 5).
func (a *advertisement) decode(p *packet) bool {
	*a = advertisement{index: p.index, router: p.source.WithZone("")}
	b := p.body
	if p.index <= 0 || p.hopLimit != 255 || p.fragmented || !a.router.Is6() || a.router.Is4In6() || !a.router.IsLinkLocalUnicast() ||
		len(b) < raHeaderLen || b[0] != icmpRouterAdvert || b[1] != 0 || !wholeOptions(b[raHeaderLen:]) {
		return false
	}
	a.header.decode(b)
	a.outside = b[raHeaderLen:]
	if v := firstOption(a.outside, optPvD); v != nil {
		a.decodePvD(v)
	}
	return true
}

// wholeOptions tells whether b is options and nothing else. One without a length,
// or cut, is reason to discard all of them.
func wholeOptions(b []byte) bool {
	for len(b) > 0 {
		_, _, rest, ok := cutOption(b)
		if !ok {
			return false
		}
		b = rest
	}
	return true
}

// firstOption is the first option of a kind, behind type and length; nil if there
// is none.
func firstOption(b []byte, want uint8) []byte {
	for len(b) > 0 {
		kind, v, rest, ok := cutOption(b)
		if !ok || kind == want {
			return v
		}
		b = rest
	}
	return nil
}

// decode takes the first octets of an advertisement, or of a header inside a PvD
// option, whose type, code and checksum say nothing (RFC 8801 section 3.1).
func (h *raHeader) decode(b []byte) {
	*h = raHeader{managed: b[5]&0x80 != 0, other: b[5]&0x40 != 0, lifetime: network.Uint16(b[6:])}
	if h.lifetime != 0 { // else it is ignored (RFC 4191 section 2.2)
		h.preference = preference([]byte{b[5] >> 3})
	}
}

// decodePvD takes a PvD option's octets behind type and length (RFC 8801 section
// 3.1). Of one that is malformed nothing is taken: the advertisement is as if it
// had none.
func (a *advertisement) decodePvD(v []byte) {
	const r = 0x2000
	flags := network.Uint16(v)
	name, rest, ok := value.CutName(v[4:])
	if !ok || name == "" {
		return
	}
	used := len(v) - len(rest) + 2 // with type and length
	inside := v[min((used+7)&^7-2, len(v)):]
	if flags&r != 0 {
		if len(inside) < raHeaderLen {
			return
		}
		a.header.decode(inside)
		inside = inside[raHeaderLen:]
	}
	a.domain = pvd.Option{FQDN: name, HTTP: flags&0x8000 != 0, Legacy: flags&0x4000 != 0, RouterHead: flags&r != 0}
	if a.domain.HTTP { // else the two are ignored
		a.domain.Delay, a.domain.Sequence = uint8(flags&15), network.Uint16(v[2:])
	}
	a.inside = inside
}
