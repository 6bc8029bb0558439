package hostconf

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/go-mif/mif/pvd"
)

const nmName = "org.freedesktop.NetworkManager"

// networkManager is what is said to and by NetworkManager on the bus.
type networkManager struct{}

// nmObjects are the objects of NetworkManager by path, the properties of each by
// interface and name.
type nmObjects map[dbus.ObjectPath]map[string]map[string]dbus.Variant

func (networkManager) name() string { return nmName }

// rules leave out the objects that change all the time, as access points do.
func (networkManager) rules() []string {
	var all []string
	for _, iface := range []string{"", ".Device", ".IP4Config", ".IP6Config", ".DHCP4Config", ".DHCP6Config"} {
		all = append(all, properties(nmName, nmName+iface))
	}
	return all
}

func (networkManager) signal(*dbus.Message) {}

func (networkManager) ask(b *bus) ([]said, error) {
	body, err := b.call(nmName, "/org/freedesktop", "org.freedesktop.DBus.ObjectManager", "GetManagedObjects")
	if err != nil || len(body) == 0 {
		return nil, err
	}
	objects, _ := body[0].(map[dbus.ObjectPath]map[string]map[string]dbus.Variant)
	return nmObjects(objects).said(), nil
}

// said is what is said of all devices, in order of their paths.
func (o nmObjects) said() []said {
	var all []said
	for _, path := range slices.Sorted(maps.Keys(o)) {
		device, ok := o[path][nmName+".Device"]
		if !ok || len(all) > 4*maxAsked {
			continue
		}
		ip, _ := device["IpInterface"].Value().(string)
		name, _ := device["Interface"].Value().(string)
		if link := cmp.Or(ip, name); interfaceName(link) {
			all = append(all, o.device(link, device)...)
		}
	}
	return all
}

// object is what a property of a device leads to.
func (o nmObjects) object(device map[string]dbus.Variant, property, iface string) map[string]dbus.Variant {
	path, _ := device[property].Value().(dbus.ObjectPath)
	return o[path][nmName+"."+iface]
}

// device tells apart what DHCP gave, and the rest. For IPv4 that was set by hand.
// For IPv6 it is a router's where there is one.
func (o nmObjects) device(link string, device map[string]dbus.Variant) []said {
	dhcp4 := nmOptions(o.object(device, "Dhcp4Config", "DHCP4Config"))
	dhcp6 := nmOptions(o.object(device, "Dhcp6Config", "DHCP6Config"))
	s := said{link: link, rank: rankNetworkManager, origin: origin{source: "NetworkManager"}}
	v4, v6 := s, s
	v4.element, v4.offer, v4.expiry = pvd.ElementDHCPv4, dhcp4.offer4(), dhcp4.expiry()
	v6.element, v6.offer = pvd.ElementDHCPv6, dhcp6.offer6()
	rest4, rest6 := s, s
	rest4.element, rest4.offer = pvd.ElementStatic, nmRest(o.object(device, "Ip4Config", "IP4Config"), &v4.offer)
	rest6.element, rest6.offer = pvd.ElementStatic, nmRest(o.object(device, "Ip6Config", "IP6Config"), &v6.offer)
	if len(rest6.routers) > 0 && rest6.routers[0].IsLinkLocalUnicast() {
		rest6.element, rest6.source = pvd.ElementRA, rest6.routers[0].String()
	}
	return slices.DeleteFunc([]said{v4, v6, rest4, rest6}, func(s said) bool { return s.empty() })
}

// An nmLease is the options of a lease by NetworkManager's names.
type nmLease map[string]string

func nmOptions(config map[string]dbus.Variant) nmLease {
	options, _ := config["Options"].Value().(map[string]dbus.Variant)
	lease := nmLease{}
	for name, v := range options {
		lease[name], _ = v.Value().(string)
	}
	return lease
}

func (l nmLease) fields(name string) []string { return strings.Fields(l[name]) }

func (l nmLease) offer4() offer {
	return leased(l.fields, "rfc3442_classless_static_routes", "ms_classless_static_routes")
}

func (l nmLease) offer6() offer {
	return offer{
		servers: parsed(l.fields("dhcp6_name_servers"), server),
		search:  domains(l.fields("dhcp6_domain_search")),
		ntp:     parsed(slices.Concat(l.fields("dhcp6_ntp_servers"), l.fields("dhcp6_sntp_servers")), timeServer),
	}
}

// expiry is in seconds since 1970; the zero Time if there is none.
func (l nmLease) expiry() time.Time {
	n, err := strconv.ParseInt(l["expiry"], 10, 40)
	if err != nil || n <= 0 || l["dhcp_lease_time"] == strconv.Itoa(never) {
		return time.Time{}
	}
	return time.Unix(n, 0).UTC()
}

// nmRest is what is configured beyond what DHCP gave.
func nmRest(config map[string]dbus.Variant, dhcp *offer) offer {
	var o offer
	for _, s := range nmServers(config) {
		a, ok := server(s)
		o.servers = put(o.servers, a, ok && !slices.Contains(dhcp.servers, a))
	}
	for _, property := range []string{"Searches", "Domains"} {
		names, _ := config[property].Value().([]string)
		for _, s := range names {
			if strings.HasPrefix(s, "~") {
				name, ok := routingDomain(s)
				o.routing = put(o.routing, name, ok)
				continue
			}
			name, ok := domain(s)
			o.search = put(o.search, name, ok && !slices.Contains(dhcp.search, name))
		}
	}
	if s, _ := config["Gateway"].Value().(string); s != "" {
		a, ok := address(s)
		a = a.WithZone("")
		o.routers = put(o.routers, a, ok && !slices.Contains(dhcp.routers, a))
	}
	return o
}

// nmServers are the name servers' addresses, in any of the forms that there are.
func nmServers(config map[string]dbus.Variant) []string {
	var all []string
	data, _ := config["NameserverData"].Value().([]map[string]dbus.Variant)
	for _, d := range data {
		s, _ := d["address"].Value().(string)
		all = append(all, s)
	}
	if all != nil {
		return all
	}
	six, _ := config["Nameservers"].Value().([][]byte)
	for _, b := range six {
		if a, ok := netip.AddrFromSlice(b); ok {
			all = append(all, a.String())
		}
	}
	return all
}
