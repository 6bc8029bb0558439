package hostconf

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/go-mif/mif/internal/value"
)

const (
	maxValues = value.Max // of one option
	dnsPort   = value.DNSPort
)

// parsed is what parse makes of the values, without those it refuses and without
// repetitions.
func parsed[T comparable](values []string, parse func(string) (T, bool)) []T {
	var all []T
	for _, s := range values {
		if v, ok := parse(s); ok && !slices.Contains(all, v) {
			all = append(all, v)
		}
		if len(all) == maxValues {
			break
		}
	}
	return all
}

// address parses an address that can be somebody's on a link.
func address(s string) (netip.Addr, bool) {
	a, err := netip.ParseAddr(s)
	a = a.Unmap()
	return a, err == nil && value.Unicast(a)
}

// server parses a name server's address. A zone would be a name that only its
// writer can vouch for, so it is left out.
func server(s string) (netip.AddrPort, bool) {
	a, ok := address(s)
	return netip.AddrPortFrom(a.WithZone(""), dnsPort), ok
}

// router parses an IPv4 router's address.
func router(s string) (netip.Addr, bool) {
	a, ok := address(s)
	return a, ok && a.Is4()
}

// timeServer parses an address or a name; an address may be a multicast group
// (RFC 5905 section 3.1).
func timeServer(s string) (string, bool) {
	if a, err := netip.ParseAddr(s); err == nil {
		a = a.Unmap().WithZone("")
		return a.String(), !a.IsUnspecified() && !a.IsLoopback()
	}
	return domain(s)
}

func mtu(s string) (int, bool) {
	n, err := strconv.Atoi(s)
	return n, err == nil && n >= value.MinMTU && n <= value.MaxMTU
}

// domain parses a domain name, which comes out without the final dot.
func domain(s string) (string, bool) { return value.Name(s) }

// domains are the names in the values, each of which may hold several: some
// servers put a list into the option for one.
func domains(values []string) []string {
	return parsed(strings.Split(strings.Join(values, " "), " "), domain)
}

// interfaceName tells whether the kernel would take s for an interface's name.
func interfaceName(s string) bool {
	return s != "" && len(s) < 16 && s != "." && s != ".." &&
		!strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == '/' || r == ':' || r == 0x7f || r == '\uFFFD' })
}

// addRoute files a route of a classless route option.
func (o *offer) addRoute(to netip.Prefix, gateway netip.Addr) {
	r := value.Routes{Routers: o.routers, Routes: o.routes}
	r.Add(to, gateway)
	o.routers, o.routes = r.Routers, r.Routes
}

// uri takes that of a captive portal's API.
func uri(s string) (string, bool) { return value.URI(s) }
