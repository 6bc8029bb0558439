package hostconf

import (
	"slices"
	"strconv"
	"strings"

	"github.com/go-mif/mif/internal/dnr"
	"github.com/go-mif/mif/internal/value"
)

// The options that are understood, as dhclient names them: RFC 2132, 3397, 3442,
// 3646, 4075, 5908, 8910 and 9463. It knows 114 by what it was before it was the captive
// portal's, and those that it does not know by number.
const (
	optServers  = "domain-name-servers"
	optDomain   = "domain-name"
	optSearch   = "domain-search"
	optRouters  = "routers"
	optMTU      = "interface-mtu"
	optNTP      = "ntp-servers"
	optRoutes   = "rfc3442-classless-static-routes"
	optPortal   = "default-url"
	optPortal0  = "unknown-114"
	optServers6 = "dhcp6.name-servers"
	optSearch6  = "dhcp6.domain-search"
	optSNTP6    = "dhcp6.sntp-servers"
	optNTP6     = "dhcp6.unknown-56"
	optPortal6  = "dhcp6.v6-captive-portal"
	optPortal60 = "dhcp6.unknown-103"
	optSecure   = "unknown-162"
	optSecure6  = "dhcp6.unknown-144"
)

var understood = [...]string{optServers, optDomain, optSearch, optRouters, optMTU, optNTP, optRoutes, optPortal, optPortal0,
	optServers6, optSearch6, optSNTP6, optNTP6, optPortal6, optPortal60, optSecure, optSecure6}

// offer is what a lease of either family offers.
func (l *lease) offer() *offer {
	o := &offer{
		servers: parsed(slices.Concat(l.options[optServers], l.options[optServers6]), server),
		search:  domains(slices.Concat(l.options[optSearch], l.options[optSearch6])),
		mtu:     parsed(l.options[optMTU], mtu),
		ntp:     parsed(slices.Concat(l.options[optNTP], l.options[optSNTP6], ntpOption(unnamed(l.options[optNTP6]))), timeServer),
		portal:  parsed(l.portals(), uri),
		secure:  dnr.Option4(nil, unnamed(l.options[optSecure])),
	}
	for _, one := range l.options[optSecure6] {
		o.secure = dnr.Option6(o.secure, unnamed([]string{one}))
	}
	if len(o.search) == 0 {
		o.search = domains(l.options[optDomain])
	}
	if !o.classless(l.options[optRoutes]) {
		o.routers = parsed(l.options[optRouters], router)
	}
	return o
}

// portals are the captive portal's URI in the forms that there are, the URI itself
// without the zero octets that some servers end it with.
func (l *lease) portals() []string {
	all := slices.Concat(l.options[optPortal], l.options[optPortal6])
	for _, name := range []string{optPortal0, optPortal60} {
		all = append(all, string(unnamed(l.options[name])))
	}
	for i, s := range all {
		all[i] = strings.TrimRight(s, "\x00")
	}
	return all
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
