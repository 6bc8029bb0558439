package hostconf

import (
	"bytes"
	"encoding/binary"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/go-mif/mif/pvd"
)

// Options that dhclient knows by number only, as it writes them.
func TestOptionsByNumber(t *testing.T) {
	for name, c := range map[string]struct {
		option, value string
		portal, ntp   []string
	}{
		"portal":              {option: optPortal0, value: "68:74:74:70:73:3a:2f:2f:70:2e:65:2f", portal: []string{"https://p.e/"}},
		"portal with an end":  {option: optPortal0, value: "68:74:74:70:73:3a:2f:2f:70:2e:65:2f:0", portal: []string{"https://p.e/"}},
		"portal of DHCPv6":    {option: optPortal60, value: "68:74:74:70:73:3a:2f:2f:70:2e:65:2f", portal: []string{"https://p.e/"}},
		"no octets":           {option: optPortal0, value: "68:747"},
		"no portal":           {option: optPortal, value: "urn:ietf:params:capport:unrestricted"},
		"address":             {option: optNTP6, value: "0:1:0:10:20:1:d:b8:0:1:0:0:0:0:0:0:0:0:1:23", ntp: []string{"2001:db8:1::123"}},
		"multicast":           {option: optNTP6, value: "0:2:0:10:ff:5:0:0:0:0:0:0:0:0:0:0:0:0:1:1", ntp: []string{"ff05::101"}},
		"name":                {option: optNTP6, value: "0:3:0:e:4:74:69:6d:65:7:65:78:61:6d:70:6c:65:0", ntp: []string{"time.example"}},
		"name without an end": {option: optNTP6, value: "0:3:0:5:4:74:69:6d:65"},
		"name with a dot":     {option: optNTP6, value: "0:3:0:5:3:61:2e:62:0"},
		"label too long":      {option: optNTP6, value: "0:3:0:3:9:61:0"},
		"short address":       {option: optNTP6, value: "0:1:0:4:1:2:3:4"},
		"cut after one":       {option: optNTP6, value: "0:3:0:3:1:61:0:0:1:0:10:20", ntp: []string{"a"}},
	} {
		l := &lease{options: map[string][]string{c.option: {c.value}}}
		if o := l.offer(); !sameOffer(o, &offer{portal: c.portal, ntp: c.ntp}) {
			t.Errorf("%s: %+v", name, o)
		}
	}
}

// Encrypted resolvers, of which DHCPv6 has an option each.
func TestEncryptedByNumber(t *testing.T) {
	const six = "  option dhcp6.unknown-144 0:%s:0:d:3:64:6e:73:7:65:78:61:6d:70:6c:65:0;\n"
	const four = "  option unknown-162 0:10:0:3:d:3:64:6e:73:7:65:78:61:6d:70:6c:65:0;\n"
	texts := strings.Replace(lease4, "  renew", four+"  renew", 1) +
		strings.Replace(lease6, "  option dhcp6.status", strings.Replace(six, "%s", "1", 1)+strings.Replace(six, "%s", "2", 1)+"  option dhcp6.status", 1)
	want := map[pvd.ElementType][]pvd.EncryptedResolver{
		pvd.ElementDHCPv4: {{Name: "dns.example", Priority: 3}},
		pvd.ElementDHCPv6: {{Name: "dns.example", Priority: 1}, {Name: "dns.example", Priority: 2}},
	}
	leases := parseLeases(texts)
	if len(leases) != len(want) {
		t.Fatalf("%d leases", len(leases))
	}
	for key, l := range leases {
		if got := l.offer().secure; !reflect.DeepEqual(got, want[key.element]) {
			t.Errorf("%v: %+v", key.element, got)
		}
	}
}

// Whatever is in an NTP server option, it is read in order, and names are names.
func FuzzNTPOption(f *testing.F) {
	f.Add([]byte("\x00\x03\x00\x03\x01a\x00\x00\x01\x00\x10 \x01\r\xb8\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x01#"))
	f.Add([]byte("\x00\x01\xff\xff"))
	f.Fuzz(func(t *testing.T, b []byte) {
		all := ntpOption(b)
		sane(t, &offer{ntp: parsed(all, timeServer)})
		more := binary.BigEndian.AppendUint16(nil, ntpName)
		more = append(more, "\x00\x03\x01z\x00"...)
		if got := ntpOption(append(bytes.Clone(more), b...)); !slices.Equal(got, append([]string{"z"}, all...)) {
			t.Errorf("got %q, alone %q", got, all)
		}
	})
}
