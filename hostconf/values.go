package hostconf

import (
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/go-mif/mif/pvd"
)

const (
	maxValues = 64 // of one option
	dnsPort   = 53
	minMTU    = 68    // RFC 2132 section 5.1
	maxMTU    = 65535 // octets
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
	bare := a.WithZone("") // ::%1 is not IsUnspecified
	return a, err == nil && !bare.IsUnspecified() && !bare.IsLoopback() && !bare.IsMulticast()
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
	return n, err == nil && n >= minMTU && n <= maxMTU
}

// domain parses a domain name, which comes out without the final dot. What
// cannot be part of a name in the DNS of hosts is refused; the root too, since
// nothing is completed by it.
func domain(s string) (string, bool) {
	s = strings.TrimSuffix(s, ".")
	if s == "" || len(s) > 253 {
		return "", false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || strings.ContainsFunc(label, notInLabel) {
			return "", false
		}
	}
	return s, true
}

func notInLabel(r rune) bool {
	return r <= ' ' || strings.ContainsRune("\"\\/:;,%@()", r) || r == 0x7f || r == '\uFFFD'
}

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

// addRoute files a route of a classless route option: a default router is one,
// anything else is a route. The zero gateway means on-link (RFC 3442). Metric and
// table are the client's choice, not in the lease, and stay zero.
func (o *offer) addRoute(to netip.Prefix, gateway netip.Addr) {
	if gateway.IsUnspecified() {
		gateway = netip.Addr{}
	}
	switch {
	case len(o.routes)+len(o.routers) == maxValues:
	case to.Bits() == 0 && gateway.IsValid():
		if !slices.Contains(o.routers, gateway) {
			o.routers = append(o.routers, gateway)
		}
	default:
		o.routes = append(o.routes, pvd.Route{Destination: to.Masked(), Gateway: gateway})
	}
}

// uri takes that of a captive portal's API (RFC 8908 section 4.1). The URN that
// says that there is no portal (RFC 8910 section 2) is none.
func uri(s string) (string, bool) {
	u, err := url.Parse(s)
	return s, err == nil && u.Scheme == "https" && u.Host != ""
}
