package netlink

import (
	"net/netip"
	"strings"

	"github.com/go-mif/mif/pvd"
)

// maxAddresses is how many addresses of an encrypted resolver are kept.
const maxAddresses = 16

// Service parameters (RFC 9460 section 14.3.2, RFC 9461 section 5).
const (
	paramMandatory = 0
	paramALPN      = 1
	paramNoDefault = 2
	paramPort      = 3
	paramHint4     = 4
	paramHint6     = 6
	paramPath      = 7
)

// A dnrOption is an Encrypted DNS option (RFC 9463 section 6.1).
type dnrOption struct {
	resolver pvd.EncryptedResolver
	lifetime uint32 // seconds
}

// decode takes an option's octets behind type and length. Behind the name there
// may be nothing but padding: then the name is all that is told.
func (o *dnrOption) decode(v []byte) bool {
	*o = dnrOption{}
	if len(v) < 8 {
		return false
	}
	r := &o.resolver
	r.Priority, o.lifetime = network.Uint16(v), network.Uint32(v[2:])
	field, v, ok := cutField(v[6:])
	if !ok {
		return false
	}
	name, left, ok := cutName(field)
	if !ok || name == "" || len(left) > 0 {
		return false
	}
	r.Name = name
	addrs, v, whole := cutField(v)
	if whole && len(addrs) > 0 {
		params, _, ok := cutField(v)
		return ok && o.addresses(addrs) && o.parameters(params)
	}
	return strings.Trim(string(v), "\x00") == "" && len(addrs) == 0
}

// cutField cuts a field off b that has its length in two octets before it.
func cutField(b []byte) (field, rest []byte, ok bool) {
	if len(b) < 2 || 2+int(network.Uint16(b)) > len(b) {
		return nil, b, false
	}
	n := 2 + int(network.Uint16(b))
	return b[2:n], b[n:], true
}

// addresses takes those that are no multicast or loopback addresses, and tells
// whether there is any.
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

// parameters takes service parameters, whose keys must ascend (RFC 9460 section
// 2.2). A resolver that requires a parameter not known here cannot be used.
func (o *dnrOption) parameters(b []byte) bool {
	for last := -1; len(b) > 0; {
		if len(b) < 4 {
			return false
		}
		key := int(network.Uint16(b))
		v, rest, ok := cutField(b[2:])
		if !ok || key <= last || !o.parameter(key, v) {
			return false
		}
		b, last = rest, key
	}
	return true
}

func (o *dnrOption) parameter(key int, v []byte) (ok bool) {
	switch key {
	case paramMandatory:
		return known(v)
	case paramALPN:
		o.resolver.ALPN, ok = decodeALPN(v)
		return ok
	case paramPort:
		if len(v) == 2 {
			o.resolver.Port = network.Uint16(v)
		}
		return o.resolver.Port != 0
	case paramHint4, paramHint6: // the addresses stand in the option
		return false
	case paramPath:
		o.resolver.Path, ok = decodePortal(v)
		return ok && o.resolver.Path[0] == '/'
	}
	return true
}

// known tells whether v lists none but keys of parameters that are understood.
func known(v []byte) bool {
	for ; len(v) >= 2; v = v[2:] {
		switch network.Uint16(v) {
		case paramALPN, paramNoDefault, paramPort, paramPath:
		default:
			return false
		}
	}
	return len(v) == 0
}

// decodeALPN is a list of protocols (RFC 9460 section 7.1.1).
func decodeALPN(v []byte) (all []string, ok bool) {
	for len(v) > 0 {
		n := 1 + int(v[0])
		if n == 1 || n > len(v) || len(all) == maxAddresses {
			return nil, false
		}
		all = append(all, string(v[1:n]))
		v = v[n:]
	}
	return all, len(all) > 0
}
