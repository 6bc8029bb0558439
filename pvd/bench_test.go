package pvd

import (
	"fmt"
	"net/netip"
	"testing"
)

const many = 4000

// crowd is the facts of many links with two addresses each.
func crowd() []*Facts {
	all := make([]*Facts, many)
	for i := range all {
		f := ethernet(i+1, fmt.Sprint("veth", i+1))
		v4 := address(netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i >> 8), byte(i), 1}), 24).String(), forever)
		f.Addresses = []AddressFact{v4, address(fmt.Sprintf("2001:db8:%x::1/64", i), forever)}
		all[i] = f
	}
	return all
}

// flip returns two Snapshots, each the other's successor, in which an address of
// one of many links is deprecated or not, and the facts that make them.
func flip() (s *Snapshot, facts [2][]*Facts) {
	all := crowd()
	f := all[many/2]
	facts[0] = []*Facts{with(f, func(f *Facts) { f.Addresses[0].Deprecated = true })}
	facts[1] = []*Facts{f}
	return Build(&Snapshot{}, all, nil, Options{}, start), facts
}

// BenchmarkBuildOne changes one address on one of 4,000 links.
func BenchmarkBuildOne(b *testing.B) {
	s, facts := flip()
	var m Builder
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		s = m.Build(s, facts[i%2], nil, Options{}, start)
	}
}

// BenchmarkBuildNothing is told of one of 4,000 links what it knows already.
func BenchmarkBuildNothing(b *testing.B) {
	s, facts := flip()
	var m Builder
	b.ReportAllocs()
	for b.Loop() {
		s = m.Build(s, facts[1], nil, Options{}, start)
	}
}

// BenchmarkDiffOne tells of one address on one of 4,000 links.
func BenchmarkDiffOne(b *testing.B) {
	s, facts := flip()
	next := Build(s, facts[0], nil, Options{}, start)
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		for range Diff(s, next) {
			n++
		}
		if n != 1 {
			b.Fatalf("%d changes", n)
		}
	}
}

// BenchmarkFirst makes the first Snapshot of 4,000 links with two addresses each.
func BenchmarkFirst(b *testing.B) {
	all := crowd()
	b.ReportAllocs()
	for b.Loop() {
		Build(&Snapshot{}, all, nil, Options{}, start)
	}
}

// BenchmarkFirstUplinks is the worst for the host's own resolver: every link has a
// default router.
func BenchmarkFirstUplinks(b *testing.B) {
	all := crowd()
	for i, f := range all {
		all[i] = uplinkTo(f, "10.0.0.254")
	}
	o := Options{Resolver: resolvConf("192.0.2.53")}
	b.ReportAllocs()
	for b.Loop() {
		Build(&Snapshot{}, all, nil, o, start)
	}
}

func BenchmarkData(b *testing.B) {
	s := Build(&Snapshot{}, []*Facts{two()}, nil, Options{}, start)
	for d := range s.Domains() {
		b.ReportAllocs()
		for b.Loop() {
			if d.Data(ElementAny, ItemDNSServers) == nil {
				b.Fatal("no servers")
			}
		}
		break
	}
}

// TestCostByTheLink: what one change allocates does not grow with the host.
func TestCostByTheLink(t *testing.T) {
	cost := func(all []*Facts) float64 {
		f := all[0]
		other := []*Facts{with(f, func(f *Facts) { f.Addresses[0].Deprecated = true })}
		s := Build(&Snapshot{}, all, nil, Options{}, start)
		return testing.AllocsPerRun(20, func() {
			for range Diff(s, Build(s, other, nil, Options{}, start)) {
			}
		})
	}
	all := crowd()
	if one, of := cost(all[:1]), cost(all); of > one+4 {
		t.Errorf("%.0f allocations on a host of one link, %.0f on one of %d", one, of, many)
	}
}

// BenchmarkRoutes takes away and gives back the first of a link's many IPv6 routes by
// one gateway: ten times as many should cost ten times as much.
func BenchmarkRoutes(b *testing.B) {
	for _, n := range []int{1000, 10000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			f := ethernet(1, "eth0")
			f.Addresses = []AddressFact{address("2001:db8::1/64", forever)}
			for i := range n {
				to := netip.MustParsePrefix(fmt.Sprintf("2001:db8:1:%x::/64", i))
				f.Routes = append(f.Routes, RouteFact{Route: Route{Destination: to, Gateway: ip("fe80::1"), Table: 254}, Protocol: protocolBoot})
			}
			facts := [2]*Facts{f, with(f, func(f *Facts) { f.Routes = f.Routes[1:] })}
			s, m := Build(&Snapshot{}, facts[:1], nil, Options{}, start), new(Builder)
			b.ReportAllocs()
			for i := 1; b.Loop(); i++ {
				s = m.Build(s, facts[i%2:i%2+1], nil, Options{}, start)
			}
		})
	}
}
