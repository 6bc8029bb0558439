package netlink

import "time"

// hops6 calls f for each of the kernel's routes that an IPv6 message tells of: it
// writes those that differ in the hop alone as one.
func (m *routeMessage) hops6(f func(groupKey, nexthop)) {
	if m.object != 0 || len(m.hops) == 0 {
		f(m.key, nexthop{})
	}
	for i, n := range m.hops {
		f(m.hopKey(i), n)
	}
}

// hopKey is the key that the route by one of the hops has.
func (m *routeMessage) hopKey(i int) groupKey {
	k := m.key
	if k.linkLocal() {
		k.index = m.hops[i].index
	}
	return k
}

// route6 folds a new or changed IPv6 route.
func (t *tables) route6(m *routeMessage, replace bool) {
	if replace {
		t.replace6(m)
	} else if len(m.hops) > 1 && (m.key.linkLocal() || t.groups[m.key].first != nil) {
		t.owed.one(listRoutes6, m.hops[0].index) // of several, one tells for all: here the last, in lists the first
	}
	m.hops6(func(k groupKey, n nexthop) {
		if r := t.set6(m, k, n); r != nil {
			r.stamp = t.clock
		}
	})
	if m.expires == 0 && m.proto == protocolRA {
		for _, n := range m.hops { // of those by route information options only a list tells
			t.refresh(n.index)
		}
	}
}

// set6 folds a route by one hop; nil if there are too many.
func (t *tables) set6(m *routeMessage, k groupKey, n nexthop) *route {
	r := t.groups[k].goes(m.object, n)
	if r == nil {
		if m.soft() && t.crowded(n.index) {
			return nil
		}
		one := [1]nexthop{n}
		hops := one[:]
		if n.index == 0 {
			hops = nil
		}
		r = t.insert(m, k, hops, nil)
	}
	changed := r.kind != m.kind || r.proto != m.proto || r.preference != m.preference
	r.kind, r.proto, r.preference, r.source = m.kind, m.proto, m.preference, m.source
	end := t.expiry(m)
	if settle(&r.expiry, end) || t.putOff(&r.expiry, end) || changed {
		t.touchHops(r)
	}
	return r
}

// putOff moves an end that is near and has been put off, be it ever so little: kept, it
// would pass before it is true.
func (t *tables) putOff(keep *time.Time, end time.Time) bool {
	if !keep.Before(end) || keep.After(t.now.Add(lookBefore+tolerance)) {
		return false
	}
	*keep = end
	return true
}

func (t *tables) touchHops(r *route) {
	for i := range r.hops {
		if l := r.hops[i].link; l != nil {
			t.touch(l, dirtyRoutes)
		}
	}
}

func (t *tables) expiry(m *routeMessage) time.Time {
	if m.expires == 0 {
		return time.Time{}
	}
	return t.now.Add(time.Duration(m.expires) * (time.Second / clockTicks))
}

// unroute6 folds the end of the routes that the message names: of one hop or of
// all.
func (t *tables) unroute6(m *routeMessage) {
	m.hops6(func(k groupKey, n nexthop) {
		t.entomb(k)
		if r := t.groups[k].goes(m.object, n); r != nil {
			t.unshare(r)
			t.removeRoute(r)
		}
	})
}

// unshare owes a list when a route that shares the load with others is about to
// go. The kernel tells but the first one's attributes, so the others may be
// other than they seemed; and its lists leave out what stands between them.
func (t *tables) unshare(r *route) {
	if r.gatewayed() && t.groups[r.key].sharing() > 1 {
		t.owed.whole(listRoutes6)
	}
}

// sharing counts the routes that may share the load. Two are as good as many.
func (g group) sharing() (n int) {
	for r := g.first; r != nil && n < 2; r = r.behind {
		if r.gatewayed() {
			n++
		}
	}
	return n
}

// replace6 takes away what a replacing route replaced: all of its group that
// share the load with each other if it is such a route itself, else one; which
// one, only a list tells if there are several.
func (t *tables) replace6(m *routeMessage) {
	g := t.groups[m.key]
	t.entomb(m.key)
	if m.key.linkLocal() || g.first != nil && t.unsure[listRoutes6] || t.list != nil {
		t.owed.one(listRoutes6, 0)
		return
	}
	if m.object != 0 && g.goes(m.object, nexthop{}) != nil {
		return
	}
	all := m.shares()
	for r := g.first; r != nil; r = r.behind {
		all = all && r.shares()
	}
	if g.first != g.last && !all {
		t.owed.one(listRoutes6, 0)
		return
	}
	t.drop6(m)
}

// drop6 removes those of the group that m does not name.
func (t *tables) drop6(m *routeMessage) {
	for r, next := t.groups[m.key].first, (*route)(nil); r != nil; r = next {
		if next = r.behind; !m.names(r) {
			t.unshare(r)
			t.removeRoute(r)
		}
	}
}

func (m *routeMessage) names(r *route) bool {
	if m.object != 0 || len(m.hops) == 0 {
		return r.goes(m.object, nexthop{})
	}
	for _, n := range m.hops {
		if r.goes(0, n) {
			return true
		}
	}
	return false
}

// shares tells whether the kernel lets a route share the load with others: it has
// a gateway and did not come by a router advertisement.
func (m *routeMessage) shares() bool {
	return m.object == 0 && len(m.hops) > 0 && m.hops[0].gateway.IsValid() && m.proto != protocolRA
}

func (r *route) shares() bool { return r.gatewayed() && r.proto != protocolRA }

func (r *route) gatewayed() bool {
	return r.object == 0 && len(r.hops) > 0 && r.hops[0].gateway.IsValid()
}

// hidden tells of an IPv6 route that lists may leave out: those that share the
// load are listed as one, and what stands between them is skipped.
func (t *tables) hidden(r *route) bool {
	return r.key.inet == afINET6 && !r.gatewayed() && t.groups[r.key].sharing() > 1
}

// routeEntry6 folds a listed IPv6 route. One that has expired is as good as gone:
// the kernel will collect it.
func (t *tables) routeEntry6(m *routeMessage) {
	d := t.list
	if m.expires < 0 {
		return
	}
	m.hops6(func(k groupKey, n nexthop) {
		if d.deadRoutes[k] {
			return
		}
		r := t.groups[k].goes(m.object, n)
		if r == nil || r.stamp <= d.since {
			r = t.set6(m, k, n)
		}
		if r != nil {
			r.mark = d.id
		}
	})
}
