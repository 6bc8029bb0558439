package connect

import (
	"maps"
	"net/netip"
	"slices"
	"testing"
)

func prefix(s string) netip.Prefix { return netip.MustParsePrefix(s) }

func onLink(family uint8, dst string, iface int) tableRoute {
	return tableRoute{family: family, table: mainTable, dst: prefix(dst), iface: iface}
}

// A table has the domain's routers for defaults and what is on the link, but no other
// router's routes.
func TestPlanRoutes(t *testing.T) {
	r1, r2 := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.9")
	byR1, byR2, byDefault := onLink(familyIPv4, "172.16.0.0/12", 3), onLink(familyIPv4, "172.31.0.0/16", 3), onLink(familyIPv4, "0.0.0.0/0", 3)
	byR1.via, byR2.via, byDefault.via = r1, r2, r2
	l := link{name: "eth0", routes: []tableRoute{onLink(familyIPv4, "10.0.0.0/24", 3), byR1, byR2, byDefault, onLink(familyIPv6, "fe80::/64", 3)}}
	d := Domain{Interface: 3, Addresses: addresses("10.0.0.2/24"), Routers: []netip.Addr{r1, r1, netip.MustParseAddr("fe80::1%eth0")}}
	p := newPlan(2, map[int]link{3: l}, []Domain{d})
	p.add(d, familyIPv4, 1000)
	want := map[tableRoute]bool{}
	for _, x := range []tableRoute{onLink(familyIPv4, "10.0.0.0/24", 3), byR1, {family: familyIPv4, dst: prefix("0.0.0.0/0"), via: r1, iface: 3, metric: 1}} {
		x.table = 1000
		want[x] = true
	}
	if !maps.Equal(p.routes, want) {
		t.Errorf("routes\n%v\nwant\n%v", p.routes, want)
	}
	p.add(d, familyIPv6, 1001) // no address of that family: routes nobody looks at, no rules
	for r := range p.rules {
		if r.family != familyIPv4 || r.oif != "eth0" || r.slot() != 2 || r.table != 1000 {
			t.Errorf("rule %+v", r)
		}
	}
}

// Rules that other programs' packets could match are there for a strict filter alone,
// and never for an address that is on two links.
func TestPlanRules(t *testing.T) {
	for _, c := range []struct {
		name      string
		strict    bool
		addresses string
		elsewhere string
		priority  []uint32
	}{
		{"no filter", false, "10.0.0.2/24", "", []uint32{priorityDomain}},
		{"filter", true, "10.0.0.2/24", "", []uint32{priorityDomain, priorityOnLink, priorityMain, priorityReverse}},
		{"filter, no network", true, "10.0.0.2/32", "", []uint32{priorityDomain, priorityMain, priorityReverse}},
		{"filter, on two links", true, "10.0.0.2/24", "10.0.0.2/24", []uint32{priorityDomain}},
		{"link-local", true, "169.254.1.1/16", "", nil},
	} {
		links := map[int]link{3: {name: "eth0", strict: c.strict}, 4: {name: "eth1", strict: c.strict}}
		d, other := Domain{Interface: 3, Addresses: addresses(c.addresses)}, Domain{Interface: 4, Addresses: addresses(c.elsewhere)}
		p := newPlan(0, links, []Domain{d, other})
		p.add(d, familyIPv4, 1000)
		p.add(d, familyIPv4, 1001) // a second domain with the same address changes nothing
		var got []uint32
		for r := range p.rules {
			got = append(got, r.priority-InstallerPriority)
			if r.table != 1000 && !(r.table == mainTable && r.suppress) {
				t.Errorf("%s: table of %+v", c.name, r)
			}
			if (r.oif == "") == (r.priority == InstallerPriority+priorityDomain) {
				t.Errorf("%s: interface of %+v", c.name, r)
			}
		}
		slices.Sort(got)
		if !slices.Equal(got, c.priority) {
			t.Errorf("%s: rules %v, want %v", c.name, got, c.priority)
		}
	}
}
