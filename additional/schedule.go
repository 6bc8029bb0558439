package additional

import (
	"errors"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/go-mif/mif/pvd"
)

// What RFC 8801 section 4.1 recommends.
const (
	interval    = 10 * time.Second // between requests for one domain; also the time in which requests are counted
	maxRequests = 5                // on a network in that time
	maxFailures = 10               // on a network while the host is attached to it
)

// maxTries is how often a server is tried that cannot be reached, which the RFC says
// nothing of.
const maxTries = 3

// A Schedule decides when to fetch the Additional Information of which domain (RFC 8801
// section 4.1), and keeps what was fetched. The zero Schedule is ready to use. Its state
// is bounded by the domains that there are and, of each network, by what the RFC has a
// host remember while it is attached to it.
type Schedule struct {
	// Random returns a duration from 0 to the greatest one wanted, uniformly; nil: that
	// of package math/rand.
	Random func(most time.Duration) time.Duration

	networks map[pvd.InterfaceID]*network
	serial   uint64
}

// A Network is a link that the host is attached to, with the explicit domains on it.
type Network struct {
	ID      pvd.InterfaceID
	Domains []Domain
}

// A Domain is an explicit domain as it is now.
type Domain struct {
	ID       pvd.ID
	Option   pvd.Option     // the last one heard
	Prefixes []netip.Prefix // those announced
	Ready    bool           // it has an address to use, and a name server
}

// A Fetch is what to begin with: to get the information of a domain.
type Fetch struct {
	Domain Domain
	Serial uint64 // by which its Result and its end refer to it; never 0
}

// A Result is how a Fetch ended: with information, or an error.
type Result struct {
	Domain      pvd.ID
	Serial      uint64
	Information *pvd.Information
	Err         error
}

// Actions are what follows from a Step.
type Actions struct {
	Begin   []Fetch
	End     []uint64          // fetches whose results are not wanted any more
	Changed []pvd.InterfaceID // networks of which Fetched has changed
	Failed  []Result          // for good
	Next    time.Time         // when to Step again if nothing happens; zero: not at all
}

// Step tells the schedule the time, all networks that the host is attached to, and what
// results there are since the last Step. A network that is not among them is left: what is
// known of it is forgotten, but for requests of the last 10 s, which limit those of a
// network that comes back at once.
func (s *Schedule) Step(now time.Time, networks []Network, results []Result) Actions {
	a := &step{now: now, random: s.random}
	s.follow(a, networks)
	for _, r := range results {
		if n := s.networks[r.Domain.Interface()]; n != nil {
			n.end(a, r)
		}
	}
	for _, is := range networks {
		if n := s.networks[is.ID]; n != nil {
			n.begin(a, &s.serial)
		}
	}
	return a.Actions
}

// follow takes over which networks there are, and forgets others.
func (s *Schedule) follow(a *step, networks []Network) {
	old := s.networks
	s.networks = map[pvd.InterfaceID]*network{}
	for _, is := range networks {
		n := old[is.ID]
		if n == nil && len(is.Domains) == 0 {
			continue
		}
		if n == nil {
			n = newNetwork(is.ID)
		}
		delete(old, is.ID)
		s.networks[is.ID] = n
		n.follow(a, is.Domains)
	}
	for id, n := range old {
		if n.leave(a) {
			s.networks[id] = n
		}
	}
}

// Fetched is the information that was fetched on a network and is not known to be out
// of date.
func (s *Schedule) Fetched(id pvd.InterfaceID) (all []pvd.Fetched) {
	n := s.networks[id]
	if n == nil {
		return nil
	}
	for _, t := range n.tasks {
		if t.fetched != nil {
			all = append(all, *t.fetched)
		}
	}
	return all
}

func (s *Schedule) random(most time.Duration) time.Duration {
	if s.Random != nil {
		return s.Random(most)
	}
	return rand.N(most + 1)
}

// step is a Step under way.
type step struct {
	Actions
	now    time.Time
	random func(time.Duration) time.Duration
}

// at sees to it that there is a Step at an instant.
func (a *step) at(t time.Time) {
	if a.Next.IsZero() || t.Before(a.Next) {
		a.Next = t
	}
}

// changed tells that what was fetched on a network has changed.
func (a *step) changed(id pvd.InterfaceID) {
	if len(a.Changed) == 0 || a.Changed[len(a.Changed)-1] != id {
		a.Changed = append(a.Changed, id)
	}
}

// ErrUnreachable tells that no server answered: its name was not translated, or no
// connection made, in time. That may be tried again, as the RFC does not count it among
// failures; after three times it is a failure like others.
var ErrUnreachable = errors.New("additional: no server answered")
