package happyeyeballs

import (
	"fmt"
	"strings"
	"testing"

	"github.com/go-mif/mif/resolver"
)

// V5.2: services of equal priority are shuffled, in each race anew and in every domain
// alike.
func TestServicesAreShuffled(t *testing.T) {
	first := map[string]int{}
	for seed := range 200 {
		world := fmt.Sprintf(`domain eth0/ipv4 192.0.2.2/24
			domain eth0/ipv6 2001:db8:1::2/64
			seed %d
			svc eth0/ipv6 0 1 one.example 1 two.example
			svc eth0/ipv4 0 1 two.example 1 one.example
			dns eth0/ipv6 AAAA 0
			dns eth0/ipv4 A 0
			dns eth0/ipv6 one.example/AAAA 0 2001:db8:f::1
			dns eth0/ipv6 two.example/AAAA 0 2001:db8:f::2
			dns eth0/ipv4 one.example/A 0 198.51.100.1
			dns eth0/ipv4 two.example/A 0 198.51.100.2
			abort 300`, seed)
		got := newSim(t, "www.example:443", world).run(t)
		one, two := strings.HasPrefix(got, "0 try eth0/ipv6 2001:db8:f::1\n250 try eth0/ipv4 198.51.100.1\n"), strings.HasPrefix(got, "0 try eth0/ipv6 2001:db8:f::2\n250 try eth0/ipv4 198.51.100.2\n")
		if one == two {
			t.Fatalf("seed %d:\n%s", seed, got)
		}
		first[got[:30]]++
	}
	if len(first) != 2 {
		t.Errorf("%v", first)
	}
	for what, n := range first {
		if n < 50 {
			t.Errorf("%s: %d of 200 times", what, n)
		}
	}
}

// A domain that names very many services is asked for some of their targets.
func TestTargetsAtMost(t *testing.T) {
	world := "domain eth0/ipv6 2001:db8:1::2/64\ndns eth0/ipv6 AAAA 0\nabort 100\nsvc eth0/ipv6 0"
	for i := range 16 {
		world += fmt.Sprintf(" 1 host%d.example", i)
	}
	s := newSim(t, "www.example:443", world)
	s.asks = true
	if n := strings.Count(s.run(t), "host"); n != maxTargets {
		t.Errorf("%d targets are asked for", n)
	}
}

// A domain whose services have very many endpoints gets no more than some attempts.
func TestEndpointsAtMost(t *testing.T) {
	world := "domain eth0/ipv4 192.0.2.2/24\ndns eth0/ipv4 A 0"
	services, hosts := "\nsvc eth0/ipv4 0", "\n"
	for i := range 16 {
		world += fmt.Sprintf(" 198.51.100.%d", i)
		services += fmt.Sprintf(" 1 www.example port=%d", 8443+i)
		for j := range 16 {
			hosts += fmt.Sprintf("host eth0/ipv4 198.51.100.%d:%d 1 refused\n", i, 8443+j)
		}
	}
	if got := newSim(t, "www.example:443", world+services+hosts).run(t); strings.Count(got, "try") != atMost {
		t.Errorf("%d attempts", strings.Count(got, "try"))
	}
}

// What a program speaks is compared with what a service does (RFC 9460, section 7.1.2).
func TestServiceSpeaks(t *testing.T) {
	list := func(all ...string) []string { return all }
	for _, c := range []struct {
		scheme string
		alpn   []string
		s      resolver.Service
		want   bool
	}{
		{"https", nil, resolver.Service{Priority: 1, ALPN: list("h3"), NoDefaultALPN: true}, true},
		{"https", list("h2"), resolver.Service{Priority: 1}, false},
		{"HTTPS", list("http/1.1"), resolver.Service{Priority: 1}, true},
		{"https", list("h2"), resolver.Service{Priority: 1, ALPN: list("h3", "h2")}, true},
		{"https", list("http/1.1"), resolver.Service{Priority: 1, ALPN: list("h2"), NoDefaultALPN: true}, false},
		{"https", list("http/1.1"), resolver.Service{Target: "a"}, true},
		{"dns", list("dot"), resolver.Service{Priority: 1, ALPN: list("doq")}, true},
		{"dns", list("dot"), resolver.Service{Priority: 1, ALPN: list("doq"), NoDefaultALPN: true}, false},
	} {
		if got := (serving{scheme: c.scheme, alpn: c.alpn}).speaks(c.s); got != c.want {
			t.Errorf("%s %q, %+v: %v", c.scheme, c.alpn, c.s, got)
		}
	}
}
