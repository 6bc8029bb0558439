package hostconf

import (
	"encoding/json"
	"net/netip"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/go-mif/mif/pvd"
)

// What systemd-networkd 252 says of a link, without what does not count.
const networkdDescription = `{"Index":7,"Name":"cl0","Kind":"veth","AdministrativeState":"configured","MTU":1500,
"DNS":[
 {"Family":2,"Address":[192,0,2,53],"ConfigSource":"DHCPv4","ConfigProvider":[192,0,2,1]},
 {"Family":2,"Address":[192,0,2,54],"Port":5353,"ConfigSource":"DHCPv4","ConfigProvider":[192,0,2,1]},
 {"Family":10,"Address":[32,1,13,184,0,1,0,0,0,0,0,0,0,0,0,83],"ConfigSource":"DHCPv6","ConfigProvider":[254,128,0,0,0,0,0,0,0,0,0,0,0,0,0,1]},
 {"Family":10,"Address":[32,1,13,184,0,1,0,0,0,0,0,0,0,0,0,83],"ConfigSource":"NDisc","ConfigProvider":[254,128,0,0,0,0,0,0,0,0,0,0,0,0,0,1]},
 {"Family":10,"Address":[32,1,13,184,0,2,0,0,0,0,0,0,0,0,0,83],"ConfigSource":"NDisc","ConfigProvider":[254,128,0,0,0,0,0,0,0,0,0,0,0,0,0,2]},
 {"Family":2,"Address":[192,0,2,99],"ConfigSource":"static"},
 {"Family":2,"Address":[192,0,2,300],"ConfigSource":"DHCPv4"},
 {"Family":2,"Address":"192.0.2.1","ConfigSource":"DHCPv4"},
 {"Family":2,"Address":[127,0,0,1],"ConfigSource":"DHCPv4"}],
"NTP":[{"Family":2,"Address":[192,0,2,123],"ConfigSource":"DHCPv4","ConfigProvider":[192,0,2,1]},{"Server":"time.example","ConfigSource":"static"}],
"SearchDomains":[
 {"Domain":"lab.example","ConfigSource":"DHCPv4","ConfigProvider":[192,0,2,1]},
 {"Domain":"lab.example","ConfigSource":"DHCPv4","ConfigProvider":[192,0,2,1]},
 {"Domain":"lab6.example","ConfigSource":"NDisc","ConfigProvider":[254,128,0,0,0,0,0,0,0,0,0,0,0,0,0,1]}],
"RouteDomains":[{"Domain":"corp.example","ConfigSource":"static"},{"Domain":".","ConfigSource":"static"}],
"DNSSettings":[{"LLMNR":"no","ConfigSource":"static"}],
"Addresses":[
 {"Family":2,"Address":[192,0,2,128],"PrefixLength":24,"ValidLifetimeUsec":2540428724,"ConfigSource":"DHCPv4","ConfigState":"configured","ConfigProvider":[192,0,2,1]},
 {"Family":10,"Address":[254,128,0,0,0,0,0,0,0,0,0,0,0,0,13,2],"PrefixLength":64,"ConfigSource":"foreign"}],
"Routes":[
 {"Family":2,"Destination":[192,0,2,54],"DestinationPrefixLength":32,"ConfigSource":"DHCPv4","ConfigProvider":[192,0,2,1]},
 {"Family":2,"Destination":[0,0,0,0],"DestinationPrefixLength":0,"Gateway":[192,0,2,1],"ConfigSource":"DHCPv4","ConfigProvider":[192,0,2,1]},
 {"Family":2,"Destination":[198,51,100,0],"DestinationPrefixLength":24,"Gateway":[192,0,2,2],"ConfigSource":"DHCPv4","ConfigProvider":[192,0,2,1]},
 {"Family":2,"Destination":[203,0,113,0],"DestinationPrefixLength":99,"Gateway":[192,0,2,2],"ConfigSource":"DHCPv4","ConfigProvider":[192,0,2,1]},
 {"Family":10,"Destination":[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0],"DestinationPrefixLength":0,"Gateway":[254,128,0,0,0,0,0,0,0,0,0,0,0,0,0,1],"ConfigSource":"NDisc","ConfigProvider":[254,128,0,0,0,0,0,0,0,0,0,0,0,0,0,1]},
 {"Family":2,"Destination":[0,0,0,0],"DestinationPrefixLength":0,"Gateway":[192,0,2,9],"ConfigSource":"foreign"}]}`

func TestDescription(t *testing.T) {
	boot := noon.Add(-time.Hour)
	all := parseDescription(7, networkdDescription, boot)
	want := []struct {
		origin
		offer
	}{
		{origin{pvd.ElementDHCPv4, networkdSource, boot.Add(2540 * time.Second)}, offer{
			servers: []netip.AddrPort{netip.MustParseAddrPort("192.0.2.53:53"), netip.MustParseAddrPort("192.0.2.54:5353")},
			search:  []string{"lab.example"},
			ntp:     []string{"192.0.2.123"},
			routers: addrs("192.0.2.1"),
			routes:  []pvd.Route{{Destination: netip.MustParsePrefix("198.51.100.0/24"), Gateway: addrs("192.0.2.2")[0]}},
		}},
		{origin{pvd.ElementDHCPv6, networkdSource, time.Time{}}, offer{servers: servers("2001:db8:1::53")}},
		{origin{pvd.ElementRA, "fe80::1", time.Time{}}, offer{servers: servers("2001:db8:1::53"), search: []string{"lab6.example"}, routers: addrs("fe80::1")}},
		{origin{pvd.ElementRA, "fe80::2", time.Time{}}, offer{servers: servers("2001:db8:2::53")}},
		{origin{pvd.ElementStatic, networkdSource, time.Time{}}, offer{servers: servers("192.0.2.99"), ntp: []string{"time.example"}, routing: []string{"corp.example", "."}}},
	}
	if len(all) != len(want) {
		t.Fatalf("got %d: %+v", len(all), all)
	}
	for i, w := range want {
		g := all[i]
		if g.index != 7 || g.origin != w.origin || !sameOffer(&g.offer, &w.offer) {
			t.Errorf("got %+v\nwant %+v", g, w)
		}
	}
}

func sameOffer(a, b *offer) bool {
	return slices.Equal(a.servers, b.servers) && slices.Equal(a.search, b.search) && slices.Equal(a.routing, b.routing) && slices.Equal(a.routers, b.routers) &&
		slices.Equal(a.routes, b.routes) && slices.Equal(a.prefixes, b.prefixes) && slices.Equal(a.mtu, b.mtu) && slices.Equal(a.portal, b.portal) && slices.Equal(a.ntp, b.ntp) &&
		slices.Equal(a.pref64, b.pref64) && reflect.DeepEqual(a.secure, b.secure)
}

// What later versions of systemd-networkd say besides: 254 of a captive portal, 255
// of PREF64, 257 of encrypted resolvers.
const networkdLater = `{"Index":7,"Name":"cl0",
"DNR":[
 {"Family":10,"Priority":1,"Addresses":[[32,1,13,184,0,1,0,0,0,0,0,0,0,0,8,83]],"ServerName":"dot.example","Transports":["dot"],"ConfigSource":"NDisc","ConfigProvider":[254,128,0,0,0,0,0,0,0,0,0,0,0,0,0,1]},
 {"Family":10,"Priority":1,"Addresses":[[32,1,13,184,0,1,0,0,0,0,0,0,0,0,8,83],[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,1]],"Port":8853,"ServerName":"doh.example.","DoHPath":"/q{?dns}","Transports":["h2","dot"],"ConfigSource":"NDisc","ConfigProvider":[254,128,0,0,0,0,0,0,0,0,0,0,0,0,0,1]},
 {"Family":2,"Priority":2,"Addresses":[[192,0,2,85]],"ServerName":"dot4.example","Transports":["dot"],"ConfigSource":"DHCPv4","ConfigProvider":[192,0,2,1]},
 {"Family":2,"Priority":0,"ServerName":"alias.example","ConfigSource":"DHCPv4","ConfigProvider":[192,0,2,1]},
 {"Family":2,"Priority":3,"Addresses":[[192,0,2,85]],"ConfigSource":"DHCPv4","ConfigProvider":[192,0,2,1]}],
"CaptivePortal":"https://portal.example/api",
"NDisc":{"PREF64":[
 {"Prefix":[32,1,13,184,0,100,0,0,0,0,0,0,0,0,0,0],"PrefixLength":96,"LifetimeUSec":1800000000,"ConfigProvider":[254,128,0,0,0,0,0,0,0,0,0,0,0,0,0,1]},
 {"Prefix":[0,100,255,155,0,0,0,0,0,0,0,0,0,0,0,0],"PrefixLength":95,"LifetimeUSec":1800000000,"ConfigProvider":[254,128,0,0,0,0,0,0,0,0,0,0,0,0,0,1]},
 {"Prefix":[192,0,2,0],"PrefixLength":32,"LifetimeUSec":1800000000,"ConfigProvider":[254,128,0,0,0,0,0,0,0,0,0,0,0,0,0,1]},
 {"Prefix":[0,100,255,155,0,0,0,0,0,0,0,0,0,0,0,0],"PrefixLength":96,"LifetimeUSec":1800000000}]}}`

func TestLaterDescription(t *testing.T) {
	boot := noon.Add(-time.Hour)
	all := parseDescription(7, networkdLater, boot)
	want := []said{
		{index: 7, origin: origin{pvd.ElementRA, "fe80::1", time.Time{}}, offer: offer{secure: []pvd.EncryptedResolver{
			{Name: "dot.example", Priority: 1, Addresses: addrs("2001:db8:1::853"), ALPN: []string{"dot"}},
			{Name: "doh.example", Priority: 1, Addresses: addrs("2001:db8:1::853"), ALPN: []string{"h2", "dot"}, Port: 8853, Path: "/q{?dns}"}}}},
		{index: 7, origin: origin{pvd.ElementDHCPv4, networkdSource, time.Time{}}, offer: offer{secure: []pvd.EncryptedResolver{
			{Name: "dot4.example", Priority: 2, Addresses: addrs("192.0.2.85"), ALPN: []string{"dot"}}}}},
		{index: 7, origin: origin{pvd.ElementStatic, networkdSource, time.Time{}}, offer: offer{portal: []string{"https://portal.example/api"}}},
		{index: 7, origin: origin{pvd.ElementRA, "fe80::1", boot.Add(30 * time.Minute)}, offer: offer{pref64: []netip.Prefix{netip.MustParsePrefix("2001:db8:64::/96")}}},
	}
	if !reflect.DeepEqual(all, want) {
		t.Errorf("got %+v\nwant %+v", all, want)
	}
}

// What is of another type than expected takes nothing else with it.
func TestOddDescription(t *testing.T) {
	const server = `{"Address":[192,0,2,53],"ConfigSource":"DHCPv4"}`
	for _, text := range []string{
		`{"CaptivePortal":{"URI":"x"},"NDisc":[],"DNR":"none","NTP":7,"DNS":[` + server + `]}`,
		`{"DNS":[7,{"Address":[192,0,2,54],"Port":"x","ConfigSource":4},` + server + `],"Routes":{},"Addresses":[null,"x"]}`,
	} {
		all := parseDescription(7, text, noon)
		if len(all) != 1 || !sameOffer(&all[0].offer, &offer{servers: servers("192.0.2.53")}) {
			t.Errorf("%s: %+v", text, all)
		}
	}
	if all := parseDescription(7, `{"DNS":[`+server+`]`, noon); all != nil {
		t.Errorf("cut: %+v", all)
	}
}

func FuzzDescription(f *testing.F) {
	for _, s := range []string{networkdDescription, networkdLater, "", "{}", "[]", `{"DNS":[{"Address":[],"ConfigSource":"DHCPv4"}],"Addresses":7}`, `{"Routes":[{"Destination":[0,0,0,0],"DestinationPrefixLength":-1,"Gateway":[0,0,0,0],"ConfigSource":"DHCPv4"}]}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		all := parseDescription(7, text, noon)
		if len(all) > 0 && !json.Valid([]byte(text)) {
			t.Errorf("made of no JSON: %+v", all)
		}
		for _, s := range all {
			sane(t, &s.offer)
			if s.index != 7 || s.element == pvd.ElementAny || s.source == "" || s.empty() {
				t.Errorf("got %+v", s)
			}
		}
	})
}
