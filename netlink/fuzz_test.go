package netlink

import (
	"log/slog"
	"net/netip"
	"testing"
	"time"
)

// FuzzMessages folds any octets, as events and as entries of lists.
func FuzzMessages(f *testing.F) {
	for _, kind := range []uint16{rtmNewLink, rtmDelLink, rtmNewAddr, rtmDelAddr, rtmNewRoute, rtmDelRoute, rtmNewRule, rtmDelRule, rtmNewNexthop, rtmDelNexthop, rtmNewNDUserOpt} {
		for _, family := range []byte{afUnspec, afINET, afINET6} {
			b := host.AppendUint32(nil, 16+16+8+12)
			b = host.AppendUint16(b, kind)
			b = append(b, make([]byte, 10)...)
			b = append(b, family, 0, 0, 0, 1, 0, 0, 0, 134, 0, 0, 0, 0, 0, 0, 0)
			b = append(b, 8, 0, 1, 0, 10, 0, 0, 1, 12, 0, 9, 0, 8, 0, 0, 0, 3, 0, 0, 0)
			f.Add(b, byte(listLinks))
		}
	}
	f.Fuzz(func(t *testing.T, b []byte, kind byte) {
		s := newTables(slog.New(slog.DiscardHandler))
		s.now = time.Unix(1e9, 0)
		foldAll(s, b, false)
		s.begin(target{listKind(kind % byte(listKinds)), 0}, 1)
		foldAll(s, b, true)
		foldAll(s, b, false)
		s.end()
		s.changes()
		if n := len(s.links) + len(s.addresses) + len(s.objects); n > len(b) {
			t.Errorf("%d octets made %d things", len(b), n)
		}
	})
}

func foldAll(s *tables, b []byte, entries bool) {
	for {
		m, rest, ok := cutMessage(b)
		if !ok {
			return
		}
		if entries {
			s.entry(&m)
		} else {
			s.event(&m)
		}
		b = rest
	}
}

// FuzzOption folds any octets as options of an advertisement.
func FuzzOption(f *testing.F) {
	f.Add([]byte{optDNSSL, 2, 0, 0, 0, 0, 1, 0, 3, 'l', 'a', 'b', 0, 0, 0, 0})
	f.Add([]byte{optPREF64, 2, 1, 0, 0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0})
	f.Add([]byte{optCaptivePortal, 2, 'h', 't', 't', 'p', ':', '/', '/', 'a', '/', 0, 0, 0, 0, 0})
	f.Add(append([]byte{optRDNSS, 3, 0, 0, 0, 0, 1, 0}, make([]byte, 16)...))
	f.Add(append([]byte{optPrefix, 4, 64, 0xc0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0x20, 1}, make([]byte, 14)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		s := newTables(slog.New(slog.DiscardHandler))
		s.now = time.Unix(1e9, 0)
		s.setLink(&linkMessage{index: 1, name: []byte("d0")})
		router := netip.MustParseAddr("fe80::1")
		for range 2 {
			s.optionEvent(&optionMessage{index: 1, router: router, options: b})
		}
		for _, r := range s.changes().Links[0].RAs {
			c := r.Configuration
			if max(len(c.DNSServers), len(c.SearchDomains), len(c.Prefixes), len(c.PREF64), len(c.CaptivePortal)) > maxData {
				t.Errorf("%+v", c)
			}
		}
	})
}
