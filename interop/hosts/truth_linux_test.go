package hosts

// offers is what the router gives over DHCP, besides what package hostlab has it give;
// what it advertises is in advertisement.
const offers = "-O option:mtu,1480 -O option:classless-static-route,0.0.0.0/0,192.0.2.1,198.51.100.0/24,192.0.2.2" +
	" --dhcp-option-force=114,https://portal.example/4" +
	" -O option6:dns-server,[2001:db8:1::54] -O option6:domain-search,lab6.example --dhcp-option-force=option6:ntp-server,[2001:db8:1::123]" +
	" --dhcp-option-force=option6:103,https://portal.example/6" +
	" --dhcp-option-force=162,00:1e:00:01:0e:04:64:6f:74:34:07:65:78:61:6d:70:6c:65:00:04:c0:00:02:55:00:01:00:04:03:64:6f:74" +
	" --dhcp-option-force=option6:144,00:01:00:0e:04:64:6f:74:36:07:65:78:61:6d:70:6c:65:00:00:10:20:01:0d:b8:00:01:00:00:00:00:00:00:00:00:08:56:00:01:00:04:03:64:6f:74"

// The kinds of host, in the order of the table.
const (
	laptop    = iota // NetworkManager
	server           // systemd-networkd
	gateway          // dhcpcd
	box              // ISC dhclient, the kernel for Router Advertisements
	stub             // systemd-resolved, told by a script of udhcpc's; the kernel
	container        // addresses set by others, /etc/resolv.conf
	kinds
)

var kindNames = [kinds]string{"NetworkManager", "systemd-networkd", "dhcpcd", "dhclient", "systemd-resolved", "resolv.conf"}

// A truth is something that the network says, and under which element a host of each
// kind knows it; empty where it does not. A star marks what needs CAP_NET_RAW.
type truth struct {
	fact  string
	known [kinds]string
}

// truths are all that watch may tell on any host, and on each it must tell all that is
// known there. What only the router's advertisements say is told with CAP_NET_RAW
// wherever it is not known otherwise.
var truths = []truth{
	{"cl0/ipv4 domain", all("yes")},
	{"cl0/ipv4 DNSServers 192.0.2.53:53", [kinds]string{"DHCPv4", "DHCPv4", "DHCPv4", "DHCPv4", "Host", "Host"}},
	{"cl0/ipv4 SearchDomains lab.example", [kinds]string{"DHCPv4", "DHCPv4", "DHCPv4", "DHCPv4", "Host", "Host"}},
	{"cl0/ipv4 SearchDomains corp.example", [kinds]string{"DHCPv4", "DHCPv4", "DHCPv4", "DHCPv4", "Host", "Host"}},
	{"cl0/ipv4 Routers 192.0.2.1", [kinds]string{"DHCPv4", "DHCPv4", "DHCPv4", "DHCPv4", "DHCPv4", "Static"}},
	{"cl0/ipv4 Routes 198.51.100.0/24", [kinds]string{"DHCPv4", "DHCPv4", "DHCPv4", "DHCPv4"}},
	{"cl0/ipv4 MTU 1480", [kinds]string{laptop: "DHCPv4", gateway: "DHCPv4", box: "DHCPv4"}},
	{"cl0/ipv4 NTPServers 192.0.2.123", [kinds]string{"DHCPv4", "DHCPv4", "DHCPv4", "DHCPv4"}},
	{"cl0/ipv4 CaptivePortal https://portal.example/4", [kinds]string{box: "DHCPv4"}},
	{"cl0/ipv4 EncryptedResolvers dot4.example", [kinds]string{box: "DHCPv4"}},
	{"cl0/ipv6 domain", all("yes")},
	{"cl0/ipv6 DNSServers [2001:db8:1::53]:53", [kinds]string{"RA", "RA", "RA", "RA", "RA", "RA*"}},
	{"cl0/ipv6 SearchDomains ra.example", [kinds]string{"RA", "RA", "RA", "RA", "RA", "RA*"}},
	{"cl0/ipv6 Routers fe80::1", [kinds]string{"RA", "RA", "RA", "RA", "RA", "RA*"}},
	{"cl0/ipv6 Routes 2001:db8:77::/48", [kinds]string{"RA", "RA", "RA*", "RA*", "RA*", "RA*"}},
	{"cl0/ipv6 Prefixes 2001:db8:1::/64", [kinds]string{"RA*", "RA*", "RA", "RA", "RA", "RA*"}},
	{"cl0/ipv6 MTU 1480", [kinds]string{"RA*", "RA*", "RA", "RA", "RA", "RA*"}},
	{"cl0/ipv6 PREF64 2001:db8:64::/96", [kinds]string{"RA*", "RA*", "RA*", "RA", "RA", "RA*"}},
	{"cl0/ipv6 CaptivePortal https://portal.example/ra", [kinds]string{"RA*", "RA*", "RA*", "RA", "RA", "RA*"}},
	{"cl0/ipv6 EncryptedResolvers dot.example", all("RA*")},
	{"cl0/ipv6 DNSServers [2001:db8:1::54]:53", [kinds]string{laptop: "DHCPv6", server: "DHCPv6", gateway: "DHCPv6", box: "DHCPv6", container: "Host"}},
	{"cl0/ipv6 SearchDomains lab6.example", [kinds]string{laptop: "DHCPv6", server: "DHCPv6", gateway: "DHCPv6", box: "DHCPv6"}},
	{"cl0/ipv6 NTPServers 2001:db8:1::123", [kinds]string{laptop: "DHCPv6", server: "DHCPv6", gateway: "DHCPv6", box: "DHCPv6"}},
	{"cl0/ipv6 CaptivePortal https://portal.example/6", [kinds]string{box: "DHCPv6"}},
	{"cl0/ipv6 EncryptedResolvers dot6.example", [kinds]string{box: "DHCPv6"}},
	// The runtime of a container has one search list for both families, and a router of its own.
	{"cl0/ipv6 SearchDomains lab.example", [kinds]string{container: "Host"}},
	{"cl0/ipv6 SearchDomains corp.example", [kinds]string{container: "Host"}},
	{"cl0/ipv6 Routers 2001:db8:1::1", [kinds]string{container: "Static"}},
}

func all(element string) (known [kinds]string) {
	for i := range known {
		known[i] = element
	}
	return known
}
