package mif_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/netip"
	"slices"
	"time"

	"github.com/go-mif/mif"
	"github.com/go-mif/mif/miftest"
	"github.com/go-mif/mif/pvd"
	"github.com/go-mif/mif/resolver"
)

// figure2 is the host of the draft's Figure 2, in namespaces of its own, as a Host
// sees it. A program would call mif.Open(nil) and get the machine that it runs on.
// On a system where that host cannot be made, ok is false.
func figure2() (h *mif.Host, f *miftest.Figure2, end func(), ok bool) {
	n, err := miftest.Start()
	if err != nil {
		return nil, nil, nil, false
	}
	if h, err = mif.Open(&mif.Config{NetNS: n.Host().NetNS(), Root: n.Host().Root()}); err != nil {
		log.Fatal(err)
	}
	if f, err = n.Figure2(); err != nil {
		log.Fatal(err)
	}
	await(h, 3)
	return h, f, func() { h.Close(); n.Close() }, true
}

// await waits until some domains are there that know their name servers.
func await(h *mif.Host, domains int) {
	s := h.NewSession()
	defer s.Close()
	s.Post(mif.AnnounceProvisioningDomains{})
	told := map[mif.PvDID]bool{}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for e, err := range s.Events(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		switch e := e.(type) {
		case mif.ProvisioningDomainAnnouncement:
			s.Post(mif.AnnounceConfigurationElements{PvD: e.PvD})
		case mif.ConfigurationElementAnnouncement:
			s.Post(mif.GetConfigurationData{PvD: e.PvD, Element: e.Element, Item: pvd.ItemDNSServers})
		case mif.ConfigurationData:
			if told[e.PvD] = true; len(told) == domains {
				return
			}
		}
	}
}

// What there is, in the order in which it is announced: interfaces, then the
// domains on them.
func Example() {
	h, _, end, ok := figure2()
	if !ok {
		fmt.Print(withoutNamespaces)
		return
	}
	defer end()

	s := h.NewSession()
	defer s.Close()
	s.Post(mif.AnnounceInterfaces{})
	s.Post(mif.AnnounceProvisioningDomains{}) // of every interface

	for e, err := range s.Events(context.Background()) {
		if err != nil {
			log.Fatal(err)
		}
		switch e := e.(type) {
		case mif.InterfaceAnnouncement:
			fmt.Println("interface", e.Name)
		case mif.ProvisioningDomainAnnouncement:
			fmt.Println("domain", e.PvD)
		case mif.Synced:
			if e.Request == (mif.AnnounceProvisioningDomains{}) {
				return // that is all there is; without this return, changes would follow
			}
		}
	}
	// Output:
	// interface lo
	// interface eth0
	// interface wlan0
	// domain eth0/ipv4
	// domain eth0/ipv6
	// domain wlan0/ipv6
}

const withoutNamespaces = `interface lo
interface eth0
interface wlan0
domain eth0/ipv4
domain eth0/ipv6
domain wlan0/ipv6
`

// Post, Check and Get by hand: translate a name inside one domain, and connect to
// the first address from inside that domain.
func ExampleSession() {
	h, f, end, ok := figure2()
	if !ok {
		fmt.Println("wlan0/ipv6: 2001:db8:ffff::1\nwlan0/ipv6")
		return
	}
	defer end()
	var wlan mif.PvDID
	for d := range h.Snapshot().Domains() {
		if d.ID().String() == "wlan0/ipv6" {
			wlan = d.ID()
		}
	}

	s := h.NewSession()
	defer s.Close()
	if err := s.Post(mif.TranslateName{ID: 1, PvD: wlan, Name: f.Name}); err != nil {
		log.Fatal(err)
	}
	for {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		err := s.Check(ctx) // wait for an event, for ten seconds at most
		cancel()
		if err != nil {
			log.Fatal(err)
		}
		event, err := s.Get()
		if errors.Is(err, mif.ErrNoMessage) {
			continue
		}
		switch e := event.(type) {
		case mif.NameTranslation:
			fmt.Printf("%v: %v\n", e.PvD, e.Addr)
			s.Post(mif.ConnectToAddress{ID: 1, PvD: e.PvD, To: netip.AddrPortFrom(e.Addr, f.Port)})
		case mif.Connected:
			greeting, _ := io.ReadAll(e.Conn) // the server tells which way it was reached
			e.Conn.Close()
			fmt.Print(string(greeting))
			return
		case mif.TranslationDone: // the last that is said of the name
			if e.Err != nil {
				log.Fatal(e.Err)
			}
		case mif.NotConnected:
			log.Fatal(e.Err)
		}
	}
	// Output:
	// wlan0/ipv6: 2001:db8:ffff::1
	// wlan0/ipv6
}

// The present state, without a Session: each domain's name servers, and who told
// the host of them.
func ExampleHost_Snapshot() {
	h, _, end, ok := figure2()
	if !ok {
		fmt.Println("eth0/ipv4 192.168.1.1:53 from DHCPv4")
		fmt.Println("eth0/ipv6 [2001:db8:1::53]:53 from RA")
		fmt.Println("wlan0/ipv6 [2001:db8:2::53]:53 from RA")
		return
	}
	defer end()
	for d := range h.Snapshot().Domains() {
		servers, _ := d.Data(pvd.ElementAny, pvd.ItemDNSServers).(pvd.DNSServers)
		for _, s := range servers {
			fmt.Println(d.ID(), s.Value, "from", s.Element)
		}
	}
	// Output:
	// eth0/ipv4 192.168.1.1:53 from DHCPv4
	// eth0/ipv6 [2001:db8:1::53]:53 from RA
	// wlan0/ipv6 [2001:db8:2::53]:53 from RA
}

// Code that knows nothing of domains, inside one: a name is translated by the domain's
// servers, and connected to by its interface. DialContext fits http.Transport as well.
func ExampleHost_Dialer() {
	h, f, end, ok := figure2()
	if !ok {
		fmt.Println("wlan0/ipv6")
		return
	}
	defer end()
	for d := range h.Snapshot().Domains() {
		if d.ID().String() != "wlan0/ipv6" {
			continue
		}
		dialer, err := h.Dialer(d.ID())
		if err != nil {
			log.Fatal(err)
		}
		dialer.Timeout = 10 * time.Second
		conn, err := dialer.DialContext(context.Background(), "tcp", fmt.Sprintf("%s:%d", f.Name, f.Port))
		if err != nil {
			log.Fatal(err)
		}
		defer conn.Close()
		greeting, _ := io.ReadAll(conn) // the server tells which way it was reached
		fmt.Print(string(greeting))
	}
	// Output: wlan0/ipv6
}

// Which domains to ask for a name, when the user has named none: those that are trusted
// more come first, and of these the one that knows the name best (RFC 6731). Trust is
// the program's own judgement; here only its VPN has any.
func Example_domainsForName() {
	h, _, end, ok := figure2()
	if !ok {
		fmt.Print("www.corp.example [eth0/program/vpn eth0/ipv6 wlan0/ipv6]\nwww.example [eth0/ipv6 wlan0/ipv6]\n")
		return
	}
	defer end()
	vpn, err := h.AddDomain(pvd.Static{
		Name: "vpn", InterfaceName: "eth0", Addresses: addressesOf(h, "eth0/ipv4"),
		RoutingDomains: []string{"corp.example"},
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, name := range []string{"www.corp.example", "www.example"} {
		var domains []mif.PvDID
		var candidates []resolver.Candidate
		for d := range h.Snapshot().Domains() {
			var c resolver.Candidate
			routing, _ := d.Data(pvd.ElementAny, pvd.ItemRoutingDomains).(pvd.RoutingDomains)
			for _, r := range routing {
				c.Routing = append(c.Routing, r.Value)
			}
			if d.ID() == vpn.PvD() {
				c.Trust, c.RoutingOnly = 1, true
			}
			domains, candidates = append(domains, d.ID()), append(candidates, c)
		}
		var order []mif.PvDID // ask the first; the next if it cannot be reached
		for _, i := range resolver.Rank(name, candidates) {
			order = append(order, domains[i])
		}
		fmt.Println(name, order)
	}
	// Output:
	// www.corp.example [eth0/program/vpn eth0/ipv6 wlan0/ipv6]
	// www.example [eth0/ipv6 wlan0/ipv6]
}

func addressesOf(h *mif.Host, domain string) (all []netip.Addr) {
	for d := range h.Snapshot().Domains() {
		if d.ID().String() != domain {
			continue
		}
		for a := range d.Addresses() {
			all = append(all, a.Prefix.Addr())
		}
	}
	return all
}

// A Session in a select, beside whatever else a program waits for.
func ExampleSession_Ready() {
	h, _, end, ok := figure2()
	if !ok {
		fmt.Println("eth0 wlan0")
		return
	}
	defer end()
	s := h.NewSession()
	defer s.Close()
	s.Post(mif.AnnounceInterfaces{})

	var names []string
	for synced := false; !synced; {
		select {
		case <-s.Ready():
		case <-time.After(10 * time.Second):
			log.Fatal("nothing comes")
		}
		for e, err := s.Get(); err == nil; e, err = s.Get() {
			switch e := e.(type) {
			case mif.InterfaceAnnouncement:
				names = append(names, e.Name)
			case mif.Synced:
				synced = true
			}
		}
	}
	names = slices.DeleteFunc(names, func(n string) bool { return n == "lo" })
	fmt.Println(names[0], names[1])
	// Output: eth0 wlan0
}
