package miftest

import (
	"net"
	"net/netip"
	"testing"
	"time"
)

// What a server says to whom, and where the answer goes (RFC 2131 §4.1, §4.3).
func TestDHCPServer(t *testing.T) {
	own := netip.MustParsePrefix("192.168.1.1/24")
	s := &dhcpServer{own: own}
	if err := s.set(&DHCP{First: own.Addr(), LeaseTime: time.Minute, DNS: []netip.Addr{own.Addr()}}); err != nil {
		t.Fatal(err)
	}
	none, a, b := netip.IPv4Unspecified(), netip.MustParseAddr("192.168.1.2"), netip.MustParseAddr("192.168.1.3")
	one, two := net.HardwareAddr{2, 0, 0, 0, 0, 1}, net.HardwareAddr{2, 0, 0, 0, 0, 2}
	broadcast := "255.255.255.255:68"
	for _, c := range []struct {
		name   string
		kind   byte
		mac    net.HardwareAddr
		client netip.Addr
		option map[uint8][]byte
		from   string
		answer byte // 0: none
		yours  netip.Addr
		to     string
	}{
		{"discover skips the router's own", dhcpDiscover, one, none, nil, "0.0.0.0:68", dhcpOffer, a, broadcast},
		{"another client", dhcpDiscover, two, none, nil, "0.0.0.0:68", dhcpOffer, b, broadcast},
		{"request", dhcpRequest, one, none, map[uint8][]byte{optRequested: a.AsSlice(), optServer: own.Addr().AsSlice()}, "0.0.0.0:68", dhcpACK, a, broadcast},
		{"request to another server", dhcpRequest, one, none, map[uint8][]byte{optRequested: a.AsSlice(), optServer: b.AsSlice()}, "0.0.0.0:68", 0, none, ""},
		{"another's address", dhcpRequest, one, none, map[uint8][]byte{optRequested: b.AsSlice()}, "0.0.0.0:68", dhcpNAK, netip.Addr{}, broadcast},
		{"renewal", dhcpRequest, one, a, nil, "192.168.1.2:68", dhcpACK, a, "192.168.1.2:68"},
		{"refused renewal", dhcpRequest, one, b, nil, "192.168.1.3:68", dhcpNAK, netip.Addr{}, broadcast},
		{"inform from another port", dhcpInform, one, a, nil, "192.168.1.2:40000", dhcpACK, netip.Addr{}, "192.168.1.2:40000"},
		{"release", dhcpRelease, one, a, nil, "192.168.1.2:68", 0, none, ""},
	} {
		q := &dhcpMessage{xid: 7, kind: c.kind, mac: c.mac, client: c.client, options: c.option}
		m := s.answer(q)
		if c.answer == 0 {
			if m != nil {
				t.Errorf("%s: answered %+v", c.name, m)
			}
			continue
		}
		if m == nil || m.kind != c.answer || m.yours != c.yours || m.xid != 7 || !m.reply {
			t.Errorf("%s: %+v, want a %d with %v", c.name, m, c.answer, c.yours)
			continue
		}
		if to := destination(q, m, net.UDPAddrFromAddrPort(netip.MustParseAddrPort(c.from))); to.String() != c.to {
			t.Errorf("%s: to %v, want %v", c.name, to, c.to)
		}
		if has := m.options[optLeaseTime] != nil; has != c.yours.IsValid() {
			t.Errorf("%s: lease time there: %v (RFC 2131 §4.3.1 table 3)", c.name, has)
		}
	}
}
