package mif

import (
	"bufio"
	"encoding/json"
	"net"
	"net/netip"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/ipv6"

	"github.com/go-mif/mif/miftest"
	"github.com/go-mif/mif/pvd"
)

// domainRA is the advertisement of an explicit domain with a prefix and a name server
// of its own.
func domainRA(name string, n byte) *miftest.RA {
	ra := uplink("eth0", n).RA
	ra.PvD = &miftest.PvD{Name: name, HTTP: true, Sequence: uint16(n)}
	return ra
}

// explicitLab is a host on a link with one router, which advertises something first.
func explicitLab(t *testing.T, ra *miftest.RA) (*lab, *miftest.Router, *subscriber) {
	t.Helper()
	l := newLab(t, Config{})
	r := l.Router(t, miftest.RouterConfig{Interface: "eth0", RA: ra})
	return l, r, l.subscriber(AnnounceProvisioningDomains{})
}

// Several explicit domains share a link and a router, each with its own data (RFC 8801
// section 3.2), and none of them is taken for an implicit one at first.
func TestHostExplicitDomains(t *testing.T) {
	l, r, s := explicitLab(t, domainRA("one.example", 1))
	events := s.until("domain eth0/one.example")
	l.must(r.SetRA(domainRA("two.example", 2)))
	events = append(events, s.until("domain eth0/two.example")...)
	s.settled()
	if count(events, "domain eth0/ipv6") != 0 {
		t.Errorf("an implicit domain in between: %q", lines(events))
	}
	for n, name := range []string{"one.example", "two.example"} {
		d := l.host.Snapshot().Domain(l.pvd("eth0/" + name))
		servers, _ := d.Data(pvd.ElementRA, pvd.ItemDNSServers).(pvd.DNSServers)
		options, _ := d.Data(pvd.ElementRA, pvd.ItemPvDOption).(pvd.PvDOption)
		routers, _ := d.Data(pvd.ElementRA, pvd.ItemRouters).(pvd.Routers)
		if d.FQDN() != name || len(servers) != 1 || servers[0].Value.Addr() != domainRA(name, byte(n+1)).RDNSS[0] || servers[0].Source != r.LinkLocal().String() {
			t.Errorf("%s: FQDN %s, servers %v", name, d.FQDN(), servers)
		}
		if len(options) != 1 || options[0].Value != (pvd.Option{FQDN: name, HTTP: true, Sequence: uint16(n + 1)}) || len(routers) != 1 {
			t.Errorf("%s: options %v, routers %v", name, options, routers)
		}
	}
}

// What a router says in several advertisements of one domain is joined (RFC 8801
// section 3.2).
func TestHostSplitAdvertisements(t *testing.T) {
	l, r, s := explicitLab(t, domainRA("one.example", 1))
	s.until("domain eth0/one.example")
	p := l.pvd("eth0/one.example")
	second := domainRA("ONE.example", 2)
	second.Prefixes = nil
	l.must(r.SetRA(second))
	s.when("it has two servers", func() bool {
		d := l.host.Snapshot().Domain(p)
		servers, _ := d.Data(pvd.ElementRA, pvd.ItemDNSServers).(pvd.DNSServers)
		prefixes, _ := d.Data(pvd.ElementRA, pvd.ItemPrefixes).(pvd.Prefixes)
		return len(servers) == 2 && len(prefixes) == 1
	})
	s.settled()
}

// A prefix and its addresses belong to the domain of the last advertisement that has it
// (RFC 8801 section 3.4), and a domain that comes back is a new one.
func TestHostPrefixMoves(t *testing.T) {
	l, r, s := explicitLab(t, domainRA("one.example", 1))
	s.until("domain eth0/one.example")
	was := l.pvd("eth0/one.example")
	l.must(r.SetRA(domainRA("two.example", 1)))
	s.until("no domain eth0/one.example", "domain eth0/two.example")
	l.must(r.SetRA(domainRA("one.example", 1)))
	if now := domainOf(t, s.until("no domain eth0/two.example", "domain eth0/one.example"), "eth0/one.example"); now == was {
		t.Error("it came back with its old identity")
	}
	plain := domainRA("", 1)
	plain.PvD = nil
	l.must(r.SetRA(plain))
	s.until("no domain eth0/one.example", "domain eth0/ipv6")
	s.settled()
}

// What DHCPv4 gives belongs to the one explicit domain with the L flag; to none if two
// have it (RFC 8801 section 3.4.2).
func TestHostLegacyFlag(t *testing.T) {
	l := newLab(t, Config{})
	one, two := domainRA("one.example", 1), domainRA("two.example", 2)
	one.PvD.Legacy, two.PvD.Legacy = true, true
	c := uplink("eth0", 1)
	c.RA = one
	r := l.Router(t, c)
	s := l.subscriber(AnnounceProvisioningDomains{})
	s.until("domain eth0/one.example")
	_, err := l.Host().DHCPClient("eth0")
	l.must(err)
	p := l.pvd("eth0/one.example")
	has4 := func() bool {
		return slices.ContainsFunc(slices.Collect(l.host.Snapshot().Domain(p).Addresses()), func(a pvd.Address) bool { return a.Prefix.Addr().Is4() })
	}
	s.when("it has an IPv4 address", has4)
	l.must(r.SetRA(two))
	s.until("domain eth0/two.example", "domain eth0/ipv4")
	if has4() {
		t.Error("it still has an IPv4 address")
	}
	s.settled()
}

// The header inside the option wins (RFC 8801 section 3.4): hosts that know no domains
// are kept away by a lifetime of zero outside.
func TestHostInnerHeader(t *testing.T) {
	ra := domainRA("one.example", 1)
	ra.RouterLifetime, ra.PvD.Header = 0, true
	ra.PvD.RA = &miftest.RA{RouterLifetime: 900 * time.Second, Preference: miftest.High, RDNSS: []netip.Addr{netip.MustParseAddr("2001:db8::5353")}, DNSLifetime: time.Hour}
	l, _, s := explicitLab(t, ra)
	s.until("domain eth0/one.example")
	d := l.host.Snapshot().Domain(l.pvd("eth0/one.example"))
	routers, _ := d.Data(pvd.ElementRA, pvd.ItemRouters).(pvd.Routers)
	servers, _ := d.Data(pvd.ElementRA, pvd.ItemDNSServers).(pvd.DNSServers)
	if len(routers) != 1 || routers[0].Value.Preference != 1 || len(servers) != 2 {
		t.Errorf("routers %v, servers %v", routers, servers)
	}
}

// A forger sends advertisements as it likes.
type forger struct {
	t    testing.TB
	conn *ipv6.PacketConn
	link int
}

func newForger(t testing.TB, r *miftest.Router) *forger {
	t.Helper()
	f := &forger{t: t}
	err := r.Do(func() error {
		link, err := net.InterfaceByName("lan")
		if err != nil {
			return err
		}
		c, err := net.ListenPacket("ip6:ipv6-icmp", "::")
		if err != nil {
			return err
		}
		t.Cleanup(func() { c.Close() })
		f.link, f.conn = link.Index, ipv6.NewPacketConn(c)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func (f *forger) send(from netip.Addr, hopLimit int, b []byte) {
	f.t.Helper()
	m := &ipv6.ControlMessage{HopLimit: hopLimit, IfIndex: f.link, Src: from.AsSlice()}
	if _, err := f.conn.WriteTo(b, m, &net.IPAddr{IP: net.IPv6linklocalallnodes, Zone: strconv.Itoa(f.link)}); err != nil {
		f.t.Fatal(err)
	}
}

// forged is an advertisement of a domain, empty for none, with a name server.
func forged(name string) []byte {
	b := []byte{134, 0, 0, 0, 64, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 25, 3, 0, 0, 0, 0, 0, 100}
	b = append(b, netip.MustParseAddr("2001:db8:bad::53").AsSlice()...)
	if name == "" {
		return b
	}
	o := []byte{21, 0, 0, 0, 0, 0}
	for label := range strings.SplitSeq(name, ".") {
		o = append(append(o, byte(len(label))), label...)
	}
	o = append(o, make([]byte, 8-len(o)%8)...)
	o[1] = byte(len(o) / 8)
	return append(b, o...)
}

// What RFC 4861 section 6.1.2 has a host discard changes nothing.
func TestHostDiscardsAdvertisements(t *testing.T) {
	l, r, s := explicitLab(t, domainRA("one.example", 1))
	s.until("domain eth0/one.example")
	s.settled()
	d := l.host.Snapshot().Domain(l.pvd("eth0/one.example"))
	f := newForger(t, r)
	b := forged("one.example")
	f.send(r.LinkLocal(), 64, b)
	for n := 8; n < len(b); n++ {
		if whole := n == 16 || n == 40; !whole { // what is left of it is one
			f.send(r.LinkLocal(), 255, b[:n])
		}
	}
	l.must(r.SetRA(domainRA("two.example", 2)))
	s.until("domain eth0/two.example")
	if now := l.host.Snapshot().Domain(d.ID()); now != d {
		t.Errorf("%+v became %+v", d, now)
	}
}

// The example shows explicit domains.
func TestWatchShowsExplicitDomains(t *testing.T) {
	l, r, s := explicitLab(t, domainRA("one.example", 1))
	s.until("domain eth0/one.example")
	l.must(r.SetRA(domainRA("two.example", 2)))
	s.until("domain eth0/two.example")
	path := filepath.Join(t.TempDir(), "watch")
	if out, err := exec.Command("go", "build", "-buildvcs=false", "-o", path, module+"/examples/watch").CombinedOutput(); err != nil {
		t.Skipf("needs the go command: %v\n%s", err, out)
	}
	cmd := l.Net.Host().Command(path, "-json", "-root", l.Net.Host().Root())
	out, err := cmd.StdoutPipe()
	l.must(err)
	l.must(cmd.Start())
	read := make(chan []byte)
	go func() {
		defer close(read)
		for in := bufio.NewScanner(out); in.Scan(); {
			read <- slices.Clone(in.Bytes())
		}
	}()
	shown := l.shown(r, read)
	l.must(cmd.Process.Signal(syscall.SIGTERM))
	for range read {
	}
	if err := cmd.Wait(); err != nil || !shown["one.example"] || !shown["two.example"] {
		t.Errorf("shown %v, %v", shown, err)
	}
}

// shown are the explicit domains that are announced in lines of JSON, while a router
// advertises the one and the other: nobody can list what it said before.
func (l *lab) shown(r *miftest.Router, read <-chan []byte) map[string]bool {
	l.t.Helper()
	shown := map[string]bool{}
	tick, deadline := time.NewTicker(50*time.Millisecond), time.After(30*time.Second)
	defer tick.Stop()
	for n := 0; len(shown) < 2; {
		select {
		case b, ok := <-read:
			var line struct{ Message, FQDN, PvD, Family string }
			if !ok || json.Unmarshal(b, &line) != nil {
				l.t.Fatalf("read %q", b)
			}
			if line.Message == "ProvisioningDomainAnnouncement" && line.FQDN != "" && line.PvD == "eth0/"+line.FQDN {
				shown[line.FQDN] = true
			}
		case <-tick.C:
			n++
			l.must(r.SetRA(domainRA([]string{"one.example", "two.example"}[n%2], byte(n%2+1))))
		case <-deadline:
			return shown
		}
	}
	return shown
}
