package hostconf

import (
	"encoding/json"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/go-mif/mif/pvd"
)

const networkdSource = "systemd-networkd"

// A description is the part that counts of what systemd-networkd says of a link:
// from version 250 on, the captive portal from 254, PREF64 from 255, and encrypted
// resolvers (DNR) from 257.
type description struct {
	DNS           []networkdServer
	DNR           []networkdResolver
	NTP           []networkdServer
	SearchDomains []networkdDomain
	RouteDomains  []networkdDomain
	Addresses     []networkdAddress
	Routes        []networkdRoute
	CaptivePortal string
	NDisc         struct{ PREF64 []networkdPREF64 }
}

// A provenance is what is said of every datum: how it came and from whom.
type provenance struct {
	ConfigSource   string
	ConfigProvider octets
}

type networkdServer struct {
	provenance
	Address octets
	Server  string // an NTP server by name
	Port    uint16
}

type networkdDomain struct {
	provenance
	Domain string
}

type networkdAddress struct {
	provenance
	ValidLifetimeUsec uint64 // since the host was started
}

type networkdRoute struct {
	provenance
	Destination             octets
	DestinationPrefixLength int
	Gateway                 octets
}

// octets are an address. JSON has them as numbers; what is none is the zero Addr.
type octets struct{ netip.Addr }

func (o *octets) UnmarshalJSON(b []byte) error {
	var numbers []int
	if json.Unmarshal(b, &numbers) != nil {
		return nil
	}
	var all []byte
	for _, n := range numbers {
		if n < 0 || n > 255 {
			return nil
		}
		all = append(all, byte(n))
	}
	if a, ok := netip.AddrFromSlice(all); ok {
		o.Addr = a.Unmap()
	}
	return nil
}

// parseDescription returns what is said of a link, by element and provider. Times
// count from when the host was started. What is of another type than here, as in
// another version, is passed over.
func parseDescription(index int, text string, boot time.Time) []said {
	var d description
	if err := json.Unmarshal([]byte(text), &d); err != nil && !errors.As(err, new(*json.UnmarshalTypeError)) {
		return nil
	}
	g := networkdGroups{index: index}
	for _, a := range d.Addresses {
		if end := a.ValidLifetimeUsec; a.ConfigSource != "NDisc" && finite(end) {
			if s := g.of(a.provenance); s != nil {
				s.expiry = sinceBoot(boot, end)
			}
		}
	}
	g.data(&d)
	g.later(&d, boot)
	return slices.DeleteFunc(g.said, func(s said) bool { return s.empty() })
}

// finite tells whether a time is one: zero is not told, and the highest is never.
func finite(usec uint64) bool { return usec > 0 && usec < 1<<53 }

func sinceBoot(boot time.Time, usec uint64) time.Time {
	return boot.Add(time.Duration(usec) * time.Microsecond).Round(time.Second).UTC()
}

// networkdGroups are the data by element and provider, in the order in which they
// were come upon.
type networkdGroups struct {
	index int
	said  []said
}

// of is where data of an origin go; nil if they are no news of this kind: what the
// kernel has from others comes from the kernel.
func (g *networkdGroups) of(p provenance) *said {
	s := said{index: g.index, rank: rankNetworkd, origin: origin{source: networkdSource}}
	switch p.ConfigSource {
	case "DHCPv4":
		s.element = pvd.ElementDHCPv4
	case "DHCPv6":
		s.element = pvd.ElementDHCPv6
	case "NDisc":
		if !p.ConfigProvider.IsValid() {
			return nil
		}
		s.element, s.source = pvd.ElementRA, p.ConfigProvider.String()
	case "static", "runtime":
		s.element = pvd.ElementStatic
	default:
		return nil
	}
	i := slices.IndexFunc(g.said, func(o said) bool { return o.element == s.element && o.source == s.source })
	if i < 0 {
		i = len(g.said)
		g.said = append(g.said, s)
	}
	return &g.said[i]
}

func (g *networkdGroups) data(d *description) {
	for _, v := range d.DNS {
		if s := g.of(v.provenance); s != nil {
			a, ok := server(v.Address.String())
			if v.Port != 0 {
				a = netip.AddrPortFrom(a.Addr(), v.Port)
			}
			s.servers = put(s.servers, a, ok)
		}
	}
	for _, v := range d.Routes {
		g.route(&v)
	}
	g.domains(d)
	g.times(d)
}

func (g *networkdGroups) times(d *description) {
	for _, v := range d.NTP {
		if s := g.of(v.provenance); s != nil {
			name := v.Server
			if v.Address.IsValid() {
				name = v.Address.String()
			}
			a, ok := timeServer(name)
			s.ntp = put(s.ntp, a, ok)
		}
	}
}

func (g *networkdGroups) domains(d *description) {
	for _, v := range d.SearchDomains {
		if s := g.of(v.provenance); s != nil {
			name, ok := domain(v.Domain)
			s.search = put(s.search, name, ok)
		}
	}
	for _, v := range d.RouteDomains {
		if s := g.of(v.provenance); s != nil {
			name, ok := routingDomain(v.Domain)
			s.routing = put(s.routing, name, ok)
		}
	}
}

// route takes the routers and routes that routers and servers gave. One without a
// gateway is networkd's own way to one of their addresses.
func (g *networkdGroups) route(v *networkdRoute) {
	to := netip.PrefixFrom(v.Destination.Addr, v.DestinationPrefixLength)
	via, ok := address(v.Gateway.String())
	if !ok || !to.IsValid() || via.Is4() != to.Addr().Is4() {
		return
	}
	if s := g.of(v.provenance); s != nil && s.element != pvd.ElementStatic {
		s.addRoute(to, via)
	}
}

// put adds a value that is good and new.
func put[T comparable](all []T, v T, ok bool) []T {
	if !ok || len(all) == maxValues || slices.Contains(all, v) {
		return all
	}
	return append(all, v)
}

// routingDomain parses a domain that can be the root: all names.
func routingDomain(s string) (string, bool) {
	s = strings.TrimPrefix(s, "~")
	if s == "." {
		return s, true
	}
	return domain(s)
}
