package connect

import "testing"

func TestSoftErrors(t *testing.T) {
	for _, c := range []struct {
		what       string
		ipv6       bool
		kind, code uint8
		soft       bool
	}{
		{"net unreachable", false, 3, 0, true},
		{"host unreachable", false, 3, 1, true},
		{"protocol unreachable", false, 3, 2, false},
		{"port unreachable", false, 3, 3, false},
		{"source route failed", false, 3, 5, true},
		{"prohibited", false, 3, 13, false},
		{"time exceeded", false, 11, 0, true},
		{"parameter problem", false, 12, 0, true},
		{"no route", true, 1, 0, true},
		{"prohibited", true, 1, 1, false},
		{"beyond scope", true, 1, 2, true},
		{"address unreachable", true, 1, 3, true},
		{"port unreachable", true, 1, 4, false},
		{"source failed policy", true, 1, 5, false},
		{"time exceeded", true, 3, 0, true},
		{"parameter problem", true, 4, 1, false},
	} {
		if e := (icmpError{ipv6: c.ipv6, kind: c.kind, code: c.code}); e.soft() != c.soft {
			t.Errorf("%s (IPv6: %v): soft %v", c.what, c.ipv6, !c.soft)
		}
	}
}
