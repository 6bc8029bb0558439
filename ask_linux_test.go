package mif

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/go-mif/mif/miftest"
	"github.com/go-mif/mif/pvd"
)

// askingLab is a lab whose host asks DHCP servers.
func askingLab(t *testing.T) *lab { return newLab(t, Config{AskDHCP: true}) }

// network is a router that serves what has its number.
func network(ifname string, n byte) miftest.RouterConfig {
	four := func(last byte) netip.Addr { return netip.AddrFrom4([4]byte{10, n, 0, last}) }
	ra := miftest.NewRA(netip.PrefixFrom(netip.AddrFrom16([16]byte{0x20, 0x01, 0x0d, 0xb8, 0, n}), 64))
	ra.Other = true
	return miftest.RouterConfig{
		Interface: ifname, RA: ra, IPv4: netip.PrefixFrom(four(1), 24),
		DHCP:   &miftest.DHCP{DNS: []netip.Addr{four(53)}, CaptivePortal: "https://portal.example/"},
		DHCPv6: &miftest.DHCPv6{DNS: []netip.Addr{netip.AddrFrom16([16]byte{0x20, 0x01, 0x0d, 0xb8, 0, n, 15: 0x53})}, Search: []string{"corp.example"}},
	}
}

// static gives an interface an address by hand.
func (l *lab) static(ifname, prefix string) {
	l.t.Helper()
	l.must(l.Net.Host().AddAddress(ifname, netip.MustParsePrefix(prefix)))
}

// said are the name servers that a domain of a name has from DHCP servers.
func (l *lab) said(domain string) string {
	var all []string
	for d := range l.host.Snapshot().Domains() {
		if d.ID().String() != domain {
			continue
		}
		for _, e := range []pvd.ElementType{pvd.ElementDHCPv4, pvd.ElementDHCPv6} {
			servers, _ := d.Data(e, pvd.ItemDNSServers).(pvd.DNSServers)
			for _, s := range servers {
				all = append(all, s.Value.Addr().String()+" from "+s.Source)
			}
		}
	}
	return strings.Join(all, ", ")
}

// Servers are asked about addresses set by hand and made of advertisements, each on
// its link, and say what goes with them.
func TestHostAsksDHCP(t *testing.T) {
	l := askingLab(t)
	one, two := l.Router(t, network("eth0", 1)), l.Router(t, network("eth1", 2))
	s := l.subscriber(AnnounceProvisioningDomains{})
	l.static("eth0", "10.1.0.7/24")
	l.static("eth1", "10.2.0.7/24")
	for domain, want := range map[string]string{
		"eth0/ipv4": "10.1.0.53 from DHCPv4 10.1.0.1",
		"eth0/ipv6": "2001:db8:1::53 from DHCPv6 " + one.LinkLocal().String(),
		"eth1/ipv4": "10.2.0.53 from DHCPv4 10.2.0.1",
		"eth1/ipv6": "2001:db8:2::53 from DHCPv6 " + two.LinkLocal().String(),
	} {
		s.when("a server said "+want, func() bool { return l.said(domain) == want })
	}
	s.settled()
	portal, _ := l.host.Snapshot().Domain(l.pvd("eth0/ipv4")).Data(pvd.ElementDHCPv4, pvd.ItemCaptivePortal).(pvd.CaptivePortal)
	if len(portal) != 1 || portal[0].Value != "https://portal.example/" || portal[0].Expiry.IsZero() {
		t.Errorf("portal %+v", portal)
	}
	for _, source := range l.host.Sources() {
		if source.Name == "DHCP servers" && source.Err == nil {
			return
		}
	}
	t.Errorf("sources %+v", l.host.Sources())
}

// What a server of one network said is gone with the cable, and that of the next is
// asked.
func TestHostAsksAnew(t *testing.T) {
	l := askingLab(t)
	r := l.Router(t, network("eth0", 1))
	s := l.subscriber(AnnounceProvisioningDomains{})
	l.static("eth0", "10.1.0.7/24")
	s.when("the server has answered", func() bool { return l.said("eth0/ipv4") != "" })
	l.must(r.CablePull())
	s.when("nothing is left", func() bool { return l.said("eth0/ipv4") == "" })
	l.must(r.SetDHCP(&miftest.DHCP{DNS: []netip.Addr{netip.MustParseAddr("10.1.0.54")}}))
	l.must(r.CablePlug())
	s.when("it has answered again", func() bool { return l.said("eth0/ipv4") == "10.1.0.54 from DHCPv4 10.1.0.1" })
	s.settled()
}

// Where a client has a lease, only the client is believed, and nobody is asked.
func TestHostAsksNoneBesideClient(t *testing.T) {
	l := askingLab(t)
	r := l.Router(t, network("eth0", 1))
	c, err := r.Capture()
	l.must(err)
	s := l.subscriber(AnnounceProvisioningDomains{})
	l.static("eth0", "10.1.0.7/24")
	s.when("the server has answered", func() bool { return l.said("eth0/ipv4") == "10.1.0.53 from DHCPv4 10.1.0.1" })
	if n := informs(c); n != 1 {
		t.Errorf("%d questions before the answer", n)
	}
	if _, err := l.Net.Host().DHCPClient("eth0"); err != nil {
		t.Fatal(err)
	}
	s.when("the client is believed alone", func() bool {
		return l.said("eth0/ipv4") == "10.1.0.53 from /var/lib/dhcp/dhclient.eth0.leases"
	})
	l.must(r.CablePull())
	s.when("nothing is left", func() bool { return l.said("eth0/ipv6") == "" })
	l.must(r.CablePlug())
	s.when("DHCPv6 is asked for anew", func() bool { return strings.Contains(l.said("eth0/ipv6"), "2001:db8:1::53") })
	s.settled()
	if n := informs(c); n != 1 {
		t.Errorf("%d questions beside a client", n)
	}
}

// informs is how many DHCPINFORM messages were captured: their type is the first
// option here.
func informs(c *miftest.Capture) (n int) {
	for _, p := range c.Packets() {
		if p.Destination.Port() == 67 && len(p.Payload) > 243 && strings.Contains(string(p.Payload[240:]), "\x35\x01\x08") {
			n++
		}
	}
	return n
}

// What servers say belongs to the explicit domains whose advertisements have the O flag,
// and of DHCPv4 to the one with the L flag (RFC 8801 sections 3.4.1 and 3.4.2).
func TestHostAsksForExplicitDomain(t *testing.T) {
	l := askingLab(t)
	c := network("eth0", 1)
	c.RA.PvD = &miftest.PvD{Name: "corp.example", Legacy: true}
	r := l.Router(t, c)
	s := l.subscriber(AnnounceProvisioningDomains{})
	l.static("eth0", "10.1.0.7/24")
	want := "10.1.0.53 from DHCPv4 10.1.0.1, 2001:db8:1::53 from DHCPv6 " + r.LinkLocal().String()
	s.when("both servers have answered", func() bool { return l.said("eth0/corp.example") == want })
	s.settled()
	if got := l.said("eth0/ipv4"); got != "" {
		t.Errorf("the implicit domain has %s", got)
	}
}

// Without AskDHCP nobody is asked, and it is no source.
func TestHostAsksNobody(t *testing.T) {
	l := newLab(t, Config{})
	r := l.Router(t, network("eth0", 1))
	c, err := r.Capture()
	l.must(err)
	s := l.subscriber(AnnounceProvisioningDomains{})
	l.static("eth0", "10.1.0.7/24")
	s.until("domain eth0/ipv4", "domain eth0/ipv6")
	for _, source := range l.host.Sources() {
		if source.Name == "DHCP servers" {
			t.Error(source)
		}
	}
	if n := informs(c); n != 0 || l.host.asking.kick != nil {
		t.Errorf("%d questions", n)
	}
}
