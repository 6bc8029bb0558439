package netlink

// routeEvent folds RTM_NEWROUTE and RTM_DELROUTE.
func (t *tables) routeEvent(m *routeMessage, gone bool, flags uint16) {
	t.disturbRoute(m)
	switch {
	case m.key.inet == afINET6 && gone:
		t.unroute6(m)
	case m.key.inet == afINET6:
		t.route6(m, flags&nlmFReplace != 0)
	case gone:
		t.entomb(m.key)
		if r := t.groups[m.key].is(m); r != nil {
			t.removeRoute(r)
		}
	default:
		t.route4(m, flags)
	}
}

// route4 folds a new IPv4 route as fib_table_insert does: replacing the first of
// its group, behind all of it, or before. One that is there is told as replacing
// when its nexthop object has changed.
func (t *tables) route4(m *routeMessage, flags uint16) {
	if r := t.groups[m.key].is(m); r != nil {
		if flags&nlmFReplace != 0 {
			r.stamp = t.clock
			return
		}
		t.removeRoute(r) // it went without a word
	}
	g := t.groups[m.key]
	var behind *route
	switch {
	case flags&nlmFReplace != 0:
		t.entomb(m.key)
		if g.first != g.last && t.owed.doubt() || g.first != nil && t.unsure[listRoutes4] || t.list != nil {
			t.owed.one(listRoutes4, 0)
		}
		if g.first != nil {
			defer t.removeRoute(g.first)
		}
	case flags&nlmFAppend != 0:
		behind = g.last
	}
	t.insert(m, m.key, m.hops, behind).stamp = t.clock
}

// routeEntry folds an entry of a list of routes.
func (t *tables) routeEntry(m *routeMessage) {
	d := t.list
	if m.key.inet != d.kind.routes() {
		return
	}
	if m.key.inet == afINET6 {
		t.routeEntry6(m)
		return
	}
	if d.deadRoutes[m.key] {
		return
	}
	g := t.groups[m.key]
	r := g.is(m)
	switch {
	case r == nil:
		r = t.insert(m, m.key, m.hops, g.last)
		if d.index != 0 && g.first != nil {
			t.owed.whole(listRoutes4) // to know its place
		}
	case d.index == 0 && r.behind != nil: // the list has the kernel's order
		t.unchain(r)
		t.chain(r, t.groups[m.key].last)
	}
	r.mark = d.id
}
