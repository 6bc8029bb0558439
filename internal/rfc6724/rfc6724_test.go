package rfc6724

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
)

func TestScope(t *testing.T) {
	for s, want := range map[string]int{
		"fe80::1": Link, "::1": Link, "169.254.0.1": Link, "127.0.0.1": Link, "224.0.0.1": Link,
		"fec0::1": Site, "ff05::2": Site, "ff02::1": Link, "ff0e::1": Global, "ff08::1": 8,
		"fd00::1": Global, "10.0.0.1": Global, "192.168.0.1": Global, "2001:db8::1": Global, "239.0.0.1": Global,
	} {
		if got := Scope(netip.MustParseAddr(s)); got != want {
			t.Errorf("Scope(%s) = %#x, want %#x", s, got, want)
		}
	}
}

// Section 10.2 gives most of these; the rest are rules 2, 3, 5 to 9 one by one.
func TestSort(t *testing.T) {
	for _, c := range []struct{ rule, own, want string }{
		{"1, no source", "2001:db8:1::2/64", "2001:db8:2::1 198.51.100.121"},
		{"2, matching scope", "fe80::1/64 198.51.100.117/24 2001:db8:1::2/64", "2001:db8:1::1 198.51.100.121"},
		{"1, a link-local IPv4 source is none for a far destination", "fd00::2/64 169.254.13.78/16", "fd00:1::1 198.51.100.121"},
		{"2, the sources' scope", "fe80::1/64 2001:db8:1::2/64", "fe80::2 2002::1"},
		{"3, deprecated source", "2001:db8:1::2/64,deprecated 192.0.2.2/24", "198.51.100.121 2001:db8:1::1"},
		{"5, matching label", "2002:c633:6401::2/64 fe80::1/64", "2002:c633:6401::1 2001:db8:1::1"},
		{"6, precedence", "2001:db8:1::2/64 10.1.2.4/24", "2001:db8:1::1 10.1.2.3"},
		{"6, unique local after IPv4", "fd00::2/64 192.0.2.2/24", "198.51.100.121 fd00:1::1"},
		{"8, smaller scope", "2001:db8:1::2/64 fe80::1/64", "fe80::2%7 2001:db8:1::1"},
		{"9, longest prefix", "2001:db8:1::2/64 2001:db8:3f44::2/64", "2001:db8:1::1 2001:db8:3ffe::1"},
		{"10, not 9, for IPv4", "192.0.2.2/24", "198.51.100.121 192.0.2.7"},
	} {
		var want []netip.Addr
		for s := range strings.FieldsSeq(c.want) {
			want = append(want, netip.MustParseAddr(s))
		}
		got := slices.Clone(want)
		if Sort(got, own(c.own)); !slices.Equal(got, want) {
			t.Errorf("rule %s: %v, want %v", c.rule, got, want)
		}
		slices.Reverse(got)
		if Sort(got, own(c.own)); !slices.Equal(got, want) && c.rule[:2] != "10" {
			t.Errorf("rule %s, reversed: %v, want %v", c.rule, got, want)
		}
	}
}

func own(s string) (all []Address) {
	for f := range strings.FieldsSeq(s) {
		words := strings.Split(f, ",")
		all = append(all, Address{Prefix: netip.MustParsePrefix(words[0]), Deprecated: slices.Contains(words, "deprecated"),
			Temporary: slices.Contains(words, "temporary")})
	}
	return all
}

// Section 10.1, as far as the addresses alone decide.
func TestSource(t *testing.T) {
	for _, c := range []struct{ to, own, want string }{
		{"2001:db8:1::1", "fe80::1/64 2001:db8:3::1/64", "2001:db8:3::1"},
		{"ff05::1", "fe80::1/64 2001:db8:3::1/64", "2001:db8:3::1"},
		{"2001:db8:1::1", "2001:db8:2::1/64 2001:db8:1::1/64,deprecated", "2001:db8:1::1"},
		{"fe80::1", "2001:db8:1::1/64 fe80::2/64,deprecated", "fe80::2"},
		{"2001:db8:1::1", "2001:db8:3::2/64 2001:db8:1::2/64", "2001:db8:1::2"},
		{"2002:c633:6401::1", "2001:db8:1::2/64 2002:c633:6401::d5e3:7953:13eb:22e8/64,temporary", "2002:c633:6401:0:d5e3:7953:13eb:22e8"},
		{"2001:db8:1::d5e3:0:0:1", "2001:db8:1::2/64 2001:db8:1::d5e3:7953:13eb:22e8/64,temporary", "2001:db8:1:0:d5e3:7953:13eb:22e8"},
		{"192.0.2.9", "10.0.0.2/8 192.0.2.8/24", "192.0.2.8"},
		{"192.0.2.9", "2001:db8:1::2/64 169.254.1.1/16", ""},
	} {
		got := ""
		if a := Source(netip.MustParseAddr(c.to), own(c.own)); a != nil {
			got = a.Prefix.Addr().String()
		}
		if got != c.want {
			t.Errorf("to %s: %q, want %q", c.to, got, c.want)
		}
	}
}
