package netlink

import "github.com/go-mif/mif/pvd"

// A link is all that is known under one index. It can have routes before it is
// heard of itself; it is present if it has an identity.
type link struct {
	index      int32
	id         pvd.InterfaceID
	name, kind string
	hardware   []byte
	mtu        uint32
	flags      uint32
	operState  uint8
	master     int32
	raFlags    uint32
	mtu6       uint32

	addresses []*addressEntry // in no order
	ipv4      int             // how many of them are IPv4
	first     *hop            // of the routes that leave by it
	soft      int             // how many of those routes routers' advertisements made
	missed    bool            // some were not kept since they were last listed
	crowded   bool            // that is so was said
	ras       []*ra
	routers   crowd
	domains   crowd
	strays    bool // that DHCPv6 gave an address which no router answers for was said

	stamp, mark uint64 // the last event and the last list that told of it
	dirty       uint8
	queued      bool // in the list of dirty ones
	told        *pvd.Facts
}

// What of a link has changed.
const (
	dirtyLink = 1 << iota
	dirtyAddresses
	dirtyRoutes
	dirtyRAs
	dirtyAll = 1<<iota - 1
)

// link is the one under an index, present or not.
func (t *tables) link(index int32) *link {
	l := t.links[index]
	if l == nil {
		l = &link{index: index}
		t.links[index] = l
	}
	return l
}

func (t *tables) touch(l *link, what uint8) {
	l.dirty |= what
	if !l.queued {
		l.queued = true
		t.dirty = append(t.dirty, l)
	}
}

func (t *tables) linkEvent(m *linkMessage, gone bool) {
	l := t.links[m.index]
	switch {
	case m.family == afINET6 && !gone && l != nil:
		t.setIPv6(l, m)
	case m.family != afUnspec: // a bridge tells of its ports, too
	case gone:
		t.disturb(listLinks, 0)
		t.removeLink(m.index)
	case len(m.name) > 0: // without one it is about something else
		t.disturb(listLinks, 0)
		t.setLink(m).stamp = t.clock
	}
}

func (t *tables) linkEntry(m *linkMessage) {
	d := t.list
	if m.family != afUnspec || len(m.name) == 0 || d.dead[m.index] {
		return
	}
	l := t.links[m.index]
	if l != nil && l.id.IsValid() && l.stamp > d.since {
		l.mark = d.id
		return
	}
	if l != nil && l.id.IsValid() && l.another(m) {
		t.removeLink(m.index)
	}
	t.setLink(m).mark = d.id
}

// another tells whether a listed interface must be another one than was known
// under its index.
func (l *link) another(m *linkMessage) bool {
	return l.kind != string(m.kind) || string(l.hardware) != string(m.hardware) && l.name != string(m.name)
}

func (t *tables) setLink(m *linkMessage) *link {
	l := t.link(m.index)
	if !l.id.IsValid() {
		l.id = pvd.NewInterfaceID(int(m.index), string(m.name))
		l.kind = t.kindOf(m.kind)
		t.touch(l, dirtyAll)
	}
	t.linkState(l, m)
	t.setIPv6(l, m)
	if l.name != string(m.name) {
		l.name = string(m.name)
		t.touch(l, dirtyLink)
	}
	if string(l.hardware) != string(m.hardware) {
		l.hardware = append([]byte(nil), m.hardware...)
		t.touch(l, dirtyLink)
	}
	if l.mtu != m.mtu {
		if l.mtu != 0 { // what becomes of the one for IPv6 comes later, and without a word
			t.owed.one(listLinks, l.index)
		}
		l.mtu = m.mtu
		t.touch(l, dirtyLink)
	}
	return l
}

// linkState takes what the kernel drops routes for without a word.
func (t *tables) linkState(l *link, m *linkMessage) {
	if l.flags&iffUp != 0 && m.flags&iffUp == 0 && len(l.ras) > 0 {
		l.ras = nil // the interface solicits anew when it comes back
		t.touch(l, dirtyRAs)
	}
	const running = iffRunning | iffLowerUp
	if m.flags&iffUp == 0 || l.flags&running != 0 && m.flags&running == 0 || l.master != m.master {
		t.suspect(l)
	}
	if l.mtu != 0 && l.flags&running != running && m.flags&running == running {
		// The kernel does not tell of IPv6 addresses set while there was no carrier,
		// and not of all when there is one again.
		t.owed.one(listAddresses, l.index)
	}
	if l.flags != m.flags || l.operState != m.operState {
		l.flags, l.operState = m.flags, m.operState
		t.touch(l, dirtyLink)
	}
	l.master = m.master
}

// setIPv6 takes what IPv6 says of the link, which it may not.
func (t *tables) setIPv6(l *link, m *linkMessage) {
	f := m.raFlags & (raManaged | raOther)
	if m.hasIPv6 && (f != l.raFlags || m.mtu6 != l.mtu6) {
		l.raFlags, l.mtu6 = f, m.mtu6
		t.touch(l, dirtyLink)
	}
}

// suspect owes lists of what can have vanished with a state of the link.
func (t *tables) suspect(l *link) {
	if l.first != nil {
		t.owed.one(listRoutes4, l.index)
		t.owed.one(listRoutes6, l.index)
	}
	t.suspectObjects(l.index)
}

// removeLink forgets a link and all that hangs on it. An IPv4 route with several
// hops goes with the first of their interfaces to cease.
func (t *tables) removeLink(index int32) {
	if t.list != nil && t.list.kind == listLinks {
		t.list.dead[index] = true
	}
	l := t.links[index]
	if l == nil {
		return
	}
	for len(l.addresses) > 0 {
		t.removeAddress(l.addresses[len(l.addresses)-1])
	}
	t.suspectObjects(index)
	for h, next := l.first, (*hop)(nil); h != nil; h = next {
		if next = h.next; h.route.object == 0 {
			for next != nil && next.route == h.route {
				next = next.next
			}
			t.removeRoute(h.route)
		}
	}
	if l.told != nil {
		t.gone = append(t.gone, l.id)
	}
	t.replaceLink(l)
}

// replaceLink leaves behind what routes by nexthop objects still point to.
func (t *tables) replaceLink(l *link) {
	l.id, l.told = pvd.InterfaceID{}, nil
	delete(t.links, l.index)
	if l.first == nil {
		return
	}
	n := t.link(l.index)
	n.first, l.first = l.first, nil
	n.soft, l.soft = l.soft, 0
	for h := n.first; h != nil; h = h.next {
		h.link = n
	}
}

// kindOf is a kind of link, of which there are few.
func (t *tables) kindOf(b []byte) string {
	k, ok := t.kinds[string(b)]
	if !ok {
		k = string(b)
		if len(t.kinds) < 256 {
			t.kinds[k] = k
		}
	}
	return k
}
