package netlink

import (
	"slices"
	"time"

	"github.com/go-mif/mif/pvd"
)

// What routers of a link can make us keep.
const (
	maxRouters = 64  // that have no name for their domain
	maxDomains = 64  // that have one
	maxNamed   = 256 // routers, each counted for every named domain that it announces
	maxData    = 64  // of a kind and a router
)

// A crowd is too many routers or domains on a link.
type crowd struct {
	until time.Time // none is let in before
	said  bool
}

// lookAgain is how long nothing new is let in after there was no room: to look for
// some costs more than an advertisement.
const lookAgain = time.Second

// admit makes room for one more if there are too many, and it can: what has ended goes
// first. It tells whether there is room.
func (t *tables) admit(l *link, r *ra) bool {
	c := &l.routers
	if r.name != "" {
		c = &l.domains
	}
	if t.now.Before(c.until) {
		return false
	}
	if l.room(r) {
		return true
	}
	l.ras = slices.DeleteFunc(l.ras, func(r *ra) bool { return r.past(t.now) })
	t.touch(l, dirtyRAs)
	for !l.room(r) {
		at := l.dispensable(r, t.now)
		if at < 0 {
			c.until = t.now.Add(lookAgain)
			t.full(l, r, c)
			return false
		}
		l.ras = slices.Delete(l.ras, at, at+1)
	}
	return true
}

// How long one that is not heard keeps its place, when another wants it. A router
// advertises every half hour at least (RFC 4861 section 6.2.1), and what it says holds
// three times as long. One that was heard once, and gave the link no address, is likely
// as not to be forged.
const (
	routerPatience = 90 * time.Minute
	forgedPatience = 10 * time.Second
	twice          = 3 * time.Second // apart: MIN_DELAY_BETWEEN_RAS
)

// dispensable is the one of its sort that must make room, -1 if there is none: the
// youngest of those that may be forged, when it has not been heard for a while, so that
// who was there before a flood stays, and who comes after it finds a place. If there
// are none of these, it is the youngest that nobody hears any more.
func (l *link) dispensable(like *ra, now time.Time) int {
	forged, silent := -1, -1
	for i, r := range l.ras {
		switch {
		case (r.name == "") != (like.name == ""):
		case l.mayBeForged(r):
			forged = l.younger(i, forged)
		case now.Sub(r.heard) >= routerPatience:
			silent = l.younger(i, silent)
		}
	}
	switch {
	case forged < 0:
		return silent
	case now.Sub(l.ras[forged].heard) >= forgedPatience:
		return forged
	}
	return -1
}

func (l *link) younger(i, than int) int {
	if than < 0 || l.ras[i].first.After(l.ras[than].first) {
		return i
	}
	return than
}

func (l *link) mayBeForged(r *ra) bool { return r.heard.Sub(r.first) < twice && !l.addressed(r) }

// addressed tells whether the link has an address of a prefix that the router announced.
func (l *link) addressed(r *ra) bool {
	return slices.ContainsFunc(r.said.Prefixes, func(d pvd.Datum[pvd.Prefix]) bool {
		return slices.ContainsFunc(l.addresses, func(a *addressEntry) bool { return d.Value.Prefix.Contains(a.prefix.Addr()) })
	})
}

// room tells whether one more can be kept: those with a name do not crowd out
// those without, and the other way round.
func (l *link) room(r *ra) bool {
	routers, named, domains := 0, 0, map[string]bool{r.name: true}
	for _, o := range l.ras {
		if o.name == "" {
			routers++
			continue
		}
		named++
		domains[o.name] = true
	}
	if r.name == "" {
		return routers < maxRouters
	}
	return named < maxNamed && len(domains) <= maxDomains
}

// full says that there are too many, once for routers and once for domains.
func (t *tables) full(l *link, r *ra, c *crowd) {
	switch {
	case c.said:
	case r.name == "":
		t.log.Warn("more routers on a link than are kept", "interface", l.name, "kept", maxRouters)
	default:
		t.log.Warn("more named provisioning domains on a link than are kept", "interface", l.name, "kept", maxDomains)
	}
	c.said = true
}
