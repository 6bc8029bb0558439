package miftest

import (
	"bytes"
	"encoding/binary"
	"errors"
	"maps"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/miekg/dns"
)

// Message types (RFC 2132 §9.6).
const (
	dhcpDiscover = iota + 1
	dhcpOffer
	dhcpRequest
	dhcpDecline
	dhcpACK
	dhcpNAK
	dhcpRelease
	dhcpInform
)

// Options (RFC 2132; 114 RFC 8910, 119 RFC 3397).
const (
	optMask       = 1
	optRouter     = 3
	optDNS        = 6
	optDomainName = 15
	optMTU        = 26
	optNTP        = 42
	optRequested  = 50
	optLeaseTime  = 51
	optType       = 53
	optServer     = 54
	optParameters = 55
	optRenewal    = 58
	optRebinding  = 59
	optPortal     = 114
	optSearch     = 119
	optEnd        = 255
)

const (
	dhcpHeader = 236
	dhcpCookie = "\x63\x82\x53\x63"
	dhcpSize   = 300 // the least a relay or client has to expect (RFC 1542 §2.1)
)

// A dhcpMessage is a DHCPv4 message (RFC 2131 §2) between a client and a server
// of the same link: no relay, no boot file.
type dhcpMessage struct {
	reply         bool
	xid           uint32
	broadcast     bool
	client, yours netip.Addr // ciaddr, yiaddr
	mac           net.HardwareAddr
	options       map[uint8][]byte
	kind          byte // the message type option
}

func (m *dhcpMessage) marshal() []byte {
	b := make([]byte, dhcpHeader, dhcpSize)
	b[0], b[1], b[2] = 1, 1, 6
	if m.reply {
		b[0] = 2
	}
	binary.BigEndian.PutUint32(b[4:], m.xid)
	if m.broadcast {
		b[10] = 0x80
	}
	copy(b[12:16], m.client.AsSlice())
	copy(b[16:20], m.yours.AsSlice())
	copy(b[28:44], m.mac)
	b = append(b, dhcpCookie...)
	b = append(b, optType, 1, m.kind)
	for _, code := range slices.Sorted(maps.Keys(m.options)) {
		b = appendOption(b, code, m.options[code])
	}
	b = append(b, optEnd)
	return append(b, make([]byte, max(0, dhcpSize-len(b)))...)
}

// appendOption splits what is longer than an option can be (RFC 3396 §5).
func appendOption(b []byte, code uint8, data []byte) []byte {
	for part := range slices.Chunk(data, 255) {
		b = append(b, code, byte(len(part)))
		b = append(b, part...)
	}
	return b
}

var errNotDHCP = errors.New("miftest: not a DHCPv4 message")

func parseDHCP(b []byte) (*dhcpMessage, error) {
	if len(b) < dhcpHeader+len(dhcpCookie) || !bytes.Equal(b[dhcpHeader:dhcpHeader+4], []byte(dhcpCookie)) || b[1] != 1 || b[2] != 6 {
		return nil, errNotDHCP
	}
	m := &dhcpMessage{
		reply:     b[0] == 2,
		xid:       binary.BigEndian.Uint32(b[4:]),
		broadcast: b[10]&0x80 != 0,
		client:    netip.AddrFrom4([4]byte(b[12:])),
		yours:     netip.AddrFrom4([4]byte(b[16:])),
		mac:       net.HardwareAddr(bytes.Clone(b[28:34])),
		options:   map[uint8][]byte{},
	}
	for b = b[dhcpHeader+4:]; len(b) > 0 && b[0] != optEnd; {
		if b[0] == 0 {
			b = b[1:]
			continue
		}
		if len(b) < 2 || len(b) < 2+int(b[1]) {
			return nil, errNotDHCP
		}
		m.options[b[0]] = append(m.options[b[0]], b[2:2+int(b[1])]...)
		b = b[2+int(b[1]):]
	}
	kind := m.options[optType]
	if len(kind) != 1 {
		return nil, errNotDHCP
	}
	m.kind = kind[0]
	delete(m.options, optType)
	return m, nil
}

func (m *dhcpMessage) addrs(code uint8) []netip.Addr {
	var as []netip.Addr
	for b := m.options[code]; len(b) >= 4; b = b[4:] {
		as = append(as, netip.AddrFrom4([4]byte(b)))
	}
	return as
}

func (m *dhcpMessage) addr(code uint8) netip.Addr {
	if as := m.addrs(code); len(as) > 0 {
		return as[0]
	}
	return netip.Addr{}
}

func (m *dhcpMessage) duration(code uint8) time.Duration {
	if b := m.options[code]; len(b) == 4 {
		return time.Duration(binary.BigEndian.Uint32(b)) * time.Second
	}
	return 0
}

func (m *dhcpMessage) names(code uint8) []string {
	var names []string
	for b, at := m.options[code], 0; at < len(b); {
		name, next, err := dns.UnpackDomainName(b, at)
		if err != nil {
			break
		}
		names, at = append(names, canonical(name)), next
	}
	return names
}

func addrBytes(as ...netip.Addr) []byte {
	var b []byte
	for _, a := range as {
		b = append(b, a.AsSlice()...)
	}
	return b
}

func durationBytes(d time.Duration) []byte {
	return binary.BigEndian.AppendUint32(nil, uint32(d/time.Second))
}

// nameBytes is a search list (RFC 3397), not compressed.
func nameBytes(names []string) ([]byte, error) {
	var list []byte
	for _, name := range names {
		b := make([]byte, 256)
		n, err := dns.PackDomainName(dns.Fqdn(name), b, 0, nil, false)
		if err != nil {
			return nil, err
		}
		list = append(list, b[:n]...)
	}
	return list, nil
}
