package happyeyeballs

import (
	"net/netip"

	"github.com/go-mif/mif/internal/rfc6724"
	"github.com/go-mif/mif/pvd"
)

// source is Source(D) of RFC 6724, section 6: the address of the domain that
// package connect will choose for a destination, nil if there is none. It sorts
// destinations; it does not bind.
func source(dst netip.Addr, own []pvd.Address) *rfc6724.Address {
	var usable []rfc6724.Address
	for _, a := range own {
		if a.Usable() {
			usable = append(usable, rfc6724.Address{Prefix: a.Prefix, Deprecated: a.Deprecated, Temporary: a.Temporary})
		}
	}
	return rfc6724.Source(dst, usable)
}

// prefer is negative if only a holds and positive if only b does.
func prefer(a, b bool) int { return rfc6724.Prefer(a, b) }

// order is that of section 6 but for the rules that RFC 8305, section 4, puts before
// rule 9.
func (j *judged) order() rfc6724.Destination {
	return rfc6724.Destination{Addr: j.dest, Source: j.source}
}
