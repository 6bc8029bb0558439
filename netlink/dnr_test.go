package netlink

import (
	"log/slog"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-mif/mif/pvd"
)

// field is b with its length in two octets before it.
func field(b ...byte) []byte { return append(network.AppendUint16(nil, uint16(len(b))), b...) }

// param is a service parameter (RFC 9460 section 2.2).
func param(key uint16, v ...byte) []byte {
	return append(network.AppendUint16(nil, key), field(v...)...)
}

// wireName is a name as it stands in an option.
func wireName(name string) (b []byte) {
	for label := range strings.SplitSeq(name, ".") {
		b = append(append(b, byte(len(label))), label...)
	}
	return append(b, 0)
}

// Service parameters (RFC 9460 section 14.3.2, RFC 9461 section 5).
const (
	paramMandatory = 0
	paramALPN      = 1
	paramNoDefault = 2
	paramPort      = 3
	paramHint4     = 4
	paramHint6     = 6
	paramPath      = 7
	paramInvalid   = 65535
)

// encryptedDNS is an Encrypted DNS option; what follows the name is rest.
func encryptedDNS(priority uint16, lifetime uint32, name string, rest ...[]byte) []byte {
	b := slices.Concat(network.AppendUint16(nil, priority), seconds(lifetime), field(wireName(name)...), slices.Concat(rest...))
	return option(optDNR, b...)
}

var (
	dnrAddr = field(addr16("2001:db8::853")...)
	dotOnly = param(paramALPN, 3, 'd', 'o', 't')
)

// encrypted are the resolvers known after an advertisement.
func encrypted(t *testing.T, options ...[]byte) (all []pvd.EncryptedResolver) {
	t.Helper()
	for _, r := range hear(t, raBytes(0, 1800, options...)) {
		for _, d := range r.Configuration.EncryptedResolvers {
			all = append(all, d.Value)
		}
	}
	return all
}

// TestDNRWhole: name, addresses and service parameters, of whatever length (RFC 9463
// section 6.1).
func TestDNRWhole(t *testing.T) {
	params := field(slices.Concat(param(paramMandatory, 0, paramALPN, 0, paramPort), param(paramALPN, 3, 'd', 'o', 't', 2, 'h', '2'), param(paramNoDefault),
		param(paramPort, 0x22, 0x53), param(paramPath, []byte("/dns-query{?dns}")...), param(99, 1, 2, 3))...)
	want := pvd.EncryptedResolver{Priority: 7, Addresses: []netip.Addr{netip.MustParseAddr("2001:db8::853")},
		ALPN: []string{"dot", "h2"}, Port: 0x2253, Path: "/dns-query{?dns}"}
	for n := 1; n < 20; n++ {
		want.Name = strings.Repeat("d", n) + ".example"
		if got := encrypted(t, encryptedDNS(7, 600, want.Name, dnrAddr, params)); len(got) != 1 || !reflect.DeepEqual(got[0], want) {
			t.Errorf("%+v", got)
		}
	}
}

// TestDNRNameOnly: addresses and parameters are not there (RFC 9463 section 3.1.6),
// whatever the padding.
func TestDNRNameOnly(t *testing.T) {
	for n := 1; n < 20; n++ {
		name := strings.Repeat("d", n) + ".example"
		got := encrypted(t, encryptedDNS(1, 600, name))
		if len(got) != 1 || !reflect.DeepEqual(got[0], pvd.EncryptedResolver{Name: name, Priority: 1}) {
			t.Errorf("%+v", got)
		}
	}
}

// TestDNRDiscarded: options that fail a check of RFC 9463 section 3.1.8 are, and
// their neighbours are not.
func TestDNRDiscarded(t *testing.T) {
	good := field(dotOnly...)
	whole := func(params ...[]byte) []byte {
		return encryptedDNS(1, 600, "d.example", dnrAddr, field(slices.Concat(params...)...))
	}
	for name, bad := range map[string][]byte{
		"no name":                          option(optDNR, slices.Concat([]byte{0, 1}, seconds(600), field(), dnrAddr, good)...),
		"the root's name":                  option(optDNR, slices.Concat([]byte{0, 1}, seconds(600), field(0), dnrAddr, good)...),
		"name without an end":              option(optDNR, slices.Concat([]byte{0, 1}, seconds(600), field(3, 'd', 'n', 's'), dnrAddr, good)...),
		"compressed name":                  option(optDNR, slices.Concat([]byte{0, 1}, seconds(600), field(0xc0, 0), dnrAddr, good)...),
		"two names":                        option(optDNR, slices.Concat([]byte{0, 1}, seconds(600), field(1, 'a', 0, 1, 'b', 0), dnrAddr, good)...),
		"name that is none":                encryptedDNS(1, 600, "d n s", dnrAddr, good),
		"name longer than the option":      option(optDNR, slices.Concat([]byte{0, 1}, seconds(600), []byte{0, 99}, wireName("d.example"))...),
		"AliasMode":                        encryptedDNS(0, 600, "d.example", dnrAddr, good),
		"AliasMode, name only":             encryptedDNS(0, 600, "d.example"),
		"parameters without an address":    encryptedDNS(1, 600, "d.example", field(), good),
		"half an address":                  encryptedDNS(1, 600, "d.example", field(make([]byte, 8)...), good),
		"address and a half":               encryptedDNS(1, 600, "d.example", field(append(addr16("2001:db8::1"), make([]byte, 8)...)...), good),
		"addresses longer than the option": encryptedDNS(1, 600, "d.example", []byte{1, 0}, good),
		"multicast only":                   encryptedDNS(1, 600, "d.example", field(addr16("ff02::fb")...), good),
		"loopback only":                    encryptedDNS(1, 600, "d.example", field(addr16("::1")...), good),
		"no length of the parameters":      option(optDNR, slices.Concat([]byte{0, 1}, seconds(600), field(wireName("aa.example")...), dnrAddr)...),
		"parameters longer than it":        encryptedDNS(1, 600, "d.example", dnrAddr, []byte{0, 99}, dotOnly),
		"keys descending":                  whole(param(paramPort, 3, 85), dotOnly),
		"a key twice":                      whole(dotOnly, dotOnly),
		"a parameter that is cut":          whole(dotOnly, []byte{0, 3, 0}),
		"a value that is cut":              whole(dotOnly, []byte{0, 3, 0, 2, 1}),
		"ipv4hint":                         whole(dotOnly, param(paramHint4, 192, 0, 2, 1)),
		"ipv6hint":                         whole(dotOnly, param(paramHint6, addr16("2001:db8::1")...)),
		"the invalid key":                  whole(dotOnly, param(paramInvalid)),
		"mandatory, unknown":               whole(param(paramMandatory, 0, 99), dotOnly, param(99, 1)),
		"mandatory, not there":             whole(param(paramMandatory, 0, paramPort), dotOnly),
		"mandatory, itself":                whole(param(paramMandatory, 0, 0, 0, 1), dotOnly),
		"mandatory, twice":                 whole(param(paramMandatory, 0, 1, 0, 1), dotOnly),
		"mandatory, none":                  whole(param(paramMandatory), dotOnly),
		"mandatory, half a key":            whole(param(paramMandatory, 0, 1, 0), dotOnly),
		"alpn, none":                       whole(param(paramALPN)),
		"alpn, an empty one":               whole(param(paramALPN, 0)),
		"alpn that is cut":                 whole(param(paramALPN, 4, 'd', 'o', 't')),
		"no-default-alpn alone":            whole(param(paramNoDefault)),
		"no-default-alpn with a value":     whole(dotOnly, param(paramNoDefault, 1)),
		"port of one octet":                whole(dotOnly, param(paramPort, 85)),
		"port 0":                           whole(dotOnly, param(paramPort, 0, 0)),
		"path without a slash":             whole(dotOnly, param(paramPath, []byte("q{?dns}")...)),
		"path without dns":                 whole(dotOnly, param(paramPath, []byte("/q{?adns}")...)),
		"path that is not closed":          whole(dotOnly, param(paramPath, []byte("/q{?dns")...)),
		"path with a NUL":                  whole(dotOnly, param(paramPath, []byte("/q{?dns}\x00")...)),
		"path, not UTF-8":                  whole(dotOnly, param(paramPath, []byte("/\xff{?dns}")...)),
	} {
		got := encrypted(t, encryptedDNS(1, 600, "before.example"), bad, encryptedDNS(1, 600, "behind.example"))
		if len(got) != 2 || got[0].Name != "before.example" || got[1].Name != "behind.example" {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// TestDNRUnfitAddressesLeftOut: multicast and loopback addresses are silently
// discarded (RFC 9463 section 6.2), others kept.
func TestDNRUnfitAddressesLeftOut(t *testing.T) {
	addrs := field(slices.Concat(addr16("ff05::2"), addr16("fe80::853"), addr16("::1"), addr16("fd00::853"))...)
	got := encrypted(t, encryptedDNS(1, 600, "d.example", addrs, field(dotOnly...)))
	want := []netip.Addr{netip.MustParseAddr("fe80::853"), netip.MustParseAddr("fd00::853")}
	if len(got) != 1 || !slices.Equal(got[0].Addresses, want) {
		t.Errorf("%+v", got)
	}
}

// TestDNRSeveral: each option is a resolver of its own (RFC 9463 section 6.2), also if
// only their priority differs.
func TestDNRSeveral(t *testing.T) {
	got := encrypted(t, encryptedDNS(2, 600, "d.example", dnrAddr, field(dotOnly...)), encryptedDNS(1, 600, "d.example", dnrAddr, field(param(paramALPN, 2, 'h', '2')...)),
		encryptedDNS(1, 600, "e.example"))
	if len(got) != 3 || got[0].Priority != 2 || got[1].ALPN[0] != "h2" || got[2].Name != "e.example" {
		t.Errorf("%+v", got)
	}
}

// TestDNRLifetime: it is relative to when the advertisement came, all ones are for
// ever, and zero ends all resolvers of the name (RFC 9463 section 6.1), of this
// router alone.
func TestDNRLifetime(t *testing.T) {
	s := wholeTables(slog.New(slog.DiscardHandler))
	say := func(source string, options ...[]byte) {
		p, a := heard(raBytes(0, 1800, options...)), advertisement{}
		p.source = netip.MustParseAddr(source)
		if !a.decode(p) || !s.advertEvent(&a) {
			t.Fatal("discarded")
		}
	}
	data := func(router int) pvd.EncryptedResolvers {
		return s.links[1].raFacts()[router].Configuration.EncryptedResolvers
	}
	say("fe80::1", encryptedDNS(1, 600, "d.example"), encryptedDNS(2, forever, "D.example", dnrAddr, field(dotOnly...)), encryptedDNS(3, 600, "e.example"))
	say("fe80::2", encryptedDNS(1, 600, "d.example"))
	if d := data(0); len(d) != 3 || !d[0].Expiry.Equal(s.now.Add(600*time.Second)) || !d[1].Expiry.IsZero() {
		t.Fatalf("%+v", d)
	}
	say("fe80::1", encryptedDNS(9, 0, "d.EXAMPLE"))
	if d := data(0); len(d) != 1 || d[0].Value.Name != "e.example" {
		t.Errorf("%+v", d)
	}
	if d := data(1); len(d) != 1 {
		t.Errorf("another router's: %+v", d)
	}
}

// TestDNRCut: an option that is cut anywhere, and filled up again, yields nothing or,
// behind the name, the name alone.
func TestDNRCut(t *testing.T) {
	b := encryptedDNS(1, 600, "d.example", dnrAddr, field(dotOnly...))
	for n := 2; n < len(b); n++ {
		for _, e := range encrypted(t, option(optDNR, b[2:n]...)) {
			if whole := len(e.ALPN) == 1 && len(e.Addresses) == 1; !whole && (len(e.Addresses) > 0 || n >= 2+6+2+len(wireName("d.example"))+2) {
				t.Errorf("%d octets of %d: %+v", n, len(b), e)
			}
		}
	}
}
