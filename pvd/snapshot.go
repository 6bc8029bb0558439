package pvd

import (
	"iter"
	"net/netip"
	"slices"
	"time"
)

// A Snapshot is the host's interfaces and provisioning domains at one instant.
// It never changes, may be kept, and shares with its predecessor what did not
// change. The zero Snapshot has nothing in it.
type Snapshot struct {
	seq   uint64
	links list[*Link]

	// What the next Snapshot is made of; a bare one has nothing of it.
	known   list[*known]
	uplinks []uplink
	options Options
}

// A Link is an interface and the domains on it.
type Link struct {
	iface   *Interface
	domains []*Domain
}

func (l *Link) index() int     { return l.iface.Index }
func (l *Link) end() time.Time { return time.Time{} } // what it was made of knows

// A known is what a link was made of.
type known struct {
	*Facts
	expires time.Time // when something of it ceases to be true; zero: never
}

func (k *known) index() int     { return k.Interface.Index }
func (k *known) end() time.Time { return k.expires }

// A Domain is a provisioning domain that can be used: its link is up and has a
// carrier, and it has an address past duplicate address detection.
type Domain struct {
	id        ID
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

// Bare is s without what the next Snapshot is made of. To keep it costs what can be
// announced of s, which Diff tells of it as of s; but Build cannot go on from it.
func (s *Snapshot) Bare() *Snapshot { return &Snapshot{seq: s.seq, links: s.links} }

// Facts are what is known of an interface; nil if it does not exist, or no more, or
// s is bare. They are shared: do not write to them.
func (s *Snapshot) Facts(id InterfaceID) *Facts {
	if k := s.known.get(id.Index()); k != nil && k.Interface.ID == id {
		return k.Facts
	}
	return nil
}

// Next is the earliest instant at which something in s ceases to be true without
// anybody saying so; zero if there is none, or if s is bare. Build must be called then.
func (s *Snapshot) Next() (next time.Time) {
	for _, c := range s.known.chunks {
		next = earlier(next, c.expires)
	}
	return next
}

// Links yields the interfaces with their domains, in order of interface index.
func (s *Snapshot) Links() iter.Seq[*Link] {
	return func(yield func(*Link) bool) {
		for _, c := range s.links.chunks {
			for _, l := range c.all {
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
			if !yield(*l.iface) {
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
	if l := s.links.get(id.Index()); l != nil && l.iface.ID == id {
		return l
	}
	return nil
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

// Interface is the link's interface.
func (l *Link) Interface() Interface { return *l.iface }

// Domains yields the domains on the link.
func (l *Link) Domains() iter.Seq[*Domain] { return slices.Values(l.domains) }

// ID is the domain's identity.
func (d *Domain) ID() ID { return d.id }

// Interface is the interface that the domain is on.
func (d *Domain) Interface() InterfaceID { return d.id.Interface() }

// Family tells of which family the domain's addresses are.
func (d *Domain) Family() Family { return d.id.family }

// FQDN is the name of an explicit domain (RFC 8801), without a dot at the end, or
// of one that the program added; empty for an implicit one.
func (d *Domain) FQDN() string { return d.id.fqdn }

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
// ElementAny is all elements together, one after the other, routers and encrypted
// resolvers best first. Data of two domains is never mixed.
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
		all.collect(&e.conf, always)
	}
	all.rank()
	return all.Get(i)
}

// Added returns the domain on the link that the program added under a serial, nil if
// it cannot be used, or is no more.
func (l *Link) Added(serial uint64) *Domain {
	key := (&Added{Serial: serial}).key()
	for _, d := range l.domains {
		if d.id.key == key {
			return d
		}
	}
	return nil
}
