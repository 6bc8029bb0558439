package resolver

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/miekg/dns"
)

const (
	clientCookie = 8             // octets (RFC 7873 §4.1)
	maxCookie    = 40            // octets of a client's and a server's cookie
	cookieRoom   = 4 + maxCookie // with the option's header
	padding      = 128           // octets that the length of an encrypted query is a multiple of
	maxExtended  = 4             // extended errors kept of a reply
	maxExtraText = 200           // octets kept of one's text
)

// An ExtendedError is what a server says about its failure (RFC 8914).
type ExtendedError struct {
	Code uint16 // of the IANA registry of Extended DNS Error Codes
	Text string // what the server adds, at most 200 octets, as it came: it may hold anything
}

// String gives the code's name and the text, quoted and escaped.
func (e ExtendedError) String() string {
	s, ok := dns.ExtendedErrorCodeToString[e.Code]
	if !ok {
		s = fmt.Sprintf("extended error %d", e.Code)
	}
	if e.Text != "" {
		s += fmt.Sprintf(" %+q", e.Text)
	}
	return s
}

// options reads the options of an OPT record and tells whether they are all
// well-formed and known here.
func (m *message) options(b []byte) bool {
	known := true
	for len(b) >= 4 {
		code, size := binary.BigEndian.Uint16(b), int(binary.BigEndian.Uint16(b[2:]))
		if b = b[4:]; size > len(b) {
			return false
		}
		known = m.option(code, b[:size]) && known
		b = b[size:]
	}
	return known && len(b) == 0
}

// option takes one option in. Of copies the first counts.
func (m *message) option(code uint16, data []byte) bool {
	switch code {
	case dns.EDNS0COOKIE:
		if m.cookie == nil {
			m.cookie = append([]byte{}, data[:min(len(data), maxCookie+1)]...)
		}
	case dns.EDNS0EDE:
		if len(data) < 2 {
			return false
		}
		if len(m.extended) < maxExtended {
			m.extended = append(m.extended, ExtendedError{binary.BigEndian.Uint16(data), extraText(data[2:])})
		}
	default:
		return code == dns.EDNS0PADDING
	}
	return true
}

// extraText gives a text without the NUL some servers end it with.
func extraText(b []byte) string {
	return strings.TrimRight(string(b[:min(len(b), maxExtraText)]), "\x00")
}

// bake puts a cookie into a query with EDNS (RFC 7873 §5.1): the client's part
// and, if it is known, the server's.
func (q *question) bake(cookie []byte) {
	if !q.edns || len(cookie) == 0 {
		return
	}
	q.ours = cookie
	q.attach(dns.EDNS0COOKIE, cookie)
}

// pad makes an encrypted query as long as many others (RFC 7830, RFC 8467
// §4.1).
func (q *question) pad() {
	if q.edns {
		q.attach(dns.EDNS0PADDING, make([]byte, padding-1-(len(q.wire)+3)%padding))
	}
}

// attach puts the only option into the OPT record at the query's end.
func (q *question) attach(code uint16, data []byte) {
	binary.BigEndian.PutUint16(q.wire[len(q.wire)-2:], uint16(4+len(data)))
	q.wire = binary.BigEndian.AppendUint16(q.wire, code)
	q.wire = binary.BigEndian.AppendUint16(q.wire, uint16(len(data)))
	q.wire = append(q.wire, data...)
}

// genuine tells whether a reply's cookie fits the query's (RFC 7873 §5.3). One
// that is there has to be right; once the server's part was known, one has to
// be there, except on a stream, which only the server can speak on.
func (q *question) genuine(cookie []byte) bool {
	if cookie == nil {
		return len(q.ours) <= clientCookie || q.stream
	}
	if q.ours == nil {
		return true // not asked for: it says nothing
	}
	n := len(cookie)
	return (n == clientCookie || n >= 16 && n <= maxCookie) && bytes.Equal(cookie[:clientCookie], q.ours[:clientCookie])
}
