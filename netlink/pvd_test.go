package netlink

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-mif/mif/pvd"
)

// said is what was said of each domain, a line each: router, name, flags and data.
func said(all []pvd.RA) []string {
	lines := []string{}
	for _, r := range all {
		l := r.Router.String() + " " + r.FQDN
		if r.Managed {
			l += " M"
		}
		if r.Other {
			l += " O"
		}
		c := r.Configuration
		for _, d := range c.Routers {
			l += fmt.Sprint(" router ", d.Value.Preference)
		}
		for _, d := range c.Prefixes {
			l += " " + d.Value.Prefix.String()
		}
		for _, d := range c.DNSServers {
			l += " " + d.Value.Addr().String()
		}
		lines = append(lines, l)
	}
	return lines
}

func expectSaid(t *testing.T, what string, got []pvd.RA, want ...string) {
	t.Helper()
	if l := said(got); !slices.Equal(l, want) {
		t.Errorf("%s:\n%q\nwant\n%q", what, l, want)
	}
}

// TestEverythingBelongsToTheDomain: also what is before and behind the PvD option (RFC
// 8801 section 3.4).
func TestEverythingBelongsToTheDomain(t *testing.T) {
	ra := hear(t, raBytes(0x40, 1800, servers(100, "2001:db8::1"),
		pvdOption(0, 0, "corp.example", servers(100, "2001:db8::2"), pio("2001:db8:1::/64", 0xc0, 100, 50)), servers(100, "2001:db8::3")))
	expectSaid(t, "all", ra, "fe80::1 corp.example O router 0 2001:db8:1::/64 2001:db8::1 2001:db8::3 2001:db8::2")
	if d := ra[0].Configuration.PvDOption; len(d) != 1 || d[0].Source != "fe80::1" || d[0].Value != (pvd.Option{FQDN: "corp.example"}) {
		t.Errorf("%+v", d)
	}
}

// TestInnerHeaderWins over the one outside (RFC 8801 section 3.4), whatever its type,
// code and checksum (section 3.1).
func TestInnerHeaderWins(t *testing.T) {
	inner := raBytes(0x88, 900)
	inner[0], inner[1], inner[2], inner[3] = 1, 2, 3, 4
	ra := hear(t, raBytes(0x40, 0, pvdOption(0x2000, 0, "corp.example", inner, servers(100, "2001:db8::2"))))
	expectSaid(t, "inner lifetime", ra, "fe80::1 corp.example M router 1 2001:db8::2")
	ra = hear(t, raBytes(0x40, 1800, pvdOption(0x2000, 0, "corp.example", raBytes(0, 0), servers(100, "2001:db8::2"))))
	expectSaid(t, "inner lifetime zero", ra, "fe80::1 corp.example 2001:db8::2")
}

// TestInnerOptionWins where the same is inside and outside, in either order.
func TestInnerOptionWins(t *testing.T) {
	outside, inside := pio("2001:db8:1::/64", 0x80, 100, 50), pvdOption(0, 0, "corp.example", pio("2001:db8:1::/64", 0x40, 900, 90))
	for _, ra := range [][]pvd.RA{hear(t, raBytes(0, 0, outside, inside)), hear(t, raBytes(0, 0, inside, outside))} {
		if d := ra[0].Configuration.Prefixes; len(d) != 1 || d[0].Value.OnLink || !d[0].Value.Autonomous || d[0].Expiry.Unix() != 1e9+900 {
			t.Errorf("%+v", d)
		}
	}
}

// TestFirstPvDOptionOnly: all others are ignored (RFC 8801 section 3.4), also nested
// ones.
func TestFirstPvDOptionOnly(t *testing.T) {
	ra := hear(t, raBytes(0, 0, pvdOption(0, 0, "one.example", servers(100, "2001:db8::1"), pvdOption(0, 0, "nested.example", servers(100, "2001:db8::9"))),
		pvdOption(0, 0, "two.example", servers(100, "2001:db8::2"))))
	expectSaid(t, "the first", ra, "fe80::1 one.example 2001:db8::1")
}

// TestUnknownFlagsIgnored: RFC 8801 section 3.4.
func TestUnknownFlagsIgnored(t *testing.T) {
	ra := hear(t, raBytes(0, 0, pvdOption(0x1ff0, 0, "corp.example", servers(100, "2001:db8::1"))))
	expectSaid(t, "flags", ra, "fe80::1 corp.example 2001:db8::1")
}

// TestFlagsSequenceAndDelay: the last two mean nothing without the H flag (RFC 8801
// section 3.1).
func TestFlagsSequenceAndDelay(t *testing.T) {
	for flags, want := range map[uint16]pvd.Option{
		0x8003: {FQDN: "a.example", HTTP: true, Sequence: 0xfffe, Delay: 3},
		0xc00f: {FQDN: "a.example", HTTP: true, Legacy: true, Sequence: 0xfffe, Delay: 15},
		0x4003: {FQDN: "a.example", Legacy: true},
	} {
		ra := hear(t, raBytes(0, 100, pvdOption(flags, 0xfffe, "a.example")))
		if d := ra[0].Configuration.PvDOption; len(d) != 1 || d[0].Value != want {
			t.Errorf("%#x: %+v", flags, d)
		}
	}
}

// TestNamesIgnoreCase: names are compared without regard to it (RFC 8801 section 3.4).
func TestNamesIgnoreCase(t *testing.T) {
	ra := hear(t, raBytes(0, 0, pvdOption(0, 0, "PvD.Example.coM", servers(100, "2001:db8::1"))),
		raBytes(0, 0, pvdOption(0, 0, "pvd.example.com", servers(100, "2001:db8::2"))))
	expectSaid(t, "case", ra, "fe80::1 PvD.Example.coM 2001:db8::1 2001:db8::2")
}

// TestPaddingEndsOnEight: whatever the length of a name, what follows it is found
// (RFC 8801 section 3.1).
func TestPaddingEndsOnEight(t *testing.T) {
	for n := 1; n < 64; n++ {
		name := strings.Repeat("a", n)
		expectSaid(t, name, hear(t, raBytes(0, 0, pvdOption(0, 0, name, servers(100, "2001:db8::1")))), "fe80::1 "+name+" 2001:db8::1")
	}
}

// TestLongOption: options of 256 octets and more.
func TestLongOption(t *testing.T) {
	var many []string
	want := "fe80::1 corp.example"
	for n := range 60 {
		many = append(many, fmt.Sprintf("2001:db8::%x", n+1))
		want += " " + many[n]
	}
	expectSaid(t, "60 servers", hear(t, raBytes(0, 0, pvdOption(0, 0, "corp.example", servers(100, many...)))), want)
}

// TestSplitAdvertisements: what is split among several is joined (RFC 8801 section
// 3.2).
func TestSplitAdvertisements(t *testing.T) {
	ra := hear(t, raBytes(0, 1800, pvdOption(0, 0, "corp.example", servers(100, "2001:db8::1"))),
		raBytes(0, 1800, pvdOption(0, 0, "corp.example", servers(100, "2001:db8::2"), pio("2001:db8:1::/64", 0xc0, 100, 50))),
		raBytes(0, 1800, pvdOption(0, 0, "corp.example")))
	expectSaid(t, "joined", ra, "fe80::1 corp.example router 0 2001:db8:1::/64 2001:db8::1 2001:db8::2")
}

// TestDomainsShareARouter: explicit domains may share its address with each other and
// with the implicit one (RFC 8801 section 3.2); a header says of one domain only.
func TestDomainsShareARouter(t *testing.T) {
	ra := hear(t, raBytes(0, 1800, pvdOption(0, 0, "one.example", servers(100, "2001:db8::1"))),
		raBytes(0x40, 900, pvdOption(0, 0, "two.example", servers(100, "2001:db8::2"))),
		raBytes(0x80, 0, servers(100, "2001:db8::3")))
	expectSaid(t, "three", ra, "fe80::1  M 2001:db8::3", "fe80::1 one.example router 0 2001:db8::1", "fe80::1 two.example O router 0 2001:db8::2")
}

// TestPrefixMoves: it belongs to the last advertisement that has it (RFC 8801 section
// 3.4), but one that ends it takes it from nobody else.
func TestPrefixMoves(t *testing.T) {
	one := raBytes(0, 0, pvdOption(0, 0, "one.example", pio("2001:db8:1::/64", 0xc0, 100, 50), servers(100, "2001:db8::1")))
	two := raBytes(0, 0, pvdOption(0, 0, "two.example", pio("2001:db8:1::/64", 0xc0, 100, 50), servers(100, "2001:db8::2")))
	none := raBytes(0, 0, pio("2001:db8:1::/64", 0xc0, 100, 50), servers(100, "2001:db8::3"))
	end := raBytes(0, 0, pvdOption(0, 0, "one.example", pio("2001:db8:1::/64", 0xc0, 0, 0)))
	const s1, s2, s3 = " 2001:db8::1", " 2001:db8::2", " 2001:db8::3"
	expectSaid(t, "to two", hear(t, one, two), "fe80::1 one.example"+s1, "fe80::1 two.example 2001:db8:1::/64"+s2)
	expectSaid(t, "and back", hear(t, one, two, one), "fe80::1 one.example 2001:db8:1::/64"+s1, "fe80::1 two.example"+s2)
	expectSaid(t, "to nobody", hear(t, one, none), "fe80::1  2001:db8:1::/64"+s3, "fe80::1 one.example"+s1)
	expectSaid(t, "ended by another", hear(t, one, two, end), "fe80::1 one.example"+s1, "fe80::1 two.example 2001:db8:1::/64"+s2)
}

// TestKernelTellsNoMore: what the kernel passes on of an advertisement that was heard
// as a whole is no second fact.
func TestKernelTellsNoMore(t *testing.T) {
	s := wholeTables(slog.New(slog.DiscardHandler))
	var a advertisement
	a.decode(heard(raBytes(0, 1800, servers(100, "2001:db8::1"), pvdOption(0, 0, "corp.example"))))
	s.advertEvent(&a)
	s.changes()
	s.optionEvent(&optionMessage{index: 1, router: netip.MustParseAddr("fe80::1"), options: servers(100, "2001:db8::1")})
	if s.changes().any() {
		t.Error("it was told twice")
	}
}

// TestFloodIsBounded: what was there before a flood of forged routers and names is as
// it was, and that there are too many is said once of each.
func TestFloodIsBounded(t *testing.T) {
	var log bytes.Buffer
	s := wholeTables(slog.New(slog.NewTextHandler(&log, nil)))
	hearFrom := func(router, name string, lifetime uint32) {
		o := servers(lifetime, "2001:db8::1")
		if name != "" {
			o = pvdOption(0, 0, name, o)
		}
		var a advertisement
		p := heard(raBytes(0, 0, o))
		p.source = netip.MustParseAddr(router)
		if !a.decode(p) || !s.advertEvent(&a) {
			t.Fatal("not taken")
		}
	}
	hearFrom("fe80::ffff", "", 1000)
	hearFrom("fe80::ffff", "old.example", 1000)
	for n := range 10_000 {
		hearFrom(fmt.Sprintf("fe80::1:%x", n+1), "", 100)
		hearFrom("fe80::2", fmt.Sprintf("n%d.example", n), 100)
		hearFrom(fmt.Sprintf("fe80::3:%x", n+1), "old.example", 100)
		hearFrom(fmt.Sprintf("fe80::4:%x", n+1), "", 0) // says nothing
	}
	ras := s.changes().Links[0].RAs
	if len(ras) > maxRouters+maxNamed {
		t.Errorf("%d are kept", len(ras))
	}
	if l := said(ras); !slices.Contains(l, "fe80::ffff  2001:db8::1") || !slices.Contains(l, "fe80::ffff old.example 2001:db8::1") {
		t.Errorf("what was there is gone: %q", l)
	}
	if n, m := strings.Count(log.String(), "more routers"), strings.Count(log.String(), "more named"); n != 1 || m != 1 {
		t.Errorf("it was said %d and %d times", n, m)
	}
	s.now = s.now.Add(101 * time.Second)
	hearFrom("fe80::5", "new.example", 100)
	hearFrom("fe80::5", "", 100)
	if l := said(s.changes().Links[0].RAs); len(l) != 4 {
		t.Errorf("after the flood: %q", l)
	}
}
