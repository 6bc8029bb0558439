package hostconf

import (
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/go-mif/mif/pvd"
)

const resolvConfFile = "/etc/resolv.conf"

// resolvConf is the source of resolv.conf(5).
type resolvConf struct{}

// read waits for the file to be closed: who edits it in place empties it first.
func (resolvConf) read(r *reading) {
	f, err := r.tree.read(resolvConfFile, closed, false)
	if err == nil {
		o := parseResolvConf(f.text)
		r.hear(said{rank: rankResolvConf, origin: origin{element: pvd.ElementHost, source: resolvConfFile}, offer: *o})
		if len(o.servers) == 0 {
			err = errNoServers
		}
	}
	r.report("resolv.conf", resolvConfFile, err)
}

// parseResolvConf reads name servers and search domains. As in resolv.conf(5),
// the keyword must start the line and the last search or domain counts.
func parseResolvConf(text string) *offer {
	var servers, search []string
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) < 2 || !strings.HasPrefix(line, fields[0]) {
			continue
		}
		switch fields[0] {
		case "nameserver":
			servers = append(servers, fields[1])
		case "domain":
			search = fields[1:2]
		case "search":
			search = fields[1:]
		}
	}
	return &offer{servers: parsed(servers, zonedServer), search: parsed(search, domain)}
}

// zonedServer parses a name server's address. The zone of a link-local one
// becomes numeric; that of another means nothing.
func zonedServer(s string) (netip.AddrPort, bool) {
	a, ok := address(s)
	if zone := a.Zone(); zone != "" {
		a = a.WithZone("")
		if a.IsLinkLocalUnicast() && ok {
			index, known := zoneIndex(zone)
			a, ok = a.WithZone(index), known
		}
	}
	return netip.AddrPortFrom(a, dnsPort), ok
}

// zoneIndex is the number of an interface that is named by number or name.
func zoneIndex(zone string) (string, bool) {
	if n, err := strconv.ParseUint(zone, 10, 31); err == nil {
		return strconv.FormatUint(n, 10), n > 0
	}
	if !interfaceName(zone) {
		return "", false
	}
	i, err := net.InterfaceByName(zone)
	if err != nil {
		return "", false
	}
	return strconv.Itoa(i.Index), true
}
