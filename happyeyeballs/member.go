package happyeyeballs

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/go-mif/mif"
	"github.com/go-mif/mif/pvd"
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

	lookups    []*lookup
	waiting    []answer // IPv4 addresses for which there is no prefix yet
	candidates []*candidate
	added      map[pvd.Family]int  // candidates so far
	tried      map[netip.Addr]bool // addresses dialled
	running    int                 // attempts
	last       time.Time           // when an attempt was started last
	literal    bool                // the literal was added
	resorted   bool                // the last resort was taken
}

// A lookup is a question under way or answered.
type lookup struct {
	Lookup
	member   *member
	discover bool // it is for a NAT64 prefix
	done     bool
	changed  bool // the domain has, since it was asked
	addrs    []netip.Addr
	err      error
}

// stale tells whether a failure says nothing any more, since the domain has changed.
func (l *lookup) stale() bool {
	return l.done && l.changed && l.err != nil && len(l.addrs) == 0
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

// answered tells whether AAAA was answered, if it was asked: yes, no, or not yet.
func (m *member) answered() (positive, pending bool) {
	pending = !m.ready()
	for _, l := range m.lookups {
		if l.Family == pvd.IPv6 && !l.discover {
			positive = positive || len(l.addrs) > 0
			pending = pending || !l.done
		}
	}
	return positive, pending
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
	count   int       // attempts started
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
// asked, with addresses, or finally without (version 3, section 4.2).
func (g *group) settled() bool {
	pending := false
	for _, m := range g.members {
		positive, p := m.answered()
		if positive {
			return true
		}
		pending = pending || p
	}
	return !pending
}

// next is the candidate to try now: the best one of the family whose turn it is.
// The first family has count turns, then families alternate (RFC 8305, section
// 4), whenever their addresses came (version 3, section 7).
func (g *group) next(count int, h *History, now time.Time) *candidate {
	all := g.sorted(h, now)
	if len(all) == 0 {
		return nil
	}
	for _, c := range all {
		switch {
		case g.count == 0, g.count < count && c.family() == g.family, g.count >= count && c.family() != g.family:
			return c
		}
	}
	return all[0]
}
