package hostconf

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/go-mif/mif/pvd"
)

// A rank says whose word counts where two sources tell of the same element of the
// same link: the lower one.
type rank uint8

const (
	rankNetworkd rank = iota
	rankNetworkManager
	rankDhcpcd
	rankLeases
	rankResolved
	rankResolvConf
)

// A said is what one source said of one link under one element. A link that is 0
// and empty is the whole host.
type said struct {
	link  string // its name, or
	index int    // its number, or both
	rank  rank
	origin
	offer
}

// A linkElement is what only one rank tells of. The name is empty if the index is
// known.
type linkElement struct {
	index   int
	name    string
	element pvd.ElementType
}

// hear takes what was said for true if it is so now.
func (r *reading) hear(s said) bool {
	if s.empty() || !r.valid(s.expiry) {
		return false
	}
	r.heard = append(r.heard, s)
	return true
}

// conclude makes the state of what was heard.
func (r *reading) conclude() {
	best := map[linkElement]rank{}
	for i := range r.heard {
		key, s := r.key(&r.heard[i]), &r.heard[i]
		if old, ok := best[key]; !ok || s.rank < old {
			best[key] = s.rank
		}
		if s.rank == rankResolved { // it knows what resolv.conf is made of
			best[linkElement{element: pvd.ElementHost}] = rankResolved
		}
	}
	slices.SortStableFunc(r.heard, func(a, b said) int { return cmp.Compare(a.rank, b.rank) })
	known, at := map[linkElement]*offer{}, map[place]int{}
	for i := range r.heard {
		s := &r.heard[i]
		key := r.key(s)
		if best[key] == s.rank && r.news(known, key, s) {
			r.state.add(s, at)
		}
	}
}

// news tells whether something is more than others said already. Only
// systemd-resolved repeats what it was told by managers, of whatever element.
func (r *reading) news(known map[linkElement]*offer, key linkElement, s *said) bool {
	key.element = pvd.ElementAny
	all := known[key]
	if all == nil {
		all = &offer{}
		known[key] = all
	} else if s.rank == rankResolved && all.covers(&s.offer) {
		return false
	}
	all.servers = append(all.servers, s.servers...)
	all.search = append(all.search, s.search...)
	all.routing = append(all.routing, s.routing...)
	return true
}

// key finds the index of a link that has only a name, since some sources go by
// that and some by this.
func (r *reading) key(s *said) linkElement {
	switch {
	case s.index != 0:
		return linkElement{index: s.index, element: s.element}
	case s.link == "":
		return linkElement{element: s.element}
	}
	if _, ok := r.indexes[s.link]; !ok {
		b, _ := r.root.ReadFile("sys/class/net/" + s.link + "/ifindex")
		r.indexes[s.link], _ = strconv.Atoi(strings.TrimSpace(string(b))) // 0 if it is unknown
	}
	if index := r.indexes[s.link]; index != 0 {
		return linkElement{index: index, element: s.element}
	}
	return linkElement{name: s.link, element: s.element}
}

// covers tells whether all servers and domains of p are in o, too.
func (o *offer) covers(p *offer) bool {
	return within(p.servers, o.servers) && within(p.search, o.search) && within(p.routing, o.routing)
}

func within[T comparable](some, all []T) bool {
	return !slices.ContainsFunc(some, func(v T) bool { return !slices.Contains(all, v) })
}

// add files what was said under the name of its link, or else its index.
func (s *State) add(told *said, at map[place]int) {
	if told.link == "" && told.index == 0 {
		told.fill(&s.Resolver, told.origin)
		return
	}
	p := place{told.link, told.index, told.element, told.source}
	all := s.Links[told.link]
	if told.link == "" {
		all = s.ByIndex[told.index]
	} else {
		p.index = 0
	}
	i, ok := at[p]
	if !ok {
		i = len(all)
		at[p], all = i, append(all, pvd.Configuration{})
	}
	told.fill(&all[i], told.origin)
	if told.link == "" {
		s.ByIndex[told.index] = all
	} else {
		s.Links[told.link] = all
	}
}

// A place is where a configuration is in a State.
type place struct {
	link    string
	index   int
	element pvd.ElementType
	source  string
}
