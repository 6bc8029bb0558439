package resolver

import (
	"fmt"
	"net/netip"
	"slices"
	"time"
)

// A Config is what a provisioning domain says about name resolution at one
// moment. The Resolver does not change the slices, and they must not be
// changed while a look-up uses them.
type Config struct {
	// Servers are the recursive name servers in order of preference. An IPv6
	// link-local one needs a zone. Only the first 16 are used.
	Servers []netip.AddrPort

	// Search is the search list, in order. Entries that are no domain names
	// are ignored. Only the first 32 are used.
	Search []string

	// NDots is the number of dots from which a name is tried as it stands
	// before the search list is: 1 to 15, as in resolv.conf(5). Zero and
	// less mean 1, more means 15.
	NDots int

	// Timeout bounds a whole look-up, with its search list and all tries.
	// Zero and less mean 5 seconds.
	Timeout time.Duration
}

const (
	defaultTimeout = 5 * time.Second
	maxServers     = 16
	maxSearch      = 32
	maxNDots       = 15
)

// complete gives the configuration with defaults and limits applied.
func (c Config) complete() Config {
	if c.Timeout <= 0 {
		c.Timeout = defaultTimeout
	}
	c.NDots = min(max(c.NDots, 1), maxNDots)
	c.Search = c.Search[:min(len(c.Search), maxSearch)]
	var servers []netip.AddrPort
	for _, s := range c.Servers {
		if s.IsValid() && len(servers) < maxServers && !slices.Contains(servers, s) {
			servers = append(servers, s)
		}
	}
	c.Servers = servers
	return c
}

// A Family says which addresses a look-up is for.
type Family uint8

const (
	Both Family = iota // IPv6 and IPv4, the zero value
	IPv4               // IPv4 addresses only: A records
	IPv6               // IPv6 addresses only: AAAA records
)

// String gives "both", "ipv4" or "ipv6".
func (f Family) String() string {
	switch f {
	case Both:
		return "both"
	case IPv4:
		return "ipv4"
	case IPv6:
		return "ipv6"
	}
	return fmt.Sprintf("family %d", uint8(f))
}

// has tells whether an address is of the family.
func (f Family) has(a netip.Addr) bool {
	return f == Both || (f == IPv4) == a.Is4()
}

// An Origin says where an answer comes from.
type Origin uint8

const (
	Literal Origin = iota + 1 // the name was an address
	Hosts                     // the host's hosts file
	DNS                       // a name server of the domain
	Special                   // a name with a fixed meaning: localhost (RFC 6761 §6.3)
)

// String gives "literal", "hosts", "dns" or "special".
func (o Origin) String() string {
	switch o {
	case Literal:
		return "literal"
	case Hosts:
		return "hosts"
	case DNS:
		return "dns"
	case Special:
		return "special"
	}
	return fmt.Sprintf("origin %d", uint8(o))
}

// An Answer is one address of a name.
type Answer struct {
	// Addr is the address, never an IPv4-mapped IPv6 one.
	Addr netip.Addr

	// Expiry is when the answer ceases to hold: the least TTL of its alias
	// chain after its arrival, at most a day. Zero means never: a literal, the
	// hosts file, or localhost.
	Expiry time.Time

	// CanonicalName is the owner of the address, the end of the alias chain,
	// without the dot at the end. Characters that are not plain in a name are
	// escaped as in a zone file (RFC 1035 §5.1), so it is safe to print, and a
	// dot within a label is not taken for one between labels.
	CanonicalName string

	// Server is the server that gave the answer; zero if none was asked.
	Server netip.AddrPort

	// Origin is where the answer comes from.
	Origin Origin
}
