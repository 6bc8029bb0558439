package resolver

import (
	"net/netip"
	"slices"
	"sync"
)

// A view is what is under way and remembered for one list of servers. When the
// domain's list changes, a new one begins: what other servers said is not
// believed of these.
type view struct {
	r       *Resolver
	servers []*server
	cache   cache

	mu      sync.Mutex
	flights map[topic]*flight
}

// order gives the servers in the order in which they are to be asked.
func (v *view) order() []*server {
	if len(v.servers) < 2 {
		return v.servers
	}
	type ranked struct {
		*server
		rank int
	}
	var room [maxServers]ranked
	all := room[:0]
	for _, s := range v.servers {
		all = append(all, ranked{s, s.rank()})
	}
	slices.SortStableFunc(all, func(a, b ranked) int { return a.rank - b.rank })
	order := make([]*server, len(all))
	for i, s := range all {
		order[i] = s.server
	}
	return order
}

// A memory is what a Resolver remembers of servers: about each of them, and
// the view of the present list.
type memory struct {
	mu      sync.Mutex
	servers map[endpoint]*server
	view    *view
}

func (m *memory) forget() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.servers, m.view = nil, nil
}

// look gives the view for a configuration.
func (r *Resolver) look(cfg *Config) *view {
	m := &r.memory
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.view == nil || !m.view.serves(cfg) {
		ends := cfg.endpoints()
		m.view = &view{r: r, servers: m.enlist(r, ends), flights: map[topic]*flight{}}
	}
	return m.view
}

// serves tells whether a view is for a configuration.
func (v *view) serves(cfg *Config) bool {
	if len(cfg.Encrypted) > 0 {
		return slices.EqualFunc(v.servers, cfg.endpoints(), func(s *server, e endpoint) bool { return s.endpoint == e })
	}
	servers := cfg.Servers
	if cfg.EncryptedOnly {
		servers = nil
	}
	return slices.EqualFunc(v.servers, servers, func(s *server, a netip.AddrPort) bool { return s.endpoint == endpoint{addr: a} })
}

// enlist gives the servers at endpoints, the known ones as they are known.
func (m *memory) enlist(r *Resolver, ends []endpoint) []*server {
	if m.servers == nil || len(m.servers)+len(ends) > maxServed {
		old := m.servers
		m.servers = map[endpoint]*server{}
		for _, e := range ends {
			if s := old[e]; s != nil {
				m.servers[e] = s
			}
		}
	}
	list := make([]*server, len(ends))
	for i, e := range ends {
		if m.servers[e] == nil {
			m.servers[e] = &server{endpoint: e, r: r}
		}
		list[i] = m.servers[e]
	}
	return list
}
