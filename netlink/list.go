package netlink

import (
	"slices"
	"time"
)

// A listKind is a kind of things that the kernel lists.
type listKind uint8

// In the order in which everything is listed.
const (
	listLinks listKind = iota
	listObjects
	listAddresses
	listUnicast4 // routes that lead anywhere, without the many to the host itself
	listUnicast6
	listRoutes4
	listRoutes6
	listRules
	listKinds
)

// routes is the address family of routes that a list is of; afUnspec: of no routes.
func (k listKind) routes() uint8 {
	switch k {
	case listUnicast4, listRoutes4:
		return afINET
	case listUnicast6, listRoutes6:
		return afINET6
	}
	return afUnspec
}

// unicast tells of a list that leaves out what are no ways to anywhere.
func (k listKind) unicast() bool { return k == listUnicast4 || k == listUnicast6 }

// A target is what a list is of: all of a kind, or one interface, its addresses or
// the routes that leave by it.
type target struct {
	kind  listKind
	index int32 // 0: all
}

// A list is one being received. What events tell of meanwhile is newer than what
// the list says of it: the kernel fills in a list's next part without stopping
// the world, and queues it when it is full, maybe behind the event of a change
// that came later. Such a list is disturbed: its sweep spares what the events
// touched, and it is asked for again when there is time.
type list struct {
	target
	id          uint64 // marks what it had
	since       uint64 // events counted when it was asked for
	first       bool   // of its kind: nothing can have ceased to be since another
	disturbed   bool
	interrupted bool // the kernel says that the list is not consistent

	dead          map[int32]bool // what events ended meanwhile
	deadAddresses map[addressKey]bool
	deadRoutes    map[groupKey]bool
	deadObjects   map[uint32]bool
	rules         map[string]int
}

// begin makes ready for the entries of a list.
func (t *tables) begin(of target, id uint64) *list {
	t.list = &list{
		target: of, id: id, since: t.clock, first: !t.listed[of.kind],
		dead: map[int32]bool{}, deadAddresses: map[addressKey]bool{},
		deadRoutes: map[groupKey]bool{}, deadObjects: map[uint32]bool{},
		rules: map[string]int{},
	}
	t.listed[of.kind] = true
	return t.list
}

// abandon ends a list that did not come to its end: what it had is true, what it
// had not means nothing.
func (t *tables) abandon() { t.list = nil }

// end sweeps away what a list that came to its end had not.
func (t *tables) end() {
	d := t.list
	switch d.kind {
	case listLinks:
		t.sweepLinks(d)
	case listAddresses:
		t.sweepAddresses(d)
	case listObjects:
		t.sweepObjects(d)
	case listRules:
		if !d.disturbed {
			t.rules = d.rules
		}
	default:
		t.sweepRoutes(d)
		if d.index == 0 && !d.kind.unicast() && !d.disturbed {
			t.unsure[d.kind] = false
		}
	}
	t.list = nil
}

func (t *tables) sweepLinks(d *list) {
	if d.index != 0 {
		return // of its end there is an event
	}
	if len(t.addresses) == 0 && len(t.groups) == 0 { // the first: make room for what comes next
		t.addresses = make(map[addressKey]*addressEntry, 3*len(t.links))
		t.groups = make(map[groupKey]group, 5*len(t.links))
	}
	for index, l := range t.links {
		switch {
		case l.id.IsValid() && l.mark != d.id && l.stamp <= d.since:
			t.removeLink(index)
		case !l.id.IsValid() && l.first == nil && len(l.addresses) == 0:
			delete(t.links, index)
		}
	}
}

func (t *tables) sweepAddresses(d *list) {
	if d.first {
		return
	}
	if d.index != 0 {
		if l := t.links[d.index]; l != nil {
			for _, a := range slices.Clone(l.addresses) {
				t.sweepAddress(d, a)
			}
		}
		return
	}
	for _, a := range t.addresses {
		t.sweepAddress(d, a)
	}
}

func (t *tables) sweepAddress(d *list, a *addressEntry) {
	if a.mark != d.id && a.stamp <= d.since {
		t.removeAddress(a)
	}
}

func (t *tables) sweepObjects(d *list) {
	for id, o := range t.objects {
		if o.present && o.mark != d.id && o.stamp <= d.since {
			t.removeObject(id, o)
		}
	}
}

func (t *tables) sweepRoutes(d *list) {
	if d.first && d.kind.unicast() { // before it there is none of all routes
		return
	}
	if d.index == 0 {
		for _, g := range t.groups {
			for r := g.first; r != nil; r = r.behind {
				t.sweepRoute(d, r)
			}
		}
		return
	}
	l := t.links[d.index]
	if l == nil {
		return
	}
	for h, next := l.first, (*hop)(nil); h != nil; h = next {
		for next = h.next; next != nil && next.route == h.route; {
			next = next.next
		}
		t.sweepRoute(d, h.route)
	}
}

func (t *tables) sweepRoute(d *list, r *route) {
	if r.key.inet == d.kind.routes() && (r.kind == typeUnicast || !d.kind.unicast()) &&
		r.mark != d.id && r.stamp <= d.since && !d.deadRoutes[r.key] && !t.hidden(r) {
		t.removeRoute(r)
	}
}

// disturb tells the list being received of an event about its kind.
func (t *tables) disturb(kind listKind, index int32) {
	if d := t.list; d != nil && d.kind == kind {
		d.disturb(index)
	}
}

func (d *list) disturb(index int32) {
	if d.index == 0 || index == 0 || d.index == index {
		d.disturbed = true
	}
}

func (t *tables) disturbRoute(m *routeMessage) {
	if t.list == nil || t.list.kind.routes() != m.key.inet {
		return
	}
	if m.object != 0 || len(m.hops) == 0 {
		t.list.disturb(0)
	}
	for _, n := range m.hops {
		t.list.disturb(n.index)
	}
}

// entomb remembers that an event ended a route of the group.
func (t *tables) entomb(k groupKey) {
	if t.list != nil {
		t.list.deadRoutes[k] = true
	}
}

// owed are the lists that are necessary, and when.
type owed map[target]time.Time

// one owes at once a list of what one interface has, or of all if there is none.
func (o owed) one(kind listKind, index int32) { o[target{kind, index}] = time.Time{} }

// whole owes a list of all of a kind at once.
func (o owed) whole(kind listKind) { o[target{kind, 0}] = time.Time{} }

// doubt tells that IPv4 routes may have vanished that are not listed yet.
func (o owed) doubt() bool {
	for of := range o {
		if of.kind == listRoutes4 || of.kind == listObjects {
			return true
		}
	}
	return false
}

// later owes a list at an instant, unless it is owed before.
func (o owed) later(of target, at time.Time) {
	if due, ok := o[of]; !ok || at.Before(due) {
		o[of] = at
	}
}

// refreshPace is how long lists wait for one interface's IPv6 routes that may have
// been refreshed without a word: there may be more of that, and there is no hurry.
const refreshPace = 30 * time.Millisecond

// refresh owes a list of the routes that an advertisement may have refreshed.
func (t *tables) refresh(index int32) {
	if l := t.links[index]; l != nil && l.first != nil {
		t.owed.later(target{listRoutes6, index}, t.now.Add(refreshPace))
	}
}

// check sees to it that a link's routes are looked at before one of them expires.
func (t *tables) check(index int32, at time.Time) {
	t.checks[index] = at
	if t.nextCheck.IsZero() || at.Before(t.nextCheck) {
		t.nextCheck = at
	}
}

// dueChecks owes the lists by which routes are looked at before they expire. It
// costs by the links that have such routes, but seldom.
func (t *tables) dueChecks() {
	if t.nextCheck.IsZero() || t.nextCheck.After(t.now) {
		return
	}
	t.nextCheck = time.Time{}
	for index, at := range t.checks {
		if at.After(t.now) {
			t.check(index, at)
			continue
		}
		delete(t.checks, index)
		t.owed.one(listRoutes6, index)
	}
}
