package resolver

import (
	"fmt"
	"iter"
	"net/netip"
	"slices"
	"time"
)

// A Config is what a provisioning domain says about name resolution at one
// moment. The Resolver does not change the slices, and they must not be
// changed while a look-up uses them.
type Config struct {
	// Servers are the recursive name servers in order of preference, by which
	// those of one family are asked whose latency is about the same; then IPv6
	// comes first (RFC 8305 §3.1). An IPv6 link-local one needs a zone. Only the
	// first 16 are used.
	Servers []netip.AddrPort

	// Encrypted are the domain's encrypted resolvers (RFC 9463), which are asked
	// before all others, over TLS (RFC 7858). Only the first 16 of all servers
	// are used. If they fail, Servers are asked in the clear, unless
	// EncryptedOnly is set.
	Encrypted []EncryptedServer

	// EncryptedOnly lets nothing be asked in the clear: if no encrypted
	// resolver can be reached and proves its name, look-ups fail (the strict
	// profile of RFC 8310 §5).
	EncryptedOnly bool

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

	// IPv6Only says that the domain has no IPv4. If it has a NAT64 too, which
	// PREF64 or DiscoverPREF64 tells, look-ups for [Both] or [IPv6] give names
	// and literals that have IPv4 addresses only the IPv6 addresses that the
	// translator knows them by (RFC 6147 §5.1, RFC 6052), and no IPv4 ones.
	IPv6Only bool

	// PREF64 are the prefixes of the domain's translators, in order (RFC 8781):
	// of 32, 40, 48, 56, 64 or 96 bits. Others are ignored. Only the first 16
	// are used.
	PREF64 []netip.Prefix

	// DiscoverPREF64 lets the prefixes be found by what the domain's servers
	// say about ipv4only.arpa, if there are none in PREF64 (RFC 7050 §3).
	DiscoverPREF64 bool

	// Link is the index of the interface the domain is on, zero if it is not
	// known. It is the zone of link-local addresses that hosts on the link tell.
	Link int

	// OnLink are the prefixes on the link, from which answers to multicast
	// queries are believed, besides link-local addresses (RFC 6762 §11).
	OnLink []netip.Prefix

	// Addresses are the domain's own. By them the addresses that
	// [Resolver.LookupNetIP] and [Resolver.LookupHost] find are sorted (RFC 6724 §6).
	// If there are none, IPv6 comes first.
	Addresses []Address

	// NoCache lets a look-up neither use nor fill the cache. One that waits
	// for the very same question of another still takes part in its reply.
	NoCache bool
}

const (
	defaultTimeout = 5 * time.Second
	maxServers     = 16
	maxSearch      = 32
	maxNDots       = 15
)

// An Address is one of the domain's own, usable as a source.
type Address struct {
	Prefix     netip.Prefix // the address with its prefix length; no zone
	Deprecated bool         // its preferred lifetime is over (RFC 4862 §5.5.4)
	Temporary  bool         // it is one of RFC 8981
}

// complete gives the configuration with defaults and limits applied.
func (c Config) complete() Config {
	if c.Timeout <= 0 {
		c.Timeout = defaultTimeout
	}
	c.NDots = min(max(c.NDots, 1), maxNDots)
	c.Search = c.Search[:min(len(c.Search), maxSearch)]
	c.Servers = serversOf(c.Servers)
	c.Encrypted = c.Encrypted[:min(len(c.Encrypted), maxServers)]
	return c
}

// serversOf gives the servers that are used: valid ones, once each.
func serversOf(all []netip.AddrPort) []netip.AddrPort {
	good := 0
	for good < len(all) && all[good].IsValid() && !slices.Contains(all[:good], all[good]) {
		good++
	}
	servers := all[:good:good] // mostly all of them
	for _, s := range all[good:] {
		if s.IsValid() && !slices.Contains(servers, s) {
			servers = append(servers, s)
		}
	}
	return servers[:min(len(servers), maxServers)]
}

// An EncryptedServer is a resolver that is asked by DNS over TLS.
type EncryptedServer struct {
	// Name is what the server's certificate has to be for (RFC 8310 §8.1). It
	// is not looked up. A server whose Name is no domain name is not used.
	Name string

	// Addrs are where it is. An IPv6 link-local one needs a zone.
	Addrs []netip.Addr

	// Port is 853 if zero.
	Port uint16
}

// tlsPort is where DNS over TLS is (RFC 7858 §3.1).
const tlsPort = 853

// each gives the endpoints in order, those that encrypt first.
func (c *Config) each() iter.Seq[endpoint] {
	return func(yield func(endpoint) bool) {
		for _, s := range c.Encrypted {
			if !s.each(yield) {
				return
			}
		}
		for _, s := range c.Servers {
			if c.EncryptedOnly || !yield(endpoint{addr: s}) {
				return
			}
		}
	}
}

func (s *EncryptedServer) each(yield func(endpoint) bool) bool {
	name, _, err := asciiName(s.Name)
	if err != nil {
		return true
	}
	port := s.Port
	if port == 0 {
		port = tlsPort
	}
	for _, a := range s.Addrs {
		if a.IsValid() && !yield(endpoint{netip.AddrPortFrom(a, port), name}) {
			return false
		}
	}
	return true
}

// endpoints gives the endpoints that are used.
func (c *Config) endpoints() []endpoint {
	var ends []endpoint
	for e := range c.each() {
		if len(ends) < maxServers && !slices.Contains(ends, e) {
			ends = append(ends, e)
		}
	}
	return ends
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
	Literal     Origin = iota + 1 // the name was an address
	Hosts                         // the host's hosts file
	DNS                           // a name server of the domain
	Special                       // a name with a fixed meaning: localhost (RFC 6761 §6.3)
	Synthesised                   // made from an IPv4 address and a prefix of the domain (RFC 6147)
	Multicast                     // a host on the domain's link (RFC 6762)
)

// String gives "literal", "hosts", "dns", "special", "synthesised" or
// "multicast".
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
	case Synthesised:
		return "synthesised"
	case Multicast:
		return "multicast"
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

	// Cached tells that it was remembered from earlier look-ups and no server
	// was asked. Expiry is still the end the records had from the first.
	Cached bool
}
