package hostconf

import (
	"bufio"
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/go-mif/mif/pvd"
)

const nmObjectsOf = nmName + " GetManagedObjects"

func variants(all map[string]any) map[string]dbus.Variant {
	v := map[string]dbus.Variant{}
	for name, x := range all {
		v[name] = dbus.MakeVariant(x)
	}
	return v
}

// nmHost is what NetworkManager 1.42 says of a host with one Ethernet.
func nmHost(server string) nmObjects {
	at := func(s string) dbus.ObjectPath { return dbus.ObjectPath("/org/freedesktop/NetworkManager/" + s) }
	one := func(iface string, all map[string]any) map[string]map[string]dbus.Variant {
		return map[string]map[string]dbus.Variant{nmName + "." + iface: variants(all)}
	}
	return nmObjects{
		at("Devices/1"): one("Device", map[string]any{"Interface": "lo", "Ip4Config": dbus.ObjectPath("/")}),
		at("Devices/2"): one("Device", map[string]any{"Interface": "cl0", "IpInterface": "eth0", "State": uint32(100),
			"Ip4Config": at("IP4Config/2"), "Ip6Config": at("IP6Config/2"), "Dhcp4Config": at("DHCP4Config/2"), "Dhcp6Config": at("DHCP6Config/1")}),
		at("IP4Config/2"): one("IP4Config", map[string]any{"Gateway": "192.0.2.1", "Domains": []string{"lab.example"}, "Searches": []string{"lab.example", "corp.example", "~vpn.example"},
			"NameserverData": []map[string]dbus.Variant{variants(map[string]any{"address": server}), variants(map[string]any{"address": "192.0.2.99"})}, "Nameservers": []uint32{889192714}}),
		at("IP6Config/2"): one("IP6Config", map[string]any{"Gateway": "fe80::1", "Searches": []string{"lab6.example", "ra.example"},
			"Nameservers": [][]byte{addrs("2001:db8:1::53")[0].AsSlice(), addrs("2001:db8:1::54")[0].AsSlice(), {1, 2}}}),
		at("DHCP4Config/2"): one("DHCP4Config", map[string]any{"Options": variants(map[string]any{
			"dhcp_lease_time": "120", "dhcp_server_identifier": "192.0.2.1", "domain_name": "lab.example", "domain_name_servers": server,
			"domain_search": "lab.example corp.example", "expiry": "4000000000", "interface_mtu": "1400", "ip_address": "192.0.2.128", "ntp_servers": "192.0.2.123",
			"rfc3442_classless_static_routes": "0.0.0.0/0 192.0.2.1 198.51.100.0/24 192.0.2.2", "routers": "192.0.2.9", "requested_routers": "1"})}),
		at("DHCP6Config/1"): one("DHCP6Config", map[string]any{"Options": variants(map[string]any{
			"dhcp6_domain_search": "lab6.example", "dhcp6_name_servers": "2001:db8:1::53", "dhcp6_ntp_servers": "2001:db8:1::123"})}),
	}
}

func TestNetworkManagerObjects(t *testing.T) {
	all := nmHost("192.0.2.53").said()
	if len(all) != 4 {
		t.Fatalf("got %+v", all)
	}
	v4, v6, rest4, rest6 := all[0], all[1], all[2], all[3]
	if v4.link != "eth0" || v4.element != pvd.ElementDHCPv4 || !v4.expiry.Equal(time.Unix(4000000000, 0)) || v4.source != "NetworkManager" ||
		!slices.Equal(v4.servers, servers("192.0.2.53")) || !slices.Equal(v4.search, []string{"lab.example", "corp.example"}) || !slices.Equal(v4.mtu, []int{1400}) ||
		!slices.Equal(v4.ntp, []string{"192.0.2.123"}) || !slices.Equal(v4.routers, addrs("192.0.2.1")) || len(v4.routes) != 1 {
		t.Errorf("DHCPv4: %+v", v4)
	}
	if v6.element != pvd.ElementDHCPv6 || !sameOffer(&v6.offer, &offer{servers: servers("2001:db8:1::53"), search: []string{"lab6.example"}, ntp: []string{"2001:db8:1::123"}}) {
		t.Errorf("DHCPv6: %+v", v6)
	}
	if rest4.element != pvd.ElementStatic || !sameOffer(&rest4.offer, &offer{servers: servers("192.0.2.99"), routing: []string{"vpn.example"}}) {
		t.Errorf("the rest of IPv4: %+v", rest4)
	}
	if rest6.element != pvd.ElementRA || rest6.source != "fe80::1" ||
		!sameOffer(&rest6.offer, &offer{servers: servers("2001:db8:1::54"), search: []string{"ra.example"}, routers: addrs("fe80::1")}) {
		t.Errorf("the rest of IPv6: %+v", rest6)
	}
}

func TestNetworkManager(t *testing.T) {
	r := newRig(t)
	r.mkdir("/run/NetworkManager")
	b := r.bus()
	server := "192.0.2.53"
	b.answer(nmObjectsOf, func([]any) []any {
		return []any{map[dbus.ObjectPath]map[string]map[string]dbus.Variant(nmHost(server))}
	})
	r.write(leasesFile, leaseWith("192.0.2.77")) // of its dhclient
	r.open()
	if s := r.receive(); !server4(s, "192.0.2.53") || len(s.Links["eth0"]) != 4 {
		t.Fatalf("at first: %+v", s)
	}
	b.mu.Lock()
	server = "192.0.2.54"
	b.mu.Unlock()
	b.changed("/org/freedesktop/NetworkManager/DHCP4Config/2", nmName+".DHCP4Config")
	r.until(func(s *State) bool { return server4(s, "192.0.2.54") })
}

// message is a message as the bus sends it.
func message(t testing.TB, body ...any) []byte {
	m := &dbus.Message{Type: dbus.TypeMethodReply, Body: body, Headers: map[dbus.HeaderField]dbus.Variant{
		dbus.FieldReplySerial: dbus.MakeVariant(uint32(1)), dbus.FieldSignature: dbus.MakeVariant(dbus.SignatureOf(body...))}}
	var w bytes.Buffer
	if err := writeMessage(&w, m, 1); err != nil {
		t.Fatal(err)
	}
	return w.Bytes()
}

// Whatever comes from the bus, it is read or refused.
func FuzzMessage(f *testing.F) {
	f.Add(message(f, map[dbus.ObjectPath]map[string]map[string]dbus.Variant(nmHost("192.0.2.53"))))
	type server struct {
		Index, Family int32
		Address       []byte
	}
	f.Add(message(f, variants(map[string]any{"DNS": []server{{7, 2, []byte{192, 0, 2, 1}}}, "Domains": []struct {
		I int32
		S string
		B bool
	}{{7, "a.example", true}}})))
	f.Add([]byte("l\x02\x00\x01\x08\x00\x00\x00\x01\x00\x00\x00\x08\x00\x00\x00\x05"))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := readMessage(bufio.NewReader(bytes.NewReader(b)))
		if err != nil || len(m.Body) == 0 {
			return
		}
		objects, _ := m.Body[0].(map[dbus.ObjectPath]map[string]map[string]dbus.Variant)
		properties, _ := m.Body[0].(map[string]dbus.Variant)
		for _, s := range append(nmObjects(objects).said(), resolvedSaid(properties)...) {
			sane(t, &s.offer)
			if s.source == "" || s.element == pvd.ElementAny || s.empty() {
				t.Errorf("got %+v", s)
			}
		}
	})
}
