package netlink

import (
	"math/rand/v2"
	"net"
	"time"

	"github.com/go-mif/mif/pvd"
)

// Waits between solicitations (RFC 4861 section 10, RFC 7559 section 2).
const (
	firstSolicitWait = 4 * time.Second
	mostSolicitWait  = time.Hour
	solicitTryAgain  = time.Second // after one that could not be sent
)

// Solicitations ask the routers of links to advertise, until one says that it is a
// default router (RFC 4861 section 6.3.7), ever more seldom (RFC 7559). Time goes in:
// they neither wait nor send themselves.
type solicitations struct {
	links  map[int32]*solicitation // that can be asked
	next   time.Time               // when the first of them is to be asked; zero: never
	random func() float64          // from [0, 1)
}

// A solicitation is the asking of one link's routers.
type solicitation struct {
	at   time.Time     // when they are to be asked; zero: they have answered
	wait time.Duration // from the last time to at; 0: they were not asked yet
}

func newSolicitations() *solicitations {
	return &solicitations{links: map[int32]*solicitation{}, random: rand.Float64}
}

// see begins with links that can now be asked and could not before, at once: what they
// wait for, an address past duplicate address detection, has had its random delay.
func (s *solicitations) see(c *Changes, now time.Time) {
	for _, id := range c.Gone {
		delete(s.links, int32(id.Index()))
	}
	for _, f := range c.Links {
		index := int32(f.Interface.Index)
		switch known := s.links[index] != nil; {
		case !solicits(f):
			delete(s.links, index)
		case !known:
			s.links[index] = &solicitation{at: now}
			s.next = earlier(s.next, now)
		}
	}
}

// ask asks those whose time has come.
func (s *solicitations) ask(now time.Time, send func(index int32) error) {
	if s.next.IsZero() || s.next.After(now) {
		return
	}
	s.next = time.Time{}
	for index, one := range s.links {
		if !one.at.IsZero() && !one.at.After(now) {
			s.sent(one, send(index), now)
		}
		s.next = earlier(s.next, one.at)
	}
}

// sent settles when to ask again.
func (s *solicitations) sent(one *solicitation, err error, now time.Time) {
	if err != nil {
		one.at = now.Add(solicitTryAgain)
		return
	}
	if one.wait == 0 {
		one.wait = firstSolicitWait + s.around(firstSolicitWait)
	} else {
		one.wait = 2*one.wait + s.around(one.wait)
	}
	if one.wait > mostSolicitWait {
		one.wait = mostSolicitWait + s.around(mostSolicitWait)
	}
	one.at = now.Add(one.wait)
}

// around is a random tenth of d, more or less.
func (s *solicitations) around(d time.Duration) time.Duration {
	return time.Duration((2*s.random() - 1) * float64(d/10))
}

// heard ends the asking of a link's routers until the link comes up again, unless
// they have yet to be asked: they may tell more to who asks.
func (s *solicitations) heard(a *advertisement) {
	if one := s.links[a.index]; one != nil && one.wait != 0 && a.header.lifetime != 0 {
		one.at = time.Time{}
	}
}

// earlier is the earlier of two instants. A zero time is never.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// solicits tells whether routers can be asked on a link. One without an address past
// duplicate address detection waits for it: routers would have to answer all hosts.
func solicits(f *pvd.Facts) bool {
	if !f.Interface.Up || !f.Interface.Carrier || f.Interface.Flags&net.FlagMulticast == 0 || f.Interface.Flags&net.FlagLoopback != 0 {
		return false
	}
	for i := range f.Addresses {
		if a := &f.Addresses[i].Address; a.LinkLocal && a.Prefix.Addr().Is6() && a.Usable() {
			return true
		}
	}
	return false
}
