package miftest

import (
	"bytes"
	"encoding/hex"
	"maps"
	"net"
	"net/netip"
	"slices"
	"testing"
)

func TestDHCPMessage(t *testing.T) {
	m := &dhcpMessage{
		reply: true, xid: 0x01020304, broadcast: true, kind: dhcpACK,
		client: netip.MustParseAddr("192.0.2.1"), yours: netip.MustParseAddr("192.0.2.2"), mac: net.HardwareAddr{2, 0, 0, 0, 0, 1},
		options: map[uint8][]byte{optServer: {192, 0, 2, 3}, 250: bytes.Repeat([]byte{7}, 600)},
	}
	b := m.marshal()
	got, err := parseDHCP(b)
	if err != nil {
		t.Fatal(err)
	}
	if !maps.EqualFunc(got.options, m.options, bytes.Equal) || got.kind != m.kind || got.xid != m.xid || got.yours != m.yours ||
		got.client != m.client || !got.reply || !got.broadcast || !bytes.Equal(got.mac, m.mac) {
		t.Errorf("got %+v, want %+v", got, m)
	}
	for i := range b[:len(b)-1] {
		if short, err := parseDHCP(b[:i]); err == nil && len(short.options) > len(m.options) {
			t.Errorf("%d octets: %+v", i, short)
		}
	}
}

// The octets of RFC 2131 §2 and RFC 2132, written out by hand.
func TestDHCPOctets(t *testing.T) {
	m := &dhcpMessage{xid: 0x3903f326, mac: net.HardwareAddr{0, 5, 0x3c, 4, 0x8d, 0x59}, kind: dhcpRequest,
		options: map[uint8][]byte{optServer: {192, 0, 2, 1}, optRequested: {192, 0, 2, 9}}}
	want := "010106003903f326" + "00000000" + "00000000000000000000000000000000" + "00053c048d5900000000000000000000"
	b := m.marshal()
	if got := hex.EncodeToString(b[:44]); got != want {
		t.Errorf("header %s, want %s", got, want)
	}
	if got, want := hex.EncodeToString(b[236:256]), "63825363"+"350103"+"3204c0000209"+"3604c0000201"+"ff"; got != want {
		t.Errorf("options %s, want %s", got, want)
	}
	if len(b) != 300 {
		t.Errorf("%d octets, want 300", len(b))
	}
}

func TestSearchList(t *testing.T) {
	want := []string{"corp.example.com", "example.net"}
	b, err := nameBytes(want)
	if err != nil {
		t.Fatal(err)
	}
	m := &dhcpMessage{options: map[uint8][]byte{optSearch: b}}
	if got := m.names(optSearch); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func FuzzParseDHCP(f *testing.F) {
	f.Add((&dhcpMessage{kind: dhcpDiscover, options: map[uint8][]byte{optRequested: {1, 2, 3, 4}}}).marshal())
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := parseDHCP(b)
		if err != nil {
			return
		}
		again, err := parseDHCP(m.marshal())
		if err != nil || again.kind != m.kind || again.xid != m.xid {
			t.Errorf("%+v became %+v, %v", m, again, err)
		}
		m.names(optSearch)
		m.addrs(optDNS)
	})
}

func FuzzDecode(f *testing.F) {
	for _, s := range []string{
		"ffffffffffff020000000001080600010800060400010200000000010a0000020000000000000a000001",
		"02000000000202000000000108004500001c0000000040110000c0000201c000020200350035000800006869",
		"02000000000202000000000186dd6000000000140640" + "20010db8000000000000000000000001" + "20010db8000000000000000000000002" + "0050005100000000000000005012000000000000",
	} {
		b, err := hex.DecodeString(s)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		p := decode(b)
		p.Target()
		if !bytes.Equal(p.Raw, b) || len(p.Payload) > len(b) {
			t.Errorf("%d octets became %+v", len(b), p)
		}
		if p.SYN && p.Protocol != protoTCP || p.ARP() && p.Protocol != 0 {
			t.Errorf("contradiction: %+v", p)
		}
	})
}
