package miftest_test

import (
	"bytes"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/go-mif/mif/miftest"
	"github.com/mdlayher/ndp"
	"github.com/miekg/dns"
)

// What a host does by one link is seen there and not on the other.
func TestCapture(t *testing.T) {
	t.Parallel()
	n := miftest.New(t)
	f, err := n.Figure2()
	must(t, err)
	here, err := f.Eth0.Capture()
	must(t, err)
	there, err := f.Wlan0.Capture()
	must(t, err)
	from := bound{n.Host(), "eth0", f.Lease.Address.Addr()}
	from.ask(t, "udp", f.Eth0IPv4DNS.Addr(), f.Name, dns.TypeA)
	from.read(t, f.Eth0IPv4.Addr())
	server := f.Eth0IPv4DNS.Addr()
	for name, match := range map[string]func(miftest.Packet) bool{
		"query": func(p miftest.Packet) bool {
			return p.Protocol == 17 && p.Destination == server && p.Source.Addr() == from.source && !p.FromRouter
		},
		"response":    func(p miftest.Packet) bool { return p.Protocol == 17 && p.Source == server && p.FromRouter },
		"SYN":         func(p miftest.Packet) bool { return p.SYN && !p.ACK && p.Destination == f.Eth0IPv4.Addr() },
		"SYN and ACK": func(p miftest.Packet) bool { return p.SYN && p.ACK && p.Source == f.Eth0IPv4.Addr() },
		"line":        func(p miftest.Packet) bool { return bytes.Equal(p.Payload, []byte("eth0/ipv4\n")) },
		"ARP":         func(p miftest.Packet) bool { return p.ARP() && p.Destination.Addr() == f.Eth0IPv4.Addr().Addr() },
	} {
		if _, err := here.Wait(10*time.Second, match); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, p := range there.Packets() {
		if p.Involves(from.source) || p.Involves(server.Addr()) {
			t.Errorf("on the other link: %+v", p)
		}
	}
	if here.Lost() != 0 || there.Lost() != 0 {
		t.Error("packets lost")
	}
	must(t, here.Stop())
	if len(here.Packets()) == 0 {
		t.Error("stopping a capture lost what it had")
	}
}

// What a capture does not show, it counts.
func TestCaptureMany(t *testing.T) {
	t.Parallel()
	n := miftest.New(t)
	r := n.Router(t, miftest.RouterConfig{Interface: "eth0", RA: miftest.NewRA(prefix1)})
	a, err := n.Host().AwaitSLAAC("eth0", prefix1)
	must(t, err)
	c, err := r.Capture()
	must(t, err)
	const count = 5000
	to := netip.MustParseAddr("2001:db8:ffff::7")
	must(t, r.Silent(to))
	u := bound{n.Host(), "eth0", a}.connect(t, "udp", netip.AddrPortFrom(to, 9))
	defer u.Close()
	for range count {
		_, err := u.Write([]byte("x"))
		must(t, err)
	}
	seen := 0
	for _, p := range c.Packets() {
		if p.Destination.Addr() == to {
			seen++
		}
	}
	if seen == 0 || seen > count || seen+c.Lost() < count {
		t.Errorf("saw %d of %d packets, lost %d", seen, count, c.Lost())
	}
}

// Everything an RA can carry is on the wire as another implementation reads it.
func TestAdvertisementOnTheWire(t *testing.T) {
	t.Parallel()
	n := miftest.New(t)
	r := n.Router(t, miftest.RouterConfig{Interface: "eth0"})
	c, err := r.Capture()
	must(t, err)
	ra := miftest.NewRA(prefix1)
	ra.Preference, ra.Managed, ra.Other, ra.MTU = miftest.High, true, true, 1400
	ra.RDNSS, ra.DNSSL = []netip.Addr{netip.MustParseAddr("2001:db8::53")}, []string{"example.com"}
	ra.CaptivePortal, ra.PREF64 = "https://portal.example.com", netip.MustParsePrefix("64:ff9b::/96")
	ra.PvD = &miftest.PvD{Name: "corp.example.com", HTTP: true, Legacy: true, Delay: 3, Sequence: 0x1234, Header: true, RA: miftest.NewRA(prefix2)}
	ra.Extra = [][]byte{{253, 0, 1, 2, 3, 4, 5, 6, 7}}
	must(t, r.SetRA(ra))
	p, err := c.Wait(10*time.Second, func(p miftest.Packet) bool { return p.FromRouter && p.ICMPType == 134 })
	must(t, err)
	if p.Source.Addr() != r.LinkLocal() || p.Destination.Addr() != netip.IPv6LinkLocalAllNodes() || p.Raw[14+7] != 255 {
		t.Errorf("%v -> %v, hop limit %d", p.Source, p.Destination, p.Raw[14+7])
	}
	m, err := ndp.ParseMessage(p.Payload)
	must(t, err)
	got := m.(*ndp.RouterAdvertisement)
	if got.RouterSelectionPreference != ndp.High || !got.ManagedConfiguration || !got.OtherConfiguration || got.RouterLifetime != 30*time.Minute {
		t.Errorf("header %+v", got)
	}
	codes := map[uint8]ndp.Option{}
	for _, o := range got.Options {
		codes[o.Code()] = o
	}
	for _, code := range []uint8{1, 3, 5, 21, 25, 31, 37, 38, 253} {
		if codes[code] == nil {
			t.Errorf("no option %d in %v", code, got.Options)
		}
	}
	if lla := codes[1].(*ndp.LinkLayerAddress); lla.Addr.String() != (net.HardwareAddr{2, 0, 1, 0, 0, 1}).String() {
		t.Errorf("source link-layer address %v", lla.Addr)
	}
	checkPvD(t, codes[21].(*ndp.RawOption).Value)
	if raw := codes[253].(*ndp.RawOption); raw.Length != 2 || !bytes.Equal(raw.Value[:7], []byte{1, 2, 3, 4, 5, 6, 7}) {
		t.Errorf("raw option %+v", raw)
	}
}

func checkPvD(t *testing.T, b []byte) {
	t.Helper()
	// H, L and R; a delay of 3; the sequence; the name, which with six octets
	// before it takes 24.
	want := append([]byte{0xe0, 3, 0x12, 0x34}, "\x04corp\x07example\x03com\x00"...)
	if !bytes.HasPrefix(b, want) {
		t.Fatalf("PvD option %q, want %q", b, want)
	}
	m, err := ndp.ParseMessage(b[22:])
	must(t, err)
	ra, ok := m.(*ndp.RouterAdvertisement)
	if !ok || len(ra.Options) != 1 || ra.Options[0].(*ndp.PrefixInformation).Prefix != prefix2.Addr() {
		t.Errorf("within the PvD option: %+v", m)
	}
}

func TestCaptureEndsWithTheRouter(t *testing.T) {
	t.Parallel()
	n := miftest.New(t)
	r := n.Router(t, miftest.RouterConfig{Interface: "eth0", RA: miftest.NewRA(prefix1)})
	c, err := r.Capture()
	must(t, err)
	must(t, r.Die())
	c.Packets()
	must(t, c.Stop())
	if _, err := c.Wait(time.Millisecond, func(miftest.Packet) bool { return false }); err == nil {
		t.Error("waited for what cannot come")
	}
}
