package hostconf

import (
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-mif/mif/pvd"
)

// Leases as ISC dhclient 4.4 writes them.
const (
	lease4 = `lease {
  interface "eth0";
  fixed-address 192.0.2.77;
  option subnet-mask 255.255.255.0;
  option routers 192.0.2.1;
  option dhcp-lease-time 3600;
  option default-url "https://portal.example/api";
  option dhcp-message-type 5;
  option domain-name-servers 192.0.2.53,192.0.2.54;
  option dhcp-server-identifier 192.0.2.1;
  option domain-search "one.example.", "two.example.";
  option interface-mtu 1492;
  option ntp-servers 192.0.2.123;
  option host-name "a\"b;}\\";
  option domain-name "one.example";
  option unknown-224 68:65:6c:6c:6f;
  renew 1 2099/01/05 04:05:06;
  rebind 1 2099/01/05 04:35:06;
  expire 1 2099/01/05 05:05:06;
}
`
	lease6 = `default-duid "\000\001\000\001+\017\234\002\002\000^\000S\001";
lease6 {
  interface "eth0";
  ia-na 5e:00:53:01 {
    starts 4070908800;
    renew 1800;
    rebind 2880;
    iaaddr 2001:db8:a::77 {
      starts 4070908800;
      preferred-life 1800;
      max-life 3600;
    }
    iaaddr 2001:db8:a::78 {
      starts 4070908800;
      preferred-life 1800;
      max-life 7200;
    }
  }
  option dhcp6.client-id 0:1:0:1:2b:f:9c:2:2:0:5e:0:53:1;
  option dhcp6.name-servers 2001:db8:a::53,fe80::53;
  option dhcp6.domain-search "six.example.";
  option dhcp6.unknown-56 0:1:0:10:20:1:d:b8:0:a:0:0:0:0:0:0:0:0:1:24;
  option dhcp6.v6-captive-portal "https://portal.example/api6";
  option dhcp6.status-code success "success";
  option dhcp6.sntp-servers 2001:db8:a::123;
}
`
)

var (
	expiry4 = time.Date(2099, 1, 5, 5, 5, 6, 0, time.UTC)
	expiry6 = time.Unix(4070908800+7200, 0).UTC()
	eth0v4  = leaseKey{"eth0", pvd.ElementDHCPv4}
	eth0v6  = leaseKey{"eth0", pvd.ElementDHCPv6}
)

func servers(list ...string) []netip.AddrPort {
	var all []netip.AddrPort
	for _, s := range list {
		all = append(all, netip.AddrPortFrom(netip.MustParseAddr(s), 53))
	}
	return all
}

func addrs(list ...string) []netip.Addr {
	var all []netip.Addr
	for _, s := range list {
		all = append(all, netip.MustParseAddr(s))
	}
	return all
}

// values are what the data say, without their origin.
func values[T any](data []pvd.Datum[T]) []T {
	var all []T
	for _, d := range data {
		all = append(all, d.Value)
	}
	return all
}

func TestLeases(t *testing.T) {
	got := parseLeases(lease6 + lease4)
	if len(got) != 2 {
		t.Fatalf("%d leases, want 2", len(got))
	}
	want4 := &offer{
		servers: servers("192.0.2.53", "192.0.2.54"),
		search:  []string{"one.example", "two.example"},
		routers: addrs("192.0.2.1"),
		mtu:     []int{1492},
		ntp:     []string{"192.0.2.123"},
		portal:  []string{"https://portal.example/api"},
	}
	want6 := &offer{
		servers: servers("2001:db8:a::53", "fe80::53"),
		search:  []string{"six.example"},
		ntp:     []string{"2001:db8:a::123", "2001:db8:a::124"},
		portal:  []string{"https://portal.example/api6"},
	}
	if o := got[eth0v4].offer(); !reflect.DeepEqual(o, want4) {
		t.Errorf("IPv4: %+v", o)
	}
	if o := got[eth0v6].offer(); !reflect.DeepEqual(o, want6) {
		t.Errorf("IPv6: %+v", o)
	}
	if e := got[eth0v4].expiry; !e.Equal(expiry4) {
		t.Errorf("IPv4 expires %v", e)
	}
	if e := got[eth0v6].expiry; !e.Equal(expiry6) {
		t.Errorf("IPv6 expires %v", e)
	}
}

func TestLeaseOptions(t *testing.T) {
	route := func(to, via string) pvd.Route {
		r := pvd.Route{Destination: netip.MustParsePrefix(to)}
		if via != "" {
			r.Gateway = netip.MustParseAddr(via)
		}
		return r
	}
	for _, c := range []struct {
		name, options string
		want          offer
	}{
		{"nothing", ``, offer{}},
		{"domain name alone", `option domain-name "a.example";`, offer{search: []string{"a.example"}}},
		{"several in a domain name", `option domain-name "a.example b.example";`, offer{search: []string{"a.example", "b.example"}}},
		{"search wins", `option domain-search "b.example."; option domain-name "a.example";`, offer{search: []string{"b.example"}}},
		{"octal", `option domain-name "\141\056example";`, offer{search: []string{"a.example"}}},
		{"bad names", `option domain-search "", ".", "a..b", "a\012b.example", "\377.example", "ok.example";`, offer{search: []string{"ok.example"}}},
		{"repeated", `option domain-name-servers 192.0.2.1, 192.0.2.1;`, offer{servers: servers("192.0.2.1")}},
		{"useless servers", `option domain-name-servers 0.0.0.0, 127.0.0.1, 224.0.0.1, x, 192.0.2.9;`, offer{servers: servers("192.0.2.9")}},
		{"no zone", `option dhcp6.name-servers fe80::1%eth9;`, offer{servers: servers("fe80::1")}},
		{"MTU too small", `option interface-mtu 67;`, offer{}},
		{"MTU too big", `option interface-mtu 65536;`, offer{}},
		{"least MTU", `option interface-mtu 68;`, offer{mtu: []int{68}}},
		{"value missing", `option routers;`, offer{}},
		{"routers are IPv4", `option routers 2001:db8::1, 192.0.2.1;`, offer{routers: addrs("192.0.2.1")}},
		{"classless", `option routers 192.0.2.9; option rfc3442-classless-static-routes 0,192,0,2,1,24,198,51,100,192,0,2,2,25,203,0,113,128,0,0,0,0;`,
			offer{routers: addrs("192.0.2.1"), routes: []pvd.Route{route("198.51.100.0/24", "192.0.2.2"), route("203.0.113.128/25", "")}}},
		{"classless by spaces", `option rfc3442-classless-static-routes 32 198 51 100 7 192 0 2 2;`, offer{routes: []pvd.Route{route("198.51.100.7/32", "192.0.2.2")}}},
		{"classless without default", `option routers 192.0.2.9; option rfc3442-classless-static-routes 8,10,192,0,2,2;`,
			offer{routes: []pvd.Route{route("10.0.0.0/8", "192.0.2.2")}}},
		{"classless cut short", `option routers 192.0.2.9; option rfc3442-classless-static-routes 0,192,0,2,1,24,198,51;`, offer{routers: addrs("192.0.2.9")}},
		{"classless too long", `option rfc3442-classless-static-routes 33,1,2,3,4,5,192,0,2,1;`, offer{}},
		{"classless no octet", `option rfc3442-classless-static-routes 256,192,0,2,1;`, offer{}},
		{"string without end", "option domain-name \"a.example;\n option ntp-servers 192.0.2.5;", offer{}},
		{"after it", "option domain-name \"a.example;\n ; option ntp-servers 192.0.2.5;", offer{ntp: []string{"192.0.2.5"}}},
		{"nested is not the lease's", `ia-na 1 { option ntp-servers 192.0.2.5; }`, offer{}},
		{"time server", `option ntp-servers ntp.example, 224.0.1.1, 0.0.0.0, ::%1, ::1%1, "\001";`, offer{ntp: []string{"ntp.example", "224.0.1.1"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := parseLeases("lease { interface \"eth0\"; " + c.options + " }")[eth0v4]
			if l == nil {
				t.Fatal("no lease")
			}
			if o := l.offer(); !reflect.DeepEqual(o, &c.want) {
				t.Errorf("got  %+v\nwant %+v", *o, c.want)
			}
		})
	}
}

func TestLeaseExpiry(t *testing.T) {
	at := time.Unix(1795334778, 0).UTC()
	for _, c := range []struct {
		name, text string
		lost       bool
		want       time.Time
	}{
		{"none", `lease { interface "eth0"; }`, false, time.Time{}},
		{"never", `lease { interface "eth0"; expire never; }`, false, time.Time{}},
		{"date", `lease { interface "eth0"; expire 0 2026/11/22 08:06:18; }`, false, at},
		{"epoch", "lease { interface \"eth0\"; expire epoch 1795334778; # Sun Nov 22; } lease\n}", false, at},
		{"nonsense", `lease { interface "eth0"; expire 0 2026/13/45 08:06:18; }`, true, time.Time{}},
		{"two words", `lease { interface "eth0"; expire 0 2026/11/22; }`, true, time.Time{}},
		{"negative", `lease { interface "eth0"; expire epoch -5; }`, true, time.Time{}},
		{"huge", `lease { interface "eth0"; expire epoch 99999999999999999999; }`, true, time.Time{}},
		{"no interface", `lease { expire never; }`, true, time.Time{}},
		{"bad interface", `lease { interface "../../etc"; }`, true, time.Time{}},
		{"stateless", `lease6 { interface "eth0"; option dhcp6.name-servers 2001:db8::1; }`, false, time.Time{}},
		{"address", `lease6 { interface "eth0"; ia-na 1 { iaaddr 2001:db8::1 { starts 1795334770; max-life 8; } } }`, false, at},
		{"prefix", `lease6 { interface "eth0"; ia-pd 1 { iaprefix 2001:db8::/56 { starts 1795334770; max-life 8; } } }`, false, at},
		{"endless address", `lease6 { interface "eth0"; ia-na 1 { iaaddr 2001:db8::1 { starts 1; max-life 4294967295; } iaaddr 2001:db8::2 { starts 1; max-life 8; } } }`, false, time.Time{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := parseLeases(c.text)
			l := got[eth0v4]
			if l == nil {
				l = got[eth0v6]
			}
			switch {
			case (l == nil) != c.lost || (c.lost && len(got) > 0):
				t.Errorf("got %v", got)
			case l != nil && !l.expiry.Equal(c.want):
				t.Errorf("expires %v, want %v", l.expiry, c.want)
			}
		})
	}
}

func TestLastLeaseCounts(t *testing.T) {
	second := strings.ReplaceAll(lease4, "192.0.2.53", "192.0.2.99")
	got := parseLeases(lease4 + second + strings.ReplaceAll(lease4, "eth0", "eth1"))
	if s := got[eth0v4].offer().servers; !slices.Equal(s, servers("192.0.2.99", "192.0.2.54")) {
		t.Errorf("eth0: %v", s)
	}
	if s := got[leaseKey{"eth1", pvd.ElementDHCPv4}].offer().servers; !slices.Equal(s, servers("192.0.2.53", "192.0.2.54")) {
		t.Errorf("eth1: %v", s)
	}
}

// A file that ends anywhere keeps what is whole, and is whole again when more
// leases follow whatever it ended in.
func TestLeasesCutAnywhere(t *testing.T) {
	second := strings.ReplaceAll(lease4, "192.0.2.53", "192.0.2.99")
	third := strings.ReplaceAll(lease4, "192.0.2.53", "192.0.2.100")
	for _, first := range []string{lease4, lease6 + lease4} {
		for i := range len(second) {
			want := "192.0.2.53"
			if i >= strings.LastIndex(second, "}")+1 {
				want = "192.0.2.99"
			}
			text := first + second[:i]
			if s := parseLeases(text)[eth0v4].offer().servers[0].Addr().String(); s != want {
				t.Fatalf("cut at %d: %s, want %s", i, s, want)
			}
			l := parseLeases(text + "\n" + third)[eth0v4]
			if s := l.offer().servers[0].Addr().String(); s != "192.0.2.100" {
				t.Fatalf("after a cut at %d: %s", i, s)
			}
		}
	}
}

// A reading may begin anywhere.
func TestLeasesBeginAnywhere(t *testing.T) {
	for i := range len(lease6) {
		got := parseLeases(lease6[i:] + lease4)
		if l := got[eth0v4]; l == nil || len(l.offer().servers) != 2 {
			t.Fatalf("begun at %d: %v", i, got)
		}
		if l := got[eth0v6]; l != nil && !l.expiry.Equal(expiry6) {
			t.Fatalf("begun at %d: a piece of a lease counts", i)
		}
	}
}

func TestManyValues(t *testing.T) {
	var b strings.Builder
	b.WriteString(`lease { interface "eth0"; option domain-name-servers 192.0.2.1`)
	for a := netip.MustParseAddr("198.51.100.0"); b.Len() < maxFile/2; a = a.Next() {
		b.WriteString("," + a.String())
	}
	b.WriteString("; }")
	if n := len(parseLeases(b.String())[eth0v4].offer().servers); n != maxValues {
		t.Errorf("%d servers, want %d", n, maxValues)
	}
}

func FuzzLeases(f *testing.F) {
	for _, s := range []string{lease4, lease6, lease6 + lease4[:200], `lease{interface "a";option domain-name "\`, "}}}}{{{{lease lease6 {", "\x00\xff\"\\777\"", `lease { interface "eth0"; option rfc3442-classless-static-routes 0,1,2,3,4,33; }`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for key, l := range parseLeases(text) {
			if key != l.leaseKey || !interfaceName(key.link) {
				t.Fatalf("key %v of %v", key, l.leaseKey)
			}
			sane(t, l.offer())
		}
		l := parseLeases(text + "\n" + lease4)[eth0v4]
		if l == nil || !l.expiry.Equal(expiry4) || len(l.offer().servers) != 2 {
			t.Fatalf("a whole lease after it is lost: %v", l)
		}
	})
}

// sane fails unless all values are of the kind that they are said to be.
func sane(t *testing.T, o *offer) {
	t.Helper()
	for _, s := range o.servers {
		if a := s.Addr(); !a.IsValid() || a.IsLoopback() || a.IsUnspecified() || a.IsMulticast() || s.Port() == 0 {
			t.Fatalf("server %v", s)
		}
	}
	for _, s := range o.routing {
		if d, ok := routingDomain(s); !ok || d != s {
			t.Fatalf("routing domain %q", s)
		}
	}
	for _, s := range o.search {
		if d, ok := domain(s); !ok || d != s {
			t.Fatalf("search domain %q", s)
		}
	}
	for _, a := range o.routers {
		if !a.IsValid() || a.IsUnspecified() || a.IsLoopback() || a.IsMulticast() {
			t.Fatalf("router %v", a)
		}
	}
	for _, r := range o.routes {
		if !r.Destination.IsValid() || r.Destination != r.Destination.Masked() || r.Gateway.IsValid() && r.Gateway.IsUnspecified() {
			t.Fatalf("route %v", r)
		}
	}
	for _, r := range o.secure {
		if d, ok := domain(r.Name); !ok || d != r.Name || max(len(r.Addresses), len(r.ALPN)) > maxValues {
			t.Fatalf("resolver %v", r)
		}
	}
	if max(len(o.servers), len(o.search), len(o.routing), len(o.prefixes), len(o.pref64), len(o.secure), len(o.portal), len(o.routers)+len(o.routes), len(o.mtu), len(o.ntp)) > maxValues {
		t.Fatalf("too many values: %+v", o)
	}
}
