package interop

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/go-mif/mif"
	"github.com/go-mif/mif/miftest"
	"github.com/go-mif/mif/pvd"
)

// ra advertises a prefix, and that there is information to be had by DHCPv6.
func ra(managed bool) *miftest.RA {
	a := miftest.NewRA(netip.MustParsePrefix(prefix1))
	a.Other, a.Managed = true, managed
	return a
}

// asking opens a Host that asks DHCP servers.
func (l *lab) asking() *mif.Host {
	l.t.Helper()
	h, err := mif.Open(&mif.Config{NetNS: l.host.NetNS(), Root: l.host.Root(), AskDHCP: true})
	l.must(err)
	l.t.Cleanup(func() { h.Close() })
	return h
}

// answered waits until an element of a domain has just these data of some items, and
// returns when it has.
func (l *lab) answered(h *mif.Host, domain string, e mif.ElementType, want ...string) *pvd.Domain {
	l.t.Helper()
	var found *pvd.Domain
	got := ""
	l.when(h, func() bool {
		for d := range h.Snapshot().Domains() {
			if d.ID().String() != domain {
				continue
			}
			if got = fmt.Sprint(values(d.Data(e, pvd.ItemDNSServers)), values(d.Data(e, pvd.ItemSearchDomains)), values(d.Data(e, pvd.ItemNTPServers)), values(d.Data(e, pvd.ItemMTU))); got == strings.Join(want, " ") {
				found = d
				return true
			}
		}
		return false
	}, func() string { return fmt.Sprintf("%s of %s has %s, want %s", e, domain, got, want) })
	return found
}

// when waits until something is so of a Host's domains, their elements and addresses.
func (l *lab) when(h *mif.Host, so func() bool, otherwise func() string) {
	l.t.Helper()
	ctx, cancel := context.WithTimeout(l.t.Context(), patience)
	defer cancel()
	s := h.NewSession()
	defer s.Close()
	l.must(s.Post(mif.AnnounceProvisioningDomains{}))
	for event, err := range s.Events(ctx) {
		if so() {
			return
		}
		if err != nil {
			l.t.Fatalf("%v: %s", err, otherwise())
		}
		if d, is := event.(mif.ProvisioningDomainAnnouncement); is {
			l.must(s.Post(mif.AnnounceConfigurationElements{PvD: d.PvD}))
			l.must(s.Post(mif.AnnounceAddresses{PvD: d.PvD}))
		}
	}
}

func values(d pvd.Data) (all []string) {
	switch d := d.(type) {
	case pvd.DNSServers:
		for _, v := range d {
			all = append(all, v.Value.Addr().String())
		}
	case pvd.SearchDomains:
		for _, v := range d {
			all = append(all, v.Value)
		}
	case pvd.NTPServers:
		for _, v := range d {
			all = append(all, v.Value)
		}
	case pvd.MTU:
		for _, v := range d {
			all = append(all, fmt.Sprint(v.Value))
		}
	}
	return all
}

// dnsmasq answers a host that has no client, about both protocols.
func TestAskDnsmasq(t *testing.T) {
	t.Parallel()
	l := newLab(t, 1)
	d := l.onRouter("dnsmasq", "--no-daemon", "--user=root", "--group=", "--conf-file=/dev/null", "--port=0", "--interface=lan", "--bind-interfaces",
		"--pid-file="+l.dir+"/dnsmasq.pid", "--dhcp-leasefile="+l.dir+"/dnsmasq.leases", "--no-ping",
		"--dhcp-range="+leased+","+leased+",1h", "--dhcp-range=2001:db8:1::,ra-stateless,64",
		"--dhcp-option=option:dns-server,"+gateway, "--dhcp-option=option:domain-search,four.example.com,example.net", "--dhcp-option=option:ntp-server,"+timeserver,
		"--dhcp-option=option6:dns-server,["+dns6+"]", "--dhcp-option=option6:domain-search,six.example.com", "--dhcp-option=option6:56,[2001:db8::123]",
		"--log-dhcp")
	d.await("DHCP, sockets bound")
	l.routerIP("address", "add", "2001:db8:1::1/64", "dev", "lan", "nodad")
	l.must(l.router.SetRA(ra(false)))
	l.must(l.host.AddAddress("eth0", netip.MustParsePrefix("192.0.2.7/24")))
	h := l.asking()
	l.answered(h, "eth0/ipv4", pvd.ElementDHCPv4, "[192.0.2.1]", "[four.example.com example.net]", "[192.0.2.123]", "[]")
	l.answered(h, "eth0/ipv6", pvd.ElementDHCPv6, "["+dns6+"]", "[six.example.com]", "[2001:db8::123]", "[]")
	d.await("DHCPINFORM(lan) 192.0.2.7")
}

// So does Kea, which sends what it has to say to the clients' ports.
func TestAskKea(t *testing.T) {
	t.Parallel()
	look(t, "kea-dhcp4")
	l := newLab(t, 1)
	l.routerIP("address", "add", "2001:db8:1::1/64", "dev", "lan", "nodad")
	l.kea("kea-dhcp4", kea4)
	l.kea("kea-dhcp6", kea6)
	l.must(l.router.SetRA(ra(false)))
	l.must(l.host.AddAddress("eth0", netip.MustParsePrefix("192.0.2.7/24")))
	h := l.asking()
	l.answered(h, "eth0/ipv4", pvd.ElementDHCPv4, "[192.0.2.1]", "[four.example.com example.net]", "[192.0.2.123]", "[1480]")
	d := l.answered(h, "eth0/ipv6", pvd.ElementDHCPv6, "["+dns6+"]", "[six.example.com]", "[]", "[]")
	servers := d.Data(pvd.ElementDHCPv6, pvd.ItemDNSServers).(pvd.DNSServers)
	if left := time.Until(servers[0].Expiry); left > 30*time.Minute || left < 25*time.Minute {
		t.Errorf("the refresh time ends in %v, want half an hour", left)
	}
}

// The program shows what was asked like anything else, and says what it lacks if it
// may not ask.
func TestWatchAsk(t *testing.T) {
	t.Parallel()
	l := newLab(t, 1)
	l.must(l.router.SetDHCP(&miftest.DHCP{DNS: []netip.Addr{netip.MustParseAddr(gateway)}}))
	l.must(l.host.AddAddress("eth0", netip.MustParsePrefix("192.0.2.7/24")))
	program := buildWatch(t)
	d := l.onHost(program, "-ask", "-json", "-root", l.host.Root())
	d.await(`"source":"DHCPv4 192.0.2.1"`)
	c := l.host.Command(program, "-ask", "-v", "-plain", "-for", "10ms", "-root", l.host.Root())
	c.Unprivileged = true
	out, err := c.CombinedOutput()
	l.must(err)
	if !strings.Contains(string(out), "source: DHCP servers : mif: AskDHCP: dhcp: packet socket: socket: operation not permitted\n") {
		t.Errorf("without the privilege it says\n%s", out)
	}
}
