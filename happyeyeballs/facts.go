package happyeyeballs

import (
	"net/netip"
	"slices"
	"time"

	"github.com/go-mif/mif"
	"github.com/go-mif/mif/pvd"
)

// listedDomains tells that every domain present has joined.
func (m *machine) listedDomains() { m.listed = true }

// address tells of an address of a domain, new or changed.
func (m *machine) address(id mif.PvDID, a pvd.Address) {
	m.noAddress(id, a.Prefix)
	if n := m.members[id]; n != nil {
		n.addrs = append(n.addrs, a)
	}
}

// noAddress tells that an address of a domain is gone.
func (m *machine) noAddress(id mif.PvDID, p netip.Prefix) {
	if n := m.members[id]; n != nil {
		n.addrs = slices.DeleteFunc(n.addrs, func(o pvd.Address) bool { return o.Prefix == p })
	}
}

// listedAddresses tells that every address that a domain has was told.
func (m *machine) listedAddresses(id mif.PvDID) {
	if n := m.members[id]; n != nil {
		n.listed = true
	}
}

// prefixes tells which NAT64 prefixes a domain's router gave.
func (m *machine) prefixes(now time.Time, id mif.PvDID, ps []netip.Prefix) {
	n := m.members[id]
	if n == nil {
		return
	}
	n.told = true
	if len(ps) > 0 { // else those that were found stay
		n.pref64 = ps
		m.offerWaiting(now, n)
	}
}

// listedElements tells that the configuration elements of a domain were told. What
// is asked from now on is asked of a domain that knows them.
func (m *machine) listedElements(id mif.PvDID) {
	if n := m.members[id]; n != nil {
		n.configured = true
	}
}

// reconfigured tells that the configuration of a domain has changed: what it could
// not answer, as when its address was there before its name servers, it may answer now.
func (m *machine) reconfigured(id mif.PvDID) {
	n := m.members[id]
	if n == nil || !n.configured || len(n.lookups) >= atMost {
		return
	}
	for _, l := range n.lookups {
		l.changed = true
	}
}

// answer tells one address that a look-up gave.
func (m *machine) answer(now time.Time, id mif.TranslationID, a netip.Addr, expiry time.Time) {
	l := m.lookups[id]
	if m.over || l == nil {
		return
	}
	l.addrs = append(l.addrs, a)
	if !expiry.After(now) {
		expiry = time.Time{} // never, or for the transaction in progress (RFC 1035, section 3.2.1)
	}
	if !l.discover {
		m.offer(now, l.member, answer{a.Unmap(), expiry})
		return
	}
	if p, ok := discovered(a); ok && !slices.Contains(l.member.pref64, p) {
		l.member.pref64 = append(l.member.pref64, p)
	}
}

// offer gives a member an address.
func (m *machine) offer(now time.Time, n *member, a answer) {
	n.add(a)
	if n.group.first.IsZero() && n.group.hasCandidates() {
		n.group.first = now
	}
}

// answered tells that a look-up has ended.
func (m *machine) answered(now time.Time, id mif.TranslationID, err error) {
	l := m.lookups[id]
	if m.over || l == nil {
		return
	}
	l.done, l.err = true, err
	delete(m.lookups, id)
	m.trace.answered(now, l.Lookup, l.addrs, err)
	if err != nil && !l.discover {
		m.failures = append(m.failures, &Failure{PvD: l.PvD, Family: l.Family, Err: err})
	}
	if l.discover {
		m.offerWaiting(now, l.member)
	}
}

// offerWaiting offers again what waits for a NAT64 prefix.
func (m *machine) offerWaiting(now time.Time, n *member) {
	waiting := n.waiting
	n.waiting = nil
	for _, a := range waiting {
		m.offer(now, n, a)
	}
}
