package resolver

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
)

func TestASCIIName(t *testing.T) {
	label := strings.Repeat("a", 63)
	long := strings.Join([]string{label, label, label, strings.Repeat("a", 61)}, ".")
	cases := []struct{ name, want string }{ // an empty want: invalid
		{"www.Example.com", "www.example.com"},
		{"www.example.com.", "www.example.com"},
		{"_dmarc.example.com", "_dmarc.example.com"},
		{"r3---sn-x.example.com", "r3---sn-x.example.com"},
		{"xn--mnchen-3ya.de", "xn--mnchen-3ya.de"},
		{"München.DE", "xn--mnchen-3ya.de"},
		{"faß.de", "xn--fa-hia.de"},
		{"例え。テスト", "xn--r8jz45g.xn--zckzah"},
		{"ＷＷＷ.example.com", "www.example.com"},
		{"ＬＯＣＡＬＨＯＳＴ", "localhost"},
		{"１９２.0.2.1", ""},
		{label, label},
		{label + "a", ""},
		{long, long},
		{long + ".", long},
		{long + "a", ""},
		{"", ""}, {".", ""}, {"..", ""}, {"a..b", ""}, {".a", ""}, {"a..", ""},
		{"a b", ""}, {"a/b", ""}, {"a\x00b", ""}, {"a\\.b", ""}, {"[::1]", ""}, {"a:53", ""},
		{"1.2.3", ""}, {"host.1", ""}, {"1.host", "1.host"},
		{"m\xfcnchen.de", ""},
		{"a\u200db.de", ""},       // a joiner without context
		{"\u05d0a.example.é", ""}, // directions mixed in one label
		{"bü_cher.de", ""},
	}
	for _, c := range cases {
		got, absolute, err := asciiName(c.name)
		if got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%q: %q, %v; want %q", c.name, got, err, c.want)
		}
		if err != nil && !errors.Is(err, ErrInvalidName) {
			t.Errorf("%q: %v does not wrap ErrInvalidName", c.name, err)
		}
		if err == nil && absolute != strings.HasSuffix(c.name, ".") {
			t.Errorf("%q: absolute %v", c.name, absolute)
		}
	}
}

func TestCandidates(t *testing.T) {
	search := []string{"corp.test", "Lab.test."}
	cases := []struct {
		name   string
		search []string
		ndots  int
		want   []string
	}{
		{"host", nil, 0, []string{"host"}},
		{"host", search, 0, []string{"host.corp.test", "host.lab.test", "host"}},
		{"host.", search, 0, []string{"host"}},
		{"a.b", search, 0, []string{"a.b", "a.b.corp.test", "a.b.lab.test"}},
		{"a.b", search, 2, []string{"a.b.corp.test", "a.b.lab.test", "a.b"}},
		{"a.b.c", search, 2, []string{"a.b.c", "a.b.c.corp.test", "a.b.c.lab.test"}},
		{"a.b.", search, 5, []string{"a.b"}},
		{"host", []string{".", "", "bad name", "x.test", "x.test"}, 0, []string{"host.x.test", "host"}},
		{"host", []string{"local", "onion", "a.invalid", "x.test"}, 0, []string{"host.x.test", "host"}},
		{"host", []string{"münchen.test"}, 0, []string{"host.xn--mnchen-3ya.test", "host"}},
		{"x.local", search, 5, []string{"x.local"}},
		{"x.invalid", search, 5, []string{"x.invalid"}},
		{strings.Repeat("a", 60), []string{strings.Repeat("b.", 96) + "c", "x.test"}, 0,
			[]string{strings.Repeat("a", 60) + ".x.test", strings.Repeat("a", 60)}},
	}
	for _, c := range cases {
		target, err := parseTarget(c.name)
		if err != nil {
			t.Fatal(err)
		}
		cfg := Config{Search: c.search, NDots: c.ndots}.complete()
		if got := target.candidates(&cfg, nil); !slices.Equal(got, c.want) {
			t.Errorf("%s in %v, ndots %d: %v, want %v", c.name, c.search, c.ndots, got, c.want)
		}
	}
}

func TestUnasked(t *testing.T) {
	for name, want := range map[string]error{
		"invalid": ErrNoSuchName, "a.invalid": ErrNoSuchName, "notinvalid": nil,
		"a.onion": ErrNoSuchName, "onion.com": nil,
		"localhost": ErrNoSuchName, "mylocalhost": nil,
		"a.local": ErrNoServers, "local": ErrNoServers, "local.net": nil,
		"resolver.arpa": nil, "ipv4only.arpa": nil, "example.com": nil,
	} {
		if err := unasked(name); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", name, err, want)
		}
	}
}

func TestConfigLimits(t *testing.T) {
	var c Config
	for i := range 100 {
		server := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(i / 2)}), 53)
		c.Servers = append(c.Servers, server, netip.AddrPort{})
		c.Search = append(c.Search, "x.test")
	}
	c.NDots = 99
	got := c.complete()
	if len(got.Servers) != maxServers || got.Servers[1] == got.Servers[0] || !got.Servers[maxServers-1].IsValid() {
		t.Errorf("servers %v", got.Servers)
	}
	if len(got.Search) != maxSearch || got.NDots != maxNDots || got.Timeout != defaultTimeout {
		t.Errorf("%d search domains, ndots %d, timeout %v", len(got.Search), got.NDots, got.Timeout)
	}
}

func TestStrings(t *testing.T) {
	for want, got := range map[string]string{
		"both": Both.String(), "ipv4": IPv4.String(), "ipv6": IPv6.String(), "family 9": Family(9).String(),
		"literal": Literal.String(), "hosts": Hosts.String(), "dns": DNS.String(),
		"special": Special.String(), "origin 0": Origin(0).String(),
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
