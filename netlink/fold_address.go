package netlink

import (
	"net/netip"
	"time"

	"github.com/go-mif/mif/pvd"
)

// An addressKey is what the kernel tells addresses apart by. For IPv6 the peer
// and the prefix length are no part of it.
type addressKey struct {
	local, peer [16]byte
	index       int32
	family      uint8
	bits        uint8
	_           uint16
}

type addressEntry struct {
	key         addressKey
	link        *link
	at          int // in the link's list
	prefix      netip.Prefix
	flags       uint32
	scope       uint8
	proto       uint8
	end         bool // a finite preferred lifetime has ended
	preferred   time.Time
	valid       time.Time
	stamp, mark uint64
}

func (m *addressMessage) key() addressKey {
	k := addressKey{local: m.local.As16(), index: m.index, family: m.family}
	if m.family == afINET {
		k.peer, k.bits = m.peer.As16(), m.bits
	}
	return k
}

// untold tells of an address that the kernel made for itself and has not made sure
// of: it has no event until then, so lists must not have it either.
func (m *addressMessage) untold() bool {
	made := m.proto == madeByRA || m.proto == madeLinkLocal || m.flags&ifaTemporary != 0
	return m.family == afINET6 && m.flags&ifaTentative != 0 && m.flags&ifaDADFailed == 0 && made
}

func (t *tables) addressEvent(m *addressMessage, gone bool) {
	t.disturb(listAddresses, m.index)
	k := m.key()
	if k.family == afINET6 {
		t.refresh(k.index) // the route of its prefix lives as long, and nothing is said of that
	}
	if !gone && !m.untold() {
		t.setAddress(k, m).stamp = t.clock
		return
	}
	if t.list != nil && t.list.kind == listAddresses {
		t.list.deadAddresses[k] = true
	}
	if a := t.addresses[k]; a != nil {
		t.removeAddress(a)
		if l := a.link; k.family == afINET && l.ipv4 == 0 && l.first != nil {
			t.owed.one(listRoutes4, l.index)
		}
	}
}

func (t *tables) addressEntry(m *addressMessage) {
	k := m.key()
	if t.list.deadAddresses[k] || m.untold() {
		return
	}
	a := t.addresses[k]
	if a == nil || a.stamp <= t.list.since {
		a = t.setAddress(k, m)
	}
	a.mark = t.list.id
}

func (t *tables) setAddress(k addressKey, m *addressMessage) *addressEntry {
	a := t.addresses[k]
	if a == nil {
		a = t.addAddress(k)
	}
	p, end := netip.PrefixFrom(m.local, int(m.bits)), m.preferred == 0
	if a.prefix != p || a.flags != m.flags || a.scope != m.scope || a.proto != m.proto || a.end != end {
		a.prefix, a.flags, a.scope, a.proto, a.end = p, m.flags, m.scope, m.proto, end
		t.touch(a.link, dirtyAddresses)
	}
	moved := settle(&a.preferred, t.after(m.preferred))
	if settle(&a.valid, t.after(m.valid)) || moved {
		t.touch(a.link, dirtyAddresses)
	}
	return a
}

func (t *tables) addAddress(k addressKey) *addressEntry {
	l := t.link(k.index)
	a := &addressEntry{key: k, link: l, at: len(l.addresses)}
	l.addresses = append(l.addresses, a)
	if k.family == afINET {
		l.ipv4++
	}
	t.addresses[k] = a
	t.touch(l, dirtyAddresses)
	return a
}

func (t *tables) removeAddress(a *addressEntry) {
	l, last := a.link, len(a.link.addresses)-1
	l.addresses[a.at] = l.addresses[last]
	l.addresses[a.at].at = a.at
	l.addresses[last] = nil
	l.addresses = l.addresses[:last]
	if a.key.family == afINET {
		l.ipv4--
	}
	delete(t.addresses, a.key)
	t.touch(l, dirtyAddresses)
}

// fact is the address as it is told.
func (a *addressEntry) fact() pvd.AddressFact {
	v6 := a.key.family == afINET6
	return pvd.AddressFact{
		Address: pvd.Address{
			Prefix:     a.prefix,
			Tentative:  a.flags&ifaTentative != 0 && a.flags&ifaOptimistic == 0,
			Duplicate:  a.flags&ifaDADFailed != 0,
			Deprecated: a.flags&ifaDeprecated != 0 || a.end,
			Temporary:  v6 && a.flags&ifaTemporary != 0,
			LinkLocal:  a.scope == scopeLink,
			Preferred:  a.preferred,
			Valid:      a.valid,
		},
		Protocol:   a.proto,
		ManageTemp: a.flags&ifaManageTemp != 0,
	}
}
