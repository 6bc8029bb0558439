package mif

import (
	"errors"
	"io"
	"net/netip"
	"testing"

	"github.com/go-mif/mif/connect"
	"github.com/go-mif/mif/miftest"
)

// twoRouters makes two routers on one link, each with a service at the same address
// that tells which router it is behind, and returns their domains.
func twoRouters(t *testing.T, c Config) (l *lab, first, second PvDID) {
	l = newLab(t, c)
	for i, line := range []string{"first", "second"} {
		c := uplink("eth0", byte(i+1))
		c.IPv4, c.DHCP = netip.Prefix{}, nil
		_, err := l.Router(t, c).ServeLine(service, line, 0)
		l.must(err)
	}
	s := l.subscriber(AnnounceProvisioningDomains{})
	s.when("there are two domains", func() bool { return len(s.checker.domains) == 2 })
	return l, l.behind(1), l.behind(2)
}

var service = netip.MustParseAddrPort("[2001:db8:ffff::1]:80")

// behind is the domain that has an address in the prefix of a router.
func (l *lab) behind(n byte) (p PvDID) {
	for d := range l.host.Snapshot().Domains() {
		for a := range d.Addresses() {
			if uplink("eth0", n).RA.Prefixes[0].Prefix.Contains(a.Prefix.Addr()) {
				p = d.ID()
			}
		}
	}
	return p
}

// reach connects to the service inside a domain and returns what it says.
func (l *lab) reach(p PvDID) (string, error) {
	s := l.subscriber(ConnectToAddress{ID: 1, PvD: p, To: service})
	l.must(s.Check(l.t.Context()))
	for _, e := range s.got() {
		switch e := e.(type) {
		case NotConnected:
			return "", e.Err
		case Connected:
			defer e.Conn.Close()
			said, err := io.ReadAll(e.Conn)
			return string(said), err
		}
	}
	l.t.Fatal("neither connected nor not")
	return "", nil
}

// Two domains on one link have one default router between them: the connection
// that would leave by the other's is refused (design of connect, RFC 8028).
func TestHostForeignRouter(t *testing.T) {
	l, first, second := twoRouters(t, Config{})
	refused := 0
	for p, want := range map[PvDID]string{first: "first\n", second: "second\n"} {
		said, err := l.reach(p)
		if errors.Is(err, connect.ErrForeignNextHop) {
			refused++
		} else if err != nil || said != want {
			t.Fatalf("%v: %q, %v", p, said, err)
		}
	}
	if refused != 1 {
		t.Fatalf("%d of 2 were refused", refused)
	}
}

// With routes installed each domain has its own router.
func TestHostInstallRoutes(t *testing.T) {
	l, first, second := twoRouters(t, Config{InstallRoutes: true})
	for p, want := range map[PvDID]string{first: "first\n", second: "second\n"} {
		if said, err := l.reach(p); err != nil || said != want {
			t.Fatalf("%v: %q, %v; sources %v", p, said, err, l.host.Sources())
		}
	}
}

// Without the privilege the Host goes on, and says what lacks.
func TestHostInstallRoutesRefused(t *testing.T) {
	if !miftest.Inside() {
		t.Skip("needs namespaces")
	}
	h := &Host{config: Config{InstallRoutes: true, NetNS: "/proc/self/ns/nothing"}}
	h.openRoutes()
	if s := h.routesSource(); len(s) != 1 || s[0].Err == nil {
		t.Fatalf("sources %v", s)
	}
	h.routes.await(t.Context(), h.Snapshot())
	if err := h.routes.close(); err != nil {
		t.Fatal(err)
	}
}
