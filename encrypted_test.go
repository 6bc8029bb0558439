package mif

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/go-mif/mif/pvd"
)

// encryptedBy are resolvers that a router told of, in this order.
func encryptedBy(router string, all ...pvd.EncryptedResolver) pvd.RA {
	ra := pvd.RA{Router: netip.MustParseAddr(router)}
	for _, r := range all {
		ra.Configuration.EncryptedResolvers = append(ra.Configuration.EncryptedResolvers,
			pvd.Datum[pvd.EncryptedResolver]{Value: r, Element: pvd.ElementRA, Source: router})
	}
	return ra
}

// TestEncryptedResolvers: of those that routers tell of, the ones that speak DNS over
// TLS are asked (RFC 9461 section 4.1), less priority first, whoever told of them (RFC
// 9463 section 6.2).
func TestEncryptedResolvers(t *testing.T) {
	at := func(name string, priority uint16, alpn ...string) pvd.EncryptedResolver {
		return pvd.EncryptedResolver{Name: name, Priority: priority, Addresses: []netip.Addr{netip.MustParseAddr("fe80::853")}, ALPN: alpn}
	}
	h := newFakeHost(t, nil, func(w *world) {
		w.add("eth0", 2, "2001:db8::5/64", "fe80::5/64")
		w.edit("eth0", func(f *pvd.Facts) {
			f.RAs = []pvd.RA{encryptedBy("fe80::1", at("third.example", 3, "dot"), at("web.example", 1, "h2", "h3"), at("untold.example", 1), at("second.example", 2, "h2", "dot")),
				encryptedBy("fe80::2", at("first.example", 1, "dot"))}
		})
	})
	d, err := h.Host.domain(h.pvd("eth0/ipv6"))
	if err != nil {
		t.Fatal(err)
	}
	c, err := d.resolverConfig()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, s := range c.Encrypted {
		names = append(names, s.Name)
		if s.Addrs[0].Zone() != "2" {
			t.Errorf("%v is not on the link", s.Addrs[0])
		}
	}
	if !slices.Equal(names, []string{"first.example", "second.example", "third.example"}) {
		t.Errorf("%q are asked", names)
	}
}
