package mif

import (
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/go-mif/mif/pvd"
)

// A request that makes no sense is refused by Post with an error that names the
// field, and nothing follows (§3.4.1).
func TestPostRefuses(t *testing.T) {
	h := newFakeHost(t, nil, func(w *world) { w.add("eth0", 2, "192.0.2.5/24") })
	p := h.pvd("eth0/ipv4")
	to := func(s string) ConnectToAddress {
		return ConnectToAddress{ID: 1, PvD: p, To: netip.MustParseAddrPort(s)}
	}
	from := func(s, to string) ConnectToAddressFromAddress {
		return ConnectToAddressFromAddress{ID: 1, PvD: p, From: netip.MustParseAddr(s), To: netip.MustParseAddrPort(to)}
	}
	name := func(s string) TranslateName { return TranslateName{ID: 1, PvD: p, Name: s} }
	service := func(id TranslationID, scheme, name string) TranslateService {
		return TranslateService{ID: id, PvD: p, Scheme: scheme, Name: name}
	}
	ok := netip.MustParseAddrPort("203.0.113.1:80")
	for _, c := range []struct {
		r     Request
		field string
	}{
		{AnnounceConfigurationElements{}, "AnnounceConfigurationElements.PvD"},
		{StopAnnouncingConfigurationElements{}, "StopAnnouncingConfigurationElements.PvD"},
		{AnnounceAddresses{}, "AnnounceAddresses.PvD"},
		{StopAnnouncingAddresses{}, "StopAnnouncingAddresses.PvD"},
		{GetConfigurationData{Item: pvd.ItemRoutes}, "GetConfigurationData.PvD"},
		{GetConfigurationData{PvD: p}, "GetConfigurationData.Item"},
		{TranslateName{PvD: p, Name: "a"}, "TranslateName.ID"},
		{TranslateName{ID: 1, Name: "a"}, "TranslateName.PvD"},
		{name(""), "TranslateName.Name"},
		{name(strings.Repeat("a.", 127)), ""}, // 253 octets and a dot: all right
		{name(strings.Repeat("a.", 127) + "b"), "TranslateName.Name"},
		{name("\xff.example"), "TranslateName.Name"},
		{TranslateName{ID: 1, PvD: p, Name: "a", Family: 5}, "TranslateName.Family"},
		{service(0, "https", "a"), "TranslateService.ID"},
		{TranslateService{ID: 1, Scheme: "https", Name: "a"}, "TranslateService.PvD"},
		{service(1, "https", ""), "TranslateService.Name"},
		{service(1, "https", strings.Repeat("a.", 127)+"b"), "TranslateService.Name"},
		{service(1, "https", "\xff"), "TranslateService.Name"},
		{service(1, "", "a"), "TranslateService.Scheme"},
		{service(1, "_https", "a"), "TranslateService.Scheme"},
		{service(1, "a.b", "a"), "TranslateService.Scheme"},
		{service(1, strings.Repeat("a", 63), "a"), "TranslateService.Scheme"},
		{service(1, strings.Repeat("A-9", 20), "a"), ""}, // 60 octets: all right
		{StopTranslatingName{}, "StopTranslatingName.ID"},
		{ConnectToAddress{PvD: p, To: ok}, "ConnectToAddress.ID"},
		{ConnectToAddress{ID: 1, To: ok}, "ConnectToAddress.PvD"},
		{ConnectToAddress{ID: 1, PvD: p}, "ConnectToAddress.To"},
		{ConnectToAddress{ID: 1, PvD: p, To: netip.AddrPortFrom(netip.Addr{}, 80)}, "ConnectToAddress.To"},
		{ConnectToAddress{ID: 1, PvD: p, To: ok, Timeout: -time.Second}, "ConnectToAddress.Timeout"},
		{ConnectToAddress{ID: 1, PvD: p, To: ok, UserTimeout: -time.Second}, "ConnectToAddress.UserTimeout"},
		{to("203.0.113.1:0"), "ConnectToAddress.To"},
		{to("0.0.0.0:80"), "ConnectToAddress.To"},
		{to("[::]:80"), "ConnectToAddress.To"},
		{to("[::ffff:0.0.0.0]:80"), "ConnectToAddress.To"},
		{to("224.0.0.1:80"), "ConnectToAddress.To"},
		{to("[ff02::1]:80"), "ConnectToAddress.To"},
		{to("255.255.255.255:80"), "ConnectToAddress.To"},
		{to("[::ffff:224.0.0.1]:80"), "ConnectToAddress.To"},
		{ConnectToAddressFromAddress{ID: 1, PvD: p, To: ok}, "ConnectToAddressFromAddress.From"},
		{ConnectToAddressFromAddress{PvD: p, To: ok, From: ok.Addr()}, "ConnectToAddressFromAddress.ID"},
		{ConnectToAddressFromAddress{ID: 1, To: ok, From: ok.Addr()}, "ConnectToAddressFromAddress.PvD"},
		{ConnectToAddressFromAddress{ID: 1, PvD: p, From: ok.Addr()}, "ConnectToAddressFromAddress.To"},
		{ConnectToAddressFromAddress{ID: 1, PvD: p, To: ok, From: ok.Addr(), Timeout: -1}, "ConnectToAddressFromAddress.Timeout"},
		{from("0.0.0.0", "203.0.113.1:80"), "ConnectToAddressFromAddress.From"},
		{from("224.0.0.1", "203.0.113.1:80"), "ConnectToAddressFromAddress.From"},
		{from("2001:db8::1", "203.0.113.1:80"), "ConnectToAddressFromAddress.From"},
		{StopConnecting{}, "StopConnecting.ID"},
		{WatchReadable{Conn: &net.TCPConn{}}, "WatchReadable.ID"},
		{WatchReadable{ID: 1}, "WatchReadable.Conn"},
		{WatchReadable{ID: 1, Conn: &fakeConn{}}, "WatchReadable.Conn"},
		{WatchReadable{ID: 1, Conn: &net.TCPConn{}}, "WatchReadable.Conn"},
		{nil, "is no request"},
		{&AnnounceInterfaces{}, "posted as values"},
		{(*Relay)(nil), "posted as values"},
	} {
		if c.field == "" {
			if err := validate(c.r); err != nil {
				t.Errorf("%+v is refused: %v", c.r, err)
			}
			continue
		}
		s := h.NewSession()
		if err := s.Post(c.r); err == nil || !strings.Contains(err.Error(), c.field) || !strings.HasPrefix(err.Error(), "mif: ") {
			t.Errorf("Post(%+v): %v; it should name %s", c.r, err, c.field)
		}
		if e, err := s.Get(); err != ErrNoMessage {
			t.Errorf("Post(%+v) is followed by %v, %v", c.r, e, err)
		}
		s.Close()
	}
}
