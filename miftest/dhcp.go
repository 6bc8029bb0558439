package miftest

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"sync"
	"time"
)

// DHCP is what a router's DHCPv4 server gives (RFC 2131). The zero value gives
// the address after the router's own for an hour, and the router as default
// router.
type DHCP struct {
	First         netip.Addr    // the first client's address; others get those after it
	LeaseTime     time.Duration // whole seconds; 0 is an hour
	Routers       []netip.Addr  // nil is the router's own address; empty is none
	DNS           []netip.Addr
	DomainName    string
	Search        []string
	NTP           []netip.Addr
	MTU           uint16
	CaptivePortal string           // RFC 8910
	Extra         map[uint8][]byte // further options, or others for those above
}

// A dhcpServer is the DHCPv4 server of one router. Answers to clients that have
// no address yet are broadcast.
type dhcpServer struct {
	conn net.PacketConn
	own  netip.Prefix
	done chan struct{}

	mu      sync.Mutex
	config  *DHCP // nil: silent
	options map[uint8][]byte
	leases  map[string]netip.Addr // by hardware address
}

// SetDHCP changes what the router's DHCP server gives; nil makes it silent. A
// client that renews a lease the server would no longer give is refused.
func (r *Router) SetDHCP(d *DHCP) error {
	r.starting.Lock()
	defer r.starting.Unlock()
	if r.dhcp == nil {
		if d == nil {
			return nil
		}
		s, err := r.startDHCP()
		if err != nil {
			return err
		}
		r.dhcp = s
	}
	return r.dhcp.set(d)
}

func (r *Router) startDHCP() (*dhcpServer, error) {
	if !r.ipv4.IsValid() {
		return nil, fmt.Errorf("miftest: the router on %s needs an IPv4 prefix for DHCP", r.name)
	}
	s := &dhcpServer{own: r.ipv4, done: make(chan struct{})}
	err := r.ns.do(func() (err error) {
		s.conn, err = listenOn("udp4", lan, "0.0.0.0:67")
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("miftest: DHCP server: %w", err)
	}
	go s.serve()
	return s, r.keep(s)
}

func (s *dhcpServer) set(d *DHCP) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if d == nil {
		s.config = nil
		return nil
	}
	options, err := d.options(s.own)
	if err != nil {
		return fmt.Errorf("miftest: DHCP options: %w", err)
	}
	s.config, s.options, s.leases = d, options, map[string]netip.Addr{}
	return nil
}

// options are those of the configuration, with own the server's address.
func (d *DHCP) options(own netip.Prefix) (map[uint8][]byte, error) {
	routers := d.Routers
	if routers == nil {
		routers = []netip.Addr{own.Addr()}
	}
	search, err := nameBytes(d.Search)
	if err != nil {
		return nil, err
	}
	o := map[uint8][]byte{
		optServer:     addrBytes(own.Addr()),
		optMask:       net.CIDRMask(own.Bits(), 32),
		optRouter:     addrBytes(routers...),
		optDNS:        addrBytes(d.DNS...),
		optDomainName: []byte(d.DomainName),
		optSearch:     search,
		optNTP:        addrBytes(d.NTP...),
		optPortal:     []byte(d.CaptivePortal),
	}
	if d.MTU != 0 {
		o[optMTU] = binary.BigEndian.AppendUint16(nil, d.MTU)
	}
	maps.Copy(o, d.Extra)
	return o, nil
}

func (s *dhcpServer) serve() {
	defer close(s.done)
	eachDatagram(s.conn, func(b []byte, from *net.UDPAddr) {
		q, err := parseDHCP(b)
		if err != nil || q.reply {
			return
		}
		if m := s.answer(q); m != nil {
			s.conn.WriteTo(m.marshal(), destination(q, m, from))
		}
	})
}

// eachDatagram calls f for each datagram, until the socket is closed.
func eachDatagram(conn net.PacketConn, f func(b []byte, from *net.UDPAddr)) {
	b := make([]byte, 65535)
	for {
		n, from, err := conn.ReadFrom(b)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err == nil {
			f(b[:n], from.(*net.UDPAddr))
		}
	}
}

// destination is where an answer goes (RFC 2131 §4.1). A client that informs
// itself from another port than the client's hears there.
func destination(q, m *dhcpMessage, from *net.UDPAddr) *net.UDPAddr {
	if m.kind == dhcpNAK || from.IP.IsUnspecified() {
		return &net.UDPAddr{IP: net.IPv4bcast, Port: 68}
	}
	if !q.client.IsUnspecified() {
		return &net.UDPAddr{IP: q.client.AsSlice(), Port: from.Port}
	}
	return from
}

// answer returns the reply to q, or nil.
func (s *dhcpServer) answer(q *dhcpMessage) *dhcpMessage {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.config == nil || q.options[optServer] != nil && q.addr(optServer) != s.own.Addr() {
		return nil
	}
	switch q.kind {
	case dhcpDiscover:
		return s.grant(q, dhcpOffer)
	case dhcpRequest:
		wanted := q.addr(optRequested)
		if !wanted.IsValid() {
			wanted = q.client
		}
		if wanted != s.lease(q.mac) {
			return &dhcpMessage{reply: true, xid: q.xid, mac: q.mac, kind: dhcpNAK, client: netip.IPv4Unspecified(),
				options: map[uint8][]byte{optServer: addrBytes(s.own.Addr())}}
		}
		return s.grant(q, dhcpACK)
	case dhcpInform:
		return &dhcpMessage{reply: true, xid: q.xid, client: q.client, mac: q.mac, kind: dhcpACK, options: s.options}
	case dhcpRelease, dhcpDecline:
		delete(s.leases, q.mac.String())
	}
	return nil
}

func (s *dhcpServer) grant(q *dhcpMessage, kind byte) *dhcpMessage {
	d := cmp.Or(s.config.LeaseTime, time.Hour)
	o := maps.Clone(s.options)
	o[optLeaseTime] = durationBytes(d)
	o[optRenewal] = durationBytes(d / 2)
	o[optRebinding] = durationBytes(d * 7 / 8)
	maps.Copy(o, s.config.Extra)
	return &dhcpMessage{reply: true, xid: q.xid, client: q.client, yours: s.lease(q.mac), mac: q.mac, kind: kind, options: o}
}

// lease returns the client's address, a new one if it has none.
func (s *dhcpServer) lease(mac net.HardwareAddr) netip.Addr {
	if a, ok := s.leases[mac.String()]; ok {
		return a
	}
	a := s.config.First
	if !a.IsValid() {
		a = s.own.Addr().Next()
	}
	for used := true; used; {
		used = a == s.own.Addr()
		for _, b := range s.leases {
			used = used || a == b
		}
		if used {
			a = a.Next()
		}
	}
	s.leases[mac.String()] = a
	return a
}

// Close ends the server.
func (s *dhcpServer) Close() error {
	err := s.conn.Close()
	<-s.done
	return err
}
