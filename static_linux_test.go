package mif

import (
	"errors"
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/go-mif/mif/pvd"
)

// tunnel is a link as a VPN would make it, with an address of each family.
func tunnel(t *testing.T) (*lab, *subscriber) {
	t.Helper()
	l := newLab(t, Config{})
	l.must(l.Host().AddVeth("tun0"))
	s := l.subscriber(AnnounceInterfaces{}, AnnounceProvisioningDomains{})
	for _, p := range []string{"10.8.0.2/24", "2001:db8:8::2/64"} {
		l.must(l.Host().AddAddress("tun0", netip.MustParsePrefix(p)))
	}
	s.until("domain tun0/ipv4", "domain tun0/ipv6")
	return l, s
}

func corporate() pvd.Static {
	return pvd.Static{
		Name: "corp.example.com", InterfaceName: "tun0",
		Addresses:     []netip.Addr{netip.MustParseAddr("10.8.0.2"), netip.MustParseAddr("2001:db8:8::2")},
		DNSServers:    []netip.AddrPort{netip.MustParseAddrPort("10.8.0.1:53")},
		SearchDomains: []string{"corp.example.com"},
	}
}

const corporateName = "tun0/program/corp.example.com"

// A program's own domain takes its addresses, is there when AddDomain returns, and
// leaves no trace when it is withdrawn.
func TestAddDomain(t *testing.T) {
	l, s := tunnel(t)
	d, err := l.host.AddDomain(corporate())
	l.must(err)
	p := d.PvD()
	if now := l.host.Snapshot().Domain(p); now == nil || now.FQDN() != "corp.example.com" || p.String() != corporateName ||
		!slices.Contains(slices.Collect(now.Elements()), pvd.ElementProgram) || now.Data(pvd.ElementProgram, pvd.ItemSearchDomains) == nil {
		t.Fatalf("%v: %+v", p, now)
	}
	s.until("no domain tun0/ipv4", "no domain tun0/ipv6", "domain "+corporateName)
	s.post(AnnounceConfigurationElements{p}, AnnounceAddresses{p}, GetConfigurationData{p, pvd.ElementProgram, pvd.ItemDNSServers})
	s.until("address " + corporateName + " 10.8.0.2/24")
	l.must(d.Withdraw())
	if l.host.Snapshot().Domain(p) != nil || d.PvD().IsValid() {
		t.Error("it is there after Withdraw")
	}
	s.until("no domain "+corporateName, "domain tun0/ipv4", "domain tun0/ipv6")
	s.settled()
	if err := d.Update(corporate()); !errors.Is(err, ErrUnknownPvD) {
		t.Errorf("Update: %v", err)
	}
	l.must(d.Withdraw())
}

// An update is news of the same domain; one that is added again is another.
func TestAddDomainUpdate(t *testing.T) {
	l, s := tunnel(t)
	d, err := l.host.AddDomain(corporate())
	l.must(err)
	p := d.PvD()
	u := corporate()
	u.DNSServers, u.Addresses = append(u.DNSServers, netip.MustParseAddrPort("10.8.0.9:53")), u.Addresses[:1]
	l.must(d.Update(u))
	u.DNSServers[0] = netip.MustParseAddrPort("10.66.6.6:53") // it is the caller's again
	servers, _ := l.host.Snapshot().Domain(p).Data(pvd.ElementProgram, pvd.ItemDNSServers).(pvd.DNSServers)
	if len(servers) != 2 || servers[0].Value != corporate().DNSServers[0] || d.PvD() != p {
		t.Errorf("servers %v", servers)
	}
	s.until("domain "+corporateName, "domain tun0/ipv6")
	l.must(d.Withdraw())
	again, err := l.host.AddDomain(corporate())
	l.must(err)
	if again.PvD() == p || !again.PvD().IsValid() {
		t.Errorf("%v again", again.PvD())
	}
	s.settled()
}

// A domain ends at its Expiry, and goes with its link for good.
func TestAddDomainEnds(t *testing.T) {
	l, s := tunnel(t)
	c := corporate()
	c.Expiry = time.Now().Add(2 * time.Second)
	d, err := l.host.AddDomain(c)
	l.must(err)
	s.until("no domain tun0/ipv4", "domain tun0/ipv4")
	if d.PvD().IsValid() {
		t.Error("it is there after its Expiry")
	}
	l.must(d.Withdraw())
	d, err = l.host.AddDomain(corporate())
	l.must(err)
	s.until("domain " + corporateName)
	l.must(l.Host().RemoveLink("tun0"))
	s.until("no domain "+corporateName, "no interface tun0")
	if err := d.Update(corporate()); !errors.Is(err, ErrUnknownPvD) {
		t.Errorf("Update after the link went: %v", err)
	}
	s.settled()
}

// While its addresses are not there it is not announced.
func TestAddDomainFollowsAddresses(t *testing.T) {
	l, s := tunnel(t)
	c := corporate()
	c.Addresses = c.Addresses[:1]
	d, err := l.host.AddDomain(c)
	l.must(err)
	s.until("domain " + corporateName)
	was := d.PvD()
	p := netip.MustParsePrefix("10.8.0.2/24")
	l.must(l.Host().DelAddress("tun0", p))
	s.until("no domain " + corporateName)
	if d.PvD().IsValid() {
		t.Error("it is there without its address")
	}
	l.must(l.Host().AddAddress("tun0", p))
	s.until("domain " + corporateName)
	if now := d.PvD(); !now.IsValid() || now == was {
		t.Errorf("it is %v, was %v", now, was)
	}
	s.settled()
}

// What makes no sense is refused, and nothing changes.
func TestAddDomainRefuses(t *testing.T) {
	l, s := tunnel(t)
	first, err := l.host.AddDomain(corporate())
	l.must(err)
	other := func(edit func(*pvd.Static)) pvd.Static {
		c := corporate()
		c.Name = "other"
		edit(&c)
		return c
	}
	for name, c := range map[string]pvd.Static{
		"no name":              other(func(c *pvd.Static) { c.Name = "" }),
		"a slash":              other(func(c *pvd.Static) { c.Name = "a/b" }),
		"no link":              other(func(c *pvd.Static) { c.InterfaceName = "tun9" }),
		"no addresses":         other(func(c *pvd.Static) { c.Addresses = nil }),
		"not on the link":      other(func(c *pvd.Static) { c.Addresses = []netip.Addr{netip.MustParseAddr("10.8.0.3")} }),
		"link-local":           other(func(c *pvd.Static) { c.Addresses = []netip.Addr{netip.MustParseAddr("fe80::1")} }),
		"expired":              other(func(c *pvd.Static) { c.Expiry = time.Now().Add(-time.Second) }),
		"an address of others": other(func(*pvd.Static) {}),
		"the same name":        corporate(),
	} {
		if _, err := l.host.AddDomain(c); err == nil || (name == "no link") != errors.Is(err, ErrUnknownInterface) {
			t.Errorf("%s: %v", name, err)
		}
	}
	s.until("domain " + corporateName)
	s.settled()
	if len(s.checker.domains) != 1 || !first.PvD().IsValid() {
		t.Errorf("domains %v", s.checker.domains)
	}
	l.must(l.host.Close())
	if _, err := l.host.AddDomain(other(func(*pvd.Static) {})); !errors.Is(err, net.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
	if err := first.Withdraw(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
}

// Many goroutines add, update and withdraw at once.
func TestAddDomainConcurrently(t *testing.T) {
	l, s := tunnel(t)
	var all sync.WaitGroup
	for n, a := range corporate().Addresses {
		all.Go(func() {
			for range 100 {
				c := corporate()
				c.Name, c.Addresses = string(rune('a'+n)), []netip.Addr{a}
				d, err := l.host.AddDomain(c)
				if err == nil {
					c.SearchDomains = nil
					err = errors.Join(d.Update(c), d.Withdraw())
				}
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	s.settled()
	if len(s.checker.domains) != 2 {
		t.Errorf("domains %v", s.checker.domains)
	}
}
