package interop

import "fmt"

const leaseFile = "/var/lib/dhcp/dhclient.eth0.leases"

// wanted are the facts of what the programs were configured with.
func wanted(all ...facts) facts {
	f := facts{}
	for _, more := range all {
		for s := range more {
			f[s] = true
		}
	}
	return f
}

// says adds an item of an element.
func (f facts) says(pvd, element, item, source string, values ...string) {
	f.add("%s %s", pvd, element)
	for rank, v := range values {
		f.addDatum(pvd, element, item, rank, v+" by "+source)
	}
}

// byDHCP is what dnsmasq gives, as dhclient has put it down and into effect.
func byDHCP() facts {
	f := facts{}
	says := func(item, source string, values ...string) { f.says("eth0/ipv4", "DHCPv4", item, source, values...) }
	says("DNSServers", leaseFile, gateway+":53")
	says("SearchDomains", leaseFile, "four.example.com", "example.net")
	says("NTPServers", leaseFile, timeserver)
	says("Routers", leaseFile, router(gateway))
	says("Routes", "kernel", route("0.0.0.0/0", gateway, 0), route("192.0.2.0/24", "", 0))
	return f
}

// byRA is what radvd advertises of the prefixes that are for use and of those that are
// being given up.
func (l *lab) byRA(current, old []string) facts {
	f, from := facts{}, l.router.LinkLocal().String()
	says := func(item, source string, values ...string) { f.says("eth0/ipv6", "RA", item, source, values...) }
	var prefixes, routes []string
	for _, p := range current {
		prefixes = append(prefixes, advertisedPrefix(p, "true"))
		routes = append(routes, route(p, "", 256))
	}
	for _, p := range old {
		prefixes = append(prefixes, advertisedPrefix(p, "0"))
		routes = append(routes, route(p, "", 256))
	}
	says("DNSServers", from, "["+dns6+"]:53")
	says("SearchDomains", from, "six.example.com")
	says("MTU", "kernel", "1480")
	says("Prefixes", from, prefixes...)
	says("Routers", from, router(from))
	says("Routes", from, route("::/0", from, 1024))
	for i, r := range routes {
		f.addDatum("eth0/ipv6", "RA", "Routes", i+1, r+" by kernel")
	}
	return f
}

func router(address string) string {
	return fmt.Sprintf(`{"address":%q,"preference":"medium"}`, address)
}

func route(destination, gateway string, metric int) string {
	if gateway != "" {
		gateway = fmt.Sprintf(`,"gateway":%q`, gateway)
	}
	return fmt.Sprintf(`{"destination":%q%s,"metric":%d,"table":254}`, destination, gateway, metric)
}

func advertisedPrefix(p, preferred string) string {
	return fmt.Sprintf(`{"autonomous":true,"onlink":true,"preferred":%s,"prefix":%q}`, preferred, p)
}
