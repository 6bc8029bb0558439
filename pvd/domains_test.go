package pvd

import (
	"net"
	"slices"
	"testing"
	"time"
)

var forever time.Time

func dual(index int, name string) *Facts {
	f := ethernet(index, name)
	f.Addresses = []AddressFact{address("192.0.2.5/24", forever), address("fe80::5/64", forever), slaac("2001:db8:1::5/64", after(3600))}
	return f
}

// TestImplicitDomains is §3.1: one domain per family per interface.
func TestImplicitDomains(t *testing.T) {
	for _, c := range []struct {
		name  string
		merge bool
		edit  func(*Facts)
		want  []string
	}{
		{"both families", false, func(*Facts) {}, []string{
			"eth0/ipv4 ipv4 Static 192.0.2.5", "eth0/ipv6 ipv6 RA 2001:db8:1::5 fe80::5"}},
		{"RFC 7556 section 2.5", true, func(*Facts) {}, []string{"eth0 both RA Static 192.0.2.5 2001:db8:1::5 fe80::5"}},
		{"IPv6 only", false, func(f *Facts) { f.Addresses = f.Addresses[1:] }, []string{"eth0/ipv6 ipv6 RA 2001:db8:1::5 fe80::5"}},
		{"IPv4 only", false, func(f *Facts) { f.Addresses = f.Addresses[:2] }, []string{"eth0/ipv4 ipv4 Static 192.0.2.5"}},
		{"merged, IPv4 only", true, func(f *Facts) { f.Addresses = f.Addresses[:2] }, []string{"eth0 both Static 192.0.2.5 fe80::5"}},
		{"link-local only", false, func(f *Facts) {
			f.Addresses = []AddressFact{address("169.254.7.8/16", forever), address("fe80::5/64", forever)}
		}, nil},
		{"merged, link-local only", true, func(f *Facts) {
			f.Addresses = []AddressFact{address("169.254.7.8/16", forever), address("fe80::5/64", forever)}
		}, nil},
		{"link-local too", false, func(f *Facts) {
			f.Addresses = append(f.Addresses[:1:1], address("169.254.7.8/16", forever))
		}, []string{"eth0/ipv4 ipv4 Static 169.254.7.8 192.0.2.5"}},
		{"a ULA is an address", false, func(f *Facts) { f.Addresses = []AddressFact{slaac("fd00::5/64", after(99))} },
			[]string{"eth0/ipv6 ipv6 RA fd00::5"}},
		{"DAD under way", false, func(f *Facts) { f.Addresses[0].Tentative, f.Addresses[2].Tentative = true, true }, nil},
		{"DAD failed", false, func(f *Facts) { f.Addresses[2].Duplicate = true }, []string{"eth0/ipv4 ipv4 Static 192.0.2.5"}},
		{"one of two past DAD", false, func(f *Facts) {
			n := address("192.0.2.4/24", forever)
			n.Tentative = true
			f.Addresses = append(f.Addresses[:1:1], n)
		}, []string{"eth0/ipv4 ipv4 Static 192.0.2.4 192.0.2.5"}},
		{"deprecated", false, func(f *Facts) { f.Addresses = f.Addresses[:1]; f.Addresses[0].Deprecated = true },
			[]string{"eth0/ipv4 ipv4 Static 192.0.2.5"}},
		{"no address", false, func(f *Facts) { f.Addresses = nil }, nil},
		{"down", false, func(f *Facts) { f.Interface.Up = false }, nil},
		{"no carrier", false, func(f *Facts) { f.Interface.Carrier = false }, nil},
		{"loopback", false, func(f *Facts) { f.Interface.Flags |= net.FlagLoopback }, nil},
		{"order of addresses, two peers of one", false, func(f *Facts) {
			a, b, c := address("192.0.2.9/32", forever), address("192.0.2.7/32", forever), address("192.0.2.8/32", forever)
			f.Addresses = []AddressFact{a, b, c, b, a}
		}, []string{"eth0/ipv4 ipv4 Static 192.0.2.7 192.0.2.8 192.0.2.9"}},
	} {
		h := newHost(t)
		h.o.MergeFamilies = c.merge
		h.learn(with(dual(2, "eth0"), c.edit))
		expect(t, c.name, h.domains(), slices.Concat([]string{}, c.want))
	}
}

// TestOrderOfTelling is §3.5.5, §3.5.9 and §3.5.12: parents first on the way up,
// children first on the way down.
func TestOrderOfTelling(t *testing.T) {
	h := newHost(t)
	f := dual(2, "eth0")
	expect(t, "up", h.learn(f), []string{
		"interface eth0",
		"domain eth0/ipv4", "element eth0/ipv4 Static", "address eth0/ipv4 192.0.2.5/24",
		"domain eth0/ipv6", "element eth0/ipv6 RA", "address eth0/ipv6 2001:db8:1::5/64", "address eth0/ipv6 fe80::5/64",
	})
	expect(t, "again", h.learn(f), nil)
	expect(t, "the same anew", h.learn(with(f, func(*Facts) {})), nil)
	pulled := with(f, func(f *Facts) { f.Interface.Carrier = false })
	expect(t, "carrier lost", h.learn(pulled), []string{
		"no address eth0/ipv4 192.0.2.5/24", "no element eth0/ipv4 Static", "no domain eth0/ipv4",
		"no address eth0/ipv6 2001:db8:1::5/64", "no address eth0/ipv6 fe80::5/64", "no element eth0/ipv6 RA", "no domain eth0/ipv6",
		"interface eth0",
	})
	h.learn(f)
	expect(t, "gone", h.step(nil, []InterfaceID{f.Interface.ID}), []string{
		"no address eth0/ipv4 192.0.2.5/24", "no element eth0/ipv4 Static", "no domain eth0/ipv4",
		"no address eth0/ipv6 2001:db8:1::5/64", "no address eth0/ipv6 fe80::5/64", "no element eth0/ipv6 RA", "no domain eth0/ipv6",
		"no interface eth0",
	})
}

func TestIdentityOfDomains(t *testing.T) {
	h := newHost(t)
	f := dual(2, "eth0")
	h.learn(f)
	was := h.domain("eth0/ipv6").ID()
	renamed := with(f, func(f *Facts) { f.Interface.Name = "lan0" })
	expect(t, "renamed", h.learn(renamed), []string{"interface lan0"})
	more := with(renamed, func(f *Facts) { f.RAs = []RA{advertisement("fe80::1", after(3600), "2001:db8:1::/64")} })
	expect(t, "router learnt", h.learn(more), []string{"element eth0/ipv6 RA"})
	if h.domain("eth0/ipv6").ID() != was {
		t.Error("a rename or a router changed the ID")
	}
	h.learn(with(more, func(f *Facts) { f.Interface.Up = false }))
	if h.s.Domain(was) != nil {
		t.Error("the domain of an interface that is down is there")
	}
	h.learn(more)
	if d := h.domain("eth0/ipv6"); d == nil || d.ID() == was || d.Interface() != f.Interface.ID {
		t.Error("the domain came back under its old ID, or not at all")
	}
	again := with(more, func(f *Facts) { f.Interface.ID = NewInterfaceID(2, "eth0") })
	told := h.learn(again)
	if down, up := slices.Index(told, "no interface lan0"), slices.Index(told, "interface lan0"); down < 0 || up < down {
		t.Errorf("made anew with the same index: %q", told)
	}
}

// TestGoneWins: facts that were on their way when the interface went do not bring
// it back.
func TestGoneWins(t *testing.T) {
	h := newHost(t)
	f := dual(2, "eth0")
	h.learn(f)
	h.step([]*Facts{with(f, func(*Facts) {})}, []InterfaceID{f.Interface.ID})
	if h.s.Link(f.Interface.ID) != nil || len(h.m) != 0 {
		t.Error("the interface is back")
	}
	expect(t, "gone twice", h.step(nil, []InterfaceID{f.Interface.ID, {}}), nil)
}

// TestUntouchedIsShared: a change on one link leaves the others the very same, and
// a change of one family leaves the other's domain.
func TestUntouchedIsShared(t *testing.T) {
	h := newHost(t)
	a, b := dual(2, "eth0"), dual(3, "eth1")
	h.learn(a, b)
	link, v4, v6 := h.s.Link(b.Interface.ID), h.domain("eth0/ipv4"), h.domain("eth0/ipv6")
	h.learn(with(a, func(f *Facts) { f.Addresses[2].Deprecated = true }))
	if h.s.Link(b.Interface.ID) != link || h.domain("eth0/ipv4") != v4 || h.domain("eth0/ipv6") == v6 {
		t.Error("wrong sharing")
	}
	if h.domain("eth0/ipv6").elements[0] != v6.elements[0] {
		t.Error("an element was copied in which nothing changed")
	}
}

// TestIterators reads a Snapshot by all its iterators, also in part.
func TestIterators(t *testing.T) {
	h := newHost(t)
	a, b := dual(3, "eth1"), dual(2, "eth0")
	h.learn(a, b)
	var names []string
	for i := range h.s.Interfaces() {
		names = append(names, i.Name)
	}
	expect(t, "interfaces", names, []string{"eth0", "eth1"})
	for l := range h.s.Links() {
		names = append(names, l.Interface().Name)
		if h.s.Facts(l.Interface().ID) != b || h.s.Bare().Facts(l.Interface().ID) != nil {
			t.Error("other facts")
		}
		break
	}
	for i := range h.s.Interfaces() {
		names = append(names, i.Name)
		break
	}
	for d := range h.s.Domains() {
		names = append(names, d.ID().String())
		for e := range d.Elements() {
			names = append(names, e.String())
			break
		}
		break
	}
	expect(t, "in part", names[2:], []string{"eth0", "eth0", "eth0/ipv4", "Static"})
	all := slices.Collect(Diff(&Snapshot{}, h.s))
	for _, s := range [][2]*Snapshot{{{}, h.s}, {h.s, {}}} {
		for n := 1; n <= len(all); n++ {
			got := 0
			for range Diff(s[0], s[1]) {
				if got++; got == n {
					break
				}
			}
			if got != n {
				t.Fatalf("stopped after %d of %d", got, n)
			}
		}
	}
	var listed []Change
	for l := range h.s.Links() {
		listed = append(listed, slices.Collect(List(l))...)
	}
	if !slices.Equal(listed, all) {
		t.Errorf("%d changes listed link by link, %d in all", len(listed), len(all))
	}
	if h.s.Link(InterfaceID{}) != nil || h.s.Facts(InterfaceID{}) != nil || h.s.Domain(ID{}) != nil || h.s.Domain(ID{&domain{iface: a.Interface.ID}}) != nil {
		t.Error("something is found that is not there")
	}
}
