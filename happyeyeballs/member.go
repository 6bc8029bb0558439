package happyeyeballs

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/go-mif/mif"
	"github.com/go-mif/mif/pvd"
	"github.com/go-mif/mif/resolver"
)

// A member is a domain that takes part in a race.
type member struct {
	domain Domain
	group  *group

	// What the domain has told of itself; it is ready when all was heard.
	addrs      []pvd.Address
	pref64     []netip.Prefix
	told       bool // its prefixes
	listed     bool // its addresses
	configured bool // its elements: what comes of them later is a change

	lookups  []*lookup
	records  []*record
	services []*service // that can be used, best first
	reliant  bool       // only they are to be reached

	candidates []*candidate            // made of all that
	stale      bool                    // they are to be made anew
	retries    []*candidate            // to be tried again
	tried      map[netip.AddrPort]bool // what was dialled
	spent      map[pvd.Family]int      // how often
	running    int                     // attempts
	last       time.Time               // when an attempt was started last
	literal    bool                    // the literal was added
	resorted   bool                    // the last resort was taken
}

// A question is what a domain can be asked for.
type question struct {
	name   string // canonical
	family pvd.Family
}

// A lookup is a question under way or answered.
type lookup struct {
	Lookup
	id       mif.TranslationID
	member   *member
	discover bool // it is for a NAT64 prefix
	done     bool
	changed  bool // the domain has, since it was asked
	addrs    []netip.Addr
	services []resolver.Service
	err      error
}

// asks tells whether the look-up asks a question.
func (l *lookup) asks(q question) bool {
	return !l.discover && l.Service == "" && l.Family == q.family && canonical(l.Name) == q.name
}

// replaces tells whether the look-up has told what there is, so that hints count no
// more: addresses, or that there are none.
func (l *lookup) replaces() bool { return l.done && (len(l.addrs) > 0 || nothing(l.err)) }

// nothing tells whether an error says that there is no such thing.
func nothing(err error) bool {
	return errors.Is(err, resolver.ErrNoData) || errors.Is(err, resolver.ErrNoSuchName)
}

// stale tells whether a failure says nothing any more, since the domain has changed.
func (l *lookup) stale() bool {
	return l.done && l.changed && l.err != nil && len(l.addrs)+len(l.services) == 0
}

func (m *member) ready() bool { return m.told && m.listed && m.configured }

// reaches tells whether the domain has an address from which to send to another.
// It is the connectivity of version 3, section 4.1.
func (m *member) reaches(a netip.Addr) bool { return source(a, m.addrs) != nil }

// anywhere are addresses far away: who reaches them has a family's connectivity.
var (
	anywhere4 = netip.AddrFrom4([4]byte{192, 0, 0, 170})
	anywhere6 = netip.MustParseAddr("2000::")
)

// wants tells whether the domain is to be asked for a family's addresses: its own,
// and IPv4 also if it has a NAT64 prefix (version 3, section 4.1).
func (m *member) wants(f pvd.Family, t target) bool {
	if f == pvd.IPv6 {
		return t.six && m.reaches(anywhere6)
	}
	return t.four && (m.reaches(anywhere4) || t.six && len(m.pref64) > 0 && m.reaches(anywhere6))
}

// busy tells whether more may come: an answer, or what the domain has to tell of itself.
func (m *member) busy() bool {
	return !m.ready() || slices.ContainsFunc(m.lookups, func(l *lookup) bool { return !l.done })
}

// answered tells whether AAAA was answered, if it was asked, for the name whose turn is
// first: yes, no, or not yet. A hint is an answer (version 3, section 4.2.1).
func (m *member) answered(t target) (positive, pending bool) {
	pending = !m.ready()
	name := m.best(t)
	for _, r := range m.records {
		positive = positive || !r.addr.Is4() && r.of(name)
	}
	for _, l := range m.lookups {
		asked := l.asks(question{name, pvd.IPv6}) || l.asks(question{canonical(t.name), pvd.IPv6})
		pending = pending || asked && !l.done
	}
	return positive, pending
}

// served tells whether services were answered, if they were asked for.
func (m *member) served() bool {
	return !slices.ContainsFunc(m.lookups, func(l *lookup) bool { return l.Service != "" && !l.done })
}

// A place is what the members of a group have in common.
type place struct {
	rank  int
	iface mif.InterfaceID
	fqdn  string
}

// A group is an uplink: domains that race as one, by RFC 8305, with each other.
type group struct {
	place
	members []*member
	opened  time.Time // when its turn came; zero: not yet
	first   time.Time // when its first address came; zero: none came
	going   bool      // it may start attempts
	turn    time.Time // when it started one last
	service *service  // that the last attempt was of
	count   int       // attempts started, of this service
	family  pvd.Family
}

func placeOf(d Domain, r rules) place {
	return place{r.rank(d), d.PvD.Interface(), strings.ToLower(d.FQDN)}
}

// before is the order of groups: by rank, then as interfaces are numbered.
func (p place) before(q place) bool {
	if p.rank != q.rank {
		return p.rank < q.rank
	}
	return p.iface.Index() < q.iface.Index()
}

// exhausted tells whether nothing is running, to be tried or to come.
func (g *group) exhausted() bool {
	return !slices.ContainsFunc(g.members, func(m *member) bool {
		return m.busy() || m.running > 0 || len(m.candidates) > 0
	})
}

func (g *group) hasCandidates() bool {
	return slices.ContainsFunc(g.members, func(m *member) bool { return len(m.candidates) > 0 })
}

// settled tells whether the preferred family has been answered: IPv6 if it was
// asked, with addresses, or finally without. Services have to be answered as well, by
// the domain whose addresses are there (version 3, section 4.2).
func (g *group) settled(t target) bool {
	waiting := false
	for _, m := range g.members {
		positive, pending := m.answered(t)
		if positive && m.served() {
			return true
		}
		waiting = waiting || pending || !m.served()
	}
	return !waiting
}

// next is the candidate to try now: the best one of the family whose turn it is, of
// the best service. The first family has count turns, then families alternate (RFC
// 8305, section 4), whenever their addresses came (version 3, section 7).
func (g *group) next(count int, h *History, now time.Time) *candidate {
	all := g.sorted(h, now)
	if len(all) == 0 {
		return nil
	}
	if all[0].again {
		return all[0]
	}
	tried := g.tried(all[0].service)
	for _, c := range all {
		if c.service.compare(all[0].service) != 0 {
			break
		}
		switch {
		case tried == 0, tried < count && c.family() == g.family, tried >= count && c.family() != g.family:
			return c
		}
	}
	return all[0]
}

// tried is how many attempts of a service were started in a row.
func (g *group) tried(s *service) int {
	if g.service.compare(s) != 0 {
		return 0
	}
	return g.count
}
