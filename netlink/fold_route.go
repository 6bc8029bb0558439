package netlink

import (
	"net/netip"
	"slices"
	"time"
)

// A route is one route of a group. An IPv4 route has all its hops, and nothing
// in it changes; an IPv6 route has one, for so the kernel keeps and drops them. A
// route by a nexthop object has the hops that this resolves to.
type route struct {
	key                groupKey
	before, behind     *route // in its group
	kind, scope, proto uint8
	preference         int8
	source             netip.Addr
	object             uint32
	extra              uint64
	expiry             time.Time
	soft               bool // a router's advertisement made it, as far as can be told
	hops               []hop
	one                [1]hop
	stamp, mark        uint64
}

// A hop is a route in the list of the link it leaves by.
type hop struct {
	nexthop
	route      *route
	link       *link // nil: none
	prev, next *hop
}

// A group is the routes of one key, in the kernel's order if they are IPv4.
type group struct {
	first, last *route
}

// is tells whether r is the IPv4 route that m tells of.
func (r *route) is(m *routeMessage) bool {
	return r.kind == m.kind && r.scope == m.scope && r.proto == m.proto && r.source == m.source &&
		r.object == m.object && r.extra == m.extra &&
		(m.object != 0 || slices.EqualFunc(r.hops, m.hops, func(h hop, n nexthop) bool { return h.nexthop == n }))
}

// goes tells whether r is the IPv6 route by an object or a hop.
func (r *route) goes(object uint32, n nexthop) bool {
	if object != 0 || r.object != 0 || len(r.hops) == 0 {
		return r.object == object && (object != 0 || n == nexthop{})
	}
	h := r.hops[0].nexthop
	return h.index == n.index && h.gateway == n.gateway && h.extra == n.extra
}

func (g group) is(m *routeMessage) *route {
	for r := g.first; r != nil; r = r.behind {
		if r.is(m) {
			return r
		}
	}
	return nil
}

func (g group) goes(object uint32, n nexthop) *route {
	for r := g.first; r != nil; r = r.behind {
		if r.goes(object, n) {
			return r
		}
	}
	return nil
}

// insert puts a new route into its group, behind another or first, and into the
// lists of its links.
func (t *tables) insert(m *routeMessage, k groupKey, hops []nexthop, behind *route) *route {
	r := &route{key: k, kind: m.kind, scope: m.scope, proto: m.proto, source: m.source, object: m.object, extra: m.extra, soft: m.soft()}
	t.chain(r, behind)
	if m.object != 0 {
		t.useObject(r)
	} else {
		t.connect(r, hops)
	}
	return r
}

// chain puts a route into its group.
func (t *tables) chain(r, behind *route) {
	g := t.groups[r.key]
	if r.before = behind; behind == nil {
		r.behind, g.first = g.first, r
	} else {
		r.behind, behind.behind = behind.behind, r
	}
	if r.behind == nil {
		g.last = r
	} else {
		r.behind.before = r
	}
	t.groups[r.key] = g
}

// unchain takes a route out of its group.
func (t *tables) unchain(r *route) {
	g := t.groups[r.key]
	if r.before == nil {
		g.first = r.behind
	} else {
		r.before.behind = r.behind
	}
	if r.behind == nil {
		g.last = r.before
	} else {
		r.behind.before = r.before
	}
	if g.first == nil {
		delete(t.groups, r.key)
	} else {
		t.groups[r.key] = g
	}
}

// connect gives a route its hops.
func (t *tables) connect(r *route, hops []nexthop) {
	if r.hops = r.one[:0]; len(hops) > 1 {
		r.hops = make([]hop, 0, len(hops))
	}
	for _, n := range hops {
		r.hops = append(r.hops, hop{nexthop: n, route: r})
		if n.index <= 0 {
			continue
		}
		h, l := &r.hops[len(r.hops)-1], t.link(n.index)
		if h.link, h.next = l, l.first; h.next != nil {
			h.next.prev = h
		}
		l.first = h
		if r.soft {
			l.soft++
		}
		t.touch(l, dirtyRoutes)
	}
}

// disconnect takes a route's hops away.
func (t *tables) disconnect(r *route) {
	for i := range r.hops {
		h := &r.hops[i]
		if h.link == nil {
			continue
		}
		if h.prev != nil {
			h.prev.next = h.next
		} else {
			h.link.first = h.next
		}
		if h.next != nil {
			h.next.prev = h.prev
		}
		if r.soft {
			t.eased(h.link)
		}
		t.touch(h.link, dirtyRoutes)
	}
	r.hops = nil
}

func (t *tables) removeRoute(r *route) {
	t.unchain(r)
	if r.object != 0 {
		t.leaveObject(r)
	}
	t.disconnect(r)
}
