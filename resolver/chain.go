package resolver

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"
)

const (
	maxHops    = 16             // aliases of one chain
	maxQueries = 8              // queries for one chain
	maxAddrs   = 64             // addresses of one family
	maxTTL     = 24 * time.Hour // RFC 8767 §4 would allow a week

	maxNegative = time.Hour // RFC 2308 §5 would allow three
)

// A chain is the way from the name asked for along its aliases, through one
// reply or several.
type chain struct {
	end     string    // the present end, fully qualified
	path    []string  // the ends before, folded
	expiry  time.Time // of the records used; zero if there are none yet
	lasting bool      // a zone said that there is nothing at the end
	records []dns.RR  // at the end, if not addresses were asked for

	room [2]netip.Addr // for the addresses of most replies
}

// follow walks the aliases a reply has, from the chain's end on, and gives the
// addresses at the new end. Without an address it tells, by the error, that
// there are none; no error means that the new end is to be asked about.
func (c *chain) follow(m message, qtype uint16, now time.Time) ([]netip.Addr, error) {
	start := c.end
	for {
		target, ttl, err := aliasOf(m.answer, c.end)
		if err != nil {
			return nil, err
		}
		if target == "" {
			break
		}
		if err := c.step(target); err != nil {
			return nil, err
		}
		c.expire(now.Add(lifetimeOf(ttl)))
	}
	if m.rcode == dns.RcodeNameError {
		c.deny(&m, now)
		return nil, ErrNoSuchName
	}
	if addrs := c.addresses(m.answer, qtype, now); len(addrs) > 0 {
		return addrs, nil
	}
	if c.others(m.answer, qtype, now); len(c.records) > 0 {
		return nil, nil
	}
	if denied := c.deny(&m, now); denied || c.end == start {
		return nil, ErrNoData
	}
	return nil, unasked(strings.TrimSuffix(fold(c.end), "."))
}

// deny notes how long the end's emptiness may be believed. Without the zone's
// word it is not to be remembered at all (RFC 2308 §5).
func (c *chain) deny(m *message, now time.Time) bool {
	lifetime, ok := m.denies(c.end)
	if c.lasting = ok; ok {
		c.expire(now.Add(lifetime))
	}
	return ok
}

// step goes one alias further.
func (c *chain) step(target string) error {
	c.path = append(c.path, fold(c.end))
	if len(c.path) > maxHops || slices.Contains(c.path, fold(target)) {
		return errAliases
	}
	c.end = target
	return nil
}

func (c *chain) expire(t time.Time) {
	if c.expiry.IsZero() || t.Before(c.expiry) {
		c.expiry = t
	}
}

// lifetimeOf reads a TTL: its highest bit set means zero (RFC 2181 §8).
func lifetimeOf(ttl uint32) time.Duration {
	if ttl > 1<<31-1 {
		return 0
	}
	return min(time.Duration(ttl)*time.Second, maxTTL)
}

// aliasOf gives what a name is an alias of, or nothing. An owner has one alias
// (RFC 2181 §10.1).
func aliasOf(answer []record, name string) (target string, ttl uint32, err error) {
	for i := range answer {
		rec := &answer[i]
		if rec.kind != dns.TypeCNAME || rec.class != dns.ClassINET || !same(rec.owner, name) {
			continue
		}
		switch {
		case target == "":
			target, ttl = rec.target, rec.ttl
		case !same(rec.target, target):
			return "", 0, errAliases
		default:
			ttl = min(ttl, rec.ttl)
		}
	}
	return target, ttl, nil
}

// addresses gives the addresses whose owner is the chain's end.
func (c *chain) addresses(answer []record, qtype uint16, now time.Time) []netip.Addr {
	addrs := c.room[:0]
	for i := range answer {
		rec := &answer[i]
		if rec.kind != qtype || rec.class != dns.ClassINET || !same(rec.owner, c.end) {
			continue
		}
		if usable(rec.addr) && len(addrs) < maxAddrs && !slices.Contains(addrs, rec.addr) {
			addrs = append(addrs, rec.addr)
			c.expire(now.Add(lifetimeOf(rec.ttl)))
		}
	}
	return addrs
}

// others finds the records of another type whose owner is the chain's end.
func (c *chain) others(answer []record, qtype uint16, now time.Time) {
	for i := range answer {
		rec := &answer[i]
		if rec.rr == nil || rec.kind != qtype || rec.class != dns.ClassINET || !same(rec.owner, c.end) {
			continue
		}
		if len(c.records) < maxAddrs {
			c.records = append(c.records, rec.rr)
			c.expire(now.Add(lifetimeOf(rec.ttl)))
		}
	}
}

// usable tells whether an address can be a host's. An unspecified one is
// nobody's, and an IPv4-mapped one would be dialled as IPv4.
func usable(addr netip.Addr) bool {
	return addr.IsValid() && !addr.IsUnspecified() && !addr.Is4In6()
}

// denies tells whether the authority section says that a name has no such
// record, by the SOA of a zone it is in, and for how long (RFC 2308 §2.2, §5).
func (m *message) denies(name string) (lifetime time.Duration, ok bool) {
	for i := range m.authority {
		rec := &m.authority[i]
		if rec.kind == dns.TypeSOA && rec.class == dns.ClassINET && dns.IsSubDomain(rec.owner, name) {
			return min(lifetimeOf(rec.ttl), lifetimeOf(rec.least), maxNegative), true
		}
	}
	return 0, false
}

// fold gives the form of a name for comparison (RFC 4343). The codec escapes
// all that is not printable ASCII, always in the same way.
func fold(name string) string { return strings.ToLower(name) }

// same tells whether two names are one.
func same(a, b string) bool { return a == b || len(a) == len(b) && fold(a) == fold(b) }

// canonical is the end of the chain as it is told.
func (c *chain) canonical() string { return strings.TrimSuffix(c.end, ".") }
