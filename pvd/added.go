package pvd

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Static is a domain of a program's own on one link, such as a VPN's: what the
// program says in place of a router or a server.
type Static struct {
	// Name tells it from the program's other domains on the link, and is its FQDN if
	// it has one. Any text that is not empty and has neither slashes nor spaces.
	Name string
	// Interface is the link. If it is not valid, InterfaceName says which.
	Interface     InterfaceID
	InterfaceName string
	// Addresses are addresses of the interface, none of link-local scope, without
	// zones; at least one. They leave the domain that they would belong to otherwise.
	Addresses      []netip.Addr
	DNSServers     []netip.AddrPort
	SearchDomains  []string
	RoutingDomains []string
	Routers        []netip.Addr // default routers on the link, without zones
	Routes         []Route
	// Expiry is when the domain ends; zero: when it is withdrawn or its link goes.
	Expiry time.Time
}

// An Added is a Static that was added to a link. The Serial makes it another domain
// than all others ever added.
type Added struct {
	Serial uint64
	Static Static
}

// key is what no explicit domain can be called.
func (a *Added) key() string { return "/" + strconv.FormatUint(a.Serial, 10) }

// added tells whether a key is that of a domain that was added.
func added(key string) bool { return strings.HasPrefix(key, "/") }

// programs makes the groups of the program's own domains, which take their addresses
// before all others. Of two that want the same address the first has it.
func (g *gathering) programs() (own []*group) {
	for i := range g.facts.Added {
		s := &g.facts.Added[i].Static
		if !g.live(0, "", s.Expiry) {
			continue
		}
		to := g.scratch.group(Both)
		to.fqdn, to.key = s.Name, g.facts.Added[i].key()
		mine := func(a *Address) bool { return !a.LinkLocal && slices.Contains(s.Addresses, a.Prefix.Addr()) }
		g.v4, g.v6 = to.take(g.v4, mine), to.take(g.v6, mine)
		for i := range to.addresses {
			to.addresses[i].Element = ElementProgram
		}
		s.configure(&to.conf)
		g.zone(to.conf.DNSServers)
		own = append(own, to)
	}
	return own
}

// configure adds what s says to c.
func (s *Static) configure(c *Configuration) {
	fill(&c.DNSServers, s.DNSServers, s.Expiry)
	fill(&c.SearchDomains, s.SearchDomains, s.Expiry)
	fill(&c.RoutingDomains, s.RoutingDomains, s.Expiry)
	fill(&c.Routes, s.Routes, s.Expiry)
	for _, r := range s.Routers {
		fill(&c.Routers, []Router{{Addr: r}}, s.Expiry)
	}
}

// sourceProgram is the Source of what the program said.
const sourceProgram = "program"

func fill[T any, D ~[]Datum[T]](to *D, values []T, end time.Time) {
	for _, v := range values {
		*to = append(*to, Datum[T]{v, ElementProgram, sourceProgram, end})
	}
}
