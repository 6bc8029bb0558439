package dhcp

import (
	"slices"
	"strconv"

	"github.com/go-mif/mif/internal/dnr"
	"github.com/go-mif/mif/internal/value"
	"github.com/go-mif/mif/pvd"
)

// Encrypted DNS options (RFC 9463), which the codec does not know.
const (
	encryptedDNS4 = 162
	encryptedDNS6 = 144
)

// encrypted4 takes an option of DHCPv4, one resolver after the other (RFC 9463
// section 5.1).
func (o *offer) encrypted4(b []byte) {
	for {
		one, rest, ok := dnr.Field(b)
		if !ok {
			return
		}
		b = rest
		o.resolver(instance(one, octetField, 4))
	}
}

// instance is what an option says of one resolver, in fields cut off by field; of
// addresses there are size octets each. The name may be all of it.
func instance(v []byte, field func([]byte) (field, rest []byte, ok bool), size int) (r pvd.EncryptedResolver, ok bool) {
	if len(v) < 2 {
		return r, false
	}
	name, rest, ok := field(v[2:])
	addresses, params, more := field(rest)
	switch {
	case !ok || len(rest) > 0 && !more:
		return r, false
	case len(addresses)+len(params) == 0:
		return dnr.Named(network.Uint16(v), name)
	}
	return dnr.Resolver(network.Uint16(v), name, addresses, size, params)
}

// octetField cuts a field off b that has its length in an octet before it.
func octetField(b []byte) (field, rest []byte, ok bool) {
	if len(b) == 0 || 1+int(b[0]) > len(b) {
		return nil, nil, false
	}
	n := 1 + int(b[0])
	return b[1:n], b[n:], true
}

// encrypted6 takes an option of DHCPv6, which is of one resolver (RFC 9463 section
// 4.1).
func (o *offer) encrypted6(v []byte) { o.resolver(instance(v, dnr.Field, 16)) }

func (o *offer) resolver(r pvd.EncryptedResolver, ok bool) {
	same := func(old pvd.EncryptedResolver) bool { return old.Name == r.Name && old.Priority == r.Priority }
	if ok && len(o.encrypted) < value.Max && !slices.ContainsFunc(o.encrypted, same) {
		o.encrypted = append(o.encrypted, r)
	}
}

// onLink gives link-local addresses of resolvers the zone of the link.
func (o *offer) onLink(index int) {
	for _, r := range o.encrypted {
		for i, a := range r.Addresses {
			if a.Is6() && a.IsLinkLocalUnicast() {
				r.Addresses[i] = a.WithZone(strconv.Itoa(index))
			}
		}
	}
}
