package mif

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/go-mif/mif/miftest"
	"github.com/go-mif/mif/resolver"
)

// Ten thousand look-ups in two domains of the same numbers, while one of them comes
// and goes: not one question goes by the wrong link, and not one answer is the
// other domain's (RFC 8801 section 3.4.4).
func TestHostLookupsApart(t *testing.T) {
	total, workers := int64(10000), 16
	if testing.Short() {
		total = 1000
	}
	l := newLab(t, Config{})
	names := []string{"eth0", "eth1"}
	var routers [2]*miftest.Router
	var servers [2]*miftest.DNSServer
	var captures [2]*miftest.Capture
	for i, name := range names {
		routers[i], servers[i] = apart(l, name, i)
		var err error
		captures[i], err = routers[i].Capture()
		l.must(err)
	}
	var asked, answered [2]atomic.Int64
	var all sync.WaitGroup
	for w := range workers {
		all.Go(func() {
			for at := w % 2; asked[at].Load() < total/2 && !t.Failed(); {
				was, had := lookApart(l, names[at], at)
				asked[at].Add(was)
				answered[at].Add(had)
			}
		})
	}
	for before := int64(0); asked[1].Load() < total/2 && !t.Failed(); runtime.Gosched() {
		if now := asked[1].Load(); now >= before+100 {
			before = now
			l.must(routers[1].Flap(1))
		}
	}
	all.Wait()
	for i, c := range captures {
		if answered[i].Load() == 0 {
			t.Errorf("%s: nothing of %d was answered", names[i], asked[i].Load())
		}
		l.must(c.Stop())
		checkApart(t, servers[i], c, names[i], names[1-i])
	}
	t.Logf("answered %d of %d, and %d of %d where the cable came and went", answered[0].Load(), asked[0].Load(), answered[1].Load(), asked[1].Load())
}

// A net.Resolver that knows nothing of domains, asked by a domain's Resolver, asks
// that domain's servers by its link, and what it hears is the domain's.
func TestStandardResolverApart(t *testing.T) {
	l := newLab(t, Config{})
	names := []string{"eth0", "eth1"}
	var servers [2]*miftest.DNSServer
	var captures [2]*miftest.Capture
	for i, name := range names {
		var router *miftest.Router
		router, servers[i] = apart(l, name, i)
		var err error
		captures[i], err = router.Capture()
		l.must(err)
	}
	for i, name := range names {
		r, err := l.host.Resolver(l.pvd(name + "/ipv4"))
		l.must(err)
		std := &net.Resolver{PreferGo: true, Dial: r.DialDNS}
		for _, host := range []string{"host.example.", "n7." + name + ".example."} {
			got, err := std.LookupNetIP(t.Context(), "ip4", host)
			if err != nil || !slices.Equal(got, []netip.Addr{ownOf(i)}) {
				t.Errorf("%s in %s: %v, %v", host, name, got, err)
			}
		}
		if got, err := std.LookupMX(t.Context(), "mail."+name+".example."); err == nil {
			t.Errorf("MX in %s: %v", name, got)
		}
	}
	for i, c := range captures {
		l.must(c.Stop())
		checkApart(t, servers[i], c, names[i], names[1-i])
		mx := func(q miftest.Query) bool { return q.Name == "mail."+names[i]+".example" && q.Type == "MX" }
		if !slices.ContainsFunc(servers[i].Queries(), mx) {
			t.Errorf("%s was not asked for MX: %v", names[i], servers[i].Queries())
		}
	}
}

// apart makes an uplink whose server knows some names of its own, and one that the
// other's knows too.
func apart(l *lab, name string, i int) (*miftest.Router, *miftest.DNSServer) {
	at := netip.MustParseAddr("192.168.1.1")
	r := l.Router(l.t, miftest.RouterConfig{Interface: name, IPv4: netip.PrefixFrom(at, 24), DHCP: &miftest.DHCP{DNS: []netip.Addr{at}}})
	_, err := l.Host().DHCPClient(name)
	l.must(err)
	zone := miftest.Zone{"host.example": {Addresses: []netip.Addr{ownOf(i)}}}
	for n := range 50 { // some over TCP
		zone[fmt.Sprintf("n%d.%s.example", n, name)] = miftest.Name{Addresses: []netip.Addr{ownOf(i)}, Fault: miftest.Fault{Truncate: n%10 == 0}}
	}
	server, err := r.DNS(netip.AddrPortFrom(at, 53), zone)
	l.must(err)
	return r, server
}

func ownOf(i int) netip.Addr { return netip.AddrFrom4([4]byte{192, 168, 1, byte(10 + i)}) }

// lookApart looks something up in the domain of an interface, and tells whether there
// was a domain to ask, and an address, which must be its own.
func lookApart(l *lab, name string, i int) (asked, answered int64) {
	for d := range l.host.Snapshot().Domains() {
		if d.ID().String() != name+"/ipv4" {
			continue
		}
		r, err := l.host.Resolver(d.ID())
		if err != nil {
			return 0, 0 // it has just gone
		}
		got := lookKind(l.t.Context(), r, name, i)
		if len(got) > 0 && !slices.Equal(got, []netip.Addr{ownOf(i)}) {
			l.t.Errorf("%s: %v is not its own", name, got)
		}
		return 1, int64(min(len(got), 1))
	}
	runtime.Gosched()
	return 0, 0
}

// lookKind makes a look-up of some kind, and gives the addresses found by those that are
// for addresses. The names and addresses asked for are the domain's own, see marks.
func lookKind(ctx context.Context, r *resolver.Resolver, name string, i int) []netip.Addr {
	std := &net.Resolver{PreferGo: true, Dial: r.DialDNS}
	switch n := rand.IntN(100); {
	case n < 10:
		_, _ = r.LookupAddr(ctx, netip.AddrFrom4([4]byte{10, byte(i), byte(rand.Uint32()), byte(rand.Uint32())}).String())
	case n < 20:
		_, _ = r.LookupHTTPS(ctx, kindOfName(name), 443)
	case n < 25:
		_, _ = std.LookupTXT(ctx, kindOfName(name))
	case n < 35:
		got, _ := std.LookupNetIP(ctx, "ip4", kindOfName(name))
		return got
	case n < 36: // nobody answers
		ctx, cancel := context.WithTimeout(ctx, time.Millisecond)
		defer cancel()
		_, _ = r.LookupNetIP(ctx, "ip", fmt.Sprintf("u%d.%s.local.", rand.Uint32(), name))
	default:
		got, _ := r.LookupNetIP(ctx, []string{"ip", "ip4"}[rand.IntN(2)], kindOfName(name))
		return got
	}
	return nil
}

// marks are the octets by which a question of a domain is known: labels of the names and
// of the reverse names that only it is asked for.
func marks(name string, i int) [][]byte {
	return [][]byte{append([]byte{byte(len(name))}, name...), append([]byte{1, '0' + byte(i), 2}, "10\x07in-addr"...)}
}

func kindOfName(name string) string {
	switch rand.IntN(4) {
	case 0:
		return "host.example."
	case 1:
		return fmt.Sprintf("n%d.%s.example.", rand.IntN(50), name)
	}
	return fmt.Sprintf("u%d.%s.example.", rand.Uint32(), name) // nobody knows it
}

// checkApart checks that a server, and a link, saw nothing of the other domain.
func checkApart(t *testing.T, s *miftest.DNSServer, c *miftest.Capture, own, other string) {
	foreign := marks(other, int(other[len(other)-1]-'0'))
	has := func(b []byte) func([]byte) bool { return func(mark []byte) bool { return bytes.Contains(b, mark) } }
	kinds := map[string]int{}
	for _, q := range s.Queries() {
		kinds[q.Network+" "+q.Type]++
		name := make([]byte, 256)
		if _, err := dns.PackDomainName(q.Name+".", name, 0, nil, false); err != nil || slices.ContainsFunc(foreign, has(name)) {
			t.Errorf("the server of %s was asked for %s", own, q.Name)
		}
	}
	t.Logf("the server of %s was asked %v", own, kinds)
	const icmp, udp = 1, 17
	seen, quoted := 0, 0
	for _, p := range c.Packets() {
		leak := slices.ContainsFunc(foreign, has(p.Payload))
		switch {
		case leak && p.Protocol == icmp:
			quoted++ // see below
		case leak:
			t.Errorf("on the link of %s: %v → %v asks for a name of %s", own, p.Source, p.Destination, other)
		case p.Protocol == udp && p.Destination.Port() == 53:
			seen++
		}
	}
	if quoted > 0 { // to a reply whose socket was closed with its domain
		t.Logf("on the link of %s the kernel sent %d ICMP errors about %s by its own choice of route", own, quoted, other)
	}
	if seen == 0 {
		t.Errorf("no question was seen on the link of %s", own)
	}
}
