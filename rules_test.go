package mif

import (
	"net"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-mif/mif/pvd"
)

// bubble runs a test in virtual time on a host with an eth0 that has an IPv4
// domain, or on what fill makes of it.
func bubble(t *testing.T, fill func(*world), test func(t *testing.T, h *fakeHost)) {
	t.Helper()
	if fill == nil {
		fill = func(w *world) { w.add("eth0", 2, "192.0.2.5/24") }
	}
	synctest.Test(t, func(t *testing.T) { test(t, newFakeHost(t, nil, fill)) })
}

func dualStack(w *world) {
	w.add("lo", 1, "127.0.0.1/8", "::1/128")
	w.edit("lo", func(f *pvd.Facts) { f.Interface.Flags |= net.FlagLoopback })
	w.add("eth0", 2, "192.0.2.5/24", "2001:db8::5/64", "fe80::5/64")
	w.add("wlan0", 3, "198.51.100.5/24")
}

// Parents are announced before their children (§3.5.5, §3.5.9, §3.5.12).
func TestRule1UpParentBeforeChild(t *testing.T) {
	bubble(t, func(w *world) {}, func(t *testing.T, h *fakeHost) {
		s := h.subscriber()
		s.post(AnnounceInterfaces{}, AnnounceProvisioningDomains{})
		s.expect("synced AnnounceInterfaces", "synced AnnounceProvisioningDomains")
		h.change(func(w *world) { w.add("eth0", 2, "192.0.2.5/24", "2001:db8::5/64") })
		s.expect("interface eth0", "domain eth0/ipv4", "domain eth0/ipv6")
		p := h.pvd("eth0/ipv6")
		s.post(AnnounceAddresses{p}, AnnounceConfigurationElements{p})
		s.expect("address eth0/ipv6 2001:db8::5/64", "synced AnnounceAddresses",
			"element eth0/ipv6 Static", "synced AnnounceConfigurationElements")
	})
}

// No address, no element, no domain, no interface: in that order (§3.5.5, §3.5.9,
// §3.5.12).
func TestRule1DownChildBeforeParent(t *testing.T) {
	bubble(t, dualStack, func(t *testing.T, h *fakeHost) {
		h.change(func(w *world) {
			w.edit("eth0", func(f *pvd.Facts) {
				f.Routes = []pvd.RouteFact{{Route: pvd.Route{Destination: netip.MustParsePrefix("0.0.0.0/0"), Gateway: netip.MustParseAddr("192.0.2.1")}, Protocol: 16}}
			})
		})
		s := h.subscriber()
		p := h.pvd("eth0/ipv4")
		s.post(AnnounceInterfaces{}, AnnounceProvisioningDomains{h.iface("eth0")}, AnnounceConfigurationElements{p}, AnnounceAddresses{p})
		s.expect("interface lo", "interface eth0", "interface wlan0", "synced AnnounceInterfaces",
			"domain eth0/ipv4", "domain eth0/ipv6", "synced AnnounceProvisioningDomains",
			"element eth0/ipv4 DHCPv4", "element eth0/ipv4 Static", "synced AnnounceConfigurationElements",
			"address eth0/ipv4 192.0.2.5/24", "synced AnnounceAddresses")
		h.change(func(w *world) { w.remove("eth0") })
		s.expect("no address eth0/ipv4 192.0.2.5/24", "no element eth0/ipv4 DHCPv4", "no element eth0/ipv4 Static",
			"no domain eth0/ipv4", "no domain eth0/ipv6", "no interface eth0")
	})
}

// The order of leave-taking does not depend on who asked for interfaces (§3.5.5).
func TestRule1DownWithoutInterfaces(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *fakeHost) {
		domains, addresses := h.subscriber(), h.subscriber()
		p := h.pvd("eth0/ipv4")
		domains.post(AnnounceProvisioningDomains{p.Interface()}, AnnounceAddresses{p})
		addresses.post(AnnounceAddresses{p})
		domains.got()
		addresses.got()
		h.change(func(w *world) { w.remove("eth0") })
		domains.expect("no address eth0/ipv4 192.0.2.5/24", "no domain eth0/ipv4")
		addresses.expect("no address eth0/ipv4 192.0.2.5/24")
	})
}

// What came and went unseen is not told, and nothing is told twice (§3.5.4, §3.5.8).
func TestRule2NoLossWithoutAnnouncement(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *fakeHost) {
		s := h.subscriber()
		s.post(AnnounceInterfaces{}, AnnounceProvisioningDomains{})
		s.got()
		h.change(func(w *world) { w.add("usb0", 7, "203.0.113.5/24") })
		h.change(func(w *world) { w.remove("usb0") })
		h.change(func(w *world) { w.carrier("eth0", false) })
		h.change(func(w *world) { w.carrier("eth0", true) })
		s.expect("no domain eth0/ipv4", "domain eth0/ipv4")
		h.change(func(w *world) { w.edit("eth0", func(*pvd.Facts) {}) })
		s.expect()
	})
}

// A change is the same announcement again with the same identity (§3.5.3, §3.5.10,
// §3.5.13).
func TestRule2ChangeIsUpsert(t *testing.T) {
	now := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) // a bubble's beginning
	set := func(f func(*pvd.AddressFact)) func(*pvd.Facts) {
		return func(facts *pvd.Facts) { f(&facts.Addresses[0]) }
	}
	lives := func(seconds int) func(*pvd.Facts) {
		return set(func(a *pvd.AddressFact) { a.Valid = now.Add(time.Duration(seconds) * time.Second) })
	}
	server := func(s string) func(*pvd.Facts) {
		return func(f *pvd.Facts) {
			datum := pvd.Datum[netip.AddrPort]{Value: netip.MustParseAddrPort(s), Element: pvd.ElementStatic}
			f.Known = []pvd.Configuration{{DNSServers: pvd.DNSServers{datum}}}
		}
	}
	bubble(t, func(w *world) { w.add("eth0", 2, "192.0.2.5/24", "192.0.2.6/24") }, func(t *testing.T, h *fakeHost) {
		s := h.subscriber()
		id, p := h.iface("eth0"), h.pvd("eth0/ipv4")
		s.post(AnnounceInterfaces{}, AnnounceProvisioningDomains{}, AnnounceConfigurationElements{p}, AnnounceAddresses{p})
		s.got()
		name := "eth0"
		for _, c := range []struct {
			what   string
			change func(*pvd.Facts)
			want   []string
		}{
			{"rename", func(f *pvd.Facts) { f.Interface.Name = "wan0" }, []string{"interface wan0"}},
			{"flags", func(f *pvd.Facts) { f.Interface.Flags |= net.FlagPointToPoint }, []string{"interface wan0"}},
			{"MTU", func(f *pvd.Facts) { f.Interface.MTU = 1280 }, []string{"interface wan0"}},
			{"hardware address", func(f *pvd.Facts) { f.Interface.HardwareAddr = net.HardwareAddr{2, 2, 2, 2, 2, 2} }, []string{"interface wan0"}},
			{"DAD begun", set(func(a *pvd.AddressFact) { a.Tentative = true }), []string{"address eth0/ipv4 192.0.2.5/24 tentative"}},
			{"DAD done", set(func(a *pvd.AddressFact) { a.Tentative = false }), []string{"address eth0/ipv4 192.0.2.5/24"}},
			{"deprecated", set(func(a *pvd.AddressFact) { a.Deprecated = true }), []string{"address eth0/ipv4 192.0.2.5/24 deprecated"}},
			{"preferred", set(func(a *pvd.AddressFact) { a.Deprecated = false }), []string{"address eth0/ipv4 192.0.2.5/24"}},
			{"finite", lives(3600), []string{"element eth0/ipv4 DHCPv4", "address eth0/ipv4 192.0.2.5/24"}},
			{"refreshed", lives(3700), nil},
			{"longer", lives(7200), []string{"address eth0/ipv4 192.0.2.5/24"}},
			{"shorter", lives(600), []string{"address eth0/ipv4 192.0.2.5/24"}},
			{"data", server("192.0.2.53:53"), []string{"element eth0/ipv4 Static"}},
			{"new data", server("192.0.2.54:53"), []string{"element eth0/ipv4 Static"}},
			{"same data", server("192.0.2.54:53"), nil},
		} {
			h.change(func(w *world) {
				w.edit(name, c.change)
				name = "wan0"
			})
			got := s.got()
			if !slices.Equal(lines(got), c.want) {
				t.Fatalf("%s: got %q, want %q", c.what, lines(got), c.want)
			}
			for _, e := range got {
				if e, is := e.(InterfaceAnnouncement); is && e.Interface != id {
					t.Fatalf("%s: a new identity", c.what)
				}
			}
		}
		if h.pvd("eth0/ipv4") != p {
			t.Fatal("the domain is another")
		}
	})
}

// Subscriptions to what is gone end with it and do not revive (§3.5.5).
func TestRule3SubscriptionsEnd(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *fakeHost) {
		s := h.subscriber()
		old, p := h.iface("eth0"), h.pvd("eth0/ipv4")
		s.post(AnnounceProvisioningDomains{old}, AnnounceAddresses{p}, AnnounceConfigurationElements{p})
		s.got()
		h.change(func(w *world) { w.remove("eth0") })
		h.change(func(w *world) { w.add("eth0", 2, "192.0.2.5/24") })
		s.expect("no address eth0/ipv4 192.0.2.5/24", "no element eth0/ipv4 Static", "no domain eth0/ipv4")
		if h.iface("eth0") == old || h.pvd("eth0/ipv4") == p {
			t.Fatal("an identity is used again")
		}
		if s.topics.any() {
			t.Fatal("subscriptions are left")
		}
		s.post(AnnounceProvisioningDomains{old})
		s.expect("rejected AnnounceProvisioningDomains: no such interface")
	})
}

// A domain that comes back is another: who subscribed to the old one's addresses
// hears nothing of the new one's (§3.5.12).
func TestRule3DomainComesBack(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *fakeHost) {
		s := h.subscriber()
		p := h.pvd("eth0/ipv4")
		s.post(AnnounceProvisioningDomains{}, AnnounceAddresses{p})
		s.got()
		h.change(func(w *world) { w.carrier("eth0", false) })
		h.change(func(w *world) { w.carrier("eth0", true) })
		s.expect("no address eth0/ipv4 192.0.2.5/24", "no domain eth0/ipv4", "domain eth0/ipv4")
		if h.pvd("eth0/ipv4") == p {
			t.Fatal("the identity is used again")
		}
		s.post(AnnounceAddresses{p})
		s.expect("rejected AnnounceAddresses: no such domain")
	})
}

// Nothing of a kind is got after its Stop, not even what was waiting (§3.5.2, §3.5.6).
func TestRule4NothingAfterStop(t *testing.T) {
	bubble(t, dualStack, func(t *testing.T, h *fakeHost) {
		p := h.pvd("eth0/ipv4")
		for _, c := range []struct{ start, stop Request }{
			{AnnounceInterfaces{}, StopAnnouncingInterfaces{}},
			{AnnounceProvisioningDomains{}, StopAnnouncingProvisioningDomains{}},
			{AnnounceProvisioningDomains{p.Interface()}, StopAnnouncingProvisioningDomains{p.Interface()}},
			{AnnounceProvisioningDomains{p.Interface()}, StopAnnouncingProvisioningDomains{}},
			{AnnounceConfigurationElements{p}, StopAnnouncingConfigurationElements{p}},
			{AnnounceAddresses{p}, StopAnnouncingAddresses{p}},
		} {
			s := h.subscriber()
			s.post(c.start, c.stop)
			s.expect() // it was not handled when it was stopped
			s.post(c.start)
			if s.Get(); s.Check(t.Context()) != nil {
				t.Fatalf("%T: nothing more is there", c.start)
			}
			s.post(c.stop)
			s.expect() // what was listed and not got
			h.change(func(w *world) {
				w.edit("eth0", func(f *pvd.Facts) { f.Interface.MTU++; f.Addresses[0].Deprecated = true })
			})
			s.expect() // what changed
			h.change(func(w *world) { w.edit("eth0", func(f *pvd.Facts) { f.Addresses[0].Deprecated = false }) })
			s.post(c.stop) // what is not subscribed to
			s.expect()
			s.Close()
		}
	})
}

// A Stop for one interface leaves the others be, in whatever order it meets the
// Announce for all (§3.5.6).
func TestRule4StopOneOfAll(t *testing.T) {
	bubble(t, dualStack, func(t *testing.T, h *fakeHost) {
		s := h.subscriber()
		eth0 := h.iface("eth0")
		s.post(AnnounceProvisioningDomains{}, StopAnnouncingProvisioningDomains{eth0})
		s.expect("domain wlan0/ipv4", "synced AnnounceProvisioningDomains")
		h.change(func(w *world) { w.carrier("eth0", false); w.carrier("wlan0", false) })
		s.expect("no domain wlan0/ipv4")
		s.post(AnnounceProvisioningDomains{eth0})
		h.change(func(w *world) { w.carrier("eth0", true) })
		s.expect("domain eth0/ipv4", "domain eth0/ipv6", "synced AnnounceProvisioningDomains")
		s.post(StopAnnouncingProvisioningDomains{eth0}, AnnounceProvisioningDomains{})
		s.expect("domain eth0/ipv4", "domain eth0/ipv6", "synced AnnounceProvisioningDomains")
	})
}

// A Stop of one kind leaves the others be (§3.5.2).
func TestRule4StopLeavesOtherKinds(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *fakeHost) {
		s := h.subscriber()
		s.post(AnnounceInterfaces{}, AnnounceProvisioningDomains{}, StopAnnouncingInterfaces{})
		s.expect("domain eth0/ipv4", "synced AnnounceProvisioningDomains")
		h.change(func(w *world) { w.remove("eth0") })
		s.expect("no domain eth0/ipv4")
	})
}

// A repeated Announce lists again and subscribes once (§3.5.1).
func TestRule4RepeatedAnnounce(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *fakeHost) {
		s := h.subscriber()
		p := h.pvd("eth0/ipv4")
		for range 3 {
			s.post(AnnounceInterfaces{}, AnnounceProvisioningDomains{}, AnnounceAddresses{p})
			s.expect("interface eth0", "synced AnnounceInterfaces", "domain eth0/ipv4", "synced AnnounceProvisioningDomains",
				"address eth0/ipv4 192.0.2.5/24", "synced AnnounceAddresses")
		}
		h.change(func(w *world) { w.remove("eth0") })
		s.expect("no address eth0/ipv4 192.0.2.5/24", "no domain eth0/ipv4", "no interface eth0")
	})
}

// The zero Interface means every interface, those to come as well (§3.5.5).
func TestRule5ZeroInterfaceIsEvery(t *testing.T) {
	bubble(t, dualStack, func(t *testing.T, h *fakeHost) {
		all, one := h.subscriber(), h.subscriber()
		all.post(AnnounceProvisioningDomains{})
		one.post(AnnounceProvisioningDomains{h.iface("wlan0")})
		all.expect("domain eth0/ipv4", "domain eth0/ipv6", "domain wlan0/ipv4", "synced AnnounceProvisioningDomains")
		one.expect("domain wlan0/ipv4", "synced AnnounceProvisioningDomains")
		h.change(func(w *world) { w.add("usb0", 4, "203.0.113.5/24") })
		all.expect("domain usb0/ipv4")
		one.expect()
		h.change(func(w *world) { w.remove("wlan0") })
		all.expect("no domain wlan0/ipv4")
		one.expect("no domain wlan0/ipv4")
	})
}

// A domain is announced while it is usable: up, carrier, an address past DAD
// (§3.5.7, §3.5.8).
func TestRule9UsableDomain(t *testing.T) {
	set := func(f func(*pvd.AddressFact)) func(*pvd.Facts) {
		return func(facts *pvd.Facts) { f(&facts.Addresses[0]) }
	}
	up, down := []string{"domain eth0/ipv4"}, []string{"no domain eth0/ipv4"}
	bubble(t, nil, func(t *testing.T, h *fakeHost) {
		s := h.subscriber()
		s.post(AnnounceProvisioningDomains{})
		s.got()
		for _, c := range []struct {
			what   string
			change func(*pvd.Facts)
			want   []string
		}{
			{"cable pulled", func(f *pvd.Facts) { f.Interface.Carrier = false }, down},
			{"plugged", func(f *pvd.Facts) { f.Interface.Carrier = true }, up},
			{"set down", func(f *pvd.Facts) { f.Interface.Up = false }, down},
			{"set up", func(f *pvd.Facts) { f.Interface.Up = true }, up},
			{"tentative", set(func(a *pvd.AddressFact) { a.Tentative = true }), down},
			{"past DAD", set(func(a *pvd.AddressFact) { a.Tentative = false }), up},
			{"duplicate", set(func(a *pvd.AddressFact) { a.Duplicate = true }), down},
			{"unique", set(func(a *pvd.AddressFact) { a.Duplicate = false }), up},
			{"deprecated", set(func(a *pvd.AddressFact) { a.Deprecated = true }), nil},
			{"deconfigured", func(f *pvd.Facts) { f.Addresses = nil }, down},
		} {
			h.change(func(w *world) { w.edit("eth0", c.change) })
			if got := lines(s.got()); !slices.Equal(got, c.want) {
				t.Fatalf("%s: got %q, want %q", c.what, got, c.want)
			}
		}
	})
}

// An interface announcement says what the interface is (§3.5.3).
func TestRule9InterfaceAnnouncement(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *fakeHost) {
		h.change(func(w *world) {
			w.edit("eth0", func(f *pvd.Facts) { f.Interface.Kind = "veth"; f.Interface.Up = false })
		})
		s := h.subscriber()
		s.post(AnnounceInterfaces{})
		e := s.expect("interface eth0 down", "synced AnnounceInterfaces")[0].(InterfaceAnnouncement)
		i := h.world.links["eth0"].Interface
		if e.Interface != i.ID || e.Index != 2 || e.Kind != "veth" || e.Flags != i.Flags || e.MTU != 1500 ||
			e.HardwareAddr.String() != i.HardwareAddr.String() || e.Up || !e.Carrier {
			t.Fatalf("got %+v of %+v", e, i)
		}
	})
}

// What has a lifetime is withdrawn when that ends, though nobody says so (§3.5.8).
func TestRule9Expiry(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *fakeHost) {
		server := pvd.Datum[netip.AddrPort]{Value: netip.MustParseAddrPort("192.0.2.53:53"), Element: pvd.ElementDHCPv4, Expiry: time.Now().Add(time.Minute)}
		h.change(func(w *world) {
			w.edit("eth0", func(f *pvd.Facts) { f.Known = []pvd.Configuration{{DNSServers: pvd.DNSServers{server}}} })
		})
		s := h.subscriber()
		s.post(AnnounceConfigurationElements{h.pvd("eth0/ipv4")})
		s.expect("element eth0/ipv4 DHCPv4", "element eth0/ipv4 Static", "synced AnnounceConfigurationElements")
		begin := time.Now()
		if err := s.Check(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.expect("no element eth0/ipv4 DHCPv4")
		if d := time.Since(begin); d != time.Minute {
			t.Fatalf("withdrawn after %v", d)
		}
	})
}

// Link-local addresses are of the domains of their link, and make none (§3.1, "point
// of discussion").
func TestRule10LinkLocal(t *testing.T) {
	fill := func(w *world) {
		dualStack(w)
		w.add("usb0", 4, "fe80::7/64", "169.254.3.4/16")
	}
	bubble(t, fill, func(t *testing.T, h *fakeHost) {
		s := h.subscriber()
		s.post(AnnounceInterfaces{}, AnnounceProvisioningDomains{}, AnnounceAddresses{h.pvd("eth0/ipv6")})
		got := s.expect("interface lo", "interface eth0", "interface wlan0", "interface usb0", "synced AnnounceInterfaces",
			"domain eth0/ipv4", "domain eth0/ipv6", "domain wlan0/ipv4", "synced AnnounceProvisioningDomains",
			"address eth0/ipv6 2001:db8::5/64", "address eth0/ipv6 fe80::5/64", "synced AnnounceAddresses")
		for _, e := range got {
			if a, is := e.(AddressAnnouncement); is && a.LinkLocal != a.Prefix.Addr().IsLinkLocalUnicast() {
				t.Errorf("%v: LinkLocal is %v", a.Prefix, a.LinkLocal)
			}
		}
	})
}
