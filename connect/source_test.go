package connect

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
)

// addresses reads "prefix[,tentative][,deprecated][,temporary]" separated by blanks.
func addresses(s string) []Address {
	var as []Address
	for _, f := range strings.Fields(s) {
		words := strings.Split(f, ",")
		as = append(as, Address{
			Prefix:     netip.MustParsePrefix(words[0]),
			Tentative:  slices.Contains(words, "tentative"),
			Deprecated: slices.Contains(words, "deprecated"),
			Temporary:  slices.Contains(words, "temporary"),
		})
	}
	return as
}

var sourceCases = []struct {
	name string
	to   string
	rule int    // that decided between the first two; 0 for a tie or a lone candidate
	from string // in the order wanted
	not  string // no candidates
}{
	// RFC 6724, section 10.1, where all candidates are on the interface.
	{"10.1 larger scope for a global destination", "2001:db8:1::1", 0, "2001:db8:3::1/64", "fe80::1/64"},
	{"10.1 larger scope for a site multicast", "ff05::1", 0, "2001:db8:3::1/64", "fe80::1/64"},
	{"10.1 same address though deprecated", "2001:db8:1::1", 1, "2001:db8:1::1/64,deprecated 2001:db8:2::1/64", ""},
	{"10.1 smaller scope though deprecated", "fe80::1", 2, "fe80::2/64,deprecated 2001:db8:1::1/64", ""},
	{"10.1 longest prefix", "2001:db8:1::1", 8, "2001:db8:1::2/64 2001:db8:3::2/64", ""},
	{"10.1 label of 6to4", "2002:c633:6401::1", 6, "2002:c633:6401::d5e3:7953:13eb:22e8/64,temporary 2001:db8:1::2/64", ""},
	{"10.1 temporary before public", "2001:db8:1::d5e3:0:0:1", 7, "2001:db8:1::d5e3:7953:13eb:22e8/64,temporary 2001:db8:1::2/64", ""},

	{"rule 2 link multicast", "ff02::fb", 2, "fe80::2/64 2001:db8::2/64", ""},
	{"rule 2 too small a scope is last", "2001:db8::1", 2, "2001:db8:1::1/64,deprecated fec0::1/64", ""},
	{"rule 3 before label", "fd00::1", 3, "2001:db8::2/64 fd00::2/64,deprecated", ""},
	{"rule 3 before prefix length", "2001:db8:1::1", 3, "2001:db8:2::2/64 2001:db8:1::2/64,deprecated", ""},
	{"rule 6 unique local", "fd00::1", 6, "fd11::2/64 2001:db8::2/64", ""},
	{"rule 6 global", "2001:db8::1", 6, "2001:db8:9::2/64 fd11::2/64", ""},
	{"rule 6 Teredo", "2001::1", 6, "2001:0:1::2/64 2001:db8::2/64", ""},
	{"rule 6 before 7", "2001:db8::1", 6, "2001:db8:9::2/64 fd11::2/64,temporary", ""},
	{"rule 7 before 8", "2001:db8:1::1", 7, "2001:db8:f::2/64,temporary 2001:db8:1::2/64", ""},
	{"rule 8 counts no further than the prefix", "2001:db8:1::8", 0, "2001:db8:1::1/64 2001:db8:1::9/64", ""},
	{"rule 8 within octets", "2001:db8:1f::1", 8, "2001:db8:1e::1/64 2001:db8:10::1/64", ""},
	{"tie keeps the order", "2001:db8:ffff::1", 0, "2001:db8:3::1/64 2001:db8:2::1/64", ""},
	{"tentative is no candidate", "2001:db8::1", 0, "2001:db8:9::2/64", "2001:db8::2/64,tentative"},
	{"nothing usable", "2001:db8::1", 0, "", "fe80::1/64 2001:db8::2/64,tentative ::1/128 10.0.0.1/8"},

	{"IPv4 longest prefix", "192.168.1.1", 8, "192.168.1.2/24 192.168.200.2/24", ""},
	{"IPv4 deprecated", "192.168.1.1", 3, "10.0.0.2/8 192.168.1.2/24,deprecated", ""},
	{"IPv4 link-local keeps to the link", "203.0.113.1", 0, "10.0.0.2/8", "169.254.1.1/16 127.0.0.1/8"},
	{"IPv4 link-local destination", "169.254.7.7", 2, "169.254.1.1/16 10.0.0.2/8", ""},
	{"IPv4 link multicast", "224.0.0.251", 2, "169.254.1.1/16 10.0.0.2/8", ""},
	{"IPv4 wider multicast", "239.1.1.1", 0, "10.0.0.2/8", "169.254.1.1/16"},
	{"families do not mix", "203.0.113.1", 0, "10.0.0.2/8", "2001:db8::2/64"},
}

func TestSourceSelection(t *testing.T) {
	for _, c := range sourceCases {
		t.Run(c.name, func(t *testing.T) {
			to, want := netip.MustParseAddr(c.to), addresses(c.from)
			given := append(addresses(c.not), want...)
			if c.rule != 0 { // a decided order must not depend on the given one
				slices.Reverse(given)
			}
			if got := (&selection{dst: to, policy: defaultPolicy}).candidates(given); !slices.Equal(got, want) {
				t.Fatalf("candidates for %v:\n got %v\nwant %v", to, got, want)
			}
			if len(want) < 2 {
				return
			}
			if order, rule := (&selection{dst: to, policy: defaultPolicy}).compare(want[0], want[1]); rule != c.rule || (order < 0) != (c.rule != 0) {
				t.Errorf("decided by rule %d (order %d), want rule %d", rule, order, c.rule)
			}
		})
	}
}

// The rules are an order: what holds one way must hold the other way round, and
// every permutation must sort alike where nothing is tied.
func TestSourceOrderIsConsistent(t *testing.T) {
	all := addresses(`2001:db8:1::2/64 2001:db8:2::2/64,deprecated 2001:db8:1::9/64,temporary fd00::2/64 fe80::2/64
		2002:c000:201::1/48 fec0::2/64 2001:0:1::2/64,deprecated 3ffe::1/16 2001:db8:1::7/64,deprecated,temporary`)
	for _, to := range []string{"2001:db8:1::1", "fd00::1", "fe80::1", "2002::1", "ff05::1", "2001:db8:2::2", "fec0::9"} {
		dst := netip.MustParseAddr(to)
		for _, a := range all {
			for _, b := range all {
				ab, r1 := (&selection{dst: dst, policy: defaultPolicy}).compare(a, b)
				ba, r2 := (&selection{dst: dst, policy: defaultPolicy}).compare(b, a)
				if ab > 0 != (ba < 0) || r1 != r2 {
					t.Errorf("to %v: %v, %v: %d by rule %d, but %d by rule %d reversed", to, a, b, ab, r1, ba, r2)
				}
				checkTransitive(t, dst, a, b, all)
			}
		}
	}
}

func checkTransitive(t *testing.T, dst netip.Addr, a, b Address, all []Address) {
	for _, c := range all {
		ab, _ := (&selection{dst: dst, policy: defaultPolicy}).compare(a, b)
		bc, _ := (&selection{dst: dst, policy: defaultPolicy}).compare(b, c)
		if ac, _ := (&selection{dst: dst, policy: defaultPolicy}).compare(a, c); ab < 0 && bc < 0 && ac >= 0 {
			t.Errorf("to %v: %v before %v before %v, but not the first before the last", dst, a, b, c)
		}
	}
}

func TestLabel(t *testing.T) {
	for s, want := range map[string]int{
		"::1": 0, "2001:db8::1": 1, "10.0.0.1": 4, "::ffff:10.0.0.1": 4, "2002::1": 2, "2001::1": 5, "fd00::1": 13,
		"::2": 3, "fec0::1": 11, "3ffe::1": 12, "fe80::1": 1,
	} {
		if got := defaultPolicy.label(netip.MustParseAddr(s)); got != want {
			t.Errorf("label(%s) = %d, want %d", s, got, want)
		}
	}
}
