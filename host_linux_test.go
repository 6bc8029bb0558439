package mif

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-mif/mif/miftest"
	"github.com/go-mif/mif/pvd"
	"github.com/vishvananda/netlink"
)

// Whenever a session begins while links come up, it is told of each thing once.
func TestHostStartUpRace(t *testing.T) {
	l := newLab(t, Config{})
	for i := range 25 {
		name, addr := fmt.Sprint("up", i), netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 9, byte(i), 1}), 24)
		done := make(chan error, 1)
		go func() {
			if err := l.Host().AddVeth(name); err != nil {
				done <- err
				return
			}
			done <- l.Host().AddAddress(name, addr)
		}()
		for range i { // some of the time is let pass, more each time
			l.host.Snapshot()
		}
		s := l.subscriber(AnnounceInterfaces{}, AnnounceProvisioningDomains{})
		events := s.until("domain " + name + "/ipv4")
		p := domainOf(t, events, name+"/ipv4")
		s.post(AnnounceAddresses{p})
		events = append(events, s.until("synced AnnounceAddresses")...)
		l.must(<-done)
		s.settled()
		if n := count(events, "domain "+name+"/ipv4"); n != 1 {
			t.Fatalf("%d announcements of one domain in %q", n, lines(events))
		}
		if len(s.checker.interfaces) < i+2 || len(s.checker.addresses) != 1 {
			t.Fatalf("told of %d interfaces, %d addresses", len(s.checker.interfaces), len(s.checker.addresses))
		}
		s.Close()
	}
}

// A cable pulled takes the domains and leaves the interface; plugged in again, it
// brings domains that are new (§3.5.8).
func TestHostCable(t *testing.T) {
	l := newLab(t, Config{})
	r := l.Router(t, uplink("eth0", 1))
	if _, err := l.Host().DHCPClient("eth0"); err != nil {
		t.Fatal(err)
	}
	s := l.subscriber(AnnounceInterfaces{}, AnnounceProvisioningDomains{})
	events := s.until("domain eth0/ipv4", "domain eth0/ipv6")
	old4, old6 := domainOf(t, events, "eth0/ipv4"), domainOf(t, events, "eth0/ipv6")
	s.post(AnnounceAddresses{old4}, AnnounceConfigurationElements{old6})
	s.until("synced AnnounceConfigurationElements", "synced AnnounceAddresses")
	l.must(r.CablePull())
	events = s.until("no domain eth0/ipv4", "no domain eth0/ipv6", "interface eth0 unplugged")
	if count(events, "no interface eth0") != 0 {
		t.Fatalf("got %q", lines(events))
	}
	l.must(r.CablePlug())
	events = s.until("domain eth0/ipv4", "domain eth0/ipv6", "interface eth0")
	if domainOf(t, events, "eth0/ipv4") == old4 || domainOf(t, events, "eth0/ipv6") == old6 {
		t.Fatal("a domain that was withdrawn came back with its old identity")
	}
	s.settled()
}

// Renumbering is news of a domain's addresses, not of the domain (§3.5.13).
func TestHostRenumbering(t *testing.T) {
	l := newLab(t, Config{})
	c := uplink("eth0", 1)
	c.IPv4, c.DHCP = netip.Prefix{}, nil
	r := l.Router(t, c)
	s := l.subscriber(AnnounceProvisioningDomains{})
	p := domainOf(t, s.until("domain eth0/ipv6"), "eth0/ipv6")
	s.post(AnnounceAddresses{p})
	old, err := l.Host().SLAAC("eth0", c.RA.Prefixes[0].Prefix)
	l.must(err)
	s.until(fmt.Sprintf("address eth0/ipv6 %v/64", old))
	ra := miftest.NewRA(c.RA.Prefixes[0].Prefix, netip.MustParsePrefix("2001:db8:99::/64"))
	ra.Prefixes[0].Preferred = 0
	l.must(r.SetRA(ra))
	fresh, err := l.Host().SLAAC("eth0", ra.Prefixes[1].Prefix)
	l.must(err)
	s.until(fmt.Sprintf("address eth0/ipv6 %v/64 deprecated", old), fmt.Sprintf("address eth0/ipv6 %v/64", fresh))
	l.must(l.Host().DelAddress("eth0", netip.PrefixFrom(old, 64)))
	s.until(fmt.Sprintf("no address eth0/ipv6 %v/64", old))
	s.settled()
	if l.host.Snapshot().Domain(p) == nil {
		t.Fatal("the domain is another")
	}
}

// A router that falls silent takes its domain with it when what it gave has expired
// (§3.5.8).
func TestHostRouterDeath(t *testing.T) {
	l := newLab(t, Config{})
	c := uplink("eth0", 1)
	c.IPv4, c.DHCP = netip.Prefix{}, nil
	c.RA.Prefixes[0].Preferred, c.RA.Prefixes[0].Valid = time.Second, 2*time.Second
	r := l.Router(t, c)
	s := l.subscriber(AnnounceProvisioningDomains{})
	p := domainOf(t, s.until("domain eth0/ipv6"), "eth0/ipv6")
	s.post(AnnounceAddresses{p}, AnnounceConfigurationElements{p})
	l.must(r.Die())
	s.until("no domain eth0/ipv6")
	s.settled()
}

// An interface that is renamed is the same; one made anew with the name and the
// index of another is new (§3.5.3).
func TestHostIdentity(t *testing.T) {
	l := newLab(t, Config{})
	create := func(name string, index int, addr string) {
		t.Helper()
		l.must(l.Host().Do(func() error {
			link := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: name, Index: index}, PeerName: "far"}
			if err := netlink.LinkAdd(link); err != nil {
				return err
			}
			far, err := netlink.LinkByName("far")
			if err != nil {
				return err
			}
			return errors.Join(netlink.LinkSetUp(far), netlink.LinkSetUp(link))
		}))
		l.must(l.Host().AddAddress(name, netip.MustParsePrefix(addr)))
	}
	s := l.subscriber(AnnounceInterfaces{}, AnnounceProvisioningDomains{})
	create("wwan0", 77, "10.1.1.1/24")
	old := domainOf(t, s.until("domain wwan0/ipv4", "interface wwan0"), "wwan0/ipv4")
	s.post(AnnounceAddresses{old})
	s.until("synced AnnounceAddresses")

	l.must(l.Host().Do(func() error {
		link, err := netlink.LinkByName("wwan0")
		if err != nil {
			return err
		}
		return netlink.LinkSetName(link, "modem")
	}))
	events := s.until("interface modem")
	if count(events, "no interface wwan0") != 0 || l.host.Snapshot().Domain(old) == nil {
		t.Fatalf("a rename is told as %q", lines(events))
	}

	l.must(l.Host().RemoveLink("modem"))
	create("modem", 77, "10.1.1.1/24")
	events = s.until("no address wwan0/ipv4 10.1.1.1/24", "no domain wwan0/ipv4", "no interface wwan0", "interface modem", "domain modem/ipv4")
	fresh := domainOf(t, events, "modem/ipv4")
	if fresh == old || fresh.Interface() == old.Interface() || fresh.Interface().Index() != 77 {
		t.Fatalf("%v has the identity of what is gone", fresh)
	}
	s.post(AnnounceAddresses{old}, AnnounceProvisioningDomains{old.Interface()})
	s.until("rejected AnnounceAddresses: no such domain", "rejected AnnounceProvisioningDomains: no such interface")
	s.settled()
}

// However a link flaps, the last state is told, and no rule is broken on the way.
func TestHostFlaps(t *testing.T) {
	l := newLab(t, Config{})
	r := l.Router(t, uplink("eth0", 1))
	_, err := l.Host().DHCPClient("eth0")
	l.must(err)
	quick, slow := l.subscriber(AnnounceInterfaces{}, AnnounceProvisioningDomains{}), l.subscriber(AnnounceInterfaces{}, AnnounceProvisioningDomains{})
	quick.until("domain eth0/ipv4", "domain eth0/ipv6")
	slow.until("domain eth0/ipv4", "domain eth0/ipv6")
	done := make(chan error, 1)
	go func() { done <- r.Flap(30) }()
	for running := true; running; {
		select {
		case err := <-done:
			l.must(err)
			running = false
		case <-quick.Ready():
			for _, e := range quick.got() {
				if d, is := e.(ProvisioningDomainAnnouncement); is {
					quick.post(AnnounceAddresses{d.PvD}, AnnounceConfigurationElements{d.PvD})
				}
			}
		}
	}
	for _, s := range []*subscriber{quick, slow} {
		s.when("there are two domains", func() bool { return len(s.checker.domains) == 2 })
		s.settled()
	}
}

// Merged, the families of a link are one domain (RFC 7556 section 2.5).
func TestHostMergeFamilies(t *testing.T) {
	l := newLab(t, Config{MergeFamilies: true})
	f, err := l.Figure2()
	l.must(err)
	s := l.subscriber(AnnounceProvisioningDomains{})
	s.when("all addresses are there", func() bool { // the host has them: the kernel's events are on their way
		known := map[string]int{}
		for d := range l.host.Snapshot().Domains() {
			for a := range d.Addresses() {
				if !a.LinkLocal {
					known[d.ID().String()]++
				}
			}
		}
		return known["eth0"] == 2 && known["wlan0"] == 1
	})
	s.settled()
	var names []string
	for _, d := range s.checker.domains {
		names = append(names, d.PvD.String())
	}
	if slices.Sort(names); !slices.Equal(names, []string{"eth0", "wlan0"}) {
		t.Fatalf("domains %q", names)
	}
	s.Close()
	p := l.pvd("eth0")
	s = l.subscriber(AnnounceAddresses{p}, ConnectToAddress{ID: 4, PvD: p, To: f.Eth0IPv4.Addr()}, ConnectToAddress{ID: 6, PvD: p, To: f.Eth0IPv6.Addr()})
	for _, e := range s.until("connected 4", "connected 6") {
		if c, is := e.(Connected); is {
			c.Conn.Close()
		}
	}
	if !strings.Contains(fmt.Sprint(s.checker.addresses), "192.168.1.100") || !strings.Contains(fmt.Sprint(s.checker.addresses), "2001:db8:1:") {
		t.Fatalf("addresses %v", s.checker.addresses)
	}
}

// Two IPv6 routers on a link make two domains there, each with its own data (RFC
// 8801 section 2).
func TestHostTwoRouters(t *testing.T) {
	l := newLab(t, Config{})
	one, two := uplink("eth0", 1), uplink("eth0", 2)
	for _, c := range []*miftest.RouterConfig{&one, &two} {
		c.IPv4, c.DHCP = netip.Prefix{}, nil
	}
	r1, r2 := l.Router(t, one), l.Router(t, two)
	s := l.subscriber(AnnounceProvisioningDomains{})
	s.when("two domains have a server each", func() bool {
		n := 0
		for p := range s.checker.domains {
			if d := l.host.Snapshot().Domain(p); d != nil && d.Data(pvd.ElementAny, pvd.ItemDNSServers) != nil {
				n++
			}
		}
		return n == 2
	})
	s.settled()
	for p := range s.checker.domains {
		d := l.host.Snapshot().Domain(p)
		routers, _ := d.Data(pvd.ElementAny, pvd.ItemRouters).(pvd.Routers)
		servers, _ := d.Data(pvd.ElementAny, pvd.ItemDNSServers).(pvd.DNSServers)
		if len(routers) != 1 || len(servers) != 1 {
			t.Fatalf("%v has routers %v, servers %v", p, routers, servers)
		}
		want := map[netip.Addr]netip.Addr{r1.LinkLocal(): one.RA.RDNSS[0], r2.LinkLocal(): two.RA.RDNSS[0]}[routers[0].Value.Addr]
		if servers[0].Value.Addr() != want {
			t.Fatalf("%v has the server %v of another router", p, servers[0].Value)
		}
	}
}

// A thousand interfaces are told of, and told to be gone.
func TestHostThousandInterfaces(t *testing.T) {
	l := newLab(t, Config{})
	early := l.subscriber(AnnounceInterfaces{}, AnnounceProvisioningDomains{})
	names, err := l.Host().AddLinks("port", 1000)
	l.must(err)
	l.must(l.Host().AddAddress(names[500], netip.MustParsePrefix("10.5.0.1/24")))
	early.until("interface "+names[999], "domain "+names[500]+"/ipv4")
	early.settled()
	late := l.subscriber(AnnounceInterfaces{}, AnnounceProvisioningDomains{})
	late.settled()
	if len(early.checker.interfaces) < 1000 || len(late.checker.interfaces) != len(early.checker.interfaces) {
		t.Fatalf("told of %d and %d interfaces", len(early.checker.interfaces), len(late.checker.interfaces))
	}
	for _, name := range names[490:510] {
		l.must(l.Host().RemoveLink(name))
	}
	late.until("no domain "+names[500]+"/ipv4", "no interface "+names[509])
	late.settled()
	early.settled()
}

// Open fails at once where there is no such namespace.
func TestOpenFails(t *testing.T) {
	if _, err := Open(&Config{NetNS: "/nowhere/at/all"}); !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	if _, err := Open(&Config{Root: "/nowhere/at/all"}); !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
}
