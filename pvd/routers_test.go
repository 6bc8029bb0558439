package pvd

import (
	"fmt"
	"testing"
)

// two is a link on which two routers announce a prefix each (RFC 8801 section 2).
func two() *Facts {
	f := ethernet(2, "eth0")
	f.Addresses = []AddressFact{address("fe80::5/64", forever), slaac("2001:db8:1::5/64", after(3600)), slaac("2001:db8:2::5/64", after(3600))}
	f.RAs = []RA{
		advertisement("fe80::1", after(3600), "2001:db8:1::/64").rdnss("2001:db8:1::53", after(3600)),
		advertisement("fe80::2", after(3600), "2001:db8:2::/64").rdnss("2001:db8:2::53", after(3600)),
	}
	return f
}

const (
	first  = "eth0/ipv6 ipv6 RA 2001:db8:1::5 fe80::5"
	second = "eth0/ipv6/fe80::2 ipv6 RA 2001:db8:2::5 fe80::5"
	single = "eth0/ipv6 ipv6 RA 2001:db8:1::5 2001:db8:2::5 fe80::5"
)

func TestTwoRouters(t *testing.T) {
	h := newHost(t)
	h.learn(two())
	expect(t, "domains", h.domains(), []string{first, second})
	expect(t, "the first's servers", h.data("eth0/ipv6", ElementAny, ItemDNSServers), []string{"RA fe80::1 3600 [2001:db8:1::53]:53"})
	expect(t, "the second's", h.data("eth0/ipv6/fe80::2", ElementRA, ItemDNSServers), []string{"RA fe80::2 3600 [2001:db8:2::53]:53"})
	expect(t, "the second's prefix", h.data("eth0/ipv6/fe80::2", ElementRA, ItemPrefixes), []string{"RA fe80::2 3600 2001:db8:2::/64"})
}

// TestRoutersBecomeKnown: nothing is divided before the router of each prefix is
// known, and then the domain that was there goes on.
func TestRoutersBecomeKnown(t *testing.T) {
	h := newHost(t)
	none := with(two(), func(f *Facts) { f.RAs = nil })
	h.learn(none)
	expect(t, "no router", h.domains(), []string{single})
	was := h.domain("eth0/ipv6").ID()
	all := two().RAs
	h.learn(with(none, func(f *Facts) { f.RAs = all[1:] }))
	expect(t, "one of two", h.domains(), []string{single})
	h.learn(with(none, func(f *Facts) { f.RAs = all }))
	expect(t, "both", h.domains(), []string{first, second})
	if h.domain("eth0/ipv6").ID() != was {
		t.Error("learning routers changed the ID")
	}
}

// TestAddressKeepsItsDomain: a domain goes on where its addresses do, whichever
// router's address is the lower.
func TestAddressKeepsItsDomain(t *testing.T) {
	for _, c := range []struct{ old, new int }{{0, 1}, {1, 0}} {
		h := newHost(t)
		all := two()
		one := with(all, func(f *Facts) { f.Addresses = []AddressFact{all.Addresses[0], all.Addresses[1+c.old]} })
		h.learn(with(one, func(f *Facts) { f.RAs = all.RAs[c.old : c.old+1] }))
		was := h.domain("eth0/ipv6").ID()
		expect(t, "another router, no address yet", h.learn(one), nil)
		h.learn(all)
		if d := h.s.Domain(was); d == nil || d.addresses[0].Prefix != all.Addresses[1+c.old].Prefix {
			t.Errorf("the domain of the address is another: %q", h.domains())
		}
		if n := len(h.domains()); n != 2 {
			t.Errorf("%d domains", n)
		}
	}
}

// TestNeighboursServers: what a router says whose prefix gave no address is not
// another's.
func TestNeighboursServers(t *testing.T) {
	h := newHost(t)
	h.learn(with(two(), func(f *Facts) { f.Addresses = f.Addresses[:2] }))
	expect(t, "domains", h.domains(), []string{first})
	expect(t, "servers", h.data("eth0/ipv6", ElementAny, ItemDNSServers), []string{"RA fe80::1 3600 [2001:db8:1::53]:53"})
}

// TestSharedPrefix: routers that announce the same prefix are of one domain, in
// whichever order they are heard.
func TestSharedPrefix(t *testing.T) {
	for _, order := range [][3]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}} {
		h := newHost(t)
		f := two()
		three := append(f.RAs, advertisement("fe80::3", after(3600), "2001:db8:1::/64", "2001:db8:2::/64"))
		f.RAs = []RA{three[order[0]], three[order[1]], three[order[2]]}
		h.learn(f)
		expect(t, "shared", h.domains(), []string{single})
		was := h.domain("eth0/ipv6").ID()
		h.learn(with(f, func(f *Facts) { f.RAs = two().RAs }))
		expect(t, "not any more", h.domains(), []string{first, second})
		if h.domain("eth0/ipv6").ID() != was {
			t.Error("another ID")
		}
		h.learn(f)
		expect(t, "shared again", h.domains(), []string{single})
	}
}

// TestRouterDies: its domain lives as long as its address, and its neighbour's is
// not touched.
func TestRouterDies(t *testing.T) {
	for _, dead := range []int{0, 1} {
		h := newHost(t)
		f := two()
		f.RAs[dead] = advertisement(f.RAs[dead].Router.String(), after(60), f.RAs[dead].Configuration.Prefixes[0].Value.Prefix.String())
		h.learn(f)
		names := []string{"eth0/ipv6", "eth0/ipv6/fe80::2"}
		died, lives := h.domain(names[dead]).ID(), h.domain(names[1-dead])
		h.wait(after(61))
		expect(t, "RA expired", h.domains(), []string{first, second})
		h.learn(with(f, func(f *Facts) { f.Addresses = append(f.Addresses[:1+dead:1+dead], f.Addresses[2+dead:]...) }))
		if h.s.Domain(died) != nil || h.s.Domain(lives.ID()) != lives {
			t.Errorf("%s died: %q", names[dead], h.domains())
		}
		h.learn(with(f, func(f *Facts) { f.RAs = two().RAs }))
		if n := len(h.domains()); n != 2 || h.s.Domain(died) != nil || h.s.Domain(lives.ID()) == nil {
			t.Errorf("%s is back: %q", names[dead], h.domains())
		}
	}
}

// TestRenumbering: a router that announces another prefix is of the same domain.
func TestRenumbering(t *testing.T) {
	h := newHost(t)
	f := with(two(), func(f *Facts) { f.Addresses, f.RAs = f.Addresses[:2], f.RAs[:1] })
	h.learn(f)
	was := h.domain("eth0/ipv6").ID()
	old := with(f, func(f *Facts) {
		f.RAs[0] = advertisement("fe80::1", after(3600), "2001:db8:7::/64")
		f.Addresses[1].Deprecated = true
		f.Addresses = append(f.Addresses, slaac("2001:db8:7::5/64", after(3600)))
	})
	h.learn(old)
	expect(t, "both", h.domains(), []string{"eth0/ipv6 ipv6 RA 2001:db8:1::5 2001:db8:7::5 fe80::5"})
	h.learn(with(old, func(f *Facts) { f.Addresses = append(f.Addresses[:1:1], f.Addresses[2:]...) }))
	expect(t, "the new one", h.domains(), []string{"eth0/ipv6 ipv6 RA 2001:db8:7::5 fe80::5"})
	flash := with(f, func(f *Facts) {
		f.RAs[0] = advertisement("fe80::1", after(3600), "2001:db8:8::/64")
		f.Addresses = []AddressFact{f.Addresses[0], slaac("2001:db8:8::5/64", after(3600))}
	})
	h.learn(flash)
	if d := h.domain("eth0/ipv6"); d == nil || d.ID() != was {
		t.Errorf("renumbered at once: %q", h.domains())
	}
}

// TestAnotherRouterAnnouncesThePrefix: as when a router is replaced.
func TestAnotherRouterAnnouncesThePrefix(t *testing.T) {
	h := newHost(t)
	f := with(two(), func(f *Facts) { f.Addresses, f.RAs = f.Addresses[:2], f.RAs[:1] })
	h.learn(f)
	was := h.domain("eth0/ipv6").ID()
	h.learn(with(f, func(f *Facts) { f.RAs[0] = advertisement("fe80::9", after(3600), "2001:db8:1::/64") }))
	if d := h.domain("eth0/ipv6"); d == nil || d.ID() != was {
		t.Errorf("another router: %q", h.domains())
	}
}

// TestStrayAddress: an address of unknown origin is of the first domain, and stays.
func TestStrayAddress(t *testing.T) {
	h := newHost(t)
	stray := with(two(), func(f *Facts) { f.Addresses = append(f.Addresses, address("2001:db8:9::5/64", forever)) })
	h.learn(stray)
	want := []string{"eth0/ipv6 ipv6 RA Static 2001:db8:1::5 2001:db8:9::5 fe80::5", second}
	expect(t, "static", h.domains(), want)
	unknown := with(stray, func(f *Facts) { f.Addresses = append(f.Addresses, slaac("2001:db8:a::5/64", after(99))) })
	h.learn(unknown)
	expect(t, "of another router, not heard yet", h.domains(),
		[]string{"eth0/ipv6 ipv6 RA Static 2001:db8:1::5 2001:db8:9::5 2001:db8:a::5 fe80::5", second})
}

// TestSplit: where two routers were of one domain and are no more, it goes on, as
// the first, with the router whose prefix its address has.
func TestSplit(t *testing.T) {
	h := newHost(t)
	f := with(two(), func(f *Facts) {
		f.Addresses = f.Addresses[:2]
		f.RAs[1] = advertisement("fe80::2", after(3600), "2001:db8:1::/64")
		f.RAs = append(f.RAs, RA{Router: ip("fe80::3")}.rdnss("2001:db8:3::53", forever))
	})
	h.learn(f)
	was := h.domain("eth0/ipv6").ID()
	h.learn(with(f, func(f *Facts) {
		f.RAs[0] = advertisement("fe80::1", after(3600), "2001:db8:7::/64")
		f.Addresses = append(f.Addresses, slaac("2001:db8:7::5/64", after(3600)))
	}))
	expect(t, "split", h.domains(), []string{
		"eth0/ipv6 ipv6 RA 2001:db8:1::5 fe80::5", "eth0/ipv6/fe80::1 ipv6 RA 2001:db8:7::5 fe80::5"})
	expect(t, "nobody's", h.data("eth0/ipv6", ElementAny, ItemDNSServers), []string{"RA fe80::3 forever [2001:db8:3::53]:53"})
	if h.s.Domain(was) == nil {
		t.Error("another ID")
	}
}

// TestStrayAddressDuringDAD: what is nobody's is given to a domain that can be used.
func TestStrayAddressDuringDAD(t *testing.T) {
	h := newHost(t)
	h.learn(with(two(), func(f *Facts) {
		f.Addresses = append(f.Addresses, address("2001:db8:9::5/64", forever))
		f.Addresses[1].Tentative = true
	}))
	expect(t, "domains", h.domains(), []string{"eth0/ipv6 ipv6 RA Static 2001:db8:2::5 2001:db8:9::5 fe80::5"})
}

// TestMergedFamiliesOfTwoRouters: IPv4 goes with the first.
func TestMergedFamiliesOfTwoRouters(t *testing.T) {
	h := newHost(t)
	h.o.MergeFamilies = true
	h.learn(with(two(), func(f *Facts) { f.Addresses = append(f.Addresses, address("192.0.2.5/24", forever)) }))
	expect(t, "merged", h.domains(), []string{
		"eth0 both RA Static 192.0.2.5 2001:db8:1::5 fe80::5", "eth0/ipv6 ipv6 RA 2001:db8:2::5 fe80::5"})
}

// TestRoutersBestFirst: those of the higher preference first, others in the order in which
// they are known.
func TestRoutersBestFirst(t *testing.T) {
	h := newHost(t)
	f := ethernet(2, "eth0")
	f.Addresses = []AddressFact{slaac("2001:db8:1::5/64", after(3600))}
	for i, preference := range []int8{-1, 0, 1, 0} {
		ra := advertisement(fmt.Sprintf("fe80::%d", i+1), after(3600), "2001:db8:1::/64")
		ra.Configuration.Routers = Routers{{Router{ra.Router, preference}, ElementRA, ra.Router.String(), after(900)}}
		f.RAs = append(f.RAs, ra)
	}
	h.learn(f)
	want := []string{"RA fe80::3 900 fe80::3 1", "RA fe80::2 900 fe80::2 0", "RA fe80::4 900 fe80::4 0", "RA fe80::1 900 fe80::1 -1"}
	expect(t, "of the element", h.data("eth0/ipv6", ElementRA, ItemRouters), want)
	expect(t, "of all", h.data("eth0/ipv6", ElementAny, ItemRouters), want)
}
