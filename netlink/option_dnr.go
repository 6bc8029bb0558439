package netlink

import (
	"net/netip"
	"strings"

	"github.com/go-mif/mif/pvd"
)

// maxAddresses is how many addresses of an encrypted resolver are kept.
const maxAddresses = 16

// A dnrOption is an Encrypted DNS option (RFC 9463 section 6.1).
type dnrOption struct {
	resolver pvd.EncryptedResolver
	lifetime uint32 // seconds; 0: the resolver of that name is to be used no more
}

// decode takes an option's octets behind type and length, and makes the checks of
// RFC 9463 section 3.1.8. Behind the name there may be nothing but padding: then it is
// all that is told (section 3.1.6).
func (o *dnrOption) decode(v []byte) bool {
	*o = dnrOption{}
	if len(v) < 8 {
		return false
	}
	r := &o.resolver
	r.Priority, o.lifetime = network.Uint16(v), network.Uint32(v[2:])
	field, v, ok := cutField(v[6:])
	if !ok || r.Priority == 0 { // AliasMode (RFC 9460 section 2.4.1): it describes no resolver
		return false
	}
	name, left, ok := cutName(field)
	if !ok || name == "" || len(left) > 0 {
		return false
	}
	r.Name = name
	addrs, v, whole := cutField(v)
	if !whole || len(addrs) == 0 {
		return zeros(v)
	}
	field, _, ok = cutField(v) // behind it is padding
	s := svcParams{resolver: r}
	return ok && o.addresses(addrs) && s.decode(field)
}

// zeros tells whether b is padding.
func zeros(b []byte) bool { return strings.Trim(string(b), "\x00") == "" }

// cutField cuts a field off b that has its length in two octets before it.
func cutField(b []byte) (field, rest []byte, ok bool) {
	if len(b) < 2 || 2+int(network.Uint16(b)) > len(b) {
		return nil, b, false
	}
	n := 2 + int(network.Uint16(b))
	return b[2:n], b[n:], true
}

// addresses takes those that are no multicast or loopback addresses (RFC 9463
// section 6.2), and tells whether there is any.
func (o *dnrOption) addresses(b []byte) bool {
	if len(b)%16 != 0 {
		return false
	}
	for ; len(b) > 0 && len(o.resolver.Addresses) < maxAddresses; b = b[16:] {
		a := netip.AddrFrom16([16]byte(b[:16]))
		if !a.IsMulticast() && !a.IsLoopback() && !a.IsUnspecified() && !a.Is4In6() {
			o.resolver.Addresses = append(o.resolver.Addresses, a)
		}
	}
	return len(o.resolver.Addresses) > 0
}

// onLink gives link-local addresses the zone of the link.
func (o *dnrOption) onLink(index int32) {
	for i, a := range o.resolver.Addresses {
		o.resolver.Addresses[i] = zoned(a, index)
	}
}
