package hostconf

import (
	"errors"
	"net/netip"
	"time"

	"github.com/go-mif/mif/pvd"
)

// A source adds what it knows to a reading, and reports how it went.
type source interface{ read(r *reading) }

var (
	errNoLease   = errors.New("hostconf: no lease that is valid now")
	errNoServers = errors.New("hostconf: no name server but the host's own")
)

// A reading is one look at all sources.
type reading struct {
	*tree
	now     time.Time
	next    time.Time // when to read again without notice of a change; zero: never
	heard   []said
	indexes map[string]int // of links by name, as far as they were looked for
	state   *State
	sources []Source
}

func newReading(t *tree, now time.Time) *reading {
	s := &State{Links: map[string][]pvd.Configuration{}, ByIndex: map[int][]pvd.Configuration{}}
	return &reading{tree: t, now: now, indexes: map[string]int{}, state: s}
}

func (r *reading) report(name, path string, err error) {
	r.sources = append(r.sources, Source{Name: name, Path: path, Err: err})
}

// valid tells whether what expires then is true now, and remembers the instant.
func (r *reading) valid(expiry time.Time) bool {
	if expiry.IsZero() {
		return true
	}
	if !r.now.Before(expiry) {
		return false
	}
	r.wake(expiry)
	return true
}

// wake asks for another reading at that instant.
func (r *reading) wake(at time.Time) {
	if r.next.IsZero() || at.Before(r.next) {
		r.next = at
	}
}

// An origin is what all data of one lease have in common.
type origin struct {
	element pvd.ElementType
	source  string
	expiry  time.Time
}

// An offer is the data of one lease, router or file before they have an origin.
type offer struct {
	servers  []netip.AddrPort
	search   []string
	routing  []string
	routers  []netip.Addr
	routes   []pvd.Route
	prefixes []pvd.Prefix
	mtu      []int
	pref64   []netip.Prefix
	portal   []string
	secure   []pvd.EncryptedResolver
	ntp      []string
}

func (o *offer) empty() bool {
	return len(o.servers)+len(o.search)+len(o.routing)+len(o.routers)+len(o.routes)+len(o.prefixes)+
		len(o.mtu)+len(o.pref64)+len(o.portal)+len(o.secure)+len(o.ntp) == 0
}

// fill adds the data to c.
func (o *offer) fill(c *pvd.Configuration, from origin) {
	routers := make([]pvd.Router, len(o.routers))
	for i, a := range o.routers {
		routers[i].Addr = a
	}
	c.DNSServers = fill(c.DNSServers, from, o.servers)
	c.SearchDomains = fill(c.SearchDomains, from, o.search)
	c.RoutingDomains = fill(c.RoutingDomains, from, o.routing)
	c.Routers = fill(c.Routers, from, routers)
	c.Routes = fill(c.Routes, from, o.routes)
	c.Prefixes = fill(c.Prefixes, from, o.prefixes)
	c.MTU = fill(c.MTU, from, o.mtu)
	c.PREF64 = fill(c.PREF64, from, o.pref64)
	c.CaptivePortal = fill(c.CaptivePortal, from, o.portal)
	c.EncryptedResolvers = fill(c.EncryptedResolvers, from, o.secure)
	c.NTPServers = fill(c.NTPServers, from, o.ntp)
}

// fill gives each value its origin.
func fill[T any](all []pvd.Datum[T], from origin, values []T) []pvd.Datum[T] {
	for _, v := range values {
		all = append(all, pvd.Datum[T]{Value: v, Element: from.element, Source: from.source, Expiry: from.expiry})
	}
	return all
}
