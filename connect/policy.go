package connect

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/go-mif/mif/internal/rfc6724"
)

// A PolicyEntry is a line of the policy table of RFC 6724, section 2.1. Its
// precedence is left out: that orders destinations, which a [Dialer] is given.
type PolicyEntry struct {
	Prefix netip.Prefix // IPv4 as such, or as ::ffff:0:0/96 and longer
	Label  int          // a source with the destination's label is preferred (rule 6)
}

// DefaultPolicy returns the table of RFC 6724, section 2.1, to be changed at will.
func DefaultPolicy() []PolicyEntry { return slices.Clone(defaultPolicy) }

// A policy has its entries in the form of IPv6, longest prefix first.
type policy []PolicyEntry

var defaultPolicy = func() (p policy) {
	for _, e := range rfc6724.Table() {
		p = append(p, PolicyEntry{e.Prefix, e.Label})
	}
	return p
}()

// newPolicy puts a table in order; an empty one is the default.
func newPolicy(table []PolicyEntry) policy {
	if len(table) == 0 {
		return defaultPolicy
	}
	p := make(policy, 0, len(table))
	for _, e := range table {
		if e.Prefix.IsValid() {
			p = append(p, PolicyEntry{mapped(e.Prefix), e.Label})
		}
	}
	slices.SortStableFunc(p, func(a, b PolicyEntry) int { return cmp.Compare(b.Prefix.Bits(), a.Prefix.Bits()) })
	return p
}

func mapped(p netip.Prefix) netip.Prefix {
	if !p.Addr().Is4() {
		return p.Masked()
	}
	return netip.PrefixFrom(netip.AddrFrom16(p.Addr().As16()), 96+p.Bits()).Masked()
}

// label is that of the longest prefix that holds the address; -1 if none does, so
// that all such addresses match each other alone.
func (p policy) label(a netip.Addr) int {
	a = netip.AddrFrom16(a.As16()) // maps IPv4, and has no zone
	for _, e := range p {
		if e.Prefix.Contains(a) {
			return e.Label
		}
	}
	return -1
}
