package main

import (
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/go-mif/mif/examples/internal/exampletest"
	"github.com/go-mif/mif/miftest"
)

func TestMain(m *testing.M) { exampletest.Main(m, main) }

func TestManners(t *testing.T) {
	t.Parallel()
	exampletest.Manners(t, "dial", map[string][]string{
		"not defined: -x":       {"-x", "192.0.2.1:80"},
		"ADDR:PORT is missing":  nil,
		"names are for resolve": {"www.example.com:80"},
		"has no port":           {"192.0.2.1:0"},
		"no time":               {"-timeout", "-1s", "192.0.2.1:80"},
		"-explain goes without": {"-explain", "-send", "x", "192.0.2.1:80"},
		"invalid value":         {"-from", "here", "192.0.2.1:80"},
	})
}

// The same address in every domain: reached by those that can, each from its own
// source, and refused at once by the one that cannot.
func TestEveryDomain(t *testing.T) {
	t.Parallel()
	n, f := exampletest.Figure(t)
	r := exampletest.RunIn(t, n.Host(), "-json", f.Wlan0IPv6.Addr().String())
	if r.Status != 0 {
		t.Fatalf("status %d: %s", r.Status, r.Err)
	}
	all := exampletest.ParseAll(t, r.Out)
	for pvd, server := range map[string]*miftest.TCPServer{"eth0/ipv6": f.Eth0IPv6, "wlan0/ipv6": f.Wlan0IPv6} {
		found := exampletest.Find(all, func(m exampletest.Message) bool { return m.Message == "Connected" && m.PvD == pvd })
		if len(found) != 1 {
			t.Fatalf("%s: %+v", pvd, all)
		}
		m := found[0]
		if peers := server.Peers(); len(peers) != 1 || peers[0].String() != m.Local {
			t.Errorf("%s connected from %s, its target saw %v", pvd, m.Local, peers)
		}
		if m.Remote != server.Addr().String() || m.To != m.Remote || m.Took <= 0 {
			t.Errorf("%+v", m)
		}
	}
	m := exampletest.Find(all, func(m exampletest.Message) bool { return m.Message == "NotConnected" })
	if len(m) != 1 || m[0].PvD != "eth0/ipv4" || !strings.Contains(m[0].Err, "no usable source address") {
		t.Errorf("%+v", m)
	}
	if len(all) != 3 {
		t.Errorf("%d lines", len(all))
	}
}

func TestOneDomain(t *testing.T) {
	t.Parallel()
	n, f := exampletest.Figure(t)
	echo, err := f.Eth0.Serve(netip.MustParseAddrPort("192.168.1.80:7"), func(c net.Conn) { io.Copy(c, c) })
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args   []string
		status int
		says   string
	}{
		{[]string{"-pvd", "eth0/ipv4", "192.168.1.80:80"}, 0, "eth0/ipv4  connected     192.168.1.100:"},
		{[]string{"-pvd", "eth0", "192.168.1.80:80"}, 0, "eth0/ipv6  not connected no usable source address in the domain"},
		{[]string{"-pvd", "eth0/ipv4", "-from", "192.168.1.100", "192.168.1.80:80"}, 0, "-> 192.168.1.80:80 in "},
		{[]string{"-pvd", "eth0/ipv4", "-from", "192.168.1.99", "192.168.1.80:80"}, 1, "source address not of the domain"},
		{[]string{"-pvd", "eth0/ipv4", "192.168.1.80:81"}, 1, "connection refused"},
		{[]string{"-pvd", "eth0/ipv4", "-timeout", "100ms", "203.0.113.17:80"}, 1, "not connected"},
		{[]string{"-pvd", "eth0/ipv4", "-send", "", "192.168.1.80:80"}, 0, "eth0/ipv4  reply         eth0/ipv4\n"},
		{[]string{"-pvd", "eth0/ipv4", "-send", `one\r\ntwo` + "\x1b", echo.Addr().String()}, 0, "reply         one\neth0/ipv4  reply         two\\x1b\n"},
	} {
		r := exampletest.RunIn(t, n.Host(), c.args...)
		if r.Status != c.status || !strings.Contains(r.Out, c.says) || r.Err != "" {
			t.Errorf("%q: status %d, want %d and %q\n%s%s", c.args, r.Status, c.status, c.says, r.Out, r.Err)
		}
	}
}

func TestReply(t *testing.T) {
	t.Parallel()
	n, f := exampletest.Figure(t)
	r := exampletest.RunIn(t, n.Host(), "-json", "-pvd", "wlan0", "-send", "", f.Wlan0IPv6.Addr().String())
	all := exampletest.ParseAll(t, r.Out)
	if len(all) != 2 || all[1].Message != "Reply" || all[1].Reply != "wlan0/ipv6\n" || all[1].PvD != "wlan0/ipv6" {
		t.Errorf("%s%s", r.Out, r.Err)
	}
}

// The path is told, and nothing is sent on it.
func TestExplain(t *testing.T) {
	t.Parallel()
	n, f := exampletest.Figure(t)
	r := exampletest.RunIn(t, n.Host(), "-json", "-explain", f.Wlan0IPv6.Addr().String())
	all := exampletest.ParseAll(t, r.Out)
	if r.Status != 0 || len(all) != 3 {
		t.Fatalf("status %d\n%s%s", r.Status, r.Out, r.Err)
	}
	source, err := n.Host().SLAAC("wlan0", netip.MustParsePrefix("2001:db8:2::/64"))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range all {
		switch m.PvD {
		case "wlan0/ipv6":
			if m.From != source.String() || m.NextHop != f.Wlan0.LinkLocal().String() || m.Err != "" {
				t.Errorf("%+v", m)
			}
		case "eth0/ipv4":
			if m.Err == "" {
				t.Errorf("%+v", m)
			}
		}
	}
	r = exampletest.RunIn(t, n.Host(), "-explain", "-pvd", "wlan0", "192.168.1.80:80")
	if r.Status != 1 || !strings.Contains(r.Out, "refused: ") {
		t.Errorf("status %d\n%s", r.Status, r.Out)
	}
	if p := f.Wlan0IPv6.Peers(); len(p) > 0 {
		t.Errorf("connected from %v", p)
	}
}

func TestNoSuchDomain(t *testing.T) {
	t.Parallel()
	n, _ := exampletest.Figure(t)
	r := exampletest.RunIn(t, n.Host(), "-pvd", "corp.example.com", "192.168.1.80:80")
	if r.Status != 1 || !strings.Contains(r.Err, `no provisioning domain "corp.example.com", but eth0/ipv4, `) {
		t.Errorf("status %d, %q", r.Status, r.Err)
	}
	r = exampletest.RunIn(t, miftest.New(t).Host(), "192.168.1.80:80")
	if r.Status != 1 || !strings.Contains(r.Err, "no provisioning domain on this host") {
		t.Errorf("status %d, %q", r.Status, r.Err)
	}
}

// On a host with one plain uplink, its IPv4 domain reaches an IPv4 address, and its IPv6
// domain says that it has no address for that.
func TestPlainUplink(t *testing.T) {
	t.Parallel()
	n, _ := exampletest.Plain(t)
	to := netip.AddrPortFrom(exampletest.Target, 80).String()
	r := exampletest.RunIn(t, n.Host(), to)
	if r.Status != 0 || !strings.Contains(r.Out, "eth0/ipv4  connected     10.0.0.2:") || !strings.Contains(r.Out, "eth0/ipv6  not connected no usable source") {
		t.Errorf("status %d, %s%s", r.Status, r.Out, r.Err)
	}
	r = exampletest.RunIn(t, n.Host(), "-explain", "-pvd", "eth0/ipv4", to)
	if r.Status != 0 || !strings.Contains(r.Out, "from 10.0.0.2 via 10.0.0.1") {
		t.Errorf("status %d, %s%s", r.Status, r.Out, r.Err)
	}
}

// Interrupted while a peer does not answer, or says nothing, it ends.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	n, u := exampletest.Plain(t)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(u.Silent(exampletest.Dead))
	mute, err := u.Serve(netip.AddrPortFrom(exampletest.Target, 7), func(c net.Conn) { <-t.Context().Done() })
	must(err)
	capture, err := u.Capture()
	must(err)
	for _, to := range []netip.AddrPort{netip.AddrPortFrom(exampletest.Dead, 80), mute.Addr()} {
		c := exampletest.In(n.Host(), "-timeout", "1h", "-pvd", u.PvD, "-send", "x", to.String())
		exampletest.Interrupted(t, c, func() bool {
			_, err := capture.Wait(time.Minute, func(p miftest.Packet) bool {
				return p.Destination == to && (to != mute.Addr() || p.FIN)
			})
			return err == nil
		})
	}
}
