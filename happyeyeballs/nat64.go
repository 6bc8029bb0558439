package happyeyeballs

import (
	"net/netip"
	"slices"
)

// wellKnown is the prefix that stands for no network in particular (RFC 6052,
// section 2.1).
var wellKnown = netip.MustParsePrefix("64:ff9b::/96")

// discoveryName has two known IPv4 addresses and no IPv6 ones, so that a DNS64
// gives its prefix away (RFC 7050, section 2.2).
const discoveryName = "ipv4only.arpa."

var discoveryAddrs = []netip.Addr{netip.AddrFrom4([4]byte{192, 0, 0, 170}), netip.AddrFrom4([4]byte{192, 0, 0, 171})}

// prefixLengths are those that a NAT64 prefix can have (RFC 6052, section 2.2).
var prefixLengths = []int{96, 64, 56, 48, 40, 32}

// positions are the octets of an IPv6 address that hold the IPv4 address after a
// prefix of some bits. Octet 8 is passed over (RFC 6052, section 2.2).
func positions(bits int) (at [4]int) {
	i := bits / 8
	for n := range at {
		if i == 8 {
			i++
		}
		at[n] = i
		i++
	}
	return at
}

// synthesize gives the IPv6 address for an IPv4 address behind a NAT64. It fails
// for addresses that mean something on this host or link only, and for private
// ones with the well-known prefix (RFC 6052, section 3.1).
func synthesize(p netip.Prefix, a netip.Addr) (netip.Addr, bool) {
	if !slices.Contains(prefixLengths, p.Bits()) || !p.Addr().Is6() || !translatable(p, a) {
		return netip.Addr{}, false
	}
	six, four := p.Masked().Addr().As16(), a.As4()
	for n, i := range positions(p.Bits()) {
		six[i] = four[n]
	}
	return netip.AddrFrom16(six), true
}

func translatable(p netip.Prefix, a netip.Addr) bool {
	switch {
	case !a.Is4() || a.As4()[0] == 0 || a.IsLoopback() || a.IsLinkLocalUnicast() || a == broadcast:
		return false
	case p.Masked() == wellKnown && a.IsPrivate():
		return false
	}
	return true
}

// extract gives the IPv4 address in a synthesised one.
func extract(p netip.Prefix, a netip.Addr) (netip.Addr, bool) {
	if !a.Is6() || !slices.Contains(prefixLengths, p.Bits()) || !p.Contains(a.WithZone("")) {
		return netip.Addr{}, false
	}
	six, four := a.As16(), [4]byte{}
	for n, i := range positions(p.Bits()) {
		four[n] = six[i]
	}
	v4 := netip.AddrFrom4(four)
	back, ok := synthesize(p, v4)
	return v4, ok && back == a.WithZone("")
}

// discovered gives the prefix in a translation of discoveryName (RFC 7050,
// section 3).
func discovered(a netip.Addr) (netip.Prefix, bool) {
	for _, bits := range prefixLengths {
		p := netip.PrefixFrom(a.WithZone(""), bits).Masked()
		if v4, ok := extract(p, a); ok && slices.Contains(discoveryAddrs, v4) {
			return p, true
		}
	}
	return netip.Prefix{}, false
}
