package pvd

import (
	"cmp"
	"iter"
	"net/netip"
	"slices"
	"time"
)

// A Snapshot is the host's interfaces and provisioning domains at one instant.
// It never changes, may be kept, and shares with its predecessor what did not
// change. The zero Snapshot has nothing in it.
type Snapshot struct {
	seq     uint64
	chunks  []*chunk // in order of interface index
	uplinks []uplink
	options Options
}

// A chunk is a run of links. Chunks make a change on one link cost by that link:
// one of them is copied, not the list of all links.
type chunk struct {
	links   []*Link // in order of interface index, at least one
	expires time.Time
}

const chunkSize = 64

// A Link is an interface and the domains on it.
type Link struct {
	iface   Interface
	domains []*Domain
	facts   *Facts
	expires time.Time // when something of it ceases to be true; zero: never
}

// A Domain is a provisioning domain that can be used: its link is up and has a
// carrier, and it has an address past duplicate address detection.
type Domain struct {
	id        ID
	family    Family
	fqdn      string
	key       string       // what tells it from others of its family; empty if it is implicit
	routers   []netip.Addr // of an implicit IPv6 domain, as far as known
	addresses []Address    // in order of address
	elements  []*element
}

type element struct {
	typ  ElementType
	conf Configuration
}

// Seq is greater in a Snapshot than in an earlier one from which it differs.
func (s *Snapshot) Seq() uint64 { return s.seq }

// Next is the earliest instant at which something in s ceases to be true without
// anybody saying so; zero if there is none. Build must be called then.
func (s *Snapshot) Next() (next time.Time) {
	for _, c := range s.chunks {
		next = earlier(next, c.expires)
	}
	return next
}

// Links yields the interfaces with their domains, in order of interface index.
func (s *Snapshot) Links() iter.Seq[*Link] {
	return func(yield func(*Link) bool) {
		for _, c := range s.chunks {
			for _, l := range c.links {
				if !yield(l) {
					return
				}
			}
		}
	}
}

// Interfaces yields the interfaces, in order of index.
func (s *Snapshot) Interfaces() iter.Seq[Interface] {
	return func(yield func(Interface) bool) {
		for l := range s.Links() {
			if !yield(l.iface) {
				return
			}
		}
	}
}

// Domains yields the domains, in order of interface index.
func (s *Snapshot) Domains() iter.Seq[*Domain] {
	return func(yield func(*Domain) bool) {
		for l := range s.Links() {
			for _, d := range l.domains {
				if !yield(d) {
					return
				}
			}
		}
	}
}

// Link returns an interface and its domains, nil if it does not exist, or no more.
func (s *Snapshot) Link(id InterfaceID) *Link {
	c, i, ok := s.find(id.Index())
	if !ok || s.chunks[c].links[i].iface.ID != id {
		return nil
	}
	return s.chunks[c].links[i]
}

// Domain returns a domain, nil if it does not exist, or no more.
func (s *Snapshot) Domain(id ID) *Domain {
	l := s.Link(id.Interface())
	if l == nil {
		return nil
	}
	for _, d := range l.domains {
		if d.id == id {
			return d
		}
	}
	return nil
}

// find tells in which chunk and where in it the link of an index is or belongs.
func (s *Snapshot) find(index int) (at, in int, ok bool) {
	at, ok = slices.BinarySearchFunc(s.chunks, index, func(c *chunk, x int) int { return cmp.Compare(c.links[0].iface.Index, x) })
	if ok || len(s.chunks) == 0 {
		return at, 0, ok
	}
	at = max(at-1, 0)
	in, ok = slices.BinarySearchFunc(s.chunks[at].links, index, func(l *Link, x int) int { return cmp.Compare(l.iface.Index, x) })
	return at, in, ok
}

// Interface is the link's interface.
func (l *Link) Interface() Interface { return l.iface }

// Facts are what the link was made from. They are shared: do not write to them.
func (l *Link) Facts() *Facts { return l.facts }

// Domains yields the domains on the link.
func (l *Link) Domains() iter.Seq[*Domain] { return slices.Values(l.domains) }

// ID is the domain's identity.
func (d *Domain) ID() ID { return d.id }

// Interface is the interface that the domain is on.
func (d *Domain) Interface() InterfaceID { return d.id.Interface() }

// Family tells of which family the domain's addresses are.
func (d *Domain) Family() Family { return d.family }

// FQDN is the name of an explicit domain (RFC 8801), without a dot at the end, or
// of one that the program added; empty for an implicit one.
func (d *Domain) FQDN() string { return d.fqdn }

// Addresses yields the domain's addresses in order. Link-local ones, which are
// shared by all domains of a link, are among them.
func (d *Domain) Addresses() iter.Seq[Address] { return slices.Values(d.addresses) }

// Elements yields the types of the domain's configuration elements in order.
func (d *Domain) Elements() iter.Seq[ElementType] {
	return func(yield func(ElementType) bool) {
		for _, e := range d.elements {
			if !yield(e.typ) {
				return
			}
		}
	}
}

// Data returns what an element of the domain says under an item, nil if nothing.
// ElementAny is all elements together, one after the other. Data of two domains
// is never mixed.
func (d *Domain) Data(t ElementType, i Item) Data {
	var from []*element
	for _, e := range d.elements {
		if (t == ElementAny || t == e.typ) && e.conf.Get(i) != nil {
			from = append(from, e)
		}
	}
	if len(from) == 1 {
		return from[0].conf.Get(i)
	}
	all := Configuration{}
	for _, e := range from {
		all.collect(&e.conf, func(ElementType, time.Time) bool { return true })
	}
	return all.Get(i)
}

// Added returns the domain on the link that the program added under a serial, nil if
// it cannot be used, or is no more.
func (l *Link) Added(serial uint64) *Domain {
	key := (&Added{Serial: serial}).key()
	for _, d := range l.domains {
		if d.key == key {
			return d
		}
	}
	return nil
}
