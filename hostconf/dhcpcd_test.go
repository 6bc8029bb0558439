package hostconf

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-mif/mif/pvd"
)

var dhcpcdRA = record(`
PATH=/usr/sbin:/usr/bin
pid=18
reason=ROUTERADVERT
interface=cl0
protocol=ra
if_configured=true
ifcarrier=up
ifmtu=1500
interface_order=cl0
if_up=true
if_down=false
nd1_from=fe80::1
nd1_acquired=6220
nd1_now=6228
nd1_hoplimit=64
nd1_flags=MO
nd1_lifetime=1800
nd1_prefix_information1_length=64
nd1_prefix_information1_flags=LA
nd1_prefix_information1_vltime=1800
nd1_prefix_information1_pltime=900
nd1_prefix_information1_prefix=2001:db8:1::
nd1_mtu=1480
nd1_source_address=020000000001
nd1_dnssl1_lifetime=600
nd1_dnssl1_search=lab6.example corp.example
nd1_rdnss1_lifetime=4294967295
nd1_rdnss1_servers=2001:db8:1::53 2001:db8:1::54
nd1_rdnss2_lifetime=0
nd1_rdnss2_servers=2001:db8:1::55
nd2_from=fe80::2
nd2_acquired=6228
nd2_now=6228
nd2_flags=
nd2_lifetime=0
nd2_rdnss1_lifetime=60
nd2_rdnss1_servers=2001:db8:2::53 fe80::2
`)

const dhcpcdLease = `
reason=RENEW
interface=cl0
protocol=dhcp
if_up=true
if_down=false
old_domain_name_servers=192.0.2.99
new_ip_address=192.0.2.177
new_subnet_cidr=24
new_routers=192.0.2.9
new_classless_static_routes=0.0.0.0/0 192.0.2.1 198.51.100.0/24 192.0.2.2
new_domain_name=lab.example
new_domain_name_servers=192.0.2.53 192.0.2.54 127.0.0.1 nonsense
new_domain_search=lab.example corp.example
new_dhcp_lease_time=120
new_interface_mtu=1400
new_ntp_servers=192.0.2.123
new_captive_portal_uri=https://portal.example/api
`

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func learned(t *testing.T, records ...string) []said {
	t.Helper()
	k := dhcpcdKnows{}
	for _, r := range records {
		if err := k.learn(r, noon); err != nil {
			t.Fatal(err)
		}
	}
	return k.said()
}

func TestDhcpcdLease(t *testing.T) {
	all := learned(t, record(dhcpcdLease))
	if len(all) != 1 || all[0].link != "cl0" || all[0].element != pvd.ElementDHCPv4 || !all[0].expiry.Equal(noon.Add(2*time.Minute)) {
		t.Fatalf("got %+v", all)
	}
	o := all[0].offer
	if !slices.Equal(o.servers, servers("192.0.2.53", "192.0.2.54")) || !slices.Equal(o.search, []string{"lab.example", "corp.example"}) ||
		!slices.Equal(o.mtu, []int{1400}) || !slices.Equal(o.ntp, []string{"192.0.2.123"}) ||
		!slices.Equal(o.routers, addrs("192.0.2.1")) || len(o.routes) != 1 || !slices.Equal(o.portal, []string{"https://portal.example/api"}) {
		t.Errorf("got %+v", o)
	}
}

func TestDhcpcdLease6(t *testing.T) {
	all := learned(t, record("reason=BOUND6\ninterface=cl0\nprotocol=dhcp6\nif_up=true\nnew_dhcp6_name_servers=2001:db8:1::53\n"+
		"new_dhcp6_domain_search=lab6.example\nnew_dhcp6_sntp_servers=2001:db8:1::123\nnew_dhcp6_ia_na1_ia_addr1_vltime=60\nnew_dhcp6_ia_na1_ia_addr2_vltime=120"))
	if len(all) != 1 || all[0].element != pvd.ElementDHCPv6 || !all[0].expiry.Equal(noon.Add(2*time.Minute)) ||
		!slices.Equal(all[0].servers, servers("2001:db8:1::53")) || !slices.Equal(all[0].search, []string{"lab6.example"}) || !slices.Equal(all[0].ntp, []string{"2001:db8:1::123"}) {
		t.Errorf("got %+v", all)
	}
	all = learned(t, record("reason=INFORM6\ninterface=cl0\nprotocol=dhcp6\nif_up=true\nnew_dhcp6_name_servers=2001:db8:1::53"))
	if len(all) != 1 || !all[0].expiry.IsZero() {
		t.Errorf("without an address: %+v", all)
	}
}

// Each router is a source of its own, each option has a lifetime of its own, and
// lifetimes count from when the advertisement came.
func TestDhcpcdRouters(t *testing.T) {
	r := newReading(nil, noon)
	for _, s := range learned(t, dhcpcdRA) {
		r.hear(s)
	}
	r.indexes["cl0"] = 0
	r.state.Links = map[string][]pvd.Configuration{}
	r.conclude()
	got := r.state.Links["cl0"]
	if len(got) != 2 {
		t.Fatalf("got %+v", got)
	}
	one, two := got[0], got[1]
	heard := noon.Add(-8 * time.Second)
	if !slices.Equal(values(one.DNSServers), servers("2001:db8:1::53", "2001:db8:1::54")) || !one.DNSServers[0].Expiry.IsZero() || one.DNSServers[0].Source != "fe80::1" {
		t.Errorf("servers: %+v", one.DNSServers)
	}
	if !slices.Equal(values(one.SearchDomains), []string{"lab6.example", "corp.example"}) || !one.SearchDomains[0].Expiry.Equal(heard.Add(10*time.Minute)) {
		t.Errorf("domains: %+v", one.SearchDomains)
	}
	if len(one.Routers) != 1 || one.Routers[0].Value.Addr != addrs("fe80::1")[0] || !one.Routers[0].Expiry.Equal(heard.Add(30*time.Minute)) {
		t.Errorf("router: %+v", one.Routers)
	}
	if p := one.Prefixes; len(p) != 1 || p[0].Value.Prefix.String() != "2001:db8:1::/64" || !p[0].Value.OnLink || !p[0].Value.Autonomous || !p[0].Value.Preferred.Equal(heard.Add(15*time.Minute)) {
		t.Errorf("prefixes: %+v", p)
	}
	if len(one.MTU) != 1 || one.MTU[0].Value != 1480 || one.MTU[0].Element != pvd.ElementRA {
		t.Errorf("MTU: %+v", one.MTU)
	}
	if !slices.Equal(values(two.DNSServers), servers("2001:db8:2::53", "fe80::2")) || len(two.Routers) != 0 || two.DNSServers[0].Source != "fe80::2" {
		t.Errorf("second router: %+v", two)
	}
}

func FuzzDhcpcdRecord(f *testing.F) {
	for _, r := range []string{dhcpcdRA, record(dhcpcdLease), bound("eth0", "192.0.2.1"), expired("eth0"), "", "=\x00=", "reason=x\x00interface=a\x00protocol=ra\x00if_up=true\x00nd1_from=::"} {
		f.Add(r)
	}
	f.Fuzz(func(t *testing.T, text string) {
		k := dhcpcdKnows{}
		if k.learn(text, noon) != nil {
			return
		}
		for _, s := range k.said() {
			sane(t, &s.offer)
			if s.link == "" {
				t.Errorf("without a link: %+v", s)
			}
		}
	})
}

// record writes a record as dhcpcd does, from lines.
func record(lines string) string {
	return strings.ReplaceAll(strings.TrimSpace(lines), "\n", "\x00") + "\x00"
}

func bound(link, server string) string {
	return record("reason=BOUND\ninterface=" + link + "\nprotocol=dhcp\nif_up=true\nif_down=false\nnew_domain_name_servers=" + server + "\nnew_dhcp_lease_time=3600\n")
}

func expired(link string) string {
	return record("reason=EXPIRE\ninterface=" + link + "\nprotocol=dhcp\nif_up=false\nif_down=true\nold_domain_name_servers=192.0.2.53\n")
}
