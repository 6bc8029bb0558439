package resolver

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestRank(t *testing.T) {
	const home, vpn, cafe = 0, 1, 2
	base := func() []Candidate {
		return []Candidate{
			home: {Routing: []string{"home.arpa"}, Trust: 1},
			vpn:  {Routing: []string{"corp.example", "example"}, RoutingOnly: true, Trust: 1},
			cafe: {Routing: nil, Trust: 0},
		}
	}
	cases := []struct {
		name   string
		change func([]Candidate)
		want   []int
	}{
		{"www.test", nil, []int{home, cafe}},
		{"www.corp.example", nil, []int{vpn, home, cafe}},
		{"WWW.Corp.Example.", nil, []int{vpn, home, cafe}},
		{"xcorp.example", nil, []int{vpn, home, cafe}},
		{"notexample", nil, []int{home, cafe}},
		{"host.home.arpa", nil, []int{home, cafe}},
		{"a.corp.example", func(c []Candidate) { c[home].Routing = []string{"a.corp.example"} }, []int{home, vpn, cafe}},
		{"a.corp.example", func(c []Candidate) { c[cafe].Routing = []string{"a.corp.example"} }, []int{vpn, home, cafe}},
		{"a.corp.example", func(c []Candidate) { c[cafe].Preference = 1 }, []int{vpn, home, cafe}},
		{"www.test", func(c []Candidate) { c[cafe].Trust = 2 }, []int{cafe, home}},
		{"www.test", func(c []Candidate) { c[cafe].Trust, c[cafe].Preference = 1, 1 }, []int{cafe, home}},
		{"www.test", func(c []Candidate) { c[cafe].Trust, c[home].Preference = 1, -1 }, []int{cafe, home}},
		{"www.test", func(c []Candidate) { c[vpn].Routing = []string{"."} }, []int{vpn, home, cafe}},
		{"www.test", func(c []Candidate) { c[vpn].Routing = []string{"t st", ""} }, []int{home, cafe}},
		{"bücher.example", func(c []Candidate) { c[home].Routing = []string{"xn--bcher-kva.example"} }, []int{home, vpn, cafe}},
		{"192.0.2.1", nil, nil},
		{"no name", nil, nil},
	}
	for i, c := range cases {
		candidates := base()
		if c.change != nil {
			c.change(candidates)
		}
		if got := Rank(c.name, candidates); !slices.Equal(got, c.want) {
			t.Errorf("%d: %s: %v, want %v", i, c.name, got, c.want)
		}
	}
}

// TestNoCapture: whatever a domain claims, it does not come before a more
// trusted one that may be asked.
func TestNoCapture(t *testing.T) {
	claims := []string{".", "example", "corp.example", "www.corp.example", "arpa", ""}
	for range 2000 {
		candidates := make([]Candidate, 1+rand.N(6))
		for i := range candidates {
			c := &candidates[i]
			c.Trust, c.Preference, c.RoutingOnly = rand.N(3), rand.N(3)-1, rand.N(2) == 0
			for range rand.N(3) {
				c.Routing = append(c.Routing, claims[rand.N(len(claims))])
			}
		}
		order := Rank("www.corp.example", candidates)
		for i := 1; i < len(order); i++ {
			if candidates[order[i-1]].Trust < candidates[order[i]].Trust {
				t.Fatalf("%v of %+v", order, candidates)
			}
		}
		for i := range candidates {
			if !candidates[i].RoutingOnly && !slices.Contains(order, i) {
				t.Fatalf("%d is missing in %v of %+v", i, order, candidates)
			}
		}
	}
}
