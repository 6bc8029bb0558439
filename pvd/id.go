package pvd

import (
	"net/netip"
	"strconv"
	"strings"
)

// An InterfaceID names one network interface for as long as it exists (§3.5.3).
// It is a small comparable value that supports == and can be a map key. The zero
// InterfaceID is not valid and names nothing. An interface that is re-plugged,
// moved to another network namespace and back, or made anew with an index used
// before is a new one: an InterfaceID is never used again in a process. A rename
// does not change it.
type InterfaceID struct{ iface *iface }

type iface struct {
	index int
	name  string
}

// NewInterfaceID makes the identity of an interface never seen before: two calls
// with the same arguments make different identities.
func NewInterfaceID(index int, name string) InterfaceID {
	return InterfaceID{&iface{index, name}}
}

// IsValid tells whether id names an interface, present or gone.
func (id InterfaceID) IsValid() bool { return id.iface != nil }

// Index is the kernel's index of the interface, at least 1; 0 if id is not valid.
func (id InterfaceID) Index() int {
	if id.iface == nil {
		return 0
	}
	return id.iface.index
}

// String is the name that the interface had when it was first seen. The present
// name is an attribute of the Interface.
func (id InterfaceID) String() string {
	if id.iface == nil {
		return "invalid interface"
	}
	return id.iface.name
}

// An ID names one provisioning domain on one interface (§3.5.7) for as long as
// it is announced. It is a small comparable value that supports == and can be a
// map key. The zero ID is not valid. A domain that was withdrawn and comes back
// is a new one: an ID is never used again in a process. What is learnt of a
// domain later (its router, its name's spelling) does not change its ID.
type ID struct{ *domain }

// A domain is what of a domain never changes.
type domain struct {
	iface  InterfaceID
	label  string // tells it from the interface's other domains
	family Family
	fqdn   string // as first written; empty if it is implicit
	key    string // what tells it from others of its family; empty if it is implicit
}

// IsValid tells whether id names a domain, present or gone.
func (id ID) IsValid() bool { return id.domain != nil }

// Interface is the interface that the domain is, or was, on.
func (id ID) Interface() InterfaceID {
	if id.domain == nil {
		return InterfaceID{}
	}
	return id.domain.iface
}

// String is a readable form, unique among the domains present at one time (but
// for those of interfaces that had the same name when they were first seen), such
// as eth0/ipv4, eth0/ipv6, eth0/ipv6/fe80::1 (where several routers on a link
// make several implicit domains) or eth0/corp.example.com; with merged families
// it is the name of the interface alone.
func (id ID) String() string {
	if id.domain == nil {
		return "invalid provisioning domain"
	}
	if id.domain.label == "" {
		return id.domain.iface.String()
	}
	return id.domain.iface.String() + "/" + id.domain.label
}

// A Family is an address family of a domain.
type Family uint8

// The families. An explicit domain (RFC 8801) and one with merged families
// (RFC 7556 section 2.5) have both.
const (
	Both Family = 0
	IPv4 Family = 4
	IPv6 Family = 6
)

// String is ipv4, ipv6 or both.
func (f Family) String() string {
	switch f {
	case IPv4:
		return "ipv4"
	case IPv6:
		return "ipv6"
	}
	return "both"
}

// has tells whether addresses like a belong to the family. An IPv4-mapped IPv6
// address belongs to none.
func (f Family) has(a netip.Addr) bool {
	switch f {
	case IPv4:
		return a.Is4()
	case IPv6:
		return a.Is6() && !a.Is4In6()
	}
	return a.IsValid() && !a.Is4In6()
}

// label is how an implicit domain of the family is told from its neighbours on
// the link: by family, by router if the plain label is taken, and by number if
// that is taken too, as when two routers were of one domain and are no more.
func label(f Family, routers []netip.Addr, taken func(string) bool) string {
	plain := ""
	if f != Both {
		plain = f.String()
	}
	l := plain
	for i := 0; taken(l); i++ {
		l = plain + "/" + strconv.Itoa(i-len(routers)+2)
		if i < len(routers) {
			l = plain + "/" + routers[i].String()
		}
		l = strings.TrimPrefix(l, "/")
	}
	return l
}
