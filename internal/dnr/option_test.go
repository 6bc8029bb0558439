package dnr

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/go-mif/mif/internal/value"
	"github.com/go-mif/mif/pvd"
)

const (
	name   = "\x03dns\x07example\x00"
	params = "\x00\x01\x00\x04\x03dot"
	one4   = "\x00\x1d\x00\x05\x0d" + name + "\x04\xc0\x00\x02\x35" + params
	one6   = "\x00\x05\x00\x0d" + name + "\x00\x10\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x53" + params
)

// TestOptions: both kinds say the same, and what is there is not added again.
func TestOptions(t *testing.T) {
	for want, all := range map[string][]pvd.EncryptedResolver{
		"192.0.2.53":   Option4(Option4(nil, []byte(one4+one4)), []byte(one4)),
		"2001:db8::53": Option6(Option6(nil, []byte(one6)), []byte(one6)),
	} {
		if len(all) != 1 || all[0].Name != "dns.example" || all[0].Priority != 5 || !slices.Equal(all[0].ALPN, []string{"dot"}) ||
			!slices.Equal(all[0].Addresses, []netip.Addr{netip.MustParseAddr(want)}) {
			t.Errorf("%+v", all)
		}
	}
}

// FuzzOptions: whatever is in an option, what comes of it can be used and is bounded.
func FuzzOptions(f *testing.F) {
	f.Add([]byte(one4 + one4))
	f.Add([]byte(one6))
	f.Add([]byte("\x00\x05\x00\x0d" + name))
	f.Add([]byte("\x00\x10\x00\x05\x0d" + name + "\x00\x03"))
	f.Fuzz(func(t *testing.T, b []byte) {
		all := Option6(Option4(nil, b), b)
		if len(all) > value.Max {
			t.Fatalf("%d resolvers", len(all))
		}
		for _, r := range all {
			if r.Name == "" || r.Priority == 0 || len(r.Addresses) > maxAddresses || len(r.ALPN) > maxAddresses ||
				slices.ContainsFunc(r.Addresses, func(a netip.Addr) bool { return !value.Unicast(a) }) {
				t.Fatalf("%+v", r)
			}
		}
	})
}
