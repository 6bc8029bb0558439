package hostconf

import (
	"encoding/binary"
	"net/netip"
	"strconv"
	"strings"

	"github.com/go-mif/mif/internal/value"
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
			if name, rest, ok := value.CutName(b[:n]); ok && len(rest) == 0 {
				all = append(all, name)
			}
		}
		b = b[n:]
	}
	return all
}
