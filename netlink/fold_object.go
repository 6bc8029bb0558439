package netlink

import "slices"

// An object is a nexthop object: one hop, a black hole, or a group of others.
type object struct {
	hop         nexthop
	reject      bool
	members     []uint32
	users       map[*route]struct{}
	present     bool
	stamp, mark uint64
}

func (t *tables) objectEvent(m *objectMessage, gone bool) {
	t.disturb(listObjects, 0)
	if !gone {
		t.setObject(m).stamp = t.clock
		return
	}
	if t.list != nil && t.list.kind == listObjects {
		t.list.deadObjects[m.id] = true
	}
	if o := t.objects[m.id]; o != nil {
		t.removeObject(m.id, o)
	}
}

func (t *tables) objectEntry(m *objectMessage) {
	if t.list.deadObjects[m.id] {
		return
	}
	o := t.objects[m.id]
	if o == nil || !o.present || o.stamp <= t.list.since {
		o = t.setObject(m)
	}
	o.mark = t.list.id
}

func (t *tables) object(id uint32) *object {
	o := t.objects[id]
	if o == nil {
		o = &object{users: map[*route]struct{}{}}
		t.objects[id] = o
	}
	return o
}

func (t *tables) setObject(m *objectMessage) *object {
	o, h := t.object(m.id), nexthop{index: m.index, gateway: m.gateway}
	if o.present && o.hop == h && o.reject == m.reject && slices.Equal(o.members, m.members) {
		return o
	}
	o.present, o.hop, o.reject, o.members = true, h, m.reject, slices.Clone(m.members)
	if len(o.members) > 0 {
		t.unions[m.id] = o
	} else {
		delete(t.unions, m.id)
	}
	t.resolveAll(m.id)
	return o
}

// removeObject forgets an object.
func (t *tables) removeObject(id uint32, o *object) {
	o.present, o.hop, o.members = false, nexthop{}, nil
	delete(t.unions, id)
	t.doubtUsers(o)
	t.resolveAll(id)
	if len(o.users) == 0 {
		delete(t.objects, id)
	}
}

// doubtUsers owes lists of the routes by an object that has ended or may have:
// IPv4 routes go with it without a word, and so do IPv6 routes on some hosts.
func (t *tables) doubtUsers(o *object) {
	for r := range o.users {
		if r.key.inet == afINET {
			t.owed.whole(listRoutes4)
		} else {
			t.owed.whole(listRoutes6)
		}
	}
}

// suspectObjects owes lists of what ends with a state of the link: the objects
// that go by it, and the groups that have but those. Others of the same ids may
// have taken their place before a list could tell.
func (t *tables) suspectObjects(index int32) {
	for id, o := range t.objects {
		if !o.present || o.hop.index != index {
			continue
		}
		t.owed.whole(listObjects)
		t.doubtUsers(o)
		for _, u := range t.unions {
			if slices.Contains(u.members, id) {
				t.doubtUsers(u)
			}
		}
	}
}

// useObject gives a route by an object its hops.
func (t *tables) useObject(r *route) {
	t.object(r.object).users[r] = struct{}{}
	t.resolve(r)
}

func (t *tables) leaveObject(r *route) {
	o := t.objects[r.object]
	delete(o.users, r)
	if !o.present && len(o.users) == 0 {
		delete(t.objects, r.object)
	}
}

// resolveAll gives the routes by an object, or by a group with it, their hops anew.
func (t *tables) resolveAll(id uint32) {
	t.resolveUsers(t.objects[id])
	for i, u := range t.unions {
		if i != id && slices.Contains(u.members, id) {
			t.resolveUsers(u)
		}
	}
}

func (t *tables) resolveUsers(o *object) {
	for r := range o.users {
		t.disconnect(r)
		t.resolve(r)
	}
}

func (t *tables) resolve(r *route) {
	o, hops := t.objects[r.object], []nexthop(nil)
	for _, id := range o.members {
		if m := t.objects[id]; m != nil && m.present && m.hop.index > 0 {
			hops = append(hops, m.hop)
		}
	}
	if o.hop.index > 0 {
		hops = append(hops, o.hop)
	}
	t.connect(r, hops)
}
