package mif

import (
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/go-mif/mif/pvd"
)

// The session tells of paths that were lost and restored, which the kernel does not.
func TestPathLostAndRestored(t *testing.T) {
	fill := func(w *world) { w.add("eth0", 2, "192.0.2.5/24", "192.0.2.6/24") }
	bubble(t, fill, func(t *testing.T, h *fakeHost) {
		s := h.subscriber() // that is subscribed to nothing
		p := h.pvd("eth0/ipv4")
		s.post(ConnectToAddress{ID: 1, PvD: p, To: target}, ConnectToAddress{ID: 2, PvD: p, To: target, CloseOnPathLost: true})
		synctest.Wait()
		if got := s.got(); len(got) != 2 {
			t.Fatalf("got %q", lines(got))
		}
		both := func(reason string) []string { return []string{"path lost 1" + reason, "path lost 2" + reason} }
		expect := func(want ...string) {
			t.Helper()
			got := lines(s.got())
			if slices.Sort(got); !slices.Equal(got, want) {
				t.Fatalf("got %q, want %q", got, want)
			}
		}
		h.change(func(w *world) { w.edit("eth0", func(f *pvd.Facts) { f.Addresses = f.Addresses[1:] }) })
		expect(both(": address gone")...)
		if n := len(h.open()); n != 1 {
			t.Fatalf("%d connections open", n)
		}
		h.change(func(w *world) {
			w.edit("eth0", func(f *pvd.Facts) { f.Addresses = append(f.Addresses, address("192.0.2.5/24")) })
		})
		expect("path restored 1")
		h.change(func(w *world) { w.carrier("eth0", false) })
		expect("path lost 1: network down")
		h.change(func(w *world) { w.carrier("eth0", true) })
		expect("path restored 1")
		h.change(func(w *world) { w.remove("eth0") })
		expect("path lost 1: no such interface")
		h.change(func(w *world) { w.add("eth0", 2, "192.0.2.5/24") })
		expect()
		if n := len(s.paths); n != 0 {
			t.Fatalf("%d paths are kept", n)
		}
	})
}

// A connection whose path went while it waited to be got is told as lost.
func TestPathLostBeforeGet(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *fakeHost) {
		s := h.subscriber()
		s.post(ConnectToAddress{ID: 1, PvD: h.pvd("eth0/ipv4"), To: target, CloseOnPathLost: true})
		synctest.Wait()
		h.change(func(w *world) { w.remove("eth0") })
		s.expect("connected 1", "path lost 1: no such interface")
		if n := len(h.open()); n != 0 {
			t.Fatalf("%d connections open", n)
		}
	})
}

// Configuration data is that of the moment its turn comes (§3.5.15).
func TestGetConfigurationData(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *fakeHost) {
		p := h.pvd("eth0/ipv4")
		ask := GetConfigurationData{p, pvd.ElementStatic, pvd.ItemDNSServers}
		s := h.subscriber()
		s.post(ask)
		s.expect("no data eth0/ipv4 Static DNSServers")
		s.post(ask, GetConfigurationData{p, pvd.ElementAny, pvd.ItemDNSServers}, GetConfigurationData{p, pvd.ElementDHCPv6, pvd.ItemDNSServers})
		servers := pvd.DNSServers{{Value: netip.MustParseAddrPort("192.0.2.53:53"), Element: pvd.ElementStatic, Source: "test"}}
		h.change(func(w *world) {
			w.edit("eth0", func(f *pvd.Facts) { f.Known = []pvd.Configuration{{DNSServers: servers}} })
		})
		got := s.expect("data eth0/ipv4 Static DNSServers", "data eth0/ipv4 Any DNSServers", "no data eth0/ipv4 DHCPv6 DNSServers")
		if d := got[0].(ConfigurationData).Data.(pvd.DNSServers); !slices.Equal(d, servers) {
			t.Fatalf("got %+v", d)
		}
	})
}
