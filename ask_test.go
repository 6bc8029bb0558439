package mif

import (
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/go-mif/mif/hostconf"
	"github.com/go-mif/mif/pvd"
)

// asked are the questions in words.
func (h *fakeHost) asked(s *hostconf.State) string {
	var all []string
	for _, q := range questions(h.whole.Load(), s, nil) {
		all = append(all, q.Element().String()+" "+q.PvD.String()+" "+q.From.String())
	}
	return strings.Join(all, ", ")
}

// Whom to ask: DHCPv4 where there is an address to be asked about, DHCPv6 where a
// router says that it pays (RFC 4861 section 4.2).
func TestQuestions(t *testing.T) {
	const both = "DHCPv4 eth0/ipv4 192.0.2.7, DHCPv6 eth0/ipv6 fe80::7"
	for _, c := range []struct {
		name string
		edit func(*pvd.Facts)
		want string
	}{
		{"O flag", func(f *pvd.Facts) { f.Other = true }, both},
		{"M flag", func(f *pvd.Facts) { f.Managed = true }, both},
		{"O flag of an advertisement", func(f *pvd.Facts) { f.RAs = append(f.RAs, advertisement(true)) }, both},
		{"no flag", func(f *pvd.Facts) { f.RAs = append(f.RAs, advertisement(false)) }, "DHCPv4 eth0/ipv4 192.0.2.7"},
		{"no carrier", func(f *pvd.Facts) { f.Other, f.Interface.Carrier = true, false }, ""},
		{"a tunnel", func(f *pvd.Facts) { f.Other, f.Interface.HardwareAddr = true, nil }, ""},
		{"point to point", func(f *pvd.Facts) { f.Other, f.Interface.Flags = true, f.Interface.Flags|net.FlagPointToPoint }, ""},
		{"no broadcast", func(f *pvd.Facts) { f.Interface.Flags &^= net.FlagBroadcast }, ""},
		{"an address of the link only", func(f *pvd.Facts) { f.Addresses[0] = address("169.254.1.2/16") }, ""},
		{"a duplicate", func(f *pvd.Facts) { f.Addresses[0].Duplicate = true }, ""},
		{"no link-local address", func(f *pvd.Facts) { f.Other, f.Addresses = true, f.Addresses[:2] }, "DHCPv4 eth0/ipv4 192.0.2.7"},
	} {
		h := newFakeHost(t, nil, func(w *world) {
			w.add("eth0", 7, "192.0.2.7/24", "2001:db8::7/64", "fe80::7/64")
			w.edit("eth0", c.edit)
		})
		if got := h.asked(&hostconf.State{}); got != c.want {
			t.Errorf("%s: asked %q, want %q", c.name, got, c.want)
		}
	}
}

func advertisement(other bool) pvd.RA {
	router := netip.MustParseAddr("fe80::1")
	return pvd.RA{Router: router, Other: other, Heard: time.Now(), Configuration: pvd.Configuration{
		Routers: pvd.Routers{{Value: pvd.Router{Addr: router}, Element: pvd.ElementRA, Source: "fe80::1"}},
	}}
}

// What a client of the host tells need not be asked for.
func TestNoQuestions(t *testing.T) {
	h := newFakeHost(t, nil, func(w *world) {
		w.add("eth0", 7, "192.0.2.7/24", "2001:db8::7/64", "fe80::7/64")
		w.edit("eth0", func(f *pvd.Facts) { f.Other = true })
	})
	knows := func(e pvd.ElementType) []pvd.Configuration {
		return []pvd.Configuration{{SearchDomains: pvd.SearchDomains{{Value: "corp.example", Element: e, Source: "client"}}}}
	}
	byName := func(e pvd.ElementType) *hostconf.State {
		return &hostconf.State{Links: map[string][]pvd.Configuration{"eth0": knows(e)}}
	}
	for _, c := range []struct {
		state *hostconf.State
		want  string
	}{
		{byName(pvd.ElementDHCPv4), "DHCPv6 eth0/ipv6 fe80::7"},
		{byName(pvd.ElementDHCPv6), "DHCPv4 eth0/ipv4 192.0.2.7"},
		{&hostconf.State{ByIndex: map[int][]pvd.Configuration{7: knows(pvd.ElementDHCPv4)}}, "DHCPv6 eth0/ipv6 fe80::7"},
		{&hostconf.State{Links: map[string][]pvd.Configuration{"eth1": knows(pvd.ElementDHCPv4)}}, "DHCPv4 eth0/ipv4 192.0.2.7, DHCPv6 eth0/ipv6 fe80::7"},
	} {
		if got := h.asked(c.state); got != c.want {
			t.Errorf("asked %q, want %q", got, c.want)
		}
	}
}

// A question stays the same while it can, and is another after the link was down.
func TestQuestionStays(t *testing.T) {
	h := newFakeHost(t, nil, func(w *world) { w.add("eth0", 7, "192.0.2.7/24") })
	first := questions(h.whole.Load(), &hostconf.State{}, nil)
	h.change(func(w *world) {
		w.edit("eth0", func(f *pvd.Facts) { f.Addresses = append([]pvd.AddressFact{address("192.0.2.3/24")}, f.Addresses...) })
	})
	if next := questions(h.whole.Load(), &hostconf.State{}, first); len(next) != 1 || next[0] != first[0] {
		t.Errorf("asked %v after %v", next, first)
	}
	for _, carrier := range []bool{false, true} {
		h.change(func(w *world) { w.edit("eth0", func(f *pvd.Facts) { f.Interface.Carrier = carrier }) })
	}
	if next := questions(h.whole.Load(), &hostconf.State{}, first); len(next) != 1 || next[0] == first[0] {
		t.Errorf("asked %v after %v and a new cable", next, first)
	}
}

// A domain of the program's own is not a matter for a DHCP server.
func TestQuestionsOfTheProgram(t *testing.T) {
	h := newFakeHost(t, nil, func(w *world) { w.add("eth0", 7, "192.0.2.7/24") })
	_, err := h.AddDomain(pvd.Static{InterfaceName: "eth0", Name: "vpn", Addresses: []netip.Addr{netip.MustParseAddr("192.0.2.7")}})
	if err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(10 * time.Second); h.asked(&hostconf.State{}) != ""; {
		if time.Now().After(end) {
			t.Fatalf("asked %q", h.asked(&hostconf.State{}))
		}
	}
}
