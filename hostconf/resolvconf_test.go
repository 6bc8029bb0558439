package hostconf

import (
	"net"
	"net/netip"
	"slices"
	"strconv"
	"testing"
)

func TestResolvConf(t *testing.T) {
	for _, c := range []struct {
		name, text string
		servers    []netip.AddrPort
		search     []string
	}{
		{"empty", "", nil, nil},
		{"plain", "# made by hand\nnameserver 192.0.2.53\nnameserver 2001:db8::53\nsearch a.example b.example.\noptions edns0\n",
			servers("192.0.2.53", "2001:db8::53"), []string{"a.example", "b.example"}},
		{"stub", "nameserver 127.0.0.53\noptions edns0 trust-ad\nsearch a.example\n", nil, []string{"a.example"}},
		{"loopback", "nameserver 127.1.2.3\nnameserver ::1\nnameserver ::ffff:127.0.0.1\nnameserver 0.0.0.0\nnameserver 192.0.2.1\n", servers("192.0.2.1"), nil},
		{"last search", "search a.example\ndomain b.example c.example\n", nil, []string{"b.example"}},
		{"last domain", "domain b.example\nsearch a.example c.example\n", nil, []string{"a.example", "c.example"}},
		{"root", "search .\n", nil, nil},
		{"comments", "#nameserver 192.0.2.1\n;nameserver 192.0.2.2\n nameserver 192.0.2.3\nnameserver 192.0.2.4 # but\n", servers("192.0.2.4"), nil},
		{"tabs and CR", "nameserver\t192.0.2.4\r\nsearch\ta.example\t\r\n", servers("192.0.2.4"), []string{"a.example"}},
		{"no line end", "nameserver 192.0.2.4", servers("192.0.2.4"), nil},
		{"junk", "nameserver\nnameserver 1.2.3\nnameserver 192.0.2.1:53\nnameserverx 192.0.2.1\n\x00\xff", nil, nil},
		{"zone by number", "nameserver fe80::1%7\n", servers("fe80::1%7"), nil},
		{"loopback with zone", "nameserver ::%1\nnameserver ::1%1\nnameserver ff02::1%1\n", nil, nil},
		{"zone zero", "nameserver fe80::1%0\n", nil, nil},
		{"zone of nobody", "nameserver fe80::1%no-such-link\n", nil, nil},
		{"zone of a global address", "nameserver 2001:db8::1%7\n", servers("2001:db8::1"), nil},
		{"link-local without", "nameserver fe80::1\n", servers("fe80::1"), nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := parseResolvConf(c.text)
			if !slices.Equal(o.servers, c.servers) || !slices.Equal(o.search, c.search) {
				t.Errorf("got %v %q", o.servers, o.search)
			}
		})
	}
}

func TestZoneByName(t *testing.T) {
	links, err := net.Interfaces()
	if err != nil || len(links) == 0 {
		t.Skip("no interface to name:", err)
	}
	o := parseResolvConf("nameserver fe80::1%" + links[0].Name)
	want := servers("fe80::1%" + strconv.Itoa(links[0].Index))
	if !slices.Equal(o.servers, want) {
		t.Errorf("got %v, want %v", o.servers, want)
	}
}

func FuzzResolvConf(f *testing.F) {
	f.Add("nameserver 192.0.2.1\nsearch a.example\n")
	f.Add("nameserver fe80::1%7\ndomain .\n")
	f.Add("search \x80\xff..\nnameserver %")
	f.Fuzz(func(t *testing.T, text string) {
		sane(t, parseResolvConf(text))
		o := parseResolvConf("nameserver 192.0.2.1\n" + text + "\nsearch last.example\n")
		if len(o.servers) == 0 || o.servers[0] != servers("192.0.2.1")[0] || !slices.Equal(o.search, []string{"last.example"}) {
			t.Fatalf("got %+v", o)
		}
	})
}
