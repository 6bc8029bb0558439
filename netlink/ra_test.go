package netlink

import (
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-mif/mif/pvd"
)

// TestValidation: a host must discard what is not like this (RFC 4861 section 6.1.2).
func TestValidation(t *testing.T) {
	good := raBytes(0, 1800, servers(100, "2001:db8::53"))
	for name, spoil := range map[string]func(*packet){
		"hop limit 64":         func(p *packet) { p.hopLimit = 64 },
		"no hop limit":         func(p *packet) { p.hopLimit = -1 },
		"global source":        func(p *packet) { p.source = netip.MustParseAddr("2001:db8::1") },
		"unspecified source":   func(p *packet) { p.source = netip.IPv6Unspecified() },
		"no source":            func(p *packet) { p.source = netip.Addr{} },
		"mapped source":        func(p *packet) { p.source = netip.MustParseAddr("::ffff:169.254.0.1") },
		"code 1":               func(p *packet) { p.body[1] = 1 },
		"another type":         func(p *packet) { p.body[0] = 133 },
		"fragmented":           func(p *packet) { p.fragmented = true },
		"no interface":         func(p *packet) { p.index = 0 },
		"option without size":  func(p *packet) { p.body[17] = 0 },
		"option that is cut":   func(p *packet) { p.body[17]++ },
		"octets behind":        func(p *packet) { p.body = append(p.body, 0) },
		"second one, no size":  func(p *packet) { p.body = append(p.body, make([]byte, 8)...) },
		"less than 16 octets":  func(p *packet) { p.body = p.body[:15] },
		"nothing":              func(p *packet) { p.body = nil },
		"cut inside an option": func(p *packet) { p.body = p.body[:len(p.body)-8] },
	} {
		p, a := heard(slices.Clone(good)), advertisement{}
		if !a.decode(p) {
			t.Fatal("a good one is discarded")
		}
		if spoil(p); a.decode(p) {
			t.Errorf("%s: it is not discarded", name)
		}
	}
}

// TestCutAnywhere: an advertisement that is cut is discarded, unless what is left is
// whole.
func TestCutAnywhere(t *testing.T) {
	b := raBytes(0, 1800, pvdOption(0x8000, 7, "corp.example", servers(100, "2001:db8::53"), pio("2001:db8:1::/64", 0xc0, 100, 50)))
	for n := range b {
		a := advertisement{}
		if a.decode(heard(b[:n])) && n != raHeaderLen {
			t.Errorf("%d octets of %d were taken", n, len(b))
		}
	}
}

// TestHeader: flags, lifetime and preference (RFC 4861 section 4.2, RFC 4191
// section 2.2).
func TestHeader(t *testing.T) {
	for name, c := range map[string]struct {
		flags    byte
		lifetime uint16
		want     raHeader
	}{
		"plain":                               {0, 1800, raHeader{lifetime: 1800}},
		"managed":                             {0x80, 9000, raHeader{managed: true, lifetime: 9000}},
		"other":                               {0x40, 65535, raHeader{other: true, lifetime: 65535}},
		"high":                                {0x08, 1, raHeader{preference: 1, lifetime: 1}},
		"low":                                 {0x18, 1, raHeader{preference: -1, lifetime: 1}},
		"reserved preference is medium":       {0x10, 1, raHeader{lifetime: 1}},
		"no preference without a lifetime":    {0x08, 0, raHeader{}},
		"flags that are reserved are no news": {0x07, 1, raHeader{lifetime: 1}},
	} {
		var a advertisement
		if !a.decode(heard(raBytes(c.flags, c.lifetime))) || a.header != c.want {
			t.Errorf("%s: %+v", name, a.header)
		}
	}
}

// TestBadNeighbours: a bad option is dropped, and its neighbours are kept.
func TestBadNeighbours(t *testing.T) {
	for name, bad := range map[string][]byte{
		"prefix information cut short": option(optPrefix, 64, 0xc0),
		"prefix of 129 bits":           option(optPrefix, append([]byte{129, 0xc0}, make([]byte, 28)...)...),
		"link-local prefix":            pio("fe80::/64", 0xc0, 100, 50),
		"preferred longer than valid":  pio("2001:db8:9::/64", 0xc0, 50, 100),
		"servers without a server":     option(optRDNSS, append([]byte{0, 0}, seconds(100)...)...),
		"half a server":                option(optRDNSS, append(append([]byte{0, 0}, seconds(100)...), make([]byte, 8)...)...),
		"a name without an end":        option(optDNSSL, append(append([]byte{0, 0}, seconds(100)...), "\x3fabcdefg"...)...),
		"MTU below 1280":               option(optMTU, append([]byte{0, 0}, seconds(1279)...)...),
		"MTU too long":                 option(optMTU, make([]byte, 14)...),
		"route with no room":           rio(64, 0, 100),
		"route of reserved preference": rio(0, 0x10, 100),
		"route of 129 bits":            rio(129, 0, 100, make([]byte, 16)...),
		"PREF64 of scaled length 7":    option(optPREF64, append([]byte{1, 7}, make([]byte, 12)...)...),
		"portal of NULs":               option(optCaptivePortal, make([]byte, 6)...),
		"resolver without a name":      option(optDNR, make([]byte, 14)...),
		"resolver, name too long":      option(optDNR, 0, 1, 0, 0, 0, 9, 0, 99, 3, 'd', 'n', 's', 0),
		"PvD without a name":           option(optPvD, make([]byte, 6)...),
		"PvD, name without an end":     option(optPvD, 0, 0, 0, 0, 60, 'a'),
		"PvD, compressed name":         option(optPvD, 0, 0, 0, 0, 0xc0, 0),
		"PvD, no room for a header":    pvdOption(0x2000, 0, "a.example"),
		"unknown":                      option(253, 1, 2, 3),
		"unknown of 2040 octets":       option(253, make([]byte, 2038)...),
	} {
		ra := hear(t, raBytes(0, 1800, servers(100, "2001:db8::1"), bad, servers(100, "2001:db8::2")))
		if len(ra) != 1 {
			t.Fatalf("%s: %+v", name, ra)
		}
		want := pvd.Configuration{DNSServers: ra[0].Configuration.DNSServers, Routers: ra[0].Configuration.Routers}
		if len(want.DNSServers) != 2 || len(want.Routers) != 1 || !reflect.DeepEqual(ra[0].Configuration, want) || ra[0].FQDN != "" {
			t.Errorf("%s: %+v", name, ra[0])
		}
	}
}

// TestEveryOption reads each kind.
func TestEveryOption(t *testing.T) {
	dnr := slices.Concat([]byte{0, 1}, seconds(600), []byte{0, 13}, []byte("\x03dns\x07example\x00"), []byte{0, 16}, addr16("2001:db8::853"),
		[]byte{0, 14, 0, 1, 0, 4, 3, 'd', 'o', 't', 0, 3, 0, 2, 0x22, 0x53})
	c := hear(t, raBytes(0x08, 1800,
		pio("2001:db8:1::/64", 0xc0, forever, 1800),
		option(optMTU, append([]byte{0, 0}, seconds(1400)...)...),
		servers(300, "2001:db8::53", "fe80::53"),
		option(optDNSSL, slices.Concat([]byte{0, 0}, seconds(300), []byte("\x04corp\x07example\x00\x03lab\x00"))...),
		rio(60, 0x08, 900, addr16("2001:db8:0:fff0::")[:8]...),
		rio(0, 0x18, 900),
		rio(128, 0, 900, addr16("2001:db8::1")...),
		option(optCaptivePortal, []byte("https://portal.example/api")...),
		option(optPREF64, append([]byte{600 >> 8, 600 & 0xf8}, addr16("64:ff9b::")[:12]...)...),
		option(optDNR, dnr...)))[0].Configuration
	now := time.Unix(1e9, 0)
	source := "fe80::1"
	want := pvd.Configuration{
		Prefixes:      pvd.Prefixes{{Value: pvd.Prefix{Prefix: netip.MustParsePrefix("2001:db8:1::/64"), OnLink: true, Autonomous: true, Preferred: now.Add(1800 * time.Second)}}},
		MTU:           pvd.MTU{{Value: 1400}},
		CaptivePortal: pvd.CaptivePortal{{Value: "https://portal.example/api"}},
		Routers:       pvd.Routers{{Value: pvd.Router{Addr: netip.MustParseAddr(source), Preference: 1}, Expiry: now.Add(1800 * time.Second)}},
		DNSServers: pvd.DNSServers{
			{Value: netip.MustParseAddrPort("[2001:db8::53]:53"), Expiry: now.Add(300 * time.Second)},
			{Value: netip.MustParseAddrPort("[fe80::53%1]:53"), Expiry: now.Add(300 * time.Second)},
		},
		SearchDomains: pvd.SearchDomains{{Value: "corp.example", Expiry: now.Add(300 * time.Second)}, {Value: "lab", Expiry: now.Add(300 * time.Second)}},
		Routes: pvd.Routes{
			{Value: pvd.Route{Destination: netip.MustParsePrefix("2001:db8:0:fff0::/60"), Gateway: netip.MustParseAddr(source), Preference: 1}, Expiry: now.Add(900 * time.Second)},
			{Value: pvd.Route{Destination: netip.MustParsePrefix("::/0"), Gateway: netip.MustParseAddr(source), Preference: -1}, Expiry: now.Add(900 * time.Second)},
			{Value: pvd.Route{Destination: netip.MustParsePrefix("2001:db8::1/128"), Gateway: netip.MustParseAddr(source)}, Expiry: now.Add(900 * time.Second)},
		},
		PREF64: pvd.PREF64{{Value: netip.MustParsePrefix("64:ff9b::/96"), Expiry: now.Add(600 * time.Second)}},
		EncryptedResolvers: pvd.EncryptedResolvers{{Value: pvd.EncryptedResolver{Name: "dns.example", Priority: 1,
			Addresses: []netip.Addr{netip.MustParseAddr("2001:db8::853")}, ALPN: []string{"dot"}, Port: 0x2253}, Expiry: now.Add(600 * time.Second)}},
	}
	for _, i := range pvd.Items() {
		name(want.Get(i), source)
		if got := c.Get(i); !reflect.DeepEqual(got, want.Get(i)) {
			t.Errorf("%v:\n%+v\nwant\n%+v", i, got, want.Get(i))
		}
	}
}

// name writes element and source into data.
func name(d pvd.Data, source string) {
	v := reflect.ValueOf(d)
	for i := 0; d != nil && i < v.Len(); i++ {
		v.Index(i).FieldByName("Element").Set(reflect.ValueOf(pvd.ElementRA))
		v.Index(i).FieldByName("Source").SetString(source)
	}
}

// TestNothingOutlivesItsRouter: what has no lifetime of its own holds as long as the
// longest of the rest, and goes with the last of it.
func TestNothingOutlivesItsRouter(t *testing.T) {
	s := wholeTables(slog.New(slog.DiscardHandler))
	var a advertisement
	say := func(lifetime uint16, options ...[]byte) pvd.Configuration {
		if !a.decode(heard(raBytes(0, lifetime, options...))) {
			t.Fatal("discarded")
		}
		s.advertEvent(&a)
		return s.links[1].raFacts()[0].Configuration
	}
	mtu, portal := option(optMTU, append([]byte{0, 0}, seconds(1400)...)...), option(optCaptivePortal, []byte("https://portal.example/api")...)
	c := say(100, mtu, portal, servers(300, "2001:db8::53"))
	if end := s.now.Add(300 * time.Second); !c.MTU[0].Expiry.Equal(end) || !c.CaptivePortal[0].Expiry.Equal(end) {
		t.Errorf("%+v", c)
	}
	c = say(0, mtu, portal, servers(0, "2001:db8::53"))
	if !reflect.DeepEqual(c, pvd.Configuration{Routers: pvd.Routers{}, DNSServers: pvd.DNSServers{}}) {
		t.Errorf("%+v", c)
	}
}

// samples are advertisements as they were on a wire.
func samples(t testing.TB) (all [][]byte) {
	b, err := os.ReadFile("testdata/advertisements.hex")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.FieldsSeq(string(b)) {
		ra, err := hex.DecodeString(line)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, ra)
	}
	return all
}

// TestSamples reads advertisements captured elsewhere.
func TestSamples(t *testing.T) {
	var got []string
	for _, b := range samples(t) {
		var a advertisement
		ok := a.decode(heard(b))
		for _, r := range hear(t, b) {
			c := r.Configuration
			line := "implicit"
			if r.FQDN != "" {
				line = r.FQDN
			}
			for _, p := range c.Prefixes {
				line += " " + p.Value.Prefix.String()
			}
			for _, d := range c.DNSServers {
				line += " " + d.Value.Addr().String()
			}
			got = append(got, line)
		}
		if !ok {
			got = append(got, "discarded")
		}
	}
	want := []string{
		"pvd.example.com 2001:db8:1::/64",
		"nested.example.org 2001:db8:1::/64 2001:db8:2::/64 2001:db8:2::53",
		"rhdr.example.net 2001:db8:3::/64 2001:db8:3::53",
		"big.example.com 2001:db8::1 2001:db8::2 2001:db8::3 2001:db8::4 2001:db8::5 2001:db8::6 2001:db8::7 2001:db8::8 " +
			"2001:db8::11 2001:db8::12 2001:db8::13 2001:db8::14 2001:db8::15 2001:db8::16 2001:db8::17 2001:db8::18",
		"implicit 2001:db8:66::/64",
		"implicit 2001:db8:1::53", // beside a bad option
		"discarded",
		"discarded",
		"a.example.com", // the first of two
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

// TestLargestAdvertisements: what costs most to fold costs little.
func TestLargestAdvertisements(t *testing.T) {
	for name, o := range map[string]func(n int) []byte{
		"prefixes": func(n int) []byte { return pio(fmt.Sprintf("2001:db8:%x::/64", n%70), 0xc0, uint32(1000+10*n), 50) },
		"servers":  func(n int) []byte { return servers(uint32(1000+10*n), fmt.Sprintf("2001:db8::%x", n%70+1)) },
		"routes":   func(n int) []byte { return rio(64, 0, uint32(1000+10*n), 0x20, 1, 0, byte(n%70), 0, 0, 0, 0) },
		"portals":  func(n int) []byte { return option(optCaptivePortal, fmt.Appendf(nil, "http://%d", n)...) },
	} {
		b := raBytes(0, 1800)
		for n := 0; len(b) < maxAdvert-100; n++ {
			b = append(b, o(n)...)
		}
		done := make(chan []pvd.RA, 1)
		go func() { done <- hear(t, b) }()
		select {
		case ra := <-done:
			if len(ra) != 1 {
				t.Errorf("%s: %d", name, len(ra))
			}
		case <-time.After(20 * time.Second): // a safety net: it takes some milliseconds
			t.Fatalf("%s: too much work", name)
		}
	}
}

// FuzzRA folds any octets as an advertisement: what is kept is bounded, and a second
// hearing of the same is no news.
func FuzzRA(f *testing.F) {
	for _, b := range samples(f) {
		f.Add(b)
	}
	f.Add(raBytes(0, 1800, rio(60, 8, 900, make([]byte, 8)...), option(optDNR, 0, 1, 0, 0, 0, 9, 0, 5, 3, 'd', 'n', 's', 0)))
	f.Fuzz(func(t *testing.T, b []byte) {
		s := wholeTables(slog.New(slog.DiscardHandler))
		s.changes()
		var a advertisement
		if !a.decode(heard(b)) {
			return
		}
		s.advertEvent(&a)
		s.changes()
		for _, r := range s.links[1].raFacts() {
			for _, i := range pvd.Items() {
				if d := r.Configuration.Get(i); d != nil && reflect.ValueOf(d).Len() > maxData {
					t.Errorf("%d of %v", reflect.ValueOf(d).Len(), i)
				}
			}
			if len(r.FQDN) > 253 {
				t.Errorf("%d octets of name", len(r.FQDN))
			}
		}
	})
}
