package resolver

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"

	"github.com/miekg/dns"
)

const (
	maxMessage = 65535 // octets of a message
	headerLen  = 12
	ednsSize   = 1232 // octets of a UDP reply that pass unfragmented, for EDNS
)

// A question is one query as it is sent, and what its reply is judged by.
type question struct {
	wire []byte // the query message
	body []byte // its question section
	id   uint16
}

// newQuestion makes a recursive query (RFC 1035 §4.1) for a fully qualified
// name, with an ID that cannot be guessed (RFC 5452 §9.2), with or without
// EDNS (RFC 6891).
func newQuestion(name string, qtype uint16, edns bool) (*question, error) {
	var id [2]byte
	_, _ = rand.Read(id[:]) // cannot fail
	m := dns.Msg{
		MsgHdr:   dns.MsgHdr{Id: binary.BigEndian.Uint16(id[:]), RecursionDesired: true},
		Question: []dns.Question{{Name: name, Qtype: qtype, Qclass: dns.ClassINET}},
	}
	plain, err := m.Pack()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalidName, err)
	}
	q := &question{wire: plain, body: plain[headerLen:], id: m.Id}
	if edns {
		m.SetEdns0(ednsSize, false)
		q.wire, err = m.Pack()
	}
	return q, err
}

// A message is what of a reply is of use. Of one that is not whole there is
// only the rcode.
type message struct {
	rcode         int // extended by EDNS
	authoritative bool
	recursion     bool // available
	answer        []dns.RR
	authority     []dns.RR
}

// A verdict is what a datagram, or a message of a stream, is to a question.
type verdict uint8

const (
	alien verdict = iota // no reply to the question: it counts for nothing
	mute                 // a reply that says nothing: a bare header, or malformed
	cut                  // a truncated reply: the whole one is to be had over TCP
	whole                // a reply
)

// The flags of a header, RFC 1035 §4.1.1.
const (
	flagQR     = 1 << 15
	flagAA     = 1 << 10
	flagTC     = 1 << 9
	flagRA     = 1 << 7
	maskOpcode = 15 << 11
	maskRcode  = 15
)

// judge reads what came to a query's socket. Only the fields of the header
// and the question section tell whether it is a reply to the query; the rest
// tells whether the reply is of use.
func (q *question) judge(b []byte) (message, verdict) {
	if len(b) < headerLen || binary.BigEndian.Uint16(b) != q.id {
		return message{}, alien
	}
	flags := binary.BigEndian.Uint16(b[2:])
	if flags&flagQR == 0 || flags&maskOpcode != 0 {
		return message{}, alien
	}
	m := message{
		rcode:         int(flags & maskRcode),
		authoritative: flags&flagAA != 0,
		recursion:     flags&flagRA != 0,
	}
	switch {
	case len(b) == headerLen:
		return m, mute
	case binary.BigEndian.Uint16(b[4:]) != 1 || !q.asks(b[headerLen:]):
		return message{}, alien
	case flags&flagTC != 0:
		return m, cut
	}
	if !m.parse(b, headerLen+len(q.body)) {
		return message{rcode: m.rcode}, mute
	}
	return m, whole
}

// asks tells whether the question section at the start of b is the query's.
// Letter case is no difference (RFC 4343), compression is.
func (q *question) asks(b []byte) bool {
	if len(b) < len(q.body) {
		return false
	}
	for i, c := range q.body {
		if lower(c) != lower(b[i]) {
			return false
		}
	}
	return true
}

// lower folds ASCII letters. A label's length is never in their range, nor are
// the octets of our types and class.
func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}

// parse reads the records from off to the very end of the message and tells
// whether they are as many as the header says and each is well-formed.
func (m *message) parse(b []byte, off int) bool {
	var sections [3][]dns.RR
	for i := range sections {
		count := int(binary.BigEndian.Uint16(b[6+2*i:]))
		for range count {
			rr, next := record(b, off)
			if rr == nil {
				return false
			}
			sections[i], off = append(sections[i], rr), next
		}
	}
	m.answer, m.authority = sections[0], sections[1]
	m.extend(sections[2])
	return off == len(b)
}

// record reads one record, or gives nil.
func record(b []byte, off int) (dns.RR, int) {
	if off >= len(b) {
		return nil, off
	}
	rr, next, err := dns.UnpackRR(b, off)
	if err != nil || next <= off {
		return nil, off
	}
	// The codec takes no data for a record of a dynamic update (RFC 2136).
	switch h := rr.Header(); h.Rrtype {
	case dns.TypeA, dns.TypeAAAA, dns.TypeCNAME:
		if h.Rdlength == 0 {
			return nil, off
		}
	}
	return rr, next
}

// extend adds the upper bits of the rcode, from the first OPT record.
func (m *message) extend(additional []dns.RR) {
	for _, rr := range additional {
		if opt, ok := rr.(*dns.OPT); ok {
			m.rcode |= int(opt.Hdr.Ttl>>24) << 4
			return
		}
	}
}

// conclusive tells whether a whole reply settles the question. One that
// neither answers nor could recurse is a lame referral, and does not.
func (m *message) conclusive() bool {
	switch m.rcode {
	case dns.RcodeNameError:
		return true
	case dns.RcodeSuccess:
		return len(m.answer) > 0 || m.authoritative || m.recursion || !m.refers()
	}
	return false
}

// refers tells whether the authority section names servers and no zone.
func (m *message) refers() bool {
	servers := false
	for _, rr := range m.authority {
		switch rr.(type) {
		case *dns.SOA:
			return false
		case *dns.NS:
			servers = true
		}
	}
	return servers
}

// ednsTrouble tells whether an rcode can mean that the server does not know
// the EDNS that was in the query (RFC 6891 §7, §6.1.3).
func ednsTrouble(rcode int) bool {
	return rcode == dns.RcodeFormatError || rcode == dns.RcodeNotImplemented || rcode == dns.RcodeBadVers
}

// rcodeError gives the error of a reply that is not conclusive.
func rcodeError(rcode int) error {
	switch rcode {
	case dns.RcodeRefused:
		return ErrRefused
	case dns.RcodeServerFailure:
		return ErrServerFailure
	case dns.RcodeSuccess:
		return fmt.Errorf("%w: lame referral", ErrServerFailure)
	}
	if text, ok := dns.RcodeToString[rcode]; ok {
		return fmt.Errorf("%w: %s", ErrServerFailure, text)
	}
	return fmt.Errorf("%w: rcode %d", ErrServerFailure, rcode)
}
