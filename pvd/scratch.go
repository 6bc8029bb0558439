package pvd

// scratch is memory in which domains are made, used again for every link: what turns
// out to be as it was costs nothing. It has room for what links mostly have.
type scratch struct {
	v4, v6   []Address
	groups   []*group
	used     int // of them
	one, all []*group
	elements []*element
	conf     Configuration

	assignment assignment

	room struct {
		v4, v6      [2]Address
		group       [2]group
		groups, one [2]*group
		all         [3]*group
		elements    [2]*element
	}
}

// init gives s its own room.
func (s *scratch) init() {
	r := &s.room
	s.v4, s.v6, s.elements = r.v4[:0], r.v6[:0], r.elements[:0]
	s.one, s.all = r.one[:0], r.all[:0]
	s.groups = append(r.groups[:0], &r.group[0], &r.group[1])
}

// large tells whether a link with very many addresses has left its mark.
func (s *scratch) large() bool { return cap(s.v4)+cap(s.v6) > 1024 }

// group returns an empty group.
func (s *scratch) group(f Family) *group {
	if s.used == len(s.groups) {
		s.groups = append(s.groups, &group{})
	}
	g := s.groups[s.used]
	s.used++
	g.conf.clear()
	*g = group{family: f, conf: g.conf}
	return g
}

// clear empties c and keeps its memory.
func (c *Configuration) clear() {
	c.DNSServers = c.DNSServers[:0]
	c.SearchDomains = c.SearchDomains[:0]
	c.RoutingDomains = c.RoutingDomains[:0]
	c.Routers = c.Routers[:0]
	c.Routes = c.Routes[:0]
	c.Prefixes = c.Prefixes[:0]
	c.MTU = c.MTU[:0]
	c.PREF64 = c.PREF64[:0]
	c.CaptivePortal = c.CaptivePortal[:0]
	c.EncryptedResolvers = c.EncryptedResolvers[:0]
	c.NTPServers = c.NTPServers[:0]
	c.PvDOption = c.PvDOption[:0]
	c.AdditionalInfo = c.AdditionalInfo[:0]
}

// Clone is c in memory of its own. What is empty is nil.
func (c *Configuration) Clone() Configuration {
	return Configuration{
		DNSServers:         clone(c.DNSServers),
		SearchDomains:      clone(c.SearchDomains),
		RoutingDomains:     clone(c.RoutingDomains),
		Routers:            clone(c.Routers),
		Routes:             clone(c.Routes),
		Prefixes:           clone(c.Prefixes),
		MTU:                clone(c.MTU),
		PREF64:             clone(c.PREF64),
		CaptivePortal:      clone(c.CaptivePortal),
		EncryptedResolvers: clone(c.EncryptedResolvers),
		NTPServers:         clone(c.NTPServers),
		PvDOption:          clone(c.PvDOption),
		AdditionalInfo:     clone(c.AdditionalInfo),
	}
}

func clone[T any, D ~[]Datum[T]](d D) D {
	if len(d) == 0 {
		return nil
	}
	k := make(D, len(d))
	copy(k, d)
	return k
}

// kept is a domain that was made in scratch memory, in memory of its own: as few
// pieces as domains mostly need.
func (d *Domain) kept() *Domain {
	if len(d.addresses) == 1 {
		k := &struct {
			Domain
			element [1]*element
			address [1]Address
		}{Domain: *d}
		k.elements = append(k.element[:0], d.elements...)
		k.addresses = append(k.address[:0], d.addresses...)
		return &k.Domain
	}
	k := &struct {
		Domain
		element [1]*element
	}{Domain: *d}
	k.elements = append(k.element[:0], d.elements...)
	k.addresses = append([]Address(nil), d.addresses...)
	return &k.Domain
}
