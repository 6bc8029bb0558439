package netlink

import (
	"net/netip"
	"slices"

	"github.com/go-mif/mif/pvd"
)

// stray says, once of a link, that an address from DHCPv6 matches nothing that routers
// advertise, as RFC 8801 section 3.4.1 suggests: it can only be guessed to which domain
// the address belongs.
func (t *tables) stray(l *link, f *pvd.Facts) {
	if !t.whole || l.strays || len(f.RAs) == 0 {
		return
	}
	for i := range f.Addresses {
		a := &f.Addresses[i]
		if a.Origin() == pvd.ElementDHCPv6 && !managed(f.RAs, a.Prefix.Addr()) {
			l.strays = true
			t.log.Warn("no advertisement with the M flag has a prefix of an address from DHCPv6", "interface", l.name, "address", a.Prefix.Addr())
			return
		}
	}
}

// managed tells whether a router that says that addresses come by DHCPv6 announces the
// prefix of one.
func managed(ras []pvd.RA, a netip.Addr) bool {
	return slices.ContainsFunc(ras, func(ra pvd.RA) bool {
		return ra.Managed && slices.ContainsFunc(ra.Configuration.Prefixes, func(d pvd.Datum[pvd.Prefix]) bool { return d.Value.Prefix.Contains(a) })
	})
}
