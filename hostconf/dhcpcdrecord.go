package hostconf

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-mif/mif/pvd"
)

const dhcpcdName = "dhcpcd"

// dhcpcdKnows is the last word of dhcpcd by interface and protocol.
type dhcpcdKnows map[dhcpcdKey][]said

type dhcpcdKey struct{ link, protocol string }

// said is all of it, in an order that stays.
func (k dhcpcdKnows) said() []said {
	var all []said
	for _, key := range slices.SortedFunc(maps.Keys(k), func(a, b dhcpcdKey) int {
		return cmp.Or(cmp.Compare(a.link, b.link), cmp.Compare(a.protocol, b.protocol))
	}) {
		all = append(all, k[key]...)
	}
	return all
}

// learn takes a record, which is the environment of dhcpcd's scripts: what is said
// of a protocol replaces what was, and a link that is down has none.
func (k dhcpcdKnows) learn(record string, now time.Time) error {
	v := dhcpcdRecord{}
	for pair := range strings.SplitSeq(record, "\x00") {
		if name, value, ok := strings.Cut(pair, "="); ok {
			v[name] = value
		}
	}
	key := dhcpcdKey{v["interface"], v["protocol"]}
	if !interfaceName(key.link) || v["reason"] == "" {
		return errRecord
	}
	if key.protocol == "link" && (v["if_down"] == "true" || v["reason"] == "STOPPED" || v["reason"] == "DEPARTED") {
		maps.DeleteFunc(k, func(other dhcpcdKey, _ []said) bool { return other.link == key.link })
	}
	delete(k, key)
	if all := v.said(key, now); v["if_up"] == "true" && len(all) > 0 {
		if len(k) >= maxRecords {
			return errRecords
		}
		k[key] = all
	}
	return nil
}

// A dhcpcdRecord is the variables of one.
type dhcpcdRecord map[string]string

func (v dhcpcdRecord) said(key dhcpcdKey, now time.Time) []said {
	s := said{link: key.link, rank: rankDhcpcd, origin: origin{source: dhcpcdName}}
	switch key.protocol {
	case "dhcp":
		s.element, s.offer = pvd.ElementDHCPv4, v.dhcp()
		s.expiry = v.end(now, "new_dhcp_lease_time")
		return []said{s}
	case "dhcp6":
		s.element, s.offer = pvd.ElementDHCPv6, v.dhcp6()
		s.expiry = v.end6(now)
		return []said{s}
	case "ra":
		return v.routers(s, now)
	}
	return nil
}

func (v dhcpcdRecord) fields(name string) []string { return strings.Fields(v[name]) }

// end is when a lifetime in seconds ends that began now at the latest. When it
// began is not told, so a lease is believed for too long rather than too short:
// its end is told, too. The zero Time is never.
func (v dhcpcdRecord) end(now time.Time, name string) time.Time {
	n, err := strconv.ParseUint(v[name], 10, 32)
	if err != nil || n == never {
		return time.Time{}
	}
	return now.Add(time.Duration(n) * time.Second).Round(time.Second).UTC()
}

func (v dhcpcdRecord) dhcp() offer {
	o := leased(func(name string) []string { return v.fields("new_" + name) }, "classless_static_routes", "ms_classless_static_routes")
	o.portal = parsed(v.fields("new_captive_portal_uri"), uri)
	return o
}

// leased is what a DHCPv4 lease offers whose options have the names that clients
// give their scripts, but for those of classless routes, which are given: the first
// that is there counts.
func leased(fields func(name string) []string, classless ...string) offer {
	o := offer{
		servers: parsed(fields("domain_name_servers"), server),
		search:  domains(fields("domain_search")),
		mtu:     parsed(fields("interface_mtu"), mtu),
		ntp:     parsed(fields("ntp_servers"), timeServer),
	}
	if len(o.search) == 0 {
		o.search = domains(fields("domain_name"))
	}
	for _, name := range classless {
		if len(o.routes)+len(o.routers) == 0 {
			o.addRoutePairs(fields(name))
		}
	}
	if len(o.routes)+len(o.routers) == 0 { // RFC 3442: routers are to be ignored otherwise
		o.routers = parsed(fields("routers"), router)
	}
	return o
}

// addRoutePairs adds routes written as 198.51.100.0/24 192.0.2.1, one after the
// other.
func (o *offer) addRoutePairs(fields []string) {
	for pair := range slices.Chunk(fields, 2) {
		o.addNetworkdRoute(strings.Join(pair, ","))
	}
}

func (v dhcpcdRecord) dhcp6() offer {
	return offer{
		servers: parsed(v.fields("new_dhcp6_name_servers"), server),
		search:  domains(v.fields("new_dhcp6_domain_search")),
		portal:  parsed(v.fields("new_dhcp6_captive_portal_uri"), uri),
		ntp:     parsed(slices.Concat(v.fields("new_dhcp6_sntp_servers"), v.fields("new_dhcp6_ntp_server_addr")), timeServer),
	}
}

// end6 is when the last address ends; never if there is none, as after an
// INFORMATION-REQUEST.
func (v dhcpcdRecord) end6(now time.Time) (end time.Time) {
	for name := range v {
		if strings.HasPrefix(name, "new_dhcp6_ia_na") && strings.HasSuffix(name, "_vltime") {
			t := v.end(now, name)
			if t.IsZero() {
				return t
			}
			if t.After(end) {
				end = t
			}
		}
	}
	return end
}

// maxRouters bounds the routers of a link and the options of one kind of each.
const maxRouters = 64

// routers are what each router advertises, option by option, since each has a
// lifetime of its own.
func (v dhcpcdRecord) routers(s said, now time.Time) []said {
	s.element = pvd.ElementRA
	var all []said
	for i := range maxRouters {
		nd := "nd" + strconv.Itoa(i+1) + "_"
		from, err := netip.ParseAddr(v[nd+"from"])
		if err != nil || !from.IsLinkLocalUnicast() {
			break
		}
		from = from.WithZone("")
		s.source = from.String()
		heard := now.Add(-v.age(nd)) // lifetimes count from then
		if n, _ := strconv.ParseUint(v[nd+"lifetime"], 10, 16); n > 0 {
			all = s.append(all, v.end(heard, nd+"lifetime"), offer{routers: []netip.Addr{from}})
		}
		all = s.append(all, time.Time{}, offer{mtu: parsed(v.fields(nd+"mtu"), mtu), portal: parsed(v.fields(nd+"captive_portal_uri"), uri)})
		all = v.options(all, s, nd, heard)
	}
	return all
}

// age is for how long a router advertisement is known.
func (v dhcpcdRecord) age(nd string) time.Duration {
	now, err := strconv.ParseUint(v[nd+"now"], 10, 40)
	acquired, err2 := strconv.ParseUint(v[nd+"acquired"], 10, 40)
	if err != nil || err2 != nil || acquired > now || now-acquired > 1<<16 {
		return 0
	}
	return time.Duration(now-acquired) * time.Second
}

// options adds those options of a router that come with a lifetime.
func (v dhcpcdRecord) options(all []said, s said, nd string, heard time.Time) []said {
	for i := range maxRouters {
		n := strconv.Itoa(i + 1)
		dns, names, prefix := nd+"rdnss"+n+"_", nd+"dnssl"+n+"_", nd+"prefix_information"+n+"_"
		all = s.append(all, v.end(heard, dns+"lifetime"), offer{servers: parsed(v.fields(dns+"servers"), server)})
		all = s.append(all, v.end(heard, names+"lifetime"), offer{search: domains(v.fields(names + "search"))})
		if p, ok := v.prefix(prefix, heard); ok {
			all = s.append(all, v.end(heard, prefix+"vltime"), offer{prefixes: []pvd.Prefix{p}})
		}
	}
	return all
}

// prefix reads a prefix information option (RFC 4861 section 4.6.2).
func (v dhcpcdRecord) prefix(name string, heard time.Time) (pvd.Prefix, bool) {
	p, err := netip.ParsePrefix(v[name+"prefix"] + "/" + v[name+"length"])
	if err != nil || !p.Addr().Is6() || p.Addr().IsLinkLocalUnicast() {
		return pvd.Prefix{}, false
	}
	flags := v[name+"flags"]
	return pvd.Prefix{
		Prefix:     p.Masked(),
		OnLink:     strings.Contains(flags, "L"),
		Autonomous: strings.Contains(flags, "A"),
		Preferred:  v.end(heard, name+"pltime"),
	}, true
}

// append adds an offer that lasts until then.
func (s said) append(all []said, expiry time.Time, o offer) []said {
	s.expiry, s.offer = expiry, o
	if s.empty() {
		return all
	}
	return append(all, s)
}
