package mif

import (
	"context"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-mif/mif/miftest"
	"github.com/go-mif/mif/pvd"
)

// A visit is what somebody found who translated a name in a domain, and connected
// to what that gave, all inside that domain.
type visit struct {
	addrs []netip.Addr
	lines []string          // that the targets said
	local map[string]string // address a connection was from, by line
}

// play is the draft's Figure 2 as a subscriber plays it: interfaces, domains, a name
// in each domain, connections in each domain (§4). It ends when every domain of
// names has been visited and nothing is under way.
func play(t *testing.T, s *subscriber, name string, port uint16, names ...string) map[string]*visit {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	visits := map[string]*visit{}
	next := uint64(0)
	translate := map[TranslationID]string{}
	s.post(AnnounceInterfaces{}, AnnounceProvisioningDomains{})
	for done := 0; done < len(names) || len(s.checker.tasks) > 0; {
		if err := s.Check(ctx); err != nil {
			t.Fatalf("%v, with %d tasks and %v", err, len(s.checker.tasks), visits)
		}
		for _, e := range s.got() {
			next++
			switch e := e.(type) {
			case ProvisioningDomainAnnouncement:
				visits[e.PvD.String()] = &visit{local: map[string]string{}}
			case ConfigurationElementAnnouncement:
				s.post(GetConfigurationData{e.PvD, pvd.ElementAny, pvd.ItemDNSServers})
			case ConfigurationData: // it can be asked now
				if !slices.Contains(slices.Collect(valuesOf(translate)), e.PvD.String()) {
					translate[TranslationID(next)] = e.PvD.String()
					s.post(TranslateName{ID: TranslationID(next), PvD: e.PvD, Name: name})
				}
			case NameTranslation:
				v := visits[e.PvD.String()]
				v.addrs = append(v.addrs, e.Addr)
				s.post(ConnectToAddress{ID: ConnectionID(next), PvD: e.PvD, To: netip.AddrPortFrom(e.Addr, port), Timeout: time.Second})
			case TranslationDone:
				done++
			case Connected:
				visits[e.PvD.String()].read(t, e.Conn)
			}
			if d, is := e.(ProvisioningDomainAnnouncement); is {
				s.post(AnnounceConfigurationElements{d.PvD})
			}
		}
	}
	return visits
}

func valuesOf(m map[TranslationID]string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for _, v := range m {
			if !yield(v) {
				return
			}
		}
	}
}

// read reads what a target says of itself.
func (v *visit) read(t *testing.T, c net.Conn) {
	defer c.Close()
	c.SetDeadline(time.Now().Add(20 * time.Second))
	b, err := io.ReadAll(c)
	if err != nil {
		t.Error(err)
	}
	said := strings.TrimSpace(string(b))
	v.lines = append(v.lines, said)
	v.local[said] = netip.MustParseAddrPort(c.LocalAddr().String()).Addr().String()
}

// Figure 2: three domains on two interfaces. Each name is answered by its domain's
// own server, and each connection lands on its own router (§4).
func TestHostFigure2(t *testing.T) {
	l := newLab(t, Config{})
	f, err := l.Figure2()
	l.must(err)
	s := l.subscriber()
	visits := play(t, s, f.Name, f.Port, "eth0/ipv4", "eth0/ipv6", "wlan0/ipv6")
	never := netip.MustParseAddr("203.0.113.17")
	for _, c := range []struct {
		domain string
		addrs  []string
		dns    *miftest.DNSServer
		target *miftest.TCPServer
	}{
		{"eth0/ipv4", []string{"192.168.1.80", never.String()}, f.Eth0IPv4DNS, f.Eth0IPv4},
		{"eth0/ipv6", []string{"2001:db8:ffff::1", never.String()}, f.Eth0IPv6DNS, f.Eth0IPv6},
		{"wlan0/ipv6", []string{"2001:db8:ffff::1"}, f.Wlan0IPv6DNS, f.Wlan0IPv6},
	} {
		v, d := visits[c.domain], l.host.Snapshot().Domain(l.pvd(c.domain))
		if v == nil {
			t.Fatalf("%s was not visited", c.domain)
		}
		var got []string
		for _, a := range v.addrs {
			got = append(got, a.String())
		}
		if slices.Sort(got); !slices.Equal(got, c.addrs) {
			t.Errorf("%s: translations %q, want %q", c.domain, got, c.addrs)
		}
		if !slices.Equal(v.lines, []string{c.domain}) {
			t.Errorf("%s: connected to %q", c.domain, v.lines)
		}
		queries, peers := c.dns.Queries(), c.target.Peers()
		if len(queries) < 2 || len(peers) != 1 {
			t.Errorf("%s: %d queries, %d connections", c.domain, len(queries), len(peers))
		}
		for _, q := range queries {
			if !has(d, q.From.Addr()) || q.Name != f.Name {
				t.Errorf("%s: asked %q from %v", c.domain, q.Name, q.From)
			}
		}
		for _, p := range peers {
			if !has(d, p.Addr()) {
				t.Errorf("%s: connected from %v", c.domain, p)
			}
		}
	}
	s.settled()
}

func has(d *pvd.Domain, a netip.Addr) bool {
	for own := range d.Addresses() {
		if own.Prefix.Addr() == a.WithZone("") {
			return true
		}
	}
	return false
}

// overlap is two uplinks with the same numbers: 192.168.1.0/24, the same router and
// server address, and the same address of the host.
func overlap(l *lab) (captures [2]*miftest.Capture) {
	for i, name := range []string{"eth0", "eth1"} {
		at := netip.MustParseAddr("192.168.1.1")
		r := l.Router(l.t, miftest.RouterConfig{
			Interface: name, IPv4: netip.PrefixFrom(at, 24),
			DHCP: &miftest.DHCP{First: netip.MustParseAddr("192.168.1.100"), DNS: []netip.Addr{at}},
		})
		lease, err := l.Host().DHCPClient(name)
		l.must(err)
		if lease.Address.Addr() != netip.MustParseAddr("192.168.1.100") {
			l.t.Fatalf("leased %v", lease.Address)
		}
		own := netip.AddrFrom4([4]byte{192, 168, 1, byte(10 + i)})
		_, err = r.DNS(netip.AddrPortFrom(at, 53), miftest.Zone{name + ".example.com": {Addresses: []netip.Addr{own}}, "host.example.com": {Addresses: []netip.Addr{own}}})
		l.must(err)
		_, err = r.ServeLine(netip.AddrPortFrom(own, 80), name, 0)
		l.must(err)
		captures[i], err = r.Capture()
		l.must(err)
	}
	return captures
}

// visitOverlap translates in each of the two domains, and connects to what that gave.
func visitOverlap(t *testing.T, h *Host) {
	s := newSubscriber(t, h)
	defer s.Close()
	visits := play(t, s, "host.example.com", 80, "eth0/ipv4", "eth1/ipv4")
	for i, name := range []string{"eth0", "eth1"} {
		v := visits[name+"/ipv4"]
		own := netip.AddrFrom4([4]byte{192, 168, 1, byte(10 + i)})
		if v == nil || !slices.Equal(v.addrs, []netip.Addr{own}) || !slices.Equal(v.lines, []string{name}) || v.local[name] != "192.168.1.100" {
			t.Errorf("%s: %+v", name, v)
		}
	}
}

// checkOverlap checks by captures of both links that queries and connections went by
// their own alone.
func checkOverlap(t *testing.T, captures [2]*miftest.Capture) {
	for i, c := range captures {
		own, other := netip.AddrFrom4([4]byte{192, 168, 1, byte(10 + i)}), netip.AddrFrom4([4]byte{192, 168, 1, byte(11 - i)})
		queries, syns := 0, 0
		for _, p := range c.Packets() {
			switch {
			case p.Involves(other):
				t.Errorf("link %d: a packet of the other domain: %v → %v", i, p.Source, p.Destination)
			case p.Destination.Port() == 53 && p.Protocol == 17:
				queries++
			case p.SYN && !p.ACK && p.Destination.Addr() == own:
				syns++
			}
		}
		if queries < 2 || syns < 1 || c.Lost() > 0 {
			t.Errorf("link %d: %d queries, %d connections, %d packets not seen", i, queries, syns, c.Lost())
		}
	}
}

// With the same numbers on two links, nothing goes by the wrong one.
func TestHostOverlap(t *testing.T) {
	l := newLab(t, Config{})
	captures := overlap(l)
	visitOverlap(t, l.host)
	checkOverlap(t, captures)
}

const childVariable = "MIF_TEST_CHILD" // the root of the host, in a process without privilege

// All that needs no privilege: a process without any does the same.
func TestHostUnprivileged(t *testing.T) {
	if root := os.Getenv(childVariable); root != "" {
		h, err := Open(&Config{Root: root})
		if err != nil {
			t.Fatal(err)
		}
		defer h.Close()
		visitOverlap(t, h)
		return
	}
	l := newLab(t, Config{})
	captures := overlap(l)
	c := l.Host().Command("/proc/self/exe", "-test.run=^TestHostUnprivileged$", "-test.v")
	c.Env = append(os.Environ(), childVariable+"="+l.Host().Root())
	c.Unprivileged = true
	if out, err := c.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS: TestHostUnprivileged") {
		t.Fatalf("%v\n%s", err, out)
	}
	checkOverlap(t, captures)
}

// A link that is removed ends all that is under way in its domain, before the
// domain is told to be gone (§3.5.5, §3.5.18, §3.5.22).
func TestHostRemovedWithWorkPending(t *testing.T) {
	l := newLab(t, Config{})
	c := uplink("eth0", 1)
	c.DHCP.DNS = []netip.Addr{netip.MustParseAddr("10.1.0.1")}
	r := l.Router(t, c)
	_, err := l.Host().DHCPClient("eth0")
	l.must(err)
	_, err = r.DNS(netip.MustParseAddrPort("10.1.0.1:53"), miftest.Zone{"silent.example.com": {Fault: miftest.Fault{Drop: true}}})
	l.must(err)
	silent := netip.MustParseAddrPort("203.0.113.17:80")
	l.must(r.Silent(silent.Addr()))
	s := l.subscriber(AnnounceInterfaces{}, AnnounceProvisioningDomains{})
	p := domainOf(t, s.until("domain eth0/ipv4"), "eth0/ipv4")
	const n = 100
	for i := range n {
		s.post(ConnectToAddress{ID: ConnectionID(i + 1), PvD: p, To: silent}, TranslateName{ID: TranslationID(i + 1), PvD: p, Name: "silent.example.com"})
	}
	capture, err := r.Capture()
	l.must(err)
	if _, err := capture.Wait(20*time.Second, func(p miftest.Packet) bool { return p.Destination == silent }); err != nil {
		t.Fatal(err) // some are on the wire
	}
	l.must(l.Host().RemoveLink("eth0"))
	events := s.until("no domain eth0/ipv4", "no interface eth0")
	ends := 0
	for _, e := range events {
		switch e := e.(type) {
		case TranslationDone, NotConnected:
			ends++
		case NoProvisioningDomainAnnouncement:
			if ends != 2*n && e.PvD == p {
				t.Fatalf("%d of %d have ended before the domain", ends, 2*n)
			}
		}
	}
	s.settled()
	if ends != 2*n || len(s.checker.tasks) > 0 {
		t.Fatalf("%d ends, %d tasks left", ends, len(s.checker.tasks))
	}
}

// The kernel keeps silent when the address of an established connection goes: the
// session tells, and closes the connection if it was asked to.
func TestHostPathLost(t *testing.T) {
	l := newLab(t, Config{})
	r := l.Router(t, uplink("eth0", 1))
	lease, err := l.Host().DHCPClient("eth0")
	l.must(err)
	at := netip.MustParseAddrPort("10.1.0.1:80")
	listener, err := r.Listen(at)
	l.must(err)
	defer listener.Close()
	s := l.subscriber(AnnounceProvisioningDomains{})
	p := domainOf(t, s.until("domain eth0/ipv4"), "eth0/ipv4")
	s.post(ConnectToAddress{ID: 1, PvD: p, To: at},
		ConnectToAddressFromAddress{ID: 2, PvD: p, To: at, From: lease.Address.Addr(), CloseOnPathLost: true},
		ConnectToAddressFromAddress{ID: 3, PvD: p, To: at, From: netip.MustParseAddr("10.1.0.99")})
	conns := map[ConnectionID]net.Conn{}
	for _, e := range s.until("connected 1", "connected 2", "not connected 3: foreign source") {
		if c, is := e.(Connected); is {
			conns[c.ID] = c.Conn
			defer c.Conn.Close()
		}
	}
	l.must(l.Host().DelAddress("eth0", lease.Address))
	s.until("no domain eth0/ipv4", "path lost 1: address gone", "path lost 2: address gone")
	if isClosed(conns[1]) || !isClosed(conns[2]) {
		t.Fatal("the wrong connection is closed")
	}
	l.must(l.Host().AddAddress("eth0", lease.Address))
	s.until("path restored 1", "domain eth0/ipv4")
	l.must(l.Host().RemoveLink("eth0"))
	s.until("path lost 1: no such interface")
	if n := len(s.paths); n != 0 {
		t.Fatalf("%d paths are kept", n)
	}
}
