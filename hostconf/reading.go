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
	state   *State
	sources []Source
}

func newReading(t *tree, now time.Time) *reading {
	s := &State{Links: map[string][]pvd.Configuration{}, ByIndex: map[int][]pvd.Configuration{}}
	return &reading{tree: t, now: now, state: s}
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

// An offer is the data of one lease or file before they have an origin.
type offer struct {
	servers []netip.AddrPort
	search  []string
	routers []netip.Addr
	routes  []pvd.Route
	mtu     []int
	ntp     []string
}

func (o *offer) empty() bool {
	return len(o.servers)+len(o.search)+len(o.routers)+len(o.routes)+len(o.mtu)+len(o.ntp) == 0
}

func (o *offer) configuration(from origin) pvd.Configuration {
	routers := make([]pvd.Router, len(o.routers))
	for i, a := range o.routers {
		routers[i].Addr = a
	}
	return pvd.Configuration{
		DNSServers:    data(from, o.servers),
		SearchDomains: data(from, o.search),
		Routers:       data(from, routers),
		Routes:        data(from, o.routes),
		MTU:           data(from, o.mtu),
		NTPServers:    data(from, o.ntp),
	}
}

// data gives each value its origin; nil if there is none.
func data[T any](from origin, values []T) []pvd.Datum[T] {
	var all []pvd.Datum[T]
	for _, v := range values {
		all = append(all, pvd.Datum[T]{Value: v, Element: from.element, Source: from.source, Expiry: from.expiry})
	}
	return all
}
