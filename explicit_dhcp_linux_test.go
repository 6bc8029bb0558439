package mif

import (
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-mif/mif/miftest"
	"github.com/go-mif/mif/pvd"
)

// An address from DHCPv6 belongs to the domain with the M flag and a prefix that covers
// it, and to an implicit one when the flag is cleared (RFC 8801 section 3.4.1).
func TestHostManagedFlag(t *testing.T) {
	ra := domainRA("one.example", 1)
	ra.Managed = true
	l, r, s := explicitLab(t, ra)
	s.until("domain eth0/one.example")
	s.post(AnnounceAddresses{l.pvd("eth0/one.example")})
	leased := netip.MustParsePrefix("2001:db8:1::77/128")
	l.must(l.Host().SetLifetimes("eth0", leased, 5*time.Minute, 10*time.Minute))
	s.until("address eth0/one.example 2001:db8:1::77/128")
	ra = domainRA("one.example", 1)
	l.must(r.SetRA(ra))
	s.until("no address eth0/one.example 2001:db8:1::77/128", "domain eth0/ipv6")
	s.settled()
}

// What DHCPv6 says beside addresses belongs to every domain whose advertisements have
// the O flag (RFC 8801 section 3.4.1).
func TestHostOtherFlag(t *testing.T) {
	l := newLab(t, Config{})
	path := filepath.Join(l.Net.Host().Root(), "var/lib/dhcp/dhclient6.leases")
	l.must(os.MkdirAll(filepath.Dir(path), 0o755))
	l.must(os.WriteFile(path, []byte(`lease6 {
  interface "eth0";
  ia-na 00:00:00:01 {
    starts 1;
    renew 1000;
    rebind 2000;
    iaaddr 2001:db8:77::77 {
      starts 4102444800;
      preferred-life 7200;
      max-life 7500;
    }
  }
  option dhcp6.name-servers 2001:db8:6::53;
}
`), 0o644))
	with, without := domainRA("with.example", 1), domainRA("without.example", 2)
	with.Other = true
	r := l.Router(t, miftest.RouterConfig{Interface: "eth0", RA: with})
	s := l.subscriber(AnnounceProvisioningDomains{})
	s.until("domain eth0/with.example")
	l.must(r.SetRA(without))
	s.until("domain eth0/without.example")
	s.when("the one has the server", func() bool {
		d, _ := l.host.Snapshot().Domain(l.pvd("eth0/with.example")).Data(pvd.ElementDHCPv6, pvd.ItemDNSServers).(pvd.DNSServers)
		return len(d) == 1
	})
	if d := l.host.Snapshot().Domain(l.pvd("eth0/without.example")).Data(pvd.ElementDHCPv6, pvd.ItemDNSServers); d != nil {
		t.Errorf("the other has %v", d)
	}
	s.settled()
}
