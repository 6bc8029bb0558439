package netlink

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"
)

func optionTables(log *slog.Logger) *tables {
	s := newTables(log)
	s.now = time.Unix(1e9, 0)
	s.setLink(&linkMessage{index: 1, name: []byte("d0")})
	return s
}

func TestRoutersBounded(t *testing.T) {
	var log bytes.Buffer
	s := optionTables(slog.New(slog.NewTextHandler(&log, nil)))
	o := append([]byte{optRDNSS, 3, 0, 0, 0, 0, 1, 0}, netip.MustParseAddr("2001:db8::53").AsSlice()...)
	hear := func(n int) {
		s.optionEvent(&optionMessage{index: 1, router: netip.MustParseAddr(fmt.Sprintf("fe80::%x", n)), options: o})
	}
	for n := range 200 {
		hear(n + 1)
	}
	if n := len(s.changes().Links[0].RAs); n != maxRouters {
		t.Errorf("%d routers are kept", n)
	}
	if n := strings.Count(log.String(), "more routers"); n != 1 {
		t.Errorf("it was said %d times", n)
	}
	s.now = s.now.Add(257 * time.Second) // what they said has ended
	hear(1000)
	if r := s.changes().Links[0].RAs; len(r) != 1 {
		t.Errorf("%d routers are kept that say nothing", len(r)-1)
	}
}

func TestDataBounded(t *testing.T) {
	s := optionTables(slog.New(slog.DiscardHandler))
	o := []byte{optRDNSS, 201, 0, 0, 0, 0, 1, 0}
	for n := range 100 {
		o = append(o, netip.MustParseAddr(fmt.Sprintf("2001:db8::%x", n+1)).AsSlice()...)
	}
	s.optionEvent(&optionMessage{index: 1, router: netip.MustParseAddr("fe80::1"), options: o})
	if n := len(s.changes().Links[0].RAs[0].Configuration.DNSServers); n != maxData {
		t.Errorf("%d servers are kept", n)
	}
}

func TestSleepShortens(t *testing.T) {
	s := optionTables(slog.New(slog.DiscardHandler))
	pref64 := []byte{optPREF64, 2, 1, 0, 0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0}
	m := optionMessage{index: 1, router: netip.MustParseAddr("fe80::1"), options: append(pref64, prefixInformation(3600, 1800)...)}
	s.optionEvent(&m)
	before := s.changes().Links[0].RAs[0].Configuration
	ends := [...]time.Time{before.PREF64[0].Expiry, before.Prefixes[0].Expiry, before.Prefixes[0].Value.Preferred}
	s.shorten(time.Minute)
	c := s.changes().Links[0].RAs[0].Configuration
	for i, after := range [...]time.Time{c.PREF64[0].Expiry, c.Prefixes[0].Expiry, c.Prefixes[0].Value.Preferred} {
		if ends[i].Sub(after) != time.Minute {
			t.Errorf("%d: %v became %v", i, ends[i], after)
		}
	}
	if !before.PREF64[0].Expiry.Equal(ends[0]) {
		t.Error("what was told was written")
	}
}

func TestBadOptions(t *testing.T) {
	for name, o := range map[string][]byte{
		"no length":         {optRDNSS, 0, 0, 0, 0, 0, 1, 0},
		"cut":               {optRDNSS, 3, 0, 0, 0, 0, 1, 0},
		"name without end":  {optDNSSL, 2, 0, 0, 0, 0, 1, 0, 7, 'l', 'a', 'b', 0, 0, 0, 0},
		"name with a space": {optDNSSL, 2, 0, 0, 0, 0, 1, 0, 3, 'l', ' ', 'b', 0, 0, 0, 0},
		"prefix length":     {optPREF64, 2, 1, 7, 0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0},
		"no portal":         {optCaptivePortal, 1, 0, 0, 0, 0, 0, 0},
		"portal with LF":    {optCaptivePortal, 1, 'h', 't', '\n', 0, 0, 0},
		"preferred > valid": append([]byte{optPrefix, 4, 64, 0xc0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 0, 0x20, 1}, make([]byte, 14)...),
	} {
		s := optionTables(slog.New(slog.DiscardHandler))
		s.optionEvent(&optionMessage{index: 1, router: netip.MustParseAddr("fe80::1"), options: o})
		if c := s.changes().Links[0].RAs[0].Configuration; len(c.DNSServers)+len(c.SearchDomains)+len(c.PREF64)+len(c.CaptivePortal)+len(c.Prefixes) != 0 {
			t.Errorf("%s: %+v", name, c)
		}
	}
}

// TestCut folds every message cut short at every octet: it changes nothing.
func TestCut(t *testing.T) {
	body := append([]byte{afINET, 24, 0, 0, 1, 0, 0, 0}, 8, 0, ifaLocal, 0, 192, 0, 2, 1)
	for n := range body {
		s := optionTables(slog.New(slog.DiscardHandler))
		s.changes()
		if s.event(&message{kind: rtmNewAddr, body: body[:n]}); s.changes().any() {
			t.Errorf("%d octets of %d made an address", n, len(body))
		}
	}
	s := optionTables(slog.New(slog.DiscardHandler))
	if s.event(&message{kind: rtmNewAddr, body: body}); len(s.addresses) != 1 {
		t.Error("the whole message made none")
	}
}
