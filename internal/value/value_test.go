package value

import (
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"github.com/go-mif/mif/pvd"
)

func TestUnicast(t *testing.T) {
	for a, want := range map[string]bool{
		"192.0.2.1": true, "fe80::1%7": true, "2001:db8::1": true,
		"0.0.0.0": false, "::%1": false, "127.0.0.53": false, "::1": false, "224.0.0.1": false, "ff02::1": false,
	} {
		if got := Unicast(netip.MustParseAddr(a)); got != want {
			t.Errorf("%s: %v", a, got)
		}
	}
	if Unicast(netip.Addr{}) {
		t.Error("no address is one")
	}
}

func TestName(t *testing.T) {
	for s, want := range map[string]string{
		"corp.example.": "corp.example", "a": "a", "": "", ".": "", "a..b": "", "a b": "", "a\x00b": "", "\xff.example": "",
		strings.Repeat("a", 64) + ".example": "", strings.Repeat("a.", 128): "", strings.Repeat("a.", 127): strings.Repeat("a.", 126) + "a",
	} {
		if got, ok := Name(s); got != want || ok != (want != "") {
			t.Errorf("%q: %q, %v", s, got, ok)
		}
	}
}

func TestURI(t *testing.T) {
	for s, want := range map[string]bool{
		"https://portal.example/api": true, "http://portal.example/": false, "urn:ietf:params:capport:unrestricted": false, "": false, "https://": false,
	} {
		if _, ok := URI(s); ok != want {
			t.Errorf("%q: %v", s, ok)
		}
	}
}

// Of a destination only the significant octets are sent (RFC 3442).
func TestClassless(t *testing.T) {
	gateway := netip.MustParseAddr("192.0.2.1")
	r, ok := Classless([]byte{0, 192, 0, 2, 1, 20, 10, 1, 31, 192, 0, 2, 1, 32, 198, 51, 100, 7, 0, 0, 0, 0})
	want := Routes{Routers: []netip.Addr{gateway}, Routes: []pvd.Route{
		{Destination: netip.MustParsePrefix("10.1.16.0/20"), Gateway: gateway},
		{Destination: netip.MustParsePrefix("198.51.100.7/32")},
	}}
	if !ok || !reflect.DeepEqual(r, want) {
		t.Errorf("%v, %+v", ok, r)
	}
	for _, bad := range [][]byte{nil, {33, 1, 2, 3, 4, 5, 6, 7, 8, 9}, {24, 10, 0, 0, 192, 0, 2}, {0}} {
		if r, ok := Classless(bad); ok || len(r.Routes)+len(r.Routers) > 0 {
			t.Errorf("%v: %+v", bad, r)
		}
	}
	if r, _ := Classless([]byte(strings.Repeat("\x08\x0a\xc0\x00\x02\x01", 200))); len(r.Routes) != Max {
		t.Errorf("%d routes", len(r.Routes))
	}
}
