// Package value has the checks that the values of DHCP options and leases must pass,
// whoever read them: package hostconf finds them in the files and messages of DHCP
// clients, package dhcp in the messages of servers. All of it is pure.
package value

import (
	"net/netip"
	"net/url"
	"strings"
)

// Bounds of what is believed.
const (
	Max     = 64    // values of one option
	DNSPort = 53    // of servers that are told without a port
	MinMTU  = 68    // octets, RFC 2132 section 5.1
	MaxMTU  = 65535 // octets
)

// Unicast tells whether an address can be somebody's on a link.
func Unicast(a netip.Addr) bool {
	a = a.WithZone("") // ::%1 is not IsUnspecified
	return a.IsValid() && !a.IsUnspecified() && !a.IsLoopback() && !a.IsMulticast()
}

// Name takes a domain name, which comes out without the final dot. What cannot be
// part of a name in the DNS of hosts is refused; the root too, since nothing is
// completed by it.
func Name(s string) (string, bool) {
	s = strings.TrimSuffix(s, ".")
	if s == "" || len(s) > 253 {
		return "", false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || strings.ContainsFunc(label, notInLabel) {
			return "", false
		}
	}
	return s, true
}

func notInLabel(r rune) bool {
	return r <= ' ' || strings.ContainsRune("\"\\/:;,%@()", r) || r == 0x7f || r == '\uFFFD'
}

// CutName cuts a domain name off b (RFC 1035 section 3.1; never compressed). The
// name is empty if it is no host name.
func CutName(b []byte) (name string, rest []byte, ok bool) {
	var s strings.Builder
	good := true
	for len(b) > 0 && b[0] != 0 {
		n := int(b[0])
		if n > 63 || n >= len(b) || s.Len()+n > 253 {
			return "", nil, false
		}
		if s.Len() > 0 {
			s.WriteByte('.')
		}
		good = good && isLabel(b[1:n+1])
		s.Write(b[1 : n+1])
		b = b[n+1:]
	}
	if len(b) == 0 {
		return "", nil, false
	}
	if !good {
		return "", b[1:], true
	}
	return s.String(), b[1:], true
}

func isLabel(b []byte) bool {
	for _, c := range b {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_':
		default:
			return false
		}
	}
	return true
}

// URI takes that of a captive portal's API (RFC 8908 section 4.1). The URN that says
// that there is no portal (RFC 8910 section 2) is none.
func URI(s string) (string, bool) {
	u, err := url.Parse(s)
	return s, err == nil && u.Scheme == "https" && u.Host != ""
}
