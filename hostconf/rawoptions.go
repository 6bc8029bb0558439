package hostconf

import (
	"encoding/binary"
	"net/netip"
	"strconv"
	"strings"
)

// unnamed reads what dhclient writes of an option that it has no name for, as
// 68:74:74:70; nil if it is something else.
func unnamed(values []string) []byte {
	if len(values) != 1 {
		return nil
	}
	var all []byte
	for s := range strings.SplitSeq(values[0], ":") {
		n, err := strconv.ParseUint(s, 16, 8)
		if err != nil {
			return nil
		}
		all = append(all, byte(n))
	}
	return all
}

// Suboptions of the NTP server option of DHCPv6 (RFC 5908 section 4).
const (
	ntpAddress   = 1
	ntpMulticast = 2
	ntpName      = 3
)

// ntpOption reads the suboptions of an NTP server option (RFC 5908 section 4). What
// is malformed ends it, and what came before is kept.
func ntpOption(b []byte) []string {
	var all []string
	for len(b) >= 4 {
		code, n := binary.BigEndian.Uint16(b), int(binary.BigEndian.Uint16(b[2:]))
		if b = b[4:]; n > len(b) {
			break
		}
		switch code {
		case ntpAddress, ntpMulticast:
			if a, ok := netip.AddrFromSlice(b[:n]); ok && n == 16 {
				all = append(all, a.String())
			}
		case ntpName:
			all = append(all, wireName(b[:n]))
		}
		b = b[n:]
	}
	return all
}

// wireName reads a name as RFC 1035 section 3.1 has it, without compression (RFC
// 8415 section 10); empty if it is none.
func wireName(b []byte) string {
	var labels []string
	for len(b) > 0 && b[0] != 0 {
		n := int(b[0])
		if n > 63 || n >= len(b) {
			return ""
		}
		labels = append(labels, string(b[1:1+n]))
		b = b[1+n:]
	}
	if len(b) != 1 || strings.Contains(strings.Join(labels, ""), ".") {
		return ""
	}
	return strings.Join(labels, ".")
}
