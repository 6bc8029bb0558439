package dhcp

import (
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/go-mif/mif/internal/value"
	"github.com/go-mif/mif/pvd"
)

// A reply is a server's message as far as it is understood.
type reply struct {
	xid     uint32
	server  netip.Addr    // who says so
	refresh time.Duration // for how long it is fresh; DHCPv6
	maxRT   time.Duration // INF_MAX_RT; 0: not said
	refused bool          // the server has nothing to say
	offer
}

// An offer is the data of a reply before they have an origin.
type offer struct {
	servers []netip.AddrPort
	search  []string
	routers []pvd.Router
	routes  []pvd.Route
	mtu     []int
	portal  []string
	ntp     []string

	encrypted []pvd.EncryptedResolver
}

// configuration gives the data their origin.
func (o *offer) configuration(element pvd.ElementType, source string, expiry time.Time) pvd.Configuration {
	from := origin{element, source, expiry}
	return pvd.Configuration{
		DNSServers:    data(from, o.servers),
		SearchDomains: data(from, o.search),
		Routers:       data(from, o.routers),
		Routes:        data(from, o.routes),
		MTU:           data(from, o.mtu),
		CaptivePortal: data(from, o.portal),
		NTPServers:    data(from, o.ntp),

		EncryptedResolvers: data(from, o.encrypted),
	}
}

// An origin is what all data of a reply have in common.
type origin struct {
	element pvd.ElementType
	source  string
	expiry  time.Time
}

func data[T any](from origin, values []T) (all []pvd.Datum[T]) {
	for _, v := range values {
		all = append(all, pvd.Datum[T]{Value: v, Element: from.element, Source: from.source, Expiry: from.expiry})
	}
	return all
}

// add adds a value that is all right, unless it is there, or there are enough.
func add[T comparable](all *[]T, v T, ok bool) {
	if ok && len(*all) < value.Max && !slices.Contains(*all, v) {
		*all = append(*all, v)
	}
}

func (o *offer) server(ip net.IP) {
	a, ok := unicast(ip)
	add(&o.servers, netip.AddrPortFrom(a, value.DNSPort), ok)
}

func (o *offer) router(ip net.IP) {
	a, ok := unicast(ip)
	add(&o.routers, pvd.Router{Addr: a}, ok)
}

func (o *offer) domain(s string) {
	name, ok := value.Name(s)
	add(&o.search, name, ok)
}

// timeServer takes an address, which may be a group's (RFC 5905 section 3.1).
func (o *offer) timeServer(ip net.IP) {
	a, ok := netip.AddrFromSlice(ip)
	a = a.Unmap()
	add(&o.ntp, a.String(), ok && (a.IsMulticast() || value.Unicast(a)))
}

func (o *offer) portalURI(b []byte) {
	uri, ok := value.URI(string(b))
	add(&o.portal, uri, ok)
}

// unicast is the address of a server or router.
func unicast(ip net.IP) (netip.Addr, bool) {
	a, ok := netip.AddrFromSlice(ip)
	a = a.Unmap()
	return a, ok && value.Unicast(a) && a != netip.AddrFrom4([4]byte{255, 255, 255, 255})
}
