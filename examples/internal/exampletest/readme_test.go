package exampletest

import "testing"

// What is different each time does not count, everything else does.
func TestSettled(t *testing.T) {
	for _, c := range []struct {
		a, b  string
		alike bool
	}{
		{"eth0  192.0.2.9/24   59m59s  1h0m0s \n", "eth0 192.0.2.9/24 1h59m0s 9s\n\n", true},
		{"eth0 192.0.2.9/24\n", "eth0 192.0.2.8/24\n", false},
		{" 45% of 1.0 MB [==  ] 9 B/s", " 9% of 12.5 kB [= ] 1.0 kB/s", true},
		{"10.0.0.2:39092 in 1.5ms after 3.2 ms", "10.0.0.2:40123 in 12ms after 0.4 ms", true},
		{"10.0.0.2:80", "10.0.0.2:81", false},
		{"time=2026-11-23T07:00:00.000Z a", "time=2027-01-01T07:00:00+01:00 a", true},
		{"07:00:00.123 + lo", "08:11:59.999 + lo", true},
		{"eth0 joins\neth1 joins\n", "eth1 joins\neth0 joins\n", true},
		{"eth0 joins\neth1 joins\n", "eth0 joins\n", false},
		{"status 1", "status 2", false},
	} {
		if got := settled(c.a) == settled(c.b); got != c.alike {
			t.Errorf("%q and %q are alike: %v: %q %q", c.a, c.b, got, settled(c.a), settled(c.b))
		}
	}
}
