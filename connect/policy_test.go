package connect

import (
	"net/netip"
	"slices"
	"testing"
)

func entry(prefix string, label int) PolicyEntry {
	return PolicyEntry{netip.MustParsePrefix(prefix), label}
}

// A table of one's own decides rule 6, whatever its order.
func TestPolicyTable(t *testing.T) {
	table := []PolicyEntry{entry("::/0", 1), entry("2001:db8:a::/48", 7), entry("2001:db8:b::/48", 7), entry("10.0.0.0/8", 9),
		entry("10.1.0.0/16", 8), entry("::ffff:192.168.0.0/112", 9), {}}
	for _, order := range []func(){func() {}, func() { slices.Reverse(table) }} {
		order()
		p := newPolicy(table)
		for a, want := range map[string]int{"2001:db8:a::1": 7, "2001:db8:c::1": 1, "10.2.0.1": 9, "10.1.0.1": 8,
			"192.168.1.1": 9, "192.169.0.1": 1, "::ffff:10.1.2.3": 8, "fe80::1%eth0": 1} {
			if got := p.label(netip.MustParseAddr(a)); got != want {
				t.Errorf("label(%s) = %d, want %d", a, got, want)
			}
		}
		s := selection{dst: netip.MustParseAddr("2001:db8:b::1"), policy: p}
		got := s.candidates(addresses("2001:db8:b8::2/64 2001:db8:a::2/64"))
		if _, rule := s.compare(got[0], got[1]); got[0].Prefix.Addr() != netip.MustParseAddr("2001:db8:a::2") || rule != 6 {
			t.Errorf("candidates %v by rule %d", got, rule)
		}
	}
	if l := newPolicy([]PolicyEntry{entry("2001:db8::/32", 3)}).label(netip.MustParseAddr("10.0.0.1")); l != -1 {
		t.Errorf("an address in no entry has label %d", l)
	}
}

func TestDefaultPolicyIsACopy(t *testing.T) {
	table := DefaultPolicy()
	table[0].Label = 99
	if DefaultPolicy()[0].Label != 0 || newPolicy(nil)[0].Label != 0 {
		t.Error("the default table can be changed")
	}
	if got := newPolicy(DefaultPolicy()); !slices.Equal(got, defaultPolicy) {
		t.Errorf("the default table given is not the default: %v", got)
	}
}

func TestPreferPublic(t *testing.T) {
	all := addresses("2001:db8:1::2/64,temporary 2001:db8:2::2/64")
	for public, want := range map[bool]string{false: "2001:db8:1::2", true: "2001:db8:2::2"} {
		s := selection{dst: netip.MustParseAddr("2001:db8:9::1"), policy: defaultPolicy, public: public}
		if got := s.candidates(all)[0].Prefix.Addr().String(); got != want {
			t.Errorf("public %v: %s", public, got)
		}
	}
}

// Rule 5.5 comes before the labels and after deprecation.
func TestNextHopsOwnPrefix(t *testing.T) {
	r1, r2 := netip.MustParseAddr("fe80::1"), netip.MustParseAddr("fe80::2")
	all := addresses("fd00::2/64 2001:db8:1::2/64 2001:db8:2::2/64,deprecated")
	all[1].Router, all[2].Router = r1.WithZone("eth0"), r2
	for _, c := range []struct {
		hop   netip.Addr
		first int
		rule  int
	}{{r1, 1, 5}, {r2, 0, 6}, {netip.Addr{}, 0, 6}} {
		s := selection{dst: netip.MustParseAddr("fd00::1"), policy: defaultPolicy, nextHop: c.hop}
		got := s.candidates(all)
		if _, rule := s.compare(got[0], got[1]); got[0] != all[c.first] || rule != c.rule {
			t.Errorf("next hop %v: %v by rule %d", c.hop, got, rule)
		}
	}
}
