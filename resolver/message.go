package resolver

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/miekg/dns"
)

const (
	maxMessage = 65535 // octets of a message
	headerLen  = 12
	ednsSize   = 1232 // octets of a UDP reply that pass unfragmented, for EDNS
	optLen     = 11   // octets of an OPT record without options
)

// A question is one query as it is sent, and what its reply is judged by.
type question struct {
	wire   []byte // the query message
	body   []byte // its question section
	name   string
	id     uint16
	edns   bool
	exact  bool   // letter case counts
	stream bool   // sent by one
	ours   []byte // the cookie that was sent, if any: the client's, and the server's

	room [128]byte // for most queries
}

// compose makes a recursive query (RFC 1035 §4.1), with or without EDNS (RFC
// 6891). It has no ID yet.
func (q *question) compose(t topic, edns bool) error {
	q.name, q.edns = t.name, edns
	b := q.room[:]
	if n := headerLen + len(t.name) + 2 + 4 + optLen + cookieRoom; n > len(b) {
		b = make([]byte, n)
	}
	off, ok := pack(b, headerLen, t.name)
	if !ok {
		return fmt.Errorf("%w: %.300q", ErrInvalidName, t.name)
	}
	binary.BigEndian.PutUint16(b[2:], flagRD)
	b[5] = 1 // question
	binary.BigEndian.PutUint16(b[off:], t.kind)
	binary.BigEndian.PutUint16(b[off+2:], dns.ClassINET)
	off += 4
	q.wire, q.body = b[:off], b[headerLen:off:off]
	if edns {
		q.wire[11] = 1 // additional record
		q.wire = append(q.wire, 0, 0, byte(dns.TypeOPT), ednsSize>>8, ednsSize&0xff, 0, 0, 0, 0, 0, 0)
	}
	return nil
}

// pack writes a name, fully qualified and escaped as the codec writes it, and gives
// the offset behind it. The room is for a name as long as its text.
func pack(b []byte, off int, name string) (end int, ok bool) {
	if name == "." {
		b[off] = 0
		return off + 1, true
	}
	start, size := off, off // of the name, of the label
	off++
	for i := 0; i < len(name); i++ {
		switch c := name[i]; {
		case c == '.':
			if n := off - size - 1; n == 0 || n > maxLabel {
				return 0, false
			}
			b[size] = byte(off - size - 1)
			size = off
			off++
		case c != '\\':
			b[off] = c
			off++
		case i+3 < len(name) && isDigit(name[i+1]):
			b[off] = (name[i+1]-'0')*100 + (name[i+2]-'0')*10 + name[i+3] - '0'
			off, i = off+1, i+3
		case i+1 < len(name):
			b[off] = name[i+1]
			off, i = off+1, i+1
		default:
			return 0, false
		}
	}
	b[size] = 0
	return off, off == size+1 && off-start <= 255
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// identify gives an ID to a query that has not been sent.
func (q *question) identify(id uint16) {
	q.id = id
	binary.BigEndian.PutUint16(q.wire, id)
}

// A message is what of a reply is of use. Of one that is not whole there is
// only the rcode.
type message struct {
	rcode         int // extended by EDNS
	authoritative bool
	recursion     bool // available
	edns          bool
	cookie        []byte // the COOKIE option, if there is one
	extended      []ExtendedError
	answer        []record
	authority     []record
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
	flagRD     = 1 << 8
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
		return m, q.mute()
	case binary.BigEndian.Uint16(b[4:]) != 1 || !q.asks(b[headerLen:]):
		return message{}, alien
	case flags&flagTC != 0:
		return m, cut
	}
	w := walker{b: b, off: headerLen + len(q.body), asked: q.name}
	if !w.sections(&m) {
		return message{rcode: int(flags & maskRcode)}, q.mute()
	}
	if !q.genuine(m.cookie) {
		return message{}, alien
	}
	return m, whole
}

// asks tells whether the question section at the start of b is the query's.
// Letter case is no difference (RFC 4343) unless it was made one, compression
// is.
func (q *question) asks(b []byte) bool {
	if len(b) < len(q.body) {
		return false
	}
	if q.exact {
		return bytes.HasPrefix(b, q.body)
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
	for i := range m.authority {
		switch m.authority[i].kind {
		case dns.TypeSOA:
			return false
		case dns.TypeNS:
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

// mute is the verdict on a reply that says nothing: where a cookie is due, it
// is not believed.
func (q *question) mute() verdict {
	if !q.genuine(nil) {
		return alien
	}
	return mute
}
