package netlink

import (
	"encoding/binary"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/go-mif/mif/pvd"
)

// option is an option of neighbour discovery, filled up to eight octets.
func option(kind byte, body ...byte) []byte {
	b := append([]byte{kind, 0}, body...)
	for len(b)%8 != 0 {
		b = append(b, 0)
	}
	b[1] = byte(len(b) / 8)
	return b
}

func seconds(n uint32) []byte { return network.AppendUint32(nil, n) }

func addr16(s string) []byte { return netip.MustParseAddr(s).AsSlice() }

func prefixInformation(valid, preferred uint32) []byte {
	b := slices.Concat([]byte{64, 0xc0}, seconds(valid), seconds(preferred), seconds(0), addr16("2001:db8:1::"))
	return option(optPrefix, b...)
}

func servers(lifetime uint32, addrs ...string) []byte {
	b := append([]byte{0, 0}, seconds(lifetime)...)
	for _, a := range addrs {
		b = append(b, addr16(a)...)
	}
	return option(optRDNSS, b...)
}

// raBytes is an advertisement: flags, lifetime and options.
func raBytes(flags byte, lifetime uint16, options ...[]byte) []byte {
	b := []byte{icmpRouterAdvert, 0, 0, 0, 64, flags, byte(lifetime >> 8), byte(lifetime), 0, 0, 0, 0, 0, 0, 0, 0}
	return append(b, slices.Concat(options...)...)
}

func heard(b []byte) *packet {
	return &packet{index: 1, source: netip.MustParseAddr("fe80::1%1"), hopLimit: 255, body: b}
}

// pvdOption is a PvD option with what it holds, which begins where the padding ends.
func pvdOption(flags, sequence uint16, name string, held ...[]byte) []byte {
	b := binary.BigEndian.AppendUint16(nil, flags)
	b = binary.BigEndian.AppendUint16(b, sequence)
	for label := range strings.SplitSeq(name, ".") {
		b = append(append(b, byte(len(label))), label...)
	}
	b = append(b, 0)
	for (len(b)+2)%8 != 0 {
		b = append(b, 0)
	}
	return option(optPvD, append(b, slices.Concat(held...)...)...)
}

// hear folds advertisements, one after the other, and returns what is known then.
func hear(t *testing.T, all ...[]byte) []pvd.RA {
	t.Helper()
	s := wholeTables(slog.New(slog.DiscardHandler))
	var a advertisement
	for _, b := range all {
		if a.decode(heard(b)) {
			s.advertEvent(&a)
		}
	}
	return s.links[1].raFacts()
}

func wholeTables(log *slog.Logger) *tables {
	s := optionTables(log)
	s.whole = true
	return s
}

func pio(prefix string, flags byte, valid, preferred uint32) []byte {
	p := netip.MustParsePrefix(prefix)
	return option(optPrefix, slices.Concat([]byte{byte(p.Bits()), flags}, seconds(valid), seconds(preferred), seconds(0), p.Addr().AsSlice())...)
}

func rio(bits, flags byte, lifetime uint32, prefix ...byte) []byte {
	return option(optRoute, slices.Concat([]byte{bits, flags}, seconds(lifetime), prefix)...)
}
