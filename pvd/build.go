package pvd

import (
	"cmp"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"time"
)

// Options choose what Build makes of facts.
type Options struct {
	// MergeFamilies makes one dual-stack domain of a link's implicit IPv4 and
	// IPv6 domains (RFC 7556 section 2.5). By default they are two (§3.1).
	MergeFamilies bool

	// Resolver is what the host's own resolver configuration says. A server in
	// it is believed to belong to a domain only if just one domain could own it.
	Resolver *Configuration
}

// Build makes the Snapshot that follows prev: changed replaces, or adds, what is
// known of some interfaces, gone are interfaces that exist no more, and whatever
// has expired by now is left out. The facts must not be written to from then on.
// An interface that is both changed and gone is gone. The Snapshot has the Seq of
// prev exactly if Diff of the two has nothing to tell.
func Build(prev *Snapshot, changed []*Facts, gone []InterfaceID, o Options, now time.Time) *Snapshot {
	return new(Builder).Build(prev, changed, gone, o, now)
}

// A Builder builds Snapshots one after another in memory that it uses again. The zero
// Builder is ready to use, by one goroutine at a time.
type Builder struct {
	links   edit[*Link]
	known   edit[*known]
	uplinks []uplink
	o       Options
	now     time.Time
	moved   []uplink // became uplinks, or ceased to be
	none    Link     // what was there before a link that is new
	g       gathering
}

// Build does what the function Build does.
func (b *Builder) Build(prev *Snapshot, changed []*Facts, gone []InterfaceID, o Options, now time.Time) *Snapshot {
	b.begin(prev, o, now)
	for _, f := range changed {
		b.link(f)
	}
	for _, id := range gone {
		b.remove(id)
	}
	b.expire(prev)
	b.resolver(prev)
	return b.end(prev)
}

func (b *Builder) begin(prev *Snapshot, o Options, now time.Time) {
	b.links, b.known, b.uplinks = newEdit(prev.links), newEdit(prev.known), prev.uplinks
	b.o, b.now = o, now
	if b.g.scratch.groups == nil {
		b.g.scratch.init()
	}
}

// end returns the Snapshot, and lets go of all but a moderate amount of memory.
func (b *Builder) end(prev *Snapshot) *Snapshot {
	s := &Snapshot{prev.seq, b.links.done(), b.known.done(), b.uplinks, b.o}
	if b.g.scratch.large() {
		*b = Builder{}
	}
	b.links, b.known, b.uplinks, b.moved = edit[*Link]{}, edit[*known]{}, nil, nil
	for range Diff(prev, s) {
		s.seq++
		break
	}
	return s
}

func (b *Builder) remove(id InterfaceID) {
	if l := b.links.get(id.Index()); l == nil || l.iface.ID != id {
		return
	}
	b.links.drop(id.Index())
	b.known.drop(id.Index())
	b.uplink(id.Index(), &Link{})
}

// link makes a link anew from facts.
func (b *Builder) link(f *Facts) {
	old := b.links.get(f.Interface.Index)
	if old == nil || old.iface.ID != f.Interface.ID {
		old = &b.none
	}
	l, expires := b.make(f, old)
	if l.iface != old.iface || !slices.Equal(l.domains, old.domains) {
		b.links.put(l)
	}
	b.known.put(&known{f, expires})
	b.uplink(f.Interface.Index, l)
}

// expire makes anew the links of which something has expired.
func (b *Builder) expire(prev *Snapshot) {
	for _, c := range prev.known.chunks {
		if !past(c.expires, b.now) {
			continue
		}
		for _, k := range c.all {
			if past(k.expires, b.now) && b.known.get(k.index()) == k {
				b.link(k.Facts)
			}
		}
	}
}

// resolver gives what the host's own resolver knows to the links that may now
// own it, and takes it from those that may no more. A link that was made while
// the uplinks were not all known is made anew even if they are now as they were.
func (b *Builder) resolver(prev *Snapshot) {
	if prev.options.Resolver == b.o.Resolver && (b.o.Resolver == nil || len(b.moved) == 0) {
		return
	}
	might := slices.Concat(prev.uplinks, b.moved)
	slices.SortFunc(might, uplink.compare)
	for _, u := range slices.CompactFunc(might, func(u, v uplink) bool { return u.index == v.index }) {
		if k := b.known.get(u.index); k != nil {
			b.link(k.Facts)
		}
	}
}

// An uplink is a link with a default router of a family.
type uplink struct {
	family Family
	index  int
}

// uplink keeps the list of uplinks, in order.
func (b *Builder) uplink(index int, l *Link) {
	for _, f := range []Family{IPv4, IPv6} {
		u := uplink{f, index}
		at, was := slices.BinarySearchFunc(b.uplinks, u, uplink.compare)
		is := l.routed(f)
		if is == was {
			continue
		}
		if len(b.moved) == 0 {
			b.uplinks = slices.Clone(b.uplinks)
		}
		b.moved = append(b.moved, u)
		if is {
			b.uplinks = slices.Insert(b.uplinks, at, u)
		} else {
			b.uplinks = slices.Delete(b.uplinks, at, at+1)
		}
	}
}

func (u uplink) compare(v uplink) int {
	return cmp.Or(cmp.Compare(u.index, v.index), cmp.Compare(u.family, v.family))
}

// routed tells whether a domain of the link has a default router of a family.
func (l *Link) routed(f Family) bool {
	is := func(r Datum[Router]) bool { return f.has(r.Value.Addr) }
	for _, d := range l.domains {
		if slices.ContainsFunc(d.elements, func(e *element) bool { return slices.ContainsFunc(e.conf.Routers, is) }) {
			return true
		}
	}
	return false
}

// make is the heart: the domains that facts about one interface amount to, and when
// that ceases to be true.
func (b *Builder) make(f *Facts, old *Link) (*Link, time.Time) {
	l, g := newLink(f, old), &b.g
	if !usable(&f.Interface) {
		return l, time.Time{}
	}
	g.gather(f, b.now)
	b.adopt(g, f.Interface.Index)
	groups := g.domains(b.o.MergeFamilies, old)
	for _, d := range groups {
		l.domains = append(l.domains, d.domain(l, groups, g))
	}
	return l, g.expires
}

// newLink makes a link with room for as many domains as links mostly have. Its
// interface is not the one in the facts, which would be kept with it.
func newLink(f *Facts, old *Link) *Link {
	l := &struct {
		Link
		room [2]*Domain
	}{}
	if l.iface = old.iface; old.iface == nil || !old.iface.equal(&f.Interface) {
		i := f.Interface
		l.iface = &i
	}
	l.domains = l.room[:0]
	return &l.Link
}

// adopt adds those data of the host's own resolver that only this link can own.
func (b *Builder) adopt(g *gathering, index int) {
	if b.o.Resolver == nil {
		return
	}
	mine := Configuration{}
	for _, d := range b.o.Resolver.DNSServers {
		if b.owner(d.Value.Addr()) == index {
			mine.DNSServers = append(mine.DNSServers, d)
		}
	}
	if mine.DNSServers != nil {
		mine.SearchDomains = b.o.Resolver.SearchDomains
		g.add(&mine)
	}
}

// owner is the index of the only link with a default router of a server's
// family, 0 if there is none or more than one. The zone of a server, if it has
// one, names its link.
func (b *Builder) owner(server netip.Addr) (index int) {
	zone := server.Zone()
	for _, u := range b.uplinks {
		if u.family.has(server) && (zone == "" || zone == strconv.Itoa(u.index)) {
			if index != 0 {
				return 0
			}
			index = u.index
		}
	}
	return index
}

// usable tells whether an interface can carry domains at all. The loopback
// interface has none.
func usable(i *Interface) bool { return i.Up && i.Carrier && i.Flags&net.FlagLoopback == 0 }

// isDefault tells whether a prefix is 0.0.0.0/0 or ::/0.
func isDefault(p netip.Prefix) bool { return p.Bits() == 0 }
