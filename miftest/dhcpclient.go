package miftest

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"time"

	"golang.org/x/net/ipv4"
)

// A Lease is what a DHCPv4 server gave the host on one interface, and is
// configured there: the address with the lease's lifetime, and a default route
// by the first router with protocol dhcp(16) and a metric of 100 plus the
// interface's index, as common clients do it. Nothing renews it by itself.
type Lease struct {
	Interface  string
	Address    netip.Prefix
	Server     netip.Addr
	Duration   time.Duration
	Routers    []netip.Addr
	DNS        []netip.Addr
	DomainName string
	Search     []string
	NTP        []netip.Addr
	Options    map[uint8][]byte // all of them

	host  *Host
	index int
	mac   net.HardwareAddr
}

// DHCPClient gets a lease for an interface by DHCPv4 (RFC 2131 §4.4.1) and
// configures it.
func (h *Host) DHCPClient(ifname string) (*Lease, error) {
	index, err := h.ns.index(ifname)
	if err != nil {
		return nil, err
	}
	mac, err := h.ns.hardwareAddr(ifname)
	if err != nil {
		return nil, err
	}
	l := &Lease{Interface: ifname, host: h, index: index, mac: mac}
	s, err := h.ns.openPacket(index, etherIPv4)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	ack, err := l.acquire(&broadcaster{s, mac})
	if err == nil {
		err = l.configure(ack)
	}
	if err != nil {
		return nil, fmt.Errorf("miftest: DHCP on %s: %w", ifname, err)
	}
	return l, nil
}

// An exchanger sends DHCP messages and hears answers.
type exchanger interface {
	send([]byte) error
	receive(deadline time.Time) ([]byte, error) // a UDP payload
}

func (l *Lease) acquire(x exchanger) (*dhcpMessage, error) {
	offer, err := l.exchange(x, l.message(dhcpDiscover), dhcpOffer)
	if err != nil {
		return nil, err
	}
	q := l.message(dhcpRequest)
	q.xid = offer.xid
	q.options[optRequested] = addrBytes(offer.yours)
	q.options[optServer] = addrBytes(offer.addr(optServer))
	return l.exchange(x, q, dhcpACK)
}

func (l *Lease) message(kind byte) *dhcpMessage {
	return &dhcpMessage{xid: rand.Uint32(), mac: l.mac, kind: kind, options: map[uint8][]byte{
		optParameters: {optMask, optRouter, optDNS, optDomainName, optMTU, optNTP, optLeaseTime, optRenewal, optRebinding, optPortal, optSearch},
	}}
}

var errRefused = errors.New("the server refuses")

// exchange sends q, at doubling intervals, until it is answered.
func (l *Lease) exchange(x exchanger, q *dhcpMessage, want byte) (*dhcpMessage, error) {
	end := time.Now().Add(patience)
	for wait := 250 * time.Millisecond; time.Now().Before(end); wait *= 2 {
		if err := x.send(q.marshal()); err != nil {
			return nil, err
		}
		m, err := await(x, q.xid, want, time.Now().Add(wait))
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			return m, err
		}
	}
	return nil, fmt.Errorf("no answer: %w", os.ErrDeadlineExceeded)
}

func await(x exchanger, xid uint32, want byte, deadline time.Time) (*dhcpMessage, error) {
	for {
		b, err := x.receive(deadline)
		if err != nil {
			return nil, err
		}
		m, err := parseDHCP(b)
		switch {
		case err != nil || !m.reply || m.xid != xid:
		case m.kind == want:
			return m, nil
		case m.kind == dhcpNAK:
			return nil, errRefused
		}
	}
}

// configure takes over what ack says.
func (l *Lease) configure(ack *dhcpMessage) error {
	mask := ack.options[optMask]
	ones, bits := net.IPMask(mask).Size()
	if bits != 32 || !ack.addr(optServer).IsValid() || ack.duration(optLeaseTime) == 0 {
		return errors.New("the answer lacks a mask, a server or a lease time")
	}
	l.Address, l.Server = netip.PrefixFrom(ack.yours, ones), ack.addr(optServer)
	l.Duration, l.Routers, l.DNS = ack.duration(optLeaseTime), ack.addrs(optRouter), ack.addrs(optDNS)
	l.DomainName, l.Search, l.NTP = string(ack.options[optDomainName]), ack.names(optSearch), ack.addrs(optNTP)
	l.Options = ack.options
	if err := l.host.ns.setAddress(l.Interface, l.Address, l.Duration, l.Duration); err != nil {
		return err
	}
	if len(l.Routers) > 0 {
		if err := l.host.AddRoute(l.route()); err != nil {
			return err
		}
	}
	return l.write()
}

func (l *Lease) route() Route {
	const dhcp = 16 // RTPROT_DHCP
	return Route{
		Destination: netip.MustParsePrefix("0.0.0.0/0"), Gateway: l.Routers[0], Interface: l.Interface,
		Source: l.Address.Addr(), Metric: 100 + l.index, Protocol: dhcp,
	}
}

// Renew asks the server, from the leased address, to begin the lease anew (RFC
// 2131 §4.4.5) and takes over what it says. A refusal removes the lease's
// configuration and is an error.
func (l *Lease) Renew() error {
	x, err := l.unicast()
	if err != nil {
		return err
	}
	defer x.conn.Close()
	q := l.message(dhcpRequest)
	q.client = l.Address.Addr()
	ack, err := l.exchange(x, q, dhcpACK)
	if errors.Is(err, errRefused) {
		err = errors.Join(err, l.unconfigure())
	}
	if err == nil {
		err = l.configure(ack)
	}
	if err != nil {
		return fmt.Errorf("miftest: renewing %v on %s: %w", l.Address, l.Interface, err)
	}
	return nil
}

// Release gives the lease back (RFC 2131 §4.4.6) and removes its configuration.
func (l *Lease) Release() error {
	x, err := l.unicast()
	if err != nil {
		return err
	}
	defer x.conn.Close()
	q := l.message(dhcpRelease)
	q.client = l.Address.Addr()
	q.options = map[uint8][]byte{optServer: addrBytes(l.Server)}
	return errors.Join(x.send(q.marshal()), l.unconfigure())
}

func (l *Lease) unconfigure() error {
	var err error
	if len(l.Routers) > 0 {
		err = l.host.DelRoute(l.route())
	}
	return errors.Join(err, l.host.DelAddress(l.Interface, l.Address), l.unwrite())
}

// A unicaster is a client that has its address. It listens for broadcasts too:
// that is how it is refused (RFC 2131 §4.1).
type unicaster struct {
	conn   *ipv4.PacketConn
	from   netip.Addr
	server *net.UDPAddr
}

func (l *Lease) unicast() (*unicaster, error) {
	var c net.PacketConn
	err := l.host.Do(func() (err error) {
		c, err = listenOn(l.Interface, "0.0.0.0:68")
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("miftest: DHCP from %v: %w", l.Address, err)
	}
	server := &net.UDPAddr{IP: l.Server.AsSlice(), Port: 67}
	return &unicaster{ipv4.NewPacketConn(c), l.Address.Addr(), server}, nil
}

func (x *unicaster) send(b []byte) error {
	_, err := x.conn.WriteTo(b, &ipv4.ControlMessage{Src: x.from.AsSlice()}, x.server)
	return err
}

func (x *unicaster) receive(deadline time.Time) ([]byte, error) {
	x.conn.SetReadDeadline(deadline)
	b := make([]byte, 65535)
	n, _, _, err := x.conn.ReadFrom(b)
	return b[:n], err
}

// A broadcaster is a client that has no address yet and thus no use for the
// kernel's IP.
type broadcaster struct {
	*packetSocket
	mac net.HardwareAddr
}

func (x *broadcaster) send(b []byte) error {
	const ip, udp = 20, 8
	p := make([]byte, ip+udp, ip+udp+len(b))
	p[0], p[8], p[9] = 0x45, 64, 17
	binary.BigEndian.PutUint16(p[2:], uint16(ip+udp+len(b)))
	copy(p[16:], net.IPv4bcast.To4())
	binary.BigEndian.PutUint16(p[10:], checksum(p[:ip]))
	binary.BigEndian.PutUint16(p[20:], 68)
	binary.BigEndian.PutUint16(p[22:], 67)
	binary.BigEndian.PutUint16(p[24:], uint16(udp+len(b))) // no checksum: IPv4 can do without
	frame := append([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, x.mac...)
	frame = binary.BigEndian.AppendUint16(frame, etherIPv4)
	return x.write(append(append(frame, p...), b...))
}

func (x *broadcaster) receive(deadline time.Time) ([]byte, error) {
	for {
		f, err := x.read(deadline)
		if err != nil {
			return nil, err
		}
		if p := decode(f); p.Protocol == protoUDP && p.Destination.Port() == 68 {
			return p.Payload, nil
		}
	}
}

// checksum is the internet checksum (RFC 1071) of an even number of octets.
func checksum(b []byte) uint16 {
	var sum uint32
	for ; len(b) > 0; b = b[2:] {
		sum += uint32(binary.BigEndian.Uint16(b))
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}
