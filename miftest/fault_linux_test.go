package miftest_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/go-mif/mif/miftest"
	"golang.org/x/sys/unix"
)

func TestCable(t *testing.T) {
	t.Parallel()
	n := miftest.New(t)
	r := n.Router(t, miftest.RouterConfig{Interface: "eth0", RA: miftest.NewRA(prefix1), IPv4: netip.MustParsePrefix("192.168.1.1/24")})
	a, err := n.Host().AwaitSLAAC("eth0", prefix1)
	must(t, err)
	s, err := r.ServeLine(netip.MustParseAddrPort("[2001:db8:1::80]:80"), "here", 0)
	must(t, err)
	for range 3 {
		must(t, r.CablePull())
		if carrier(t, n.Host(), "eth0") {
			t.Fatal("carrier without cable")
		}
		must(t, r.CablePlug())
		if !carrier(t, n.Host(), "eth0") {
			t.Fatal("no carrier")
		}
	}
	must(t, r.Flap(3))
	if got := (bound{n.Host(), "eth0", a}).read(t, s.Addr()); got != "here\n" {
		t.Errorf("after flapping: %q", got)
	}
	must(t, r.Advertise())
}

func TestDie(t *testing.T) {
	t.Parallel()
	n := miftest.New(t)
	h := n.Host()
	r := n.Router(t, miftest.RouterConfig{Interface: "eth0", RA: miftest.NewRA(prefix1), IPv4: netip.MustParsePrefix("192.168.1.1/24")})
	a, err := h.AwaitSLAAC("eth0", prefix1)
	must(t, err)
	must(t, h.AddAddress("eth0", netip.MustParsePrefix("192.168.1.9/24")))
	for _, x := range []struct {
		at   string
		from netip.Addr
	}{{"[2001:db8:ffff::7]:80", a}, {"192.168.1.1:80", netip.MustParseAddr("192.168.1.9")}} {
		at := netip.MustParseAddrPort(x.at)
		_, err := r.Serve(at, func(c net.Conn) { c.Read(make([]byte, 1)) })
		must(t, err)
		c := (bound{h, "eth0", x.from}).connect(t, "tcp", at)
		defer c.Close()
		defer func() {
			// The connection was not ended by the router: its last hours were silent.
			c.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
			if _, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("%v: %v, want silence", at, err)
			}
		}()
	}
	must(t, r.Die())
	if !carrier(t, h, "eth0") {
		t.Error("a router's death took the carrier")
	}
	if err := r.Advertise(); err == nil {
		t.Error("a dead router advertises")
	}
	if _, err := r.DNS(netip.MustParseAddrPort("192.168.1.1:53"), nil); !errors.Is(err, os.ErrClosed) {
		t.Errorf("new service on a dead router: %v", err)
	}
	must(t, r.CablePull())
	must(t, r.CablePlug())
}

func TestSilent(t *testing.T) {
	t.Parallel()
	n := miftest.New(t)
	r := n.Router(t, miftest.RouterConfig{Interface: "eth0", RA: miftest.NewRA(prefix1), IPv4: netip.MustParsePrefix("192.168.1.1/24"), DHCP: &miftest.DHCP{}})
	l, err := n.Host().DHCPClient("eth0")
	must(t, err)
	a, err := n.Host().AwaitSLAAC("eth0", prefix1)
	must(t, err)
	c, err := r.Capture()
	must(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 2)
	silent := map[netip.Addr]netip.Addr{
		netip.MustParseAddr("203.0.113.17"):      l.Address.Addr(),
		netip.MustParseAddr("2001:db8:ffff::17"): a,
	}
	for to, source := range silent {
		must(t, r.Silent(to))
		go func() {
			_, err := bound{n.Host(), "eth0", source}.dial(ctx, "tcp", netip.AddrPortFrom(to, 80))
			done <- err
		}()
	}
	for to := range silent {
		// A retransmission shows that nothing was heard for the first.
		eventually(t, "a second SYN to "+to.String(), func() bool {
			return count(c, func(p miftest.Packet) bool { return p.SYN && p.Destination.Addr() == to }) >= 2
		})
	}
	cancel()
	for range silent {
		if err := <-done; err == nil {
			t.Error("connected to a silent address")
		}
	}
	answers := func(p miftest.Packet) bool {
		return p.FromRouter && (p.Protocol == 6 || p.Protocol == 1 || p.Protocol == 58 && p.ICMPType < 128)
	}
	if k := count(c, answers); k != 0 || c.Lost() != 0 {
		t.Errorf("%d answers, %d packets lost", k, c.Lost())
	}
	// An address that is neither there nor silent is refused with an ICMP error.
	if _, err := (bound{n.Host(), "eth0", a}).dial(t.Context(), "tcp", netip.MustParseAddrPort("[2001:db8:eeee::1]:80")); !errors.Is(err, unix.ENETUNREACH) {
		t.Errorf("unknown address: %v, want ENETUNREACH", err)
	}
	if count(c, answers) == 0 {
		t.Error("the ICMP error was not seen")
	}
	if r.Silent(netip.MustParseAddr("192.168.1.77")) == nil || r.Silent(netip.MustParseAddr("2001:db8:1::77")) == nil {
		t.Error("an on-link address was taken for silent")
	}
}

// count counts what a capture has seen so far.
func count(c *miftest.Capture, match func(miftest.Packet) bool) (k int) {
	for _, p := range c.Packets() {
		if match(p) {
			k++
		}
	}
	return k
}
