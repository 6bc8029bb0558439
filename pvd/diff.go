package pvd

import (
	"iter"
	"slices"
)

// A Kind is a kind of change.
type Kind uint8

// The kinds, in the order in which the changes on one interface come: down, child
// before parent, then up, parent before child.
const (
	NoAddress    Kind = iota // an address is gone
	NoElement                // a configuration element is gone
	NoDomain                 // a domain is gone
	NoInterface              // an interface is gone
	NewInterface             // an interface is new or has changed
	NewDomain                // a domain is new or has changed
	NewElement               // a configuration element is new, or something in it is
	NewAddress               // an address is new or has changed
)

// A Change is one thing that a subscriber is told. What it points to is shared;
// do not write to it.
type Change struct {
	Kind      Kind
	Interface *Interface  // always
	Domain    *Domain     // of all but NoInterface and NewInterface
	Element   ElementType // of NoElement and NewElement
	Address   *Address    // of NoAddress and NewAddress
}

// Diff yields what changed from a to b, interface by interface. Applied in this
// order to what a has, the changes give what b has, and nothing is there without
// its parent at any moment: an address or element without its domain, a domain
// without its interface (§3.5.5, §3.5.9, §3.5.12). Diff(a, a) yields nothing;
// Diff of the zero Snapshot and b lists b. It costs by what changed.
func Diff(a, b *Snapshot) iter.Seq[Change] {
	return func(yield func(Change) bool) {
		for from, to := range changed(a, b) {
			if !diffLink(from, to, yield) {
				return
			}
		}
	}
}

// List yields what there is on one link, in the order of Diff.
func List(l *Link) iter.Seq[Change] {
	return func(yield func(Change) bool) { up(nil, l, yield) }
}

// changed yields the pairs of links that are not the same, in order of index. A
// new link has no old one, one that is gone has no new one.
func changed(a, b *Snapshot) iter.Seq2[*Link, *Link] {
	return func(yield func(from, to *Link) bool) {
		x, y := cursor{list: a.links}, cursor{list: b.links}
		for {
			skip(&x, &y)
			from, to := x.link(), y.link()
			switch {
			case from == nil && to == nil:
				return
			case from == nil || to != nil && to.index() < from.index():
				from = nil
				y.next()
			case to == nil || from.index() < to.index():
				to = nil
				x.next()
			default:
				x.next()
				y.next()
			}
			if from != to && !yield(from, to) {
				return
			}
		}
	}
}

// A cursor is a place in the links of a Snapshot.
type cursor struct {
	list[*Link]
	chunk int
	at    int
}

// skip passes over chunks that both Snapshots share.
func skip(x, y *cursor) {
	for x.at == 0 && y.at == 0 && x.chunk < len(x.chunks) && y.chunk < len(y.chunks) &&
		x.chunks[x.chunk] == y.chunks[y.chunk] {
		x.chunk++
		y.chunk++
	}
}

func (c *cursor) link() *Link {
	if c.chunk == len(c.chunks) {
		return nil
	}
	return c.chunks[c.chunk].all[c.at]
}

func (c *cursor) next() {
	c.at++
	if c.at == len(c.chunks[c.chunk].all) {
		c.chunk++
		c.at = 0
	}
}

// diffLink yields what changed on a link. Another interface of the same index is
// another interface.
func diffLink(a, b *Link, yield func(Change) bool) bool {
	if a != nil && b != nil && a.iface.ID != b.iface.ID {
		return diffLink(a, nil, yield) && diffLink(nil, b, yield)
	}
	if a != nil && !down(a, b, yield) {
		return false
	}
	return b == nil || up(a, b, yield)
}

// down yields what of a is not in b, child before parent.
func down(a, b *Link, yield func(Change) bool) bool {
	for _, d := range a.domains {
		after := b.domain(d.id)
		if d == after {
			continue
		}
		for i := range lacking(d.addresses, after.addressList()) {
			if !yield(Change{NoAddress, a.iface, d, 0, &d.addresses[i]}) {
				return false
			}
		}
		for _, e := range d.elements {
			if after.element(e.typ) == nil && !yield(Change{NoElement, a.iface, d, e.typ, nil}) {
				return false
			}
		}
		if after == nil && !yield(Change{NoDomain, a.iface, d, 0, nil}) {
			return false
		}
	}
	return b != nil || yield(Change{NoInterface, a.iface, nil, 0, nil})
}

// up yields what of b is not in a, or not the same, parent before child.
func up(a, b *Link, yield func(Change) bool) bool {
	if (a == nil || a.iface != b.iface && !a.iface.equal(b.iface)) && !yield(Change{NewInterface, b.iface, nil, 0, nil}) {
		return false
	}
	for _, d := range b.domains {
		before := a.domain(d.id)
		if d == before {
			continue
		}
		if before == nil && !yield(Change{NewDomain, b.iface, d, 0, nil}) {
			return false
		}
		for _, e := range d.elements {
			if !before.element(e.typ).same(e) && !yield(Change{NewElement, b.iface, d, e.typ, nil}) {
				return false
			}
		}
		for i := range differing(d.addresses, before.addressList()) {
			if !yield(Change{NewAddress, b.iface, d, 0, &d.addresses[i]}) {
				return false
			}
		}
	}
	return true
}

// same tells whether two elements say the same. That they are one is the usual
// case; they are not where something changed and changed back.
func (e *element) same(f *element) bool {
	return e == f || e != nil && e.conf.same(&f.conf)
}

func (l *Link) domain(id ID) *Domain {
	if l == nil {
		return nil
	}
	i := slices.IndexFunc(l.domains, func(d *Domain) bool { return d.id == id })
	if i < 0 {
		return nil
	}
	return l.domains[i]
}

func (d *Domain) addressList() []Address {
	if d == nil {
		return nil
	}
	return d.addresses
}

// lacking yields the indexes of those of a that b has not. Both are in order.
func lacking(a, b []Address) iter.Seq[int] {
	return compare(a, b, func(*Address, *Address) bool { return false })
}

// differing yields the indexes of those of a that b has not, or not the same.
func differing(a, b []Address) iter.Seq[int] {
	return compare(a, b, func(x, y *Address) bool { return *x != *y })
}

func compare(a, b []Address, differ func(*Address, *Address) bool) iter.Seq[int] {
	return func(yield func(int) bool) {
		k := 0
		for i := range a {
			for k < len(b) && b[k].Prefix.Compare(a[i].Prefix) < 0 {
				k++
			}
			has := k < len(b) && b[k].Prefix == a[i].Prefix
			if (!has || differ(&a[i], &b[k])) && !yield(i) {
				return
			}
		}
	}
}
