package resolver

import (
	"net/netip"
	"strings"
	"time"

	"github.com/miekg/dns"
)

const (
	maxHops    = 16             // aliases of one chain
	maxQueries = 8              // queries for one chain
	maxAddrs   = 64             // addresses of one family
	maxTTL     = 24 * time.Hour // RFC 8767 §4 would allow a week
)

// A chain is the way from the name asked for along its aliases, through one
// reply or several.
type chain struct {
	end    string // the present end, fully qualified
	hops   int
	seen   map[string]bool // owners already left behind
	expiry time.Time       // of the aliases; zero if there are none yet
}

// follow walks the aliases a reply has, from the chain's end on, and gives the
// addresses at the new end. Without an address it tells, by the error, that
// there are none; no error means that the new end is to be asked about.
func (c *chain) follow(m message, qtype uint16, now time.Time) ([]netip.Addr, error) {
	start := c.end
	aliases, err := aliasesOf(m.answer)
	if err != nil {
		return nil, err
	}
	for alias := aliases[fold(c.end)]; alias != nil; alias = aliases[fold(c.end)] {
		if err := c.step(alias, now); err != nil {
			return nil, err
		}
	}
	if m.rcode == dns.RcodeNameError {
		return nil, ErrNoSuchName
	}
	if addrs := c.addresses(m.answer, qtype, now); len(addrs) > 0 {
		return addrs, nil
	}
	if c.end == start || m.denies(c.end) {
		return nil, ErrNoData
	}
	return nil, unasked(strings.TrimSuffix(fold(c.end), "."))
}

// step goes one alias further.
func (c *chain) step(alias *dns.CNAME, now time.Time) error {
	c.hops++
	if c.seen == nil {
		c.seen = map[string]bool{}
	}
	c.seen[fold(c.end)] = true
	if c.hops > maxHops || c.seen[fold(alias.Target)] {
		return errAliases
	}
	c.end = alias.Target
	c.expire(alias.Hdr.Ttl, now)
	return nil
}

func (c *chain) expire(ttl uint32, now time.Time) {
	if t := now.Add(lifetimeOf(ttl)); c.expiry.IsZero() || t.Before(c.expiry) {
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

// aliasesOf gives the aliases by owner. An owner has one (RFC 2181 §10.1).
func aliasesOf(answer []dns.RR) (map[string]*dns.CNAME, error) {
	var aliases map[string]*dns.CNAME
	for _, rr := range answer {
		alias, ok := rr.(*dns.CNAME)
		if !ok || alias.Hdr.Class != dns.ClassINET {
			continue
		}
		if aliases == nil {
			aliases = map[string]*dns.CNAME{}
		}
		owner := fold(alias.Hdr.Name)
		if other := aliases[owner]; other != nil && fold(other.Target) != fold(alias.Target) {
			return nil, errAliases
		}
		aliases[owner] = alias
	}
	return aliases, nil
}

// addresses gives the addresses whose owner is the chain's end.
func (c *chain) addresses(answer []dns.RR, qtype uint16, now time.Time) []netip.Addr {
	var addrs []netip.Addr
	known, owner := map[netip.Addr]bool{}, fold(c.end)
	for _, rr := range answer {
		h := rr.Header()
		if h.Rrtype != qtype || h.Class != dns.ClassINET || fold(h.Name) != owner {
			continue
		}
		addr, ok := addressOf(rr)
		if ok && !known[addr] && len(addrs) < maxAddrs {
			known[addr] = true
			addrs = append(addrs, addr)
			c.expire(h.Ttl, now)
		}
	}
	return addrs
}

// addressOf gives the address in a record. An unspecified address is nobody's,
// and an IPv4-mapped one would be dialled as IPv4.
func addressOf(rr dns.RR) (netip.Addr, bool) {
	var addr netip.Addr
	switch rr := rr.(type) {
	case *dns.A:
		addr, _ = netip.AddrFromSlice(rr.A.To4())
	case *dns.AAAA:
		addr, _ = netip.AddrFromSlice(rr.AAAA)
	}
	return addr, addr.IsValid() && !addr.IsUnspecified() && !addr.Is4In6()
}

// denies tells whether the authority section says that a name has no such
// record: by the SOA of a zone it is in (RFC 2308 §2.2).
func (m *message) denies(name string) bool {
	for _, rr := range m.authority {
		soa, ok := rr.(*dns.SOA)
		if ok && soa.Hdr.Class == dns.ClassINET && dns.IsSubDomain(soa.Hdr.Name, name) {
			return true
		}
	}
	return false
}

// fold gives the form of a name for comparison (RFC 4343). The codec escapes
// all that is not printable ASCII, always in the same way.
func fold(name string) string { return strings.ToLower(name) }

// canonical is the end of the chain as it is told.
func (c *chain) canonical() string { return strings.TrimSuffix(c.end, ".") }
