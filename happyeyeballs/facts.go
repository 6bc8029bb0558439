package happyeyeballs

import (
	"net/netip"
	"slices"
	"time"

	"github.com/go-mif/mif"
	"github.com/go-mif/mif/pvd"
	"github.com/go-mif/mif/resolver"
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
func (m *machine) prefixes(id mif.PvDID, ps []netip.Prefix) {
	n := m.members[id]
	if n == nil {
		return
	}
	n.told = true
	if len(ps) > 0 { // else those that were found stay
		n.pref64, n.stale = ps, true
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

// answer tells one address that a look-up gave, and the name at the end of its aliases.
func (m *machine) answer(now time.Time, id mif.TranslationID, a netip.Addr, end string, expiry time.Time) {
	l := m.lookups[id]
	if m.over || l == nil {
		return
	}
	l.addrs = append(l.addrs, a)
	if !expiry.After(now) {
		expiry = time.Time{} // never, or for the transaction in progress (RFC 1035, section 3.2.1)
	}
	if !l.discover {
		l.member.give(record{name: canonical(l.Name), end: canonical(end), addr: a.Unmap(), expiry: expiry})
		return
	}
	if p, ok := discovered(a); ok && !slices.Contains(l.member.pref64, p) {
		l.member.pref64, l.member.stale = append(l.member.pref64, p), true
	}
}

// service tells one way to reach the name that a look-up gave.
func (m *machine) service(id mif.TranslationID, s resolver.Service) {
	if l := m.lookups[id]; !m.over && l != nil {
		l.services = append(l.services, s)
		l.addrs = append(append(l.addrs, s.IPv6Hints...), s.IPv4Hints...)
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
	if err != nil && !l.discover && (l.Service == "" || !nothing(err)) {
		m.failures = append(m.failures, &Failure{PvD: l.PvD, Family: l.Family, Service: l.Service, Err: err})
	}
	switch {
	case l.Service != "" && len(l.services) > 0:
		l.member.serve(m.serving.usable(l.services), m.target)
	case l.Service == "" && !l.discover && l.replaces():
		// Records replace hints (version 3, section 4.2.1).
		l.member.drop(func(r *record) bool {
			return r.hint != nil && r.of(canonical(l.Name)) && familyOf(r.addr) == l.Family
		})
	}
}
