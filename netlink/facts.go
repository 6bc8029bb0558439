package netlink

import (
	"cmp"
	"net"
	"slices"
	"time"

	"github.com/go-mif/mif/pvd"
)

// scratch is memory to build facts in, so that what turns out to be the same as
// was told costs nothing.
type scratch struct {
	addresses []pvd.AddressFact
	routes    []pvd.RouteFact
}

// changes are what has changed since they were last asked for.
func (t *tables) changes() Changes { return t.certain(0) }

// certain are the changes but for what is in doubt, a bit each.
func (t *tables) certain(doubt uint8) Changes {
	c := Changes{Gone: t.gone}
	t.gone = nil
	left := t.dirty[:0]
	for _, l := range t.dirty {
		if f := t.facts(l, l.dirty&^doubt); f != nil {
			l.told = f
			t.stray(l, f)
			c.Links = append(c.Links, f)
		}
		if l.dirty &= doubt; l.dirty != 0 {
			left = append(left, l)
		} else {
			l.queued = false
		}
	}
	clear(t.dirty[len(left):])
	t.dirty = left
	return c
}

// doubt are the kinds of facts, a bit each, that lists which are due may contradict.
// What routes say of their origin hangs on addresses, and all on the links.
func (t *tables) doubt() (what uint8) {
	for of, at := range t.owed {
		if at.After(t.now) {
			continue
		}
		switch of.kind {
		case listLinks:
			return dirtyAll
		case listAddresses:
			what |= dirtyAddresses | dirtyRoutes
		case listObjects, listUnicast4, listUnicast6, listRoutes4, listRoutes6:
			what |= dirtyRoutes
		}
	}
	return what
}

// facts are those of a link that is there, brought up to date in some; nil if they
// are as they were told.
func (t *tables) facts(l *link, dirty uint8) *pvd.Facts {
	if !l.id.IsValid() || dirty == 0 {
		return nil
	}
	f := pvd.Facts{}
	if l.told != nil {
		f = *l.told
	}
	news := l.told == nil
	if dirty&dirtyLink != 0 && !l.same(&f) {
		l.describe(&f)
		news = true
	}
	if dirty&dirtyAddresses != 0 && t.addressFacts(l, &f) {
		news = true
	}
	if dirty&dirtyRoutes != 0 && t.routeFacts(l, &f) {
		news = true
	}
	if dirty&dirtyRAs != 0 {
		f.RAs = l.raFacts()
		news = true
	}
	if !news {
		return nil
	}
	return &f
}

// same tells whether the link's own facts are as they were told.
func (l *link) same(f *pvd.Facts) bool {
	i := &f.Interface
	return i.ID == l.id && i.Name == l.name && i.MTU == int(l.mtu) && string(i.HardwareAddr) == string(l.hardware) &&
		i.Flags == netFlags(l.flags) && i.Up == (l.flags&iffUp != 0) && i.Carrier == carrier(l.flags, l.operState) &&
		f.MTU6 == int(l.mtu6) && f.Managed == (l.raFlags&raManaged != 0) && f.Other == (l.raFlags&raOther != 0)
}

func (l *link) describe(f *pvd.Facts) {
	hardware := f.Interface.HardwareAddr
	if string(hardware) != string(l.hardware) {
		hardware = net.HardwareAddr(l.hardware) // never written in place
	}
	f.Interface = pvd.Interface{
		ID:           l.id,
		Name:         l.name,
		Index:        int(l.index),
		Kind:         l.kind,
		Flags:        netFlags(l.flags),
		MTU:          int(l.mtu),
		HardwareAddr: hardware,
		Up:           l.flags&iffUp != 0,
		Carrier:      carrier(l.flags, l.operState),
	}
	f.MTU6 = int(l.mtu6)
	f.Managed, f.Other = l.raFlags&raManaged != 0, l.raFlags&raOther != 0
}

// addressFacts tells whether the addresses are other than told.
func (t *tables) addressFacts(l *link, f *pvd.Facts) bool {
	s := t.shape.addresses[:0]
	for _, a := range l.addresses {
		s = append(s, a.fact())
	}
	slices.SortFunc(s, func(a, b pvd.AddressFact) int {
		return cmp.Or(a.Prefix.Addr().Compare(b.Prefix.Addr()), cmp.Compare(a.Prefix.Bits(), b.Prefix.Bits()))
	})
	s = slices.CompactFunc(s, func(a, b pvd.AddressFact) bool { return a.Prefix == b.Prefix }) // they differ in the peer
	t.shape.addresses = s
	if slices.Equal(s, f.Addresses) {
		return false
	}
	f.Addresses = append([]pvd.AddressFact(nil), s...)
	return true
}

// lookBefore is how long before a route expires it is looked at.
const lookBefore = time.Second

// routeFacts tells whether the routes are other than told. It also sees to it
// that routes about to expire are looked at first: a router that refreshes them
// does so without a word of the kernel.
func (t *tables) routeFacts(l *link, f *pvd.Facts) bool {
	s, soonest := t.shape.routes[:0], time.Time{}
	for h := l.first; h != nil; h = h.next {
		r := h.route
		if r.kind != typeUnicast || r.key.linkLocal() || r.key.multicast() {
			continue
		}
		s = append(s, h.fact())
		if !r.expiry.IsZero() && (soonest.IsZero() || r.expiry.Before(soonest)) {
			soonest = r.expiry
		}
	}
	slices.SortFunc(s, compareRoutes)
	t.shape.routes = s
	if slices.Equal(s, f.Routes) {
		return false
	}
	f.Routes = append([]pvd.RouteFact(nil), s...)
	if soonest.After(t.now) {
		t.check(l.index, soonest.Add(-lookBefore))
	}
	return true
}

func (h *hop) fact() pvd.RouteFact {
	r := h.route
	return pvd.RouteFact{
		Route: pvd.Route{
			Destination: r.key.prefix(),
			Source:      r.key.from(),
			Gateway:     h.gateway,
			Metric:      r.key.metric,
			Table:       r.key.table,
			Preference:  r.preference,
		},
		Protocol: r.proto,
		Expiry:   r.expiry,
	}
}

// compareRoutes sorts by destination, IPv4 first, then by what decides between
// routes to the same.
func compareRoutes(a, b pvd.RouteFact) int {
	return cmp.Or(
		a.Destination.Addr().Compare(b.Destination.Addr()),
		cmp.Compare(a.Destination.Bits(), b.Destination.Bits()),
		cmp.Compare(a.Table, b.Table),
		cmp.Compare(a.Metric, b.Metric),
		a.Source.Addr().Compare(b.Source.Addr()),
		cmp.Compare(a.Source.Bits(), b.Source.Bits()),
		a.Gateway.Compare(b.Gateway),
		cmp.Compare(a.Protocol, b.Protocol),
		cmp.Compare(b.Preference, a.Preference),
		a.Expiry.Compare(b.Expiry),
	)
}
