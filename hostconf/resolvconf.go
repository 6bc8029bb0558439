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

// read waits for the file to be closed: who edits it in place empties it first. If
// all it names is the host's own server, as that of systemd-resolved, the file counts
// in which that tells where it asks.
func (resolvConf) read(r *reading) {
	o, err := r.resolvConf(resolvConfFile)
	if err == nil && len(o.servers) == 0 {
		uplinks, failed := r.resolvConf(resolvedFile)
		if failed == nil && len(uplinks.servers) > 0 {
			o = uplinks
		} else {
			err = errNoServers
		}
	}
	if o != nil {
		r.hear(*o)
	}
	r.report("resolv.conf", resolvConfFile, err)
}

func (r *reading) resolvConf(path string) (*said, error) {
	f, err := r.tree.read(path, closed, false)
	if err != nil {
		return nil, err
	}
	return &said{rank: rankResolvConf, origin: origin{element: pvd.ElementHost, source: path}, offer: *parseResolvConf(f.text)}, nil
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
