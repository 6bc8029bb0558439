// Package dnr decodes what the options of RFC 9463 say of an encrypted resolver: those
// of Router Advertisements, of DHCPv6 and of DHCPv4 differ only in how long their fields
// say to be. All of it is pure.
package dnr

import (
	"encoding/binary"
	"net/netip"

	"github.com/go-mif/mif/internal/value"
	"github.com/go-mif/mif/pvd"
)

// maxAddresses is how many addresses of an encrypted resolver are kept.
const maxAddresses = 16

// Field cuts a field off b that has its length in two octets before it.
func Field(b []byte) (field, rest []byte, ok bool) {
	if len(b) < 2 || 2+int(binary.BigEndian.Uint16(b)) > len(b) {
		return nil, b, false
	}
	n := 2 + int(binary.BigEndian.Uint16(b))
	return b[2:n], b[n:], true
}

// Named is a resolver of which nothing but the name is told (RFC 9463 section 3.1.6),
// a domain name on the wire. It is not ok if it describes none.
func Named(priority uint16, name []byte) (r pvd.EncryptedResolver, ok bool) {
	text, left, whole := value.CutName(name)
	ok = whole && text != "" && len(left) == 0 && priority != 0 // 0: AliasMode (RFC 9460 section 2.4.1)
	return pvd.EncryptedResolver{Name: text, Priority: priority}, ok
}

// Resolver is one with addresses, of size octets each, and service parameters, after
// the checks of RFC 9463 section 3.1.8.
func Resolver(priority uint16, name, addresses []byte, size int, params []byte) (r pvd.EncryptedResolver, ok bool) {
	if r, ok = Named(priority, name); !ok {
		return r, false
	}
	s := svcParams{resolver: &r}
	r.Addresses = addressesOf(addresses, size)
	return r, len(addresses)%size == 0 && len(r.Addresses) > 0 && s.decode(params)
}

// addressesOf are those that are no multicast or loopback addresses (RFC 9463 section
// 6.2).
func addressesOf(b []byte, size int) (all []netip.Addr) {
	for ; len(b) >= size && len(all) < maxAddresses; b = b[size:] {
		if a, _ := netip.AddrFromSlice(b[:size]); value.Unicast(a) && !a.Is4In6() {
			all = append(all, a)
		}
	}
	return all
}
