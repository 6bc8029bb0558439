package netlink

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/go-mif/mif/pvd"
)

// expectMeaning compares what is known, a line each in any order.
func expectMeaning(t *testing.T, what string, got []pvd.RA, want ...string) {
	t.Helper()
	lines := []string{}
	for i := range got {
		lines = append(lines, meaningOf(&got[i]))
	}
	slices.Sort(lines)
	slices.Sort(want)
	if !slices.Equal(lines, want) {
		t.Errorf("%s:\n%s\nwant\n%s", what, strings.Join(lines, "\n"), strings.Join(want, "\n"))
	}
}

// TestFigure2 reads the option that RFC 8801 section 3.1 draws.
func TestFigure2(t *testing.T) {
	o := pvdOption(0x8001, 123, "example.org", servers(100, "2001:db8::53", "2001:db8::54"), pio("2001:db8:1::/64", 0xc0, 100, 50))
	if o[0] != 21 || o[1] != 12 {
		t.Fatalf("type %d, length %d", o[0], o[1])
	}
	expectMeaning(t, "Figure 2", hear(t, raBytes(0, 1800, o)),
		"example.org; PvD H sequence 123 delay 1; router medium 1800; prefix 2001:db8:1::/64 L A 50 100; server 2001:db8::53 100; server 2001:db8::54 100")
}

// TestPaddingIgnored: the receiver ignores it (RFC 8801 section 3.1).
func TestPaddingIgnored(t *testing.T) {
	b := raBytes(0, 0, pvdOption(0, 0, "example.org", servers(100, "2001:db8::1")))
	for at := raHeaderLen + 6 + len("\x07example\x03org\x00"); at < raHeaderLen+24; at++ {
		b[at] = 0xff
	}
	expectMeaning(t, "padding", hear(t, b), "example.org; PvD; server 2001:db8::1 100")
}

// TestNonPvDHostsView: the kernel, which knows no such option, passes on what is outside it
// (RFC 8801 section 3.3), and an option of that type among these changes nothing.
func TestNonPvDHostsView(t *testing.T) {
	s := optionTables(nil)
	options := slices.Concat(servers(100, "2001:db8::1"), pvdOption(0x8000, 1, "example.org", servers(100, "2001:db8::2")))
	s.optionEvent(&optionMessage{index: 1, router: netip.MustParseAddr("fe80::1"), options: options})
	expectMeaning(t, "outside", s.links[1].raFacts(), "no name; server 2001:db8::1 100")
}

// TestExampleExtraOptions is RFC 8801 section 5.1: one advertisement for everybody, with
// some options for hosts that know the PvD option.
func TestExampleExtraOptions(t *testing.T) {
	o := pvdOption(0, 0, "example.org", servers(900, "2001:db8:cafe::53", "2001:db8:f00d::53"), pio("2001:db8:f00d::/64", 0xc0, 900, 600))
	if o[1] != 3+5+4 {
		t.Fatalf("length %d", o[1])
	}
	expectMeaning(t, "5.1", hear(t, raBytes(0, 6000, pio("2001:db8:cafe::/64", 0xc0, 900, 600), o)),
		"example.org; PvD; router medium 6000; prefix 2001:db8:cafe::/64 L A 600 900; prefix 2001:db8:f00d::/64 L A 600 900; "+
			"server 2001:db8:cafe::53 900; server 2001:db8:f00d::53 900")
}

// hearTwo folds advertisements of two routers.
func hearTwo(t *testing.T, one, two []byte) []pvd.RA {
	t.Helper()
	s := newHearer(t)
	s.hear(one)
	var a advertisement
	p := heard(two)
	if p.source = netip.MustParseAddr("fe80::2"); !a.decode(p) || !s.s.advertEvent(&a) {
		t.Fatal("discarded")
	}
	return s.s.links[1].raFacts()
}

// TestExampleTwoAudiences is RFC 8801 section 5.2: one advertisement for hosts that know
// the option, and one for those that do not, in which the inner header takes the router
// away from those that do.
func TestExampleTwoAudiences(t *testing.T) {
	legacy := pvdOption(0x2000, 0, "foo.example.org", raBytes(0, 0))
	aware := pvdOption(0x2000, 0, "bar.example.org", raBytes(0, 1600), pio("2001:db8:f00d::/64", 0xc0, 900, 600), servers(900, "2001:db8:f00d::53"))
	if legacy[1] != 3+2 || aware[1] != 3+2+4+3 {
		t.Fatalf("lengths %d, %d", legacy[1], aware[1])
	}
	got := hearTwo(t, raBytes(0, 6000, pio("2001:db8:cafe::/64", 0xc0, 900, 600), servers(900, "2001:db8:cafe::53"), legacy), raBytes(0, 0, aware))
	expectMeaning(t, "5.2", got,
		"foo.example.org; PvD R; prefix 2001:db8:cafe::/64 L A 600 900; server 2001:db8:cafe::53 900",
		"bar.example.org; PvD R; router medium 1600; prefix 2001:db8:f00d::/64 L A 600 900; server 2001:db8:f00d::53 900")
}

// TestExampleMultihoming is RFC 8801 section 5.3: a second network, for hosts only that
// know the option.
func TestExampleMultihoming(t *testing.T) {
	all := pvdOption(0, 0, "foo.example.org")
	aware := pvdOption(0x2000, 0, "bar.example.org", raBytes(0, 1600), pio("2001:db8:f00d::/64", 0xc0, 900, 600), servers(900, "2001:db8:f00d::53"))
	got := hearTwo(t, raBytes(0, 6000, pio("2001:db8:cafe::/64", 0xc0, 900, 600), servers(900, "2001:db8:cafe::53"), all), raBytes(0, 0, aware))
	expectMeaning(t, "5.3", got,
		"foo.example.org; PvD; router medium 6000; prefix 2001:db8:cafe::/64 L A 600 900; server 2001:db8:cafe::53 900",
		"bar.example.org; PvD R; router medium 1600; prefix 2001:db8:f00d::/64 L A 600 900; server 2001:db8:f00d::53 900")
}

// TestRouterChangesItsAddress: of an implicit domain, what comes from a new link-local
// address is of another (RFC 8801 section 3.2); of an explicit one it is the same.
func TestRouterChangesItsAddress(t *testing.T) {
	s := newHearer(t)
	for _, from := range []string{"fe80::1", "fe80::2"} {
		for _, name := range []string{"", "corp.example"} {
			b := raBytes(0, 0, servers(100, "2001:db8::1"))
			if name != "" {
				b = append(b, pvdOption(0, 0, name)...)
			}
			var a advertisement
			p := heard(b)
			if p.source = netip.MustParseAddr(from); !a.decode(p) || !s.s.advertEvent(&a) {
				t.Fatal("discarded")
			}
		}
	}
	got := s.s.links[1].raFacts()
	expectMeaning(t, "both", got, "no name; server 2001:db8::1 100", "no name; server 2001:db8::1 100",
		"corp.example; PvD; server 2001:db8::1 100", "corp.example; PvD; server 2001:db8::1 100")
}
