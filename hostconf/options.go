package hostconf

import (
	"slices"
	"strconv"

	"github.com/go-mif/mif/internal/value"
)

// The options that are understood, as dhclient names them: RFC 2132, 3397, 3442,
// 3646 and 4075.
const (
	optServers  = "domain-name-servers"
	optDomain   = "domain-name"
	optSearch   = "domain-search"
	optRouters  = "routers"
	optMTU      = "interface-mtu"
	optNTP      = "ntp-servers"
	optRoutes   = "rfc3442-classless-static-routes"
	optServers6 = "dhcp6.name-servers"
	optSearch6  = "dhcp6.domain-search"
	optNTP6     = "dhcp6.sntp-servers"
)

var understood = [...]string{optServers, optDomain, optSearch, optRouters, optMTU, optNTP, optRoutes, optServers6, optSearch6, optNTP6}

// offer is what a lease of either family offers.
func (l *lease) offer() *offer {
	o := &offer{
		servers: parsed(slices.Concat(l.options[optServers], l.options[optServers6]), server),
		search:  domains(slices.Concat(l.options[optSearch], l.options[optSearch6])),
		mtu:     parsed(l.options[optMTU], mtu),
		ntp:     parsed(slices.Concat(l.options[optNTP], l.options[optNTP6]), timeServer),
	}
	if len(o.search) == 0 {
		o.search = domains(l.options[optDomain])
	}
	if !o.classless(l.options[optRoutes]) {
		o.routers = parsed(l.options[optRouters], router)
	}
	return o
}

// classless reads the octets of a classless route option (RFC 3442) and tells
// whether there is one. If so the routers option is to be ignored.
func (o *offer) classless(octets []string) bool {
	b := make([]byte, 0, len(octets))
	for _, s := range octets {
		n, err := strconv.ParseUint(s, 10, 8)
		if err != nil {
			return false
		}
		b = append(b, byte(n))
	}
	r, ok := value.Classless(b)
	o.routes, o.routers = r.Routes, r.Routers
	return ok
}
