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
		c, err = listenOn("udp4", l.Interface, "0.0.0.0:68")
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
