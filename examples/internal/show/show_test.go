package show

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/go-mif/mif"
	"github.com/go-mif/mif/connect"
	"github.com/go-mif/mif/pvd"
	"github.com/go-mif/mif/resolver"
)

var now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func one[T any](v T) []pvd.Datum[T] {
	return []pvd.Datum[T]{{Value: v, Element: pvd.ElementRA, Source: "fe80::1", Expiry: now.Add(time.Minute)}}
}

// Every item has a form for scripts and one for people.
func TestData(t *testing.T) {
	for _, c := range []struct {
		data        pvd.Data
		value, word string
	}{
		{pvd.DNSServers(one(netip.MustParseAddrPort("[fe80::1%3]:53"))), `"[fe80::1%3]:53"`, "[fe80::1%3]:53"},
		{pvd.SearchDomains(one("a.example")), `"a.example"`, "a.example"},
		{pvd.RoutingDomains(one("b.example")), `"b.example"`, "b.example"},
		{pvd.Routers(one(pvd.Router{Addr: netip.MustParseAddr("fe80::1"), Preference: 1})), `{"address":"fe80::1","preference":"high"}`, "fe80::1 (high)"},
		{pvd.Routers(one(pvd.Router{Addr: netip.MustParseAddr("fe80::1")})), `{"address":"fe80::1","preference":"medium"}`, "fe80::1"},
		{
			pvd.Routes(one(pvd.Route{Destination: netip.MustParsePrefix("::/0"), Source: netip.MustParsePrefix("2001:db8::/64"), Gateway: netip.MustParseAddr("fe80::1"), Metric: 1024, Table: 254})),
			`{"destination":"::/0","source":"2001:db8::/64","gateway":"fe80::1","metric":1024,"table":254}`, "::/0 from 2001:db8::/64 via fe80::1",
		},
		{pvd.Routes(one(pvd.Route{Destination: netip.MustParsePrefix("192.0.2.0/24")})), `{"destination":"192.0.2.0/24","metric":0,"table":0}`, "192.0.2.0/24"},
		{
			pvd.Prefixes(one(pvd.Prefix{Prefix: netip.MustParsePrefix("2001:db8::/64"), OnLink: true, Preferred: now.Add(-time.Second)})),
			`{"prefix":"2001:db8::/64","onlink":true,"autonomous":false,"preferred":0}`, "2001:db8::/64",
		},
		{pvd.MTU(one(1280)), `1280`, "1280"},
		{pvd.PREF64(one(netip.MustParsePrefix("64:ff9b::/96"))), `"64:ff9b::/96"`, "64:ff9b::/96"},
		{pvd.CaptivePortal(one("https://p.example/")), `"https://p.example/"`, "https://p.example/"},
		{pvd.EncryptedResolvers(one(pvd.EncryptedResolver{Name: "d.example", Priority: 1, ALPN: []string{"h2"}})), `{"name":"d.example","priority":1,"alpn":["h2"]}`, "d.example h2"},
		{pvd.NTPServers(one("ntp.example")), `"ntp.example"`, "ntp.example"},
		{
			pvd.PvDOption(one(pvd.Option{FQDN: "c.example", HTTP: true, Sequence: 7})),
			`{"fqdn":"c.example","http":true,"legacy":false,"sequence":7,"delay":0,"ra":false}`, "c.example (sequence 7)",
		},
		{pvd.AdditionalInfo(one(pvd.Information{Identifier: "c.example", JSON: `{"a":1}`})), `{"identifier":"c.example","noInternet":false,"json":{"a":1}}`, "c.example"},
		{
			pvd.AdditionalInfo(one(pvd.Information{Identifier: "c.example", NoInternet: true, DNSZones: []string{"a.example", "b.example"}, JSON: `{}`})),
			`{"identifier":"c.example","dnsZones":["a.example","b.example"],"noInternet":true,"json":{}}`, "c.example without the Internet a.example,b.example",
		},
		{pvd.AdditionalInfo(one(pvd.Information{Identifier: "c.example", JSON: `{"a":`})), `{"identifier":"c.example","noInternet":false}`, "c.example"},
	} {
		b, err := json.Marshal(data(c.data, now))
		want := `[{"value":` + c.value + `,"element":"RA","source":"fe80::1","expires":60}]`
		if err != nil || string(b) != want {
			t.Errorf("%v is %s, %v, want %s", c.data.Item(), b, err, want)
		}
		if got := Values(c.data, now); len(got) != 1 || got[0] != c.word {
			t.Errorf("%v reads %q, want %q", c.data.Item(), got, c.word)
		}
	}
}

// An item that is not known yet is shown all the same.
func TestUnknownData(t *testing.T) {
	if got := Values(unknown{3}, now); len(got) != 1 || got[0] != "{3}" {
		t.Errorf("%q", got)
	}
}

type unknown struct{ n int }

func (unknown) Item() pvd.Item { return 200 }

func TestLeft(t *testing.T) {
	for want, until := range map[string]time.Time{
		`"forever"`: {}, `0`: now.Add(-time.Hour), `60`: now.Add(59600 * time.Millisecond), `59`: now.Add(59400 * time.Millisecond),
	} {
		if got := string(left(until, now)); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	if got := Left(time.Time{}, now) + " " + Left(now.Add(90*time.Second), now); got != "forever 1m30s" {
		t.Error(got)
	}
}

// What a network says cannot reach the terminal's commands, and loses nothing.
func TestPrintable(t *testing.T) {
	if got, want := Printable("ä \x1b[2J\a\u202e\"'x"), `ä \x1b[2J\a\u202e"'x`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestReason(t *testing.T) {
	at := netip.MustParseAddrPort("192.0.2.1:53")
	for want, err := range map[string]error{
		"no route":                         &connect.Error{Op: "dial", Domain: "eth0/ipv4", Err: errors.New("no route")},
		"no such name":                     &resolver.Error{Name: "a.example", Err: resolver.ErrNoSuchName},
		"192.0.2.1:53: no such name":       &resolver.Error{Name: "a.example", Server: at, Err: resolver.ErrNoSuchName},
		"mif: no message waiting":          mif.ErrNoMessage,
		"mif: identifier in use":           mif.ErrIDInUse,
		"source address not of the domain": &connect.Error{Err: connect.ErrForeignSource},
	} {
		if got := Reason(err); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// lines runs f on a Lines and returns what it wrote without the time.
func lines(t *testing.T, f func(*Lines)) []string {
	t.Helper()
	var b bytes.Buffer
	f(NewLines(&b))
	var all []string
	for l := range strings.Lines(b.String()) {
		var m map[string]any
		if err := json.Unmarshal([]byte(l), &m); err != nil {
			t.Fatal(err)
		}
		delete(m, "time")
		delete(m, "seq")
		delete(m, "took")
		s, err := json.Marshal(m) // in alphabetical order
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, string(s))
	}
	return all
}

// A rename is followed; what goes has its last name; what is unknown has its identity.
func TestNames(t *testing.T) {
	eth, wlan := pvd.NewInterfaceID(2, "eth0"), pvd.NewInterfaceID(3, "wlan0")
	got := lines(t, func(l *Lines) {
		l.Event(mif.InterfaceAnnouncement{Interface: eth, Name: "eth0", Index: 2, MTU: 1500})
		l.Event(mif.InterfaceAnnouncement{Interface: eth, Name: "lan", Index: 2, MTU: 1500, Up: true})
		l.Event(mif.NoInterfaceAnnouncement{Interface: eth})
		l.Event(mif.NoInterfaceAnnouncement{Interface: wlan})
	})
	want := []string{
		`{"carrier":false,"interface":2,"message":"InterfaceAnnouncement","mtu":1500,"name":"eth0","up":false}`,
		`{"carrier":false,"interface":2,"message":"InterfaceAnnouncement","mtu":1500,"name":"lan","up":true}`,
		`{"interface":2,"message":"NoInterfaceAnnouncement","name":"lan"}`,
		`{"interface":3,"message":"NoInterfaceAnnouncement","name":"wlan0"}`,
	}
	compare(t, got, want)
}

// domain is the identity of a domain, which only a Snapshot gives.
func domain() (id mif.PvDID) {
	s := pvd.Build(&pvd.Snapshot{}, []*pvd.Facts{{
		Interface: pvd.Interface{ID: pvd.NewInterfaceID(2, "eth0"), Name: "eth0", Index: 2, Up: true, Carrier: true},
		Addresses: []pvd.AddressFact{{Address: pvd.Address{Prefix: netip.MustParsePrefix("192.0.2.9/24")}}},
	}}, nil, pvd.Options{}, now)
	for d := range s.Domains() {
		id = d.ID()
	}
	return id
}

// An end says what it is the end of, though the event has only a number.
func TestWork(t *testing.T) {
	to := netip.MustParseAddrPort("192.0.2.1:80")
	id := domain()
	got := lines(t, func(l *Lines) {
		l.Request(mif.TranslateName{ID: 1, PvD: id, Name: "a.example", Family: pvd.IPv6})
		l.Event(mif.NameTranslation{ID: 1, PvD: id, Addr: to.Addr(), Origin: resolver.Literal})
		l.Event(mif.TranslationDone{ID: 1, Err: mif.ErrStopped})
		l.Request(mif.ConnectToAddressFromAddress{ID: 7, PvD: id, From: netip.MustParseAddr("192.0.2.9"), To: to})
		l.Event(mif.NotConnected{ID: 7, Err: mif.ErrStopped})
		l.Event(mif.Rejected{Request: mif.StopConnecting{ID: 7}, Err: mif.ErrIDInUse})
		l.Event(mif.Synced{Request: mif.AnnounceInterfaces{}})
		l.Reply(7, "hello\n", io.ErrUnexpectedEOF)
	})
	want := []string{
		`{"family":"ipv6","id":1,"interface":2,"message":"TranslateName","name":"a.example","pvd":"eth0/ipv4"}`,
		`{"address":"192.0.2.1","expires":"forever","id":1,"interface":2,"message":"NameTranslation","name":"a.example","origin":"literal","pvd":"eth0/ipv4"}`,
		`{"err":"mif: stopped","id":1,"interface":2,"message":"TranslationDone","name":"a.example","pvd":"eth0/ipv4"}`,
		`{"from":"192.0.2.9","id":7,"interface":2,"message":"ConnectToAddressFromAddress","name":"eth0","pvd":"eth0/ipv4","to":"192.0.2.1:80"}`,
		`{"err":"mif: stopped","from":"192.0.2.9","id":7,"interface":2,"message":"NotConnected","name":"eth0","pvd":"eth0/ipv4","to":"192.0.2.1:80"}`,
		`{"err":"mif: identifier in use","from":"192.0.2.9","id":7,"interface":2,"message":"Rejected","name":"eth0","pvd":"eth0/ipv4","request":"StopConnecting","to":"192.0.2.1:80"}`,
		`{"message":"Synced","request":"AnnounceInterfaces"}`,
		`{"err":"unexpected EOF","from":"192.0.2.9","id":7,"interface":2,"message":"Reply","name":"eth0","pvd":"eth0/ipv4","reply":"hello\n","to":"192.0.2.1:80"}`,
	}
	compare(t, got, want)
}

func compare(t *testing.T, got, want []string) {
	t.Helper()
	for i := range max(len(got), len(want)) {
		switch {
		case i >= len(got):
			t.Errorf("line %d is missing: %s", i+1, want[i])
		case i >= len(want):
			t.Errorf("line %d is too much: %s", i+1, got[i])
		case got[i] != want[i]:
			t.Errorf("line %d is\n%s, want\n%s", i+1, got[i], want[i])
		}
	}
}

// The writer's error is told.
func TestWriter(t *testing.T) {
	r, w := io.Pipe()
	r.Close()
	if err := NewLines(w).Event(mif.Synced{Request: mif.AnnounceInterfaces{}}); !errors.Is(err, io.ErrClosedPipe) {
		t.Error(err)
	}
}

// What never ends is no sooner than what does.
func TestSoonest(t *testing.T) {
	never, late, early := one(1), one(2), one(3)
	never[0].Expiry, late[0].Expiry = time.Time{}, now.Add(time.Hour)
	for i, c := range []struct {
		data pvd.Data
		want time.Time
	}{
		{pvd.MTU(nil), time.Time{}},
		{pvd.MTU(never), time.Time{}},
		{pvd.MTU{never[0], late[0], early[0]}, now.Add(time.Minute)},
		{pvd.MTU{early[0], never[0], late[0]}, now.Add(time.Minute)},
		{unknown{1}, time.Time{}},
	} {
		if got := Soonest(c.data); !got.Equal(c.want) {
			t.Errorf("%d: %v, want %v", i, got, c.want)
		}
	}
}
