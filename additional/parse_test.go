package additional

import (
	"fmt"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/go-mif/mif/pvd"
)

const least = `"identifier":"cafe.example.com.","expires":"2030-05-23T06:00:00Z","prefixes":["2001:db8:1::/48","2001:db8:4::/48"]`

func prefixes(all ...string) (p []netip.Prefix) {
	for _, s := range all {
		p = append(p, netip.MustParsePrefix(s))
	}
	return p
}

// Section 4.3: the object, with every key that is registered.
func TestSection4_3Object(t *testing.T) {
	text := `{` + least + `, "dnsZones": ["example.com", "Sub.example.com.", ".", 7, "", "a b"], "noInternet": true,
		"splitDnsClaims": [{"resolver": "dns.example.net", "parent": "example.com", "subdomains": ["sub"], "algorithm": "SHA384", "salt": "abc", "new": 1},
			{"resolver": "dns.example.net"}, "no object", null,
			{"resolver": "dns.example.net", "parent": "example.com", "subdomains": ["sub"], "algorithm": "SHA384", "salt": null}],
		"proxies": [{"protocol": "connect-udp", "proxy": "https://p.example/{?target_host}", "alpn": ["h3"], "identifier": "u", "mandatory": ["alpn"]},
			{"protocol": "socks5", "proxy": "p.example:1080", "mandatory": ["colour"]}, {"protocol": "socks5", "proxy": "q.example:1080", "mandatory": "alpn"},
			{"protocol": "socks5", "proxy": "s.example:1080", "mandatory": ["colour", "alpn"]}, {"protocol": "socks5"}, {"protocol": "socks5", "proxy": "r.example:1080"}],
		"vendor-foo": {"private-key": [null, 1e400]}, "urn:ietf:x": {}}`
	got, err := Parse([]byte(" \n" + text + "\t"))
	want := &pvd.Information{
		Identifier: "cafe.example.com", Expires: time.Date(2030, 5, 23, 6, 0, 0, 0, time.UTC), Prefixes: prefixes("2001:db8:1::/48", "2001:db8:4::/48"),
		DNSZones: []string{"example.com", "Sub.example.com", "."}, NoInternet: true,
		SplitDNSClaims: []pvd.SplitDNSClaim{{Resolver: "dns.example.net", Parent: "example.com", Subdomains: []string{"sub"}, Algorithm: "SHA384", Salt: "abc"}},
		Proxies: []pvd.Proxy{
			{Protocol: "connect-udp", Location: "https://p.example/{?target_host}", Identifier: "u", ALPN: []string{"h3"}},
			{Protocol: "socks5", Location: "r.example:1080"},
		},
		JSON: text,
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v\n got %+v\nwant %+v", err, got, want)
	}
}

// Section 4.3: an object without the three keys, each valid, must be ignored.
func TestSection4_3MandatoryKeys(t *testing.T) {
	keys := map[string]string{"identifier": `"cafe.example.com"`, "expires": `"2030-05-23T06:00:00Z"`, "prefixes": `["2001:db8:1::/48"]`}
	with := func(name, value string) string {
		var all []string
		for k, v := range keys {
			if k == name {
				v = value
			}
			if v != "" {
				all = append(all, fmt.Sprintf("%q:%s", k, v))
			}
		}
		return "{" + strings.Join(all, ",") + "}"
	}
	for name, values := range map[string][]string{
		"identifier": {``, `7`, `null`, `["cafe.example.com"]`, `""`, `"."`},
		"expires":    {``, `7`, `null`, `""`, `"2030-05-23"`, `"2030-05-23T06:00:00"`, `"2030-05-23 06:00:00Z"`, `"2030-05-23T6:00:00Z"`, `"2030-05-23T06:00:00,5Z"`, `"2030-13-23T06:00:00Z"`, `"Thu, 23 May 2030 06:00:00 GMT"`, `1906178400`},
		"prefixes":   {``, `null`, `"2001:db8:1::/48"`, `{}`, `[7]`, `["2001:db8:1::"]`, `["192.0.2.0/24"]`, `["::ffff:192.0.2.0/120"]`, `["2001:db8::/129"]`, `["fe80::1%eth0/64"]`, `["2001:db8:1::/48",null]`},
	} {
		for _, v := range values {
			if i, err := Parse([]byte(with(name, v))); err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("%s %s: %+v, %v", name, v, i, err)
			}
		}
	}
	for name, values := range map[string][]string{
		"identifier": {`"cafe.example.com."`, `"CAFE.example.com"`, `"\u0063afe.example.com"`},
		"expires":    {`"2030-05-23T06:00:00.123Z"`, `"2030-05-23t06:00:00z"`, `"2030-05-23T08:00:00+02:00"`, `"1985-04-12T23:20:50Z"`},
		"prefixes":   {`[]`, `["2001:db8:1::1/48"]`, ` [ "::/0" , "2001:DB8::/32" ] `},
	} {
		for _, v := range values {
			i, err := Parse([]byte(with(name, v)))
			if err != nil || len(i.Prefixes) > 0 && i.Prefixes[0] != i.Prefixes[0].Masked() {
				t.Errorf("%s %s: %+v, %v", name, v, i, err)
			}
		}
	}
}

// Section 4.3: unknown keys are ignored with what is under them, and so are known ones
// of a wrong type.
func TestSection4_3UnknownKeys(t *testing.T) {
	bare, err := Parse([]byte(`{` + least + `}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, more := range []string{
		`"noInternet":"true"`, `"noInternet":1`, `"noInternet":false`, `"NoInternet":true`, `"dnsZones":"example.com"`, `"dnsZones":{"a":"example.com"}`,
		`"dnsZones":null`, `"splitDnsClaims":{}`, `"splitDnsClaims":[{"resolver":"a","parent":"b","subdomains":"c","algorithm":"d","salt":"e"}]`,
		`"proxies":true`, `"proxies":[{"protocol":1,"proxy":"p"}]`, `"vendor-foobar":{"noInternet":true,"identifier":"x"}`, `"":0`, `"Identifier":"other.example"`, `"EXPIRES":"x"`,
	} {
		got, err := Parse([]byte(`{` + more + `,` + least + `}`))
		if err != nil {
			t.Errorf("%s: %v", more, err)
			continue
		}
		got.JSON = bare.JSON
		if !reflect.DeepEqual(got, bare) {
			t.Errorf("%s: %+v", more, got)
		}
	}
}

// Section 4: the object is restricted to I-JSON (RFC 7493), whatever key it is under.
func TestSection4IJSON(t *testing.T) {
	for _, text := range []string{
		``, `null`, `[]`, `"{}"`, `7`, `{` + least + `,}`, `{` + least, `{` + least + `}{}`, `{` + least + `} x`, "\ufeff{" + least + `}`,
		`{` + least + `,"identifier":"cafe.example.com"}`, `{` + least + `,"identifie\u0072":"x"}`, `{` + least + `,"x":[{"a":{},"b":[],"a":1}]}`, `{` + least + `,"x":{"y":{"a":0},"y":0}}`,
		`{` + least + ",\"x\":\"\xff\"}", `{` + least + ",\"\xed\xa0\x80\":1}", `{` + least + `,"x":"\uDEAD"}`, `{` + least + `,"x":"\uD800"}`, `{` + least + `,"x":"\uD800\n"}`, `{` + least + `,"\uD800\uD800":1}`,
		`{` + least + `,"x":"\ufdd0"}`, `{` + least + ",\"x\":\"\ufffe\"}", `{` + least + `,"x":"\uD83F\uDFFF"}`, `{` + least + `,"x":"\\\uDEAD"}`,
		`{` + least + `,'x':1}`, `{` + least + `,"x":NaN}`, `{` + least + `,"x":"y`, `{` + least + `,"x":"y\`, `{` + least + `,"x":"\u12"}`, `{` + least + `,"x":"` + "\n" + `"}`,
	} {
		if i, err := Parse([]byte(text)); err == nil {
			t.Errorf("%q gives %+v", text, i)
		}
	}
	for _, text := range []string{
		`{` + least + `,"x":"\uD800\uDC00"}`, `{` + least + `,"x":"\\uDEAD \" \/ \u00e9 é 𐀀 \ufffd"}`, `{` + least + `,"x":[{"a":"a"},{"a":"a"},["a","a"]],"y":{"x":{"x":"x"}}}`, "\r\n{" + least + `}`,
	} {
		if _, err := Parse([]byte(text)); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestBounds(t *testing.T) {
	pad := func(n int) string { return `{` + least + `,"x":"` + strings.Repeat("a", n-len(least)-9) + `"}` }
	if _, err := Parse([]byte(pad(maxOctets))); err != nil || len(pad(maxOctets)) != maxOctets {
		t.Errorf("%d octets: %v", len(pad(maxOctets)), err)
	}
	if _, err := Parse([]byte(pad(maxOctets + 1))); err == nil {
		t.Error("an object too long")
	}
	i, err := Parse([]byte(`{` + least + `,"dnsZones":[` + strings.Repeat(`"a.example",`, 99) + `"b.example"]}`))
	if err != nil || len(i.DNSZones) != maxEntries {
		t.Errorf("%v, %+v", err, i)
	}
	deep := strings.Repeat("[", 20_000)
	if _, err := Parse([]byte(`{` + least + `,"x":` + deep + strings.Repeat("]", 20_000) + `}`)); err == nil {
		t.Error("20,000 levels")
	}
}

// Sections 4.1, 4.3, 4.4: what keeps an object from being used.
func TestVerify(t *testing.T) {
	i, err := Parse([]byte(`{` + least + `}`))
	if err != nil {
		t.Fatal(err)
	}
	before := i.Expires.Add(-time.Second)
	for _, c := range []struct {
		name, fqdn string
		announced  []netip.Prefix
		now        time.Time
		ok         bool
	}{
		{"all is well", "cafe.example.com", prefixes("2001:db8:1:2::/64", "2001:db8:4::/48"), before, true},
		{"no prefix", "cafe.example.com", nil, before, true},
		{"case and a dot", "CAFE.Example.Com.", nil, before, true},
		{"another name", "example.com", nil, before, false},
		{"not by the letters of other alphabets", "cafe.example.co\u217f", nil, before, false},
		{"expired just now", "cafe.example.com", nil, i.Expires, false},
		{"expired", "cafe.example.com", nil, i.Expires.Add(time.Hour), false},
		{"one prefix is not covered", "cafe.example.com", prefixes("2001:db8:1::/64", "2001:db8:2::/64"), before, false},
		{"a prefix is wider", "cafe.example.com", prefixes("2001:db8::/32"), before, false},
	} {
		if err := Verify(i, c.fqdn, c.announced, c.now); (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestEligible(t *testing.T) {
	for name, want := range map[string]bool{
		"cafe.example.com": true, "CAFE.example.com.": true, "xn--caf-dma.example": true, "1.a": true, "a-b.c-d": true,
		"": false, ".": false, "example": false, "192.0.2.1": false, "1.2.3": false, "a..b": false, ".a.b": false, "a.b..": false, "-a.b": false, "a-.b": false, "a_b.c": false,
		"a b.c": false, "a/b.c": false, "a@b.c": false, "a:1.c": false, "[::1].c": false, "a\\000.c": false, "café.example": false, strings.Repeat("a", 64) + ".b": false, strings.Repeat("a.", 127) + "b": false,
	} {
		if got := eligible(name); got != want {
			t.Errorf("%q: %v", name, got)
		}
	}
	if got := wellKnown("CAFE.Example.com."); got != "https://cafe.example.com/.well-known/pvd" {
		t.Error(got)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{` + least + `,"dnsZones":["a"],"noInternet":true,"proxies":[{"protocol":"a","proxy":"b"}],"x":"\uD800\uDC00"}`))
	f.Add([]byte(`{` + least + `,"splitDnsClaims":[{"resolver":"a","parent":"b","subdomains":["c"],"algorithm":"d","salt":"e"}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		i, err := Parse(b)
		if err != nil {
			return
		}
		again, err := Parse([]byte(i.JSON))
		if err != nil || !reflect.DeepEqual(i, again) {
			t.Errorf("%q gives\n%+v, then\n%+v, %v", b, i, again, err)
		}
		if i.Identifier == "" || i.Expires.IsZero() && !strings.Contains(i.JSON, "0001-") || len(b) > maxOctets {
			t.Errorf("%q gives %+v", b, i)
		}
	})
}
