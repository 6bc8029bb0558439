package miftest

import (
	"encoding/binary"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"golang.org/x/net/ipv6"
)

// DHCPv6 is what a router's stateless DHCPv6 server says to those who ask for
// information (RFC 8415 §6.1); it gives no addresses. Hosts ask it if the router's RA
// has Other set.
type DHCPv6 struct {
	DNS           []netip.Addr
	Search        []string
	CaptivePortal string            // RFC 8910
	Refresh       time.Duration     // RFC 8415 §21.23, whole seconds; 0 is not to say
	Extra         map[uint16][]byte // further options, or others for those above
}

// Messages and options (RFC 8415 §7.3, §21; 23, 24 RFC 3646; 103 RFC 8910).
const (
	dhcp6Reply       = 7
	dhcp6Information = 11

	opt6Client  = 1
	opt6Server  = 2
	opt6DNS     = 23
	opt6Search  = 24
	opt6Refresh = 32
	opt6Portal  = 103
)

// A dhcp6Server is the DHCPv6 server of one router.
type dhcp6Server struct {
	conn net.PacketConn
	mac  net.HardwareAddr
	done chan struct{}

	mu      sync.Mutex
	options map[uint16][]byte // nil: silent
}

// SetDHCPv6 changes what the router's DHCPv6 server says; nil makes it silent.
func (r *Router) SetDHCPv6(d *DHCPv6) error {
	r.starting.Lock()
	defer r.starting.Unlock()
	if r.dhcp6 == nil {
		if d == nil {
			return nil
		}
		s, err := r.startDHCPv6()
		if err != nil {
			return err
		}
		r.dhcp6 = s
	}
	return r.dhcp6.set(d)
}

func (r *Router) startDHCPv6() (*dhcp6Server, error) {
	index, err := r.ns.index(lan)
	if err != nil {
		return nil, err
	}
	s := &dhcp6Server{mac: r.mac, done: make(chan struct{})}
	err = r.ns.do(func() (err error) {
		if s.conn, err = listenOn("udp6", lan, "[::]:547"); err != nil {
			return err
		}
		group := &net.UDPAddr{IP: net.ParseIP("ff02::1:2")}
		return ipv6.NewPacketConn(s.conn).JoinGroup(&net.Interface{Index: index}, group)
	})
	if err != nil {
		return nil, fmt.Errorf("miftest: DHCPv6 server: %w", err)
	}
	go s.serve()
	return s, r.keep(s)
}

func (s *dhcp6Server) set(d *DHCPv6) error {
	var options map[uint16][]byte
	if d != nil {
		search, err := nameBytes(d.Search)
		if err != nil {
			return fmt.Errorf("miftest: DHCPv6 options: %w", err)
		}
		options = map[uint16][]byte{
			opt6Server: append([]byte{0, 3, 0, 1}, s.mac...), opt6DNS: addrBytes(d.DNS...), opt6Search: search, opt6Portal: []byte(d.CaptivePortal),
		}
		if d.Refresh > 0 {
			options[opt6Refresh] = durationBytes(d.Refresh)
		}
		maps.Copy(options, d.Extra)
	}
	s.mu.Lock()
	s.options = options
	s.mu.Unlock()
	return nil
}

func (s *dhcp6Server) serve() {
	defer close(s.done)
	eachDatagram(s.conn, func(b []byte, from *net.UDPAddr) {
		if m := s.answer(b); m != nil {
			to := *from
			to.Port = 546 // RFC 8415 §7.2
			s.conn.WriteTo(m, &to)
		}
	})
}

// answer returns the reply to q, or nil. A client that says who it is is told that it
// is meant (RFC 8415 §18.3.6).
func (s *dhcp6Server) answer(q []byte) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.options == nil || len(q) < 4 || q[0] != dhcp6Information {
		return nil
	}
	m := append([]byte{dhcp6Reply}, q[1:4]...)
	for o := q[4:]; len(o) >= 4 && len(o) >= 4+int(binary.BigEndian.Uint16(o[2:])); {
		n := 4 + int(binary.BigEndian.Uint16(o[2:]))
		if binary.BigEndian.Uint16(o) == opt6Client {
			m = append(m, o[:n]...)
		}
		o = o[n:]
	}
	for _, code := range slices.Sorted(maps.Keys(s.options)) {
		if v := s.options[code]; len(v) > 0 {
			m = binary.BigEndian.AppendUint16(m, code)
			m = binary.BigEndian.AppendUint16(m, uint16(len(v)))
			m = append(m, v...)
		}
	}
	return m
}

// Close ends the server.
func (s *dhcp6Server) Close() error {
	err := s.conn.Close()
	<-s.done
	return err
}
