package dnr

import (
	"encoding/binary"
	"slices"

	"github.com/go-mif/mif/internal/value"
	"github.com/go-mif/mif/pvd"
)

// Codes of the options, which DHCP clients and codecs have no name for.
const (
	Code4 = 162 // OPTION_V4_DNR
	Code6 = 144 // OPTION_V6_DNR
)

// Option4 appends the resolvers of an option of DHCPv4 (RFC 9463 section 5.1), which
// stand one after the other, up to one that is cut.
func Option4(to []pvd.EncryptedResolver, b []byte) []pvd.EncryptedResolver {
	for {
		one, rest, ok := Field(b)
		if !ok {
			return to
		}
		b = rest
		r, ok := instance(one, octetField, 4)
		to = add(to, r, ok)
	}
}

// Option6 appends the resolver of an option of DHCPv6 (RFC 9463 section 4.1).
func Option6(to []pvd.EncryptedResolver, b []byte) []pvd.EncryptedResolver {
	r, ok := instance(b, Field, 16)
	return add(to, r, ok)
}

// instance is what an option says of one resolver, in fields cut off by field; of
// addresses there are size octets each. The name may be all of it.
func instance(b []byte, field func([]byte) (field, rest []byte, ok bool), size int) (r pvd.EncryptedResolver, ok bool) {
	if len(b) < 2 {
		return r, false
	}
	priority := binary.BigEndian.Uint16(b)
	name, rest, ok := field(b[2:])
	addresses, params, more := field(rest)
	switch {
	case !ok || len(rest) > 0 && !more:
		return r, false
	case len(addresses)+len(params) == 0:
		return Named(priority, name)
	}
	return Resolver(priority, name, addresses, size, params)
}

// octetField cuts a field off b that has its length in an octet before it.
func octetField(b []byte) (field, rest []byte, ok bool) {
	if len(b) == 0 || 1+int(b[0]) > len(b) {
		return nil, nil, false
	}
	n := 1 + int(b[0])
	return b[1:n], b[n:], true
}

// add appends a resolver that is all right, unless it is there, or there are enough.
func add(to []pvd.EncryptedResolver, r pvd.EncryptedResolver, ok bool) []pvd.EncryptedResolver {
	same := func(old pvd.EncryptedResolver) bool { return old.Name == r.Name && old.Priority == r.Priority }
	if !ok || len(to) >= value.Max || slices.ContainsFunc(to, same) {
		return to
	}
	return append(to, r)
}
