package happyeyeballs

import (
	"cmp"
	"hash/fnv"
	"slices"
	"strings"

	"github.com/go-mif/mif/resolver"
)

// maxTargets is how many targets of services a domain is asked for, at most.
const maxTargets = 8

// serving is what a race wants to know of services; without a scheme nothing.
type serving struct {
	scheme string   // such as https
	alpn   []string // what the program can speak; empty: anything
	ech    bool     // the program can encrypt its hello
	seed   uint64   // shuffles services of equal priority (version 3, section 5.2)
}

// A service is one way to reach the name, as one of its records has it.
type service struct {
	resolver.Service
	host    string // the target, in canonical form
	shuffle uint64
}

// compare is the order of services. What has none is last (version 3, section 5.2).
func (s *service) compare(o *service) int {
	if s == nil || o == nil {
		return prefer(s != nil, o != nil)
	}
	return cmp.Or(
		cmp.Compare(s.Priority, o.Priority),
		cmp.Compare(s.shuffle, o.shuffle),
		cmp.Compare(s.host, o.host),
		cmp.Compare(s.Port, o.Port),
	)
}

// usable are the services that the program can speak to, best first.
func (w serving) usable(all []resolver.Service) (out []*service) {
	for _, s := range all {
		if !w.speaks(s) {
			continue
		}
		if !w.ech {
			s.ECH = nil
		}
		out = append(out, &service{s, canonical(s.Target), w.shuffle(s)})
	}
	slices.SortStableFunc(out, (*service).compare)
	return out
}

// speaks tells whether the program and the service have a protocol in common (version
// 3, section 6.2; RFC 9460, section 7.1.2). The default one of https is HTTP/1.1; of
// other schemes it is not known.
func (w serving) speaks(s resolver.Service) bool {
	if len(w.alpn) == 0 || s.Priority == 0 {
		return true
	}
	if !s.NoDefaultALPN && (!strings.EqualFold(w.scheme, "https") || slices.Contains(w.alpn, "http/1.1")) {
		return true
	}
	return slices.ContainsFunc(s.ALPN, func(p string) bool { return slices.Contains(w.alpn, p) })
}

// shuffle is a number that is the same for a service in whichever domain, and another
// in each race.
func (w serving) shuffle(s resolver.Service) uint64 {
	h := fnv.New64a()
	var seed [10]byte
	for i := range 8 {
		seed[i] = byte(w.seed >> (8 * i))
	}
	seed[8], seed[9] = byte(s.Port>>8), byte(s.Port)
	h.Write(seed[:])
	h.Write([]byte(canonical(s.Target)))
	return h.Sum64()
}

// serve takes the services of a domain in. If all of them have keys to encrypt the
// hello with, only they are to be reached (RFC 9848, section 5.1).
func (m *member) serve(services []*service, t target) {
	m.services, m.stale = services, true
	m.drop(func(r *record) bool { return r.hint != nil })
	plain := func(s *service) bool { return len(s.ECH) == 0 }
	m.reliant = len(services) > 0 && !slices.ContainsFunc(services, plain)
	for _, s := range services {
		for _, a := range append(slices.Clip(s.IPv6Hints), s.IPv4Hints...) {
			if a = a.Unmap(); m.wants(familyOf(a), t) && !m.knows(question{s.host, familyOf(a)}) {
				m.give(record{name: s.host, end: s.host, addr: a, expiry: s.Expiry, hint: s})
			}
		}
	}
}

// knows tells whether a question was answered, so that no hint is needed.
func (m *member) knows(q question) bool {
	return slices.ContainsFunc(m.lookups, func(l *lookup) bool { return l.asks(q) && l.replaces() }) ||
		slices.ContainsFunc(m.records, func(r *record) bool {
			return r.hint == nil && r.end == q.name && familyOf(r.addr) == q.family
		})
}

// names are what the domain is to be asked addresses of: the name, and the targets of
// services whose addresses do not come with it.
func (m *member) names(t target) []string {
	all := []string{t.name}
	for _, s := range m.services {
		known := slices.ContainsFunc(m.records, func(r *record) bool {
			return r.hint == nil && r.name == canonical(t.name) && r.end == s.host
		})
		if s.host != canonical(t.name) && !known && !slices.Contains(all, s.host+".") && len(all) <= maxTargets {
			all = append(all, s.host+".")
		}
	}
	return all
}

// best is the name whose addresses are tried first.
func (m *member) best(t target) string {
	if len(m.services) > 0 {
		return m.services[0].host
	}
	return canonical(t.name)
}
