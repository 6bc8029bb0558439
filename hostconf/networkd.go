package hostconf

import (
	"net/netip"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/go-mif/mif/pvd"
)

const networkdFiles = "/run/systemd/netif/leases/*"

// networkd is the source of systemd-networkd's DHCPv4 leases, one file for each
// interface, named by its index. Their format is not a promise of systemd's, so
// what is not as expected is passed over.
type networkd struct{}

func (networkd) read(r *reading) {
	files, err := r.glob(networkdFiles, closed, false)
	used := false
	for _, f := range files {
		index, bad := strconv.ParseUint(path.Base(f.path), 10, 31)
		if bad != nil || index == 0 {
			continue
		}
		o, lifetime := parseNetworkdLease(f.text)
		from := origin{element: pvd.ElementDHCPv4, source: f.path}
		// A renewal writes the file anew, and so does any other change of the
		// link: the lease lasts no longer than that.
		if lifetime != never {
			from.expiry = f.info.ModTime().Add(time.Duration(lifetime) * time.Second).UTC()
		}
		used = r.hear(said{index: int(index), rank: rankLeases, origin: from, offer: *o}) || used
	}
	if err == nil && !used {
		err = errNoLease
	}
	r.report("networkd", networkdFiles, err)
}

// parseNetworkdLease returns what a lease offers and for how many seconds. One
// without a lifetime is not finished, and lasts for none.
func parseNetworkdLease(text string) (*offer, uint32) {
	values := map[string]string{}
	for line := range strings.Lines(text) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok {
			values[key] = value
		}
	}
	fields := func(key string) []string { return strings.Fields(values[key]) }
	o := &offer{
		servers: parsed(fields("DNS"), server),
		search:  domains(fields("DOMAIN_SEARCH_LIST")),
		mtu:     parsed(fields("MTU"), mtu),
		ntp:     parsed(fields("NTP"), timeServer),
	}
	if len(o.search) == 0 {
		o.search = domains(fields("DOMAINNAME"))
	}
	for _, s := range fields("CLASSLESS_ROUTES") {
		o.addNetworkdRoute(s)
	}
	if len(o.routes)+len(o.routers) == 0 { // RFC 3442: routers are to be ignored otherwise
		o.routers = parsed(fields("ROUTER"), router)
	}
	return o, networkdSpan(fields("LIFETIME"))
}

// networkdUnits are seconds by the names of their multiples.
var networkdUnits = map[string]uint64{"": 1, "s": 1, "min": 60, "h": 3600, "d": 86400, "w": 7 * 86400, "month": 2629800, "y": 31557600}

// networkdSpan reads a time in seconds: a number, or from version 257 on such as 1h
// 30min. What cannot be read is none; what is too long is for ever.
func networkdSpan(fields []string) uint32 {
	var all uint64
	for _, f := range fields {
		if f == "infinity" {
			return never
		}
		digits := strings.TrimRight(f, "abcdefghijklmnopqrstuvwxyz")
		n, err := strconv.ParseUint(digits, 10, 32)
		unit, ok := networkdUnits[f[len(digits):]]
		if err != nil || !ok {
			return 0
		}
		all = min(all+n*unit, never)
	}
	return uint32(all)
}

// addNetworkdRoute adds a route written as 198.51.100.0/24,192.0.2.1.
func (o *offer) addNetworkdRoute(s string) {
	to, via, _ := strings.Cut(s, ",")
	prefix, err := netip.ParsePrefix(to)
	gateway, err2 := netip.ParseAddr(via)
	if err == nil && err2 == nil && prefix.Addr().Is4() && gateway.Is4() {
		o.addRoute(prefix, gateway)
	}
}
