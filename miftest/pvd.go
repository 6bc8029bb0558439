package miftest

import (
	"encoding/binary"
	"fmt"

	"github.com/miekg/dns"
)

// A PvD is a provisioning domain option (RFC 8801 §3.1). RA, if not nil, is
// what it holds: its options, and with Header its header too (the R flag).
type PvD struct {
	Name         string // the identifier, a fully qualified domain name
	HTTP, Legacy bool   // the H and L flags
	Delay        uint8  // 0 to 15
	Sequence     uint16
	Header       bool
	RA           *RA
}

// marshal returns the option, but for its length.
func (p *PvD) marshal() ([]byte, error) {
	flags := uint16(p.Delay & 15)
	for bit, set := range map[uint16]bool{0x8000: p.HTTP, 0x4000: p.Legacy, 0x2000: p.Header} {
		if set {
			flags |= bit
		}
	}
	b := binary.BigEndian.AppendUint16([]byte{21, 0}, flags)
	b = binary.BigEndian.AppendUint16(b, p.Sequence)
	name := make([]byte, 256)
	n, err := dns.PackDomainName(dns.Fqdn(p.Name), name, 0, nil, false)
	if err != nil {
		return nil, fmt.Errorf("miftest: PvD %q: %w", p.Name, err)
	}
	b, err = pad(append(b, name[:n]...)) // what it holds begins on an octet boundary of eight
	if err != nil || p.RA == nil {
		return b, err
	}
	held, err := p.RA.marshal(nil)
	if err != nil {
		return nil, err
	}
	if !p.Header {
		held = held[16:]
	}
	return append(b, held...), nil
}
