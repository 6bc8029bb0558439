package dhcp

import (
	"net/netip"
	"slices"
	"testing"
)

var datagrams = []datagram{
	{netip.MustParseAddrPort("192.0.2.7:68"), netip.MustParseAddrPort("255.255.255.255:67"), []byte("an odd number of octets")},
	{netip.MustParseAddrPort("[fe80::7]:546"), netip.MustParseAddrPort("[ff02::1:2]:547"), []byte("an even number of octets")},
	{netip.MustParseAddrPort("[fe80::7]:546"), netip.MustParseAddrPort("[ff02::1:2]:547"), nil},
}

// What is sent can be taken apart, and what has any bit wrong that a checksum covers
// cannot.
func TestPackets(t *testing.T) {
	for _, d := range datagrams {
		p := d.packet()
		got, ok := parsePacket(p, false)
		if !ok || got.from != d.from || got.to != d.to || string(got.payload) != string(d.payload) {
			t.Errorf("%v became %v, %v", d, got, ok)
		}
		first := ip6Len
		if d.from.Addr().Is4() {
			first = ip4Len
		}
		for i := first; i < len(p); i++ {
			bad := slices.Clone(p)
			bad[i] ^= 4
			if _, ok := parsePacket(bad, false); ok {
				t.Errorf("%v: octet %d wrong, and taken", d, i)
			}
		}
		for n := range p {
			if _, ok := parsePacket(p[:n], true); ok {
				t.Errorf("%v: cut to %d octets, and taken", d, n)
			}
		}
		padded := append(slices.Clone(p), 1, 2, 3)
		if got, ok := parsePacket(padded, false); !ok || string(got.payload) != string(d.payload) {
			t.Errorf("%v: padding is taken for %q", d, got.payload)
		}
	}
}

// A checksum left to a device is not looked at, nor one that is not there.
func TestNoChecksum(t *testing.T) {
	for _, d := range datagrams[:2] {
		p := d.packet()
		at := len(p) - len(d.payload) - 2
		p[at] ^= 1
		if _, ok := parsePacket(p, true); !ok {
			t.Errorf("%v: known to be right, and refused", d)
		}
		p[at], p[at+1] = 0, 0
		if _, ok := parsePacket(p, false); ok != d.from.Addr().Is4() {
			t.Errorf("%v: without a checksum: %v", d, ok)
		}
	}
}

func TestFragments(t *testing.T) {
	for _, flags := range []byte{0x20, 0x01} {
		p := datagrams[0].packet()
		p[6] |= flags
		if _, ok := parsePacket(p, true); ok {
			t.Errorf("a fragment, flags %#x", flags)
		}
	}
}
