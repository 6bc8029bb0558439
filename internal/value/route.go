package value

import (
	"net/netip"
	"slices"

	"github.com/go-mif/mif/pvd"
)

// Routes are what a classless static route option says (RFC 3442): a default router
// is one, anything else is a route. Metric and table are the client's choice, not in
// the lease, and stay zero.
type Routes struct {
	Routers []netip.Addr
	Routes  []pvd.Route
}

// Add files a route, unless there are Max. The zero gateway means on-link.
func (r *Routes) Add(to netip.Prefix, gateway netip.Addr) {
	if gateway.IsUnspecified() {
		gateway = netip.Addr{}
	}
	switch {
	case len(r.Routes)+len(r.Routers) == Max:
	case to.Bits() == 0 && gateway.IsValid():
		if !slices.Contains(r.Routers, gateway) {
			r.Routers = append(r.Routers, gateway)
		}
	default:
		r.Routes = append(r.Routes, pvd.Route{Destination: to.Masked(), Gateway: gateway})
	}
}

// Classless reads the octets of a classless static route option and tells whether
// they are one. If so the routers option is to be ignored.
func Classless(b []byte) (r Routes, ok bool) {
	ok = len(b) > 0
	for len(b) > 0 {
		if b = r.cut(b); b == nil {
			return Routes{}, false
		}
	}
	return r, ok
}

// cut adds the route that b begins with and returns the rest; nil if it is
// malformed. Only as many octets of the destination are sent as are significant.
func (r *Routes) cut(b []byte) []byte {
	bits := int(b[0])
	n := (bits + 7) / 8
	if bits > 32 || len(b) < 1+n+4 {
		return nil
	}
	var to, gateway [4]byte
	copy(to[:], b[1:1+n])
	copy(gateway[:], b[1+n:])
	r.Add(netip.PrefixFrom(netip.AddrFrom4(to), bits), netip.AddrFrom4(gateway))
	return b[1+n+4:]
}
