package resolver

import (
	"net/netip"
	"slices"

	"github.com/miekg/dns"
)

// only4 is the name that has IPv4 addresses only, so that whatever IPv6 address
// it has is a synthesised one (RFC 7050 §3, RFC 8880).
const only4 = "ipv4only.arpa"

// wellKnown gives the prefix that stands for global IPv4 addresses only (RFC
// 6052 §3.1).
func wellKnown() netip.Prefix {
	return netip.PrefixFrom(netip.AddrFrom16([16]byte{1: 0x64, 2: 0xff, 3: 0x9b}), 96)
}

// embed gives the IPv6 address for an IPv4 one in a prefix (RFC 6052 §2.2), if
// the prefix can hold one: of 32, 40, 48, 56, 64 or 96 bits, with bits 64 to 71
// zero.
func embed(p netip.Prefix, v4 netip.Addr) (netip.Addr, bool) {
	if !holds(p) || !v4.Is4() || reserved(v4, p.Masked() == wellKnown()) {
		return netip.Addr{}, false
	}
	b, four := p.Masked().Addr().As16(), v4.As4()
	for i, at := range places(p.Bits()) {
		b[at] = four[i]
	}
	return netip.AddrFrom16(b), true
}

func holds(p netip.Prefix) bool {
	if !p.IsValid() || !p.Addr().Is6() || p.Addr().Is4In6() {
		return false
	}
	return slices.Contains([]int{32, 40, 48, 56, 64, 96}, p.Bits()) && p.Masked().Addr().As16()[8] == 0
}

// places gives the octets of an address that an IPv4 address is in: those after
// the prefix, without the ninth.
func places(bits int) (at [4]int) {
	next := bits / 8
	for i := range at {
		if next == 8 {
			next++
		}
		at[i], next = next, next+1
	}
	return at
}

// reserved tells whether an IPv4 address has no meaning on the far side of a
// translator: none of this host or of this link (draft-ietf-happy-happyeyeballs
// -v3 §8), and in the well-known prefix none that is not global (RFC 6052 §3.1).
func reserved(a netip.Addr, global bool) bool {
	if a.IsLoopback() || a.IsLinkLocalUnicast() || a.IsMulticast() || a.As4()[0] == 0 || a.As4() == [4]byte{255, 255, 255, 255} {
		return true
	}
	if !global {
		return false
	}
	return slices.ContainsFunc(notGlobal(), func(p netip.Prefix) bool { return p.Contains(a) })
}

// notGlobal gives the IPv4 networks of RFC 5735 §3 and RFC 6598 §7.
func notGlobal() []netip.Prefix {
	four := func(a, b, c byte, bits int) netip.Prefix {
		return netip.PrefixFrom(netip.AddrFrom4([4]byte{a, b, c, 0}), bits)
	}
	return []netip.Prefix{
		four(10, 0, 0, 8), four(100, 64, 0, 10), four(172, 16, 0, 12), four(192, 0, 0, 24), four(192, 0, 2, 24),
		four(192, 88, 99, 24), four(192, 168, 0, 16), four(198, 18, 0, 15), four(198, 51, 100, 24),
		four(203, 0, 113, 24), four(240, 0, 0, 4),
	}
}

// extract gives the prefix of an address synthesised for only4 (RFC 7050 §3): one
// of its two addresses has to be in it once.
func extract(a netip.Addr) (netip.Prefix, bool) {
	for _, last := range []byte{170, 171} {
		var found []netip.Prefix
		for _, bits := range []int{96, 64, 56, 48, 40, 32} {
			b, p := a.As16(), netip.PrefixFrom(a, bits).Masked()
			want, same := [4]byte{192, 0, 0, last}, b[8] == 0
			for i, at := range places(bits) {
				same = same && b[at] == want[i]
			}
			if same && holds(p) {
				found = append(found, p)
			}
		}
		if len(found) == 1 {
			return found[0], true
		}
	}
	return netip.Prefix{}, false
}

// translates tells whether IPv4 addresses are made IPv6 ones.
func (l *lookup) translates() bool {
	return l.cfg.IPv6Only && l.family != IPv4 && (len(l.cfg.PREF64) > 0 || l.cfg.DiscoverPREF64)
}

// translated is candidate in a domain without IPv4 (RFC 6147 §5.1): what has no
// IPv6 address gets one for each IPv4 address.
func (l *lookup) translated(name string) (found bool, err error) {
	var o [2]outcome
	l.together(name, []uint16{dns.TypeAAAA, dns.TypeA}, func(qtype uint16, got outcome) bool {
		if qtype == dns.TypeA {
			o[1] = got
			return true
		}
		o[0] = got
		return len(got.answers) == 0
	})
	if len(o[0].answers) == 0 && len(o[1].answers) > 0 {
		if made := l.synthesise(o[1].answers); len(made) > 0 {
			o[0] = outcome{answers: made}
		}
	}
	if err = l.offer(o[0], &found); !found {
		err = graver(err, o[1].err)
	}
	return found, err
}

// synthesise gives IPv6 addresses for IPv4 ones.
func (l *lookup) synthesise(four []Answer) []Answer {
	var made []Answer
	for _, p := range l.prefixes() {
		for _, a := range four {
			if addr, ok := embed(p, a.Addr); ok && len(made) < maxAddrs {
				a.Addr, a.Origin = addr, Synthesised
				made = append(made, a)
			}
		}
	}
	return made
}

// prefixes gives the domain's prefixes, the configured ones or those its servers
// use.
func (l *lookup) prefixes() []netip.Prefix {
	if len(l.cfg.PREF64) > 0 {
		return l.cfg.PREF64[:min(len(l.cfg.PREF64), maxServers)]
	}
	var prefixes []netip.Prefix
	for _, a := range l.resolve(&l.patience, only4, dns.TypeAAAA, nil).answers {
		if p, ok := extract(a.Addr); ok && !slices.Contains(prefixes, p) {
			prefixes = append(prefixes, p)
		}
	}
	return prefixes
}

// literal yields an address that was asked for, translated if need be.
func (l *lookup) literal(a Answer) error {
	if a.Addr.Is4() && l.translates() {
		l.view = l.r.look(&l.cfg)
		if made := l.synthesise([]Answer{a}); len(made) > 0 {
			return l.deliver(made)
		}
	}
	return l.deliver([]Answer{a})
}
