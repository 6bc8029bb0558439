package miftest_test

import (
	"encoding/hex"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/go-mif/mif/miftest"
)

// The server answers whoever asks for information, at the client's port, and nobody
// who wants an address.
func TestDHCPv6(t *testing.T) {
	t.Parallel()
	n := miftest.New(t)
	r := n.Router(t, miftest.RouterConfig{Interface: "eth0", DHCPv6: &miftest.DHCPv6{
		DNS: []netip.Addr{netip.MustParseAddr("2001:db8::53")}, Search: []string{"a.example"}, Refresh: time.Hour, Extra: map[uint16][]byte{99: {1}},
	}})
	c, err := r.Capture()
	must(t, err)
	ask := func(question string) {
		t.Helper()
		b, err := hex.DecodeString(question)
		must(t, err)
		must(t, n.Host().Do(func() error {
			conn, err := net.DialUDP("udp6", nil, &net.UDPAddr{IP: net.ParseIP("ff02::1:2"), Port: 547, Zone: "eth0"})
			if err == nil {
				_, err = conn.Write(b)
				conn.Close()
			}
			return err
		}))
	}
	ask("01777777") // SOLICIT: it gives no addresses
	ask("0babcdef" + "000800020000" + "0001000a00030001020000000001")
	p, err := c.Wait(10*time.Second, func(p miftest.Packet) bool { return p.Destination.Port() == 546 })
	must(t, err)
	want := "07abcdef" + "0001000a00030001020000000001" + "0002000a00030001" + hex.EncodeToString(p.SourceMAC) +
		"0017001020010db8000000000000000000000053" + "0018000b016107" + hex.EncodeToString([]byte("example")) + "00" + "0020000400000e10" + "0063000101"
	if got := hex.EncodeToString(p.Payload); got != want || p.Source.Port() != 547 {
		t.Errorf("from %v:\n%s, want\n%s", p.Source, got, want)
	}
}
