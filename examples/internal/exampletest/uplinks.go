package exampletest

import (
	"fmt"
	"net"
	"net/netip"
	"testing"

	"github.com/go-mif/mif/miftest"
)

// Name is the name that the DNS servers of Uplinks know.
const Name = "host.example.com"

// Target is the address that Name has behind each uplink: another host each time.
var Target = netip.MustParseAddr("203.0.113.80")

// HalfDead is a name that has two addresses, of which the first, Dead, never answers,
// and the other one is Target.
const HalfDead = "half-dead.example.com"

// Dead is an address that a Router has to be told to be silent about.
var Dead = netip.MustParseAddr("203.0.113.66")

// An Uplink is a link of a host with a DHCPv4 domain, by which Name is reached.
type Uplink struct {
	*miftest.Router
	PvD  string       // of the domain, in its String form
	Peer netip.Prefix // what connections by it come from
}

// Uplinks gives a host uplinks, eth0, eth1 and so on.
func Uplinks(t testing.TB, n *miftest.Net, count int) []*Uplink {
	t.Helper()
	var all []*Uplink
	for i := range count {
		all = append(all, AddUplink(t, n, i))
	}
	return all
}

// AddUplink adds the uplink of that number.
func AddUplink(t testing.TB, n *miftest.Net, i int) *Uplink {
	t.Helper()
	return addUplink(t, n, i, nil)
}

// Plain is a host with one plain uplink, eth0, of both families, and the Site of it.
func Plain(t testing.TB) (*miftest.Net, *Uplink) {
	t.Helper()
	n := miftest.New(t)
	prefix := netip.MustParsePrefix("2001:db8::/64")
	u := addUplink(t, n, 0, miftest.NewRA(prefix))
	if _, err := n.Host().AwaitSLAAC("eth0", prefix); err != nil {
		t.Fatal(err)
	}
	Site(t, u)
	return n, u
}

// Sites is a host with two uplinks, and a Site behind each.
func Sites(t testing.TB) (*miftest.Net, []*Uplink) {
	t.Helper()
	n := miftest.New(t)
	all := Uplinks(t, n, 2)
	for _, u := range all {
		Site(t, u)
	}
	return n, all
}

// Figure is the host of the draft's Figure 2.
func Figure(t testing.TB) (*miftest.Net, *miftest.Figure2) {
	t.Helper()
	n := miftest.New(t)
	f, err := n.Figure2()
	if err != nil {
		t.Fatal(err)
	}
	return n, f
}

func addUplink(t testing.TB, n *miftest.Net, i int, ra *miftest.RA) *Uplink {
	t.Helper()
	name := fmt.Sprintf("eth%d", i)
	own := netip.AddrFrom4([4]byte{10, 0, byte(i), 1})
	r := n.Router(t, miftest.RouterConfig{
		Interface: name,
		RA:        ra,
		IPv4:      netip.PrefixFrom(own, 24),
		DHCP:      &miftest.DHCP{First: own.Next(), DNS: []netip.Addr{own}},
	})
	_, err := r.DNS(netip.AddrPortFrom(own, 53), miftest.Zone{
		Name:     {Addresses: []netip.Addr{Target}},
		HalfDead: {Addresses: []netip.Addr{Dead, Target}},
	})
	if err == nil {
		_, err = n.Host().DHCPClient(name)
	}
	if err != nil {
		t.Fatal(err)
	}
	return &Uplink{r, name + "/ipv4", netip.PrefixFrom(own, 24).Masked()}
}

// Dial connects from inside a host to an address of it.
func Dial(h *miftest.Host, address string) (c net.Conn, err error) {
	err = h.Do(func() error {
		c, err = net.Dial("tcp", address)
		return err
	})
	return c, err
}
