package netlink

import (
	"strings"

	"github.com/go-mif/mif/internal/dnr"
	"github.com/go-mif/mif/pvd"
)

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
	priority := network.Uint16(v)
	o.lifetime = network.Uint32(v[2:])
	name, v, ok := dnr.Field(v[6:])
	if !ok {
		return false
	}
	addrs, v, whole := dnr.Field(v)
	if !whole || len(addrs) == 0 {
		o.resolver, ok = dnr.Named(priority, name)
		return ok && zeros(v)
	}
	params, _, ok := dnr.Field(v) // behind it is padding
	if ok {
		o.resolver, ok = dnr.Resolver(priority, name, addrs, 16, params)
	}
	return ok
}

// zeros tells whether b is padding.
func zeros(b []byte) bool { return strings.Trim(string(b), "\x00") == "" }
