package netlink

import (
	"bytes"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
)

// TestStrayAddress: that an address from DHCPv6 matches no advertisement with the M flag
// is said, once (RFC 8801 section 3.4.1).
func TestStrayAddress(t *testing.T) {
	for _, c := range []struct {
		name string
		ra   []byte
		bits uint8
		said int
	}{
		{"flag and prefix", raBytes(0x80, 1800, pio("2001:db8:1::/64", 0xc0, 3600, 1800)), 128, 0},
		{"no flag", raBytes(0x40, 1800, pio("2001:db8:1::/64", 0xc0, 3600, 1800)), 128, 1},
		{"no prefix", raBytes(0x80, 1800), 128, 1},
		{"another prefix", raBytes(0x80, 1800, pio("2001:db8:2::/64", 0xc0, 3600, 1800)), 128, 1},
		{"not from DHCPv6", raBytes(0, 1800), 64, 0},
		{"nothing heard", nil, 128, 0},
	} {
		var log bytes.Buffer
		s := wholeTables(slog.New(slog.NewTextHandler(&log, nil)))
		for _, a := range []string{"2001:db8:1::77", "2001:db8:1::78"} {
			m := &addressMessage{local: netip.MustParseAddr(a), bits: c.bits, index: 1, family: afINET6, valid: 3600, preferred: 1800}
			s.setAddress(m.key(), m)
			var adv advertisement
			if adv.decode(heard(c.ra)) {
				s.advertEvent(&adv)
			}
			s.changes()
		}
		if n := strings.Count(log.String(), "DHCPv6"); n != c.said {
			t.Errorf("%s: it was said %d times", c.name, n)
		}
	}
}
