package netlink

import (
	"net/netip"
	"strings"

	"github.com/go-mif/mif/internal/value"
)

// Options of router advertisements that the kernel passes on.
const (
	optPrefix        = 3  // RFC 4861 section 4.6.2
	optRDNSS         = 25 // RFC 8106 section 5.1
	optDNSSL         = 31 // RFC 8106 section 5.2
	optCaptivePortal = 37 // RFC 8910 section 2.3
	optPREF64        = 38 // RFC 8781
)

// cutOption cuts the first option off b: its type, and its octets behind type and
// length.
func cutOption(b []byte) (kind uint8, value, rest []byte, ok bool) {
	if len(b) < 8 || b[1] == 0 || int(b[1])*8 > len(b) {
		return 0, nil, nil, false
	}
	n := int(b[1]) * 8
	return b[0], b[2:n], b[n:], true
}

// A prefixOption is a Prefix Information option.
type prefixOption struct {
	prefix             netip.Prefix
	onLink, autonomous bool
	valid, preferred   uint32 // seconds
}

// decode takes an option's octets behind type and length.
func (o *prefixOption) decode(v []byte) bool {
	if len(v) != 30 || v[0] > 128 {
		return false
	}
	p := netip.PrefixFrom(netip.AddrFrom16([16]byte(v[14:30])), int(v[0])).Masked()
	*o = prefixOption{p, v[1]&0x80 != 0, v[1]&0x40 != 0, network.Uint32(v[2:]), network.Uint32(v[6:])}
	return o.preferred <= o.valid && !p.Addr().IsLinkLocalUnicast() && !p.Addr().IsMulticast()
}

// decodeRDNSS is the lifetime of a Recursive DNS Server option, and its addresses
// one behind the other.
func decodeRDNSS(v []byte) (seconds uint32, addrs []byte, ok bool) {
	if len(v) < 22 || len(v)%16 != 6 {
		return 0, nil, false
	}
	return network.Uint32(v[2:]), v[6:], true
}

// decodeDNSSL is the lifetime of a DNS Search List option, and its names. A name
// that is no host name is left out.
func decodeDNSSL(v []byte) (seconds uint32, names []string, ok bool) {
	if len(v) < 14 {
		return 0, nil, false
	}
	seconds = network.Uint32(v[2:])
	for v = v[6:]; len(v) > 0 && v[0] != 0 && len(names) < maxData; {
		name, rest, whole := value.CutName(v)
		if !whole {
			return 0, nil, false
		}
		if name != "" {
			names = append(names, name)
		}
		v = rest
	}
	return seconds, names, true
}

// decodePREF64 is a NAT64 prefix and its lifetime.
func decodePREF64(v []byte) (p netip.Prefix, seconds uint32, ok bool) {
	bits := [...]int{96, 64, 56, 48, 40, 32}
	if len(v) != 14 || int(v[1]&7) >= len(bits) {
		return netip.Prefix{}, 0, false
	}
	var a [16]byte
	copy(a[:12], v[2:])
	p = netip.PrefixFrom(netip.AddrFrom16(a), bits[v[1]&7]).Masked()
	return p, uint32(network.Uint16(v) &^ 7), true // units of 8 s, above three bits
}

// decodePortal is the URI of a captive portal. What is left of the option behind
// it is NULs.
func decodePortal(v []byte) (uri string, ok bool) {
	uri = strings.TrimRight(string(v), "\x00")
	for _, c := range []byte(uri) {
		if c <= ' ' || c >= 0x7f {
			return "", false
		}
	}
	return uri, uri != ""
}
