package pvd

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

const (
	worlds = 460
	steps  = 44 // 20,240 pairs of Snapshots
)

// TestLaws plays random histories and holds every Snapshot against the laws that
// Build and Diff promise.
func TestLaws(t *testing.T) {
	moved, explicit := 0, 0
	for seed := range uint64(worlds) {
		l := newLaws(seed)
		for step := range steps {
			if err := l.step(); err != nil {
				t.Fatalf("seed %d, step %d: %v", seed, step, err)
			}
		}
		moved += l.moved
		for d := range l.a.Domains() {
			if d.FQDN() != "" {
				explicit++
			}
		}
	}
	if explicit < worlds/10 {
		t.Errorf("%d explicit domains at the ends of %d histories", explicit, worlds)
	}
	if moved < worlds*steps/2 {
		t.Errorf("only in %d of %d steps anything changed: the histories are too quiet", moved, worlds*steps)
	}
}

type laws struct {
	w        *world
	a        *Snapshot
	b        Builder
	m        model
	slow     *Snapshot // a Snapshot some steps ago, as a slow subscriber has seen it
	slowly   model
	was      map[ID]bool // domains there ever were
	moved, n int
}

func newLaws(seed uint64) *laws {
	return &laws{w: newWorld(seed), a: &Snapshot{}, m: model{}, slow: &Snapshot{}, slowly: model{}, was: map[ID]bool{}}
}

func (l *laws) step() error {
	l.w.step(l.a.Next())
	before := ""
	if l.n++; l.n%16 == 0 {
		before = dump(l.a, l.w)
	}
	b := l.b.Build(l.a, l.w.changed, l.w.gone, l.w.o, l.w.now)
	if before != "" && dump(l.a, l.w) != before {
		return fmt.Errorf("Build wrote to the Snapshot before, or to facts")
	}
	for _, law := range []func(*Snapshot) error{l.diff, l.skipping, l.sharing, l.identity, l.stability, l.usable, l.fresh} {
		if err := law(b); err != nil {
			return err
		}
	}
	l.a = b
	return nil
}

// diff: played onto what was, it gives what is, in legal order; nothing is told
// if and only if nothing differs, and Seq says so.
func (l *laws) diff(b *Snapshot) error {
	changes := slices.Collect(Diff(l.a, b))
	want := modelOf(b)
	if same := l.m.equal(want); same != (len(changes) == 0) || same != (l.a.Seq() == b.Seq()) || b.Seq() < l.a.Seq() {
		return fmt.Errorf("same content: %v, changes: %d, Seq %d → %d", same, len(changes), l.a.Seq(), b.Seq())
	}
	if err := l.m.play(changes); err != nil {
		return err
	}
	if !l.m.equal(want) {
		return fmt.Errorf("what was and the changes do not make what is")
	}
	for c := range Diff(b, b) {
		return fmt.Errorf("between a Snapshot and itself: %s", describe(c))
	}
	if len(changes) > 0 {
		l.moved++
	}
	return nil
}

// skipping: a subscriber that slept through some Snapshots ends up the same, and
// one that starts now does too.
func (l *laws) skipping(b *Snapshot) error {
	if l.w.IntN(5) > 0 {
		return nil
	}
	want := modelOf(b)
	if err := l.slowly.play(slices.Collect(Diff(l.slow, b))); err != nil {
		return fmt.Errorf("skipping: %w", err)
	}
	late := model{}
	if err := late.play(slices.Collect(Diff(&Snapshot{}, b))); err != nil {
		return fmt.Errorf("listing: %w", err)
	}
	if !l.slowly.equal(want) || !late.equal(want) {
		return fmt.Errorf("the slow or the late subscriber ended up with something else")
	}
	if err := late.play(slices.Collect(Diff(b, &Snapshot{}))); err != nil || len(late) > 0 {
		return fmt.Errorf("taking leave of everything: %w, %d left", err, len(late))
	}
	l.slow = b.Bare()
	return nil
}

// sharing: links that nothing was said of, and that nothing expired on, are the
// very same; domains in which nothing changed too.
func (l *laws) sharing(b *Snapshot) error {
	said := map[InterfaceID]int{}
	for _, f := range l.w.changed {
		said[f.Interface.ID]++
	}
	uplinks := b.options.Resolver != nil || l.a.options.Resolver != nil
	for x := range b.Links() {
		old := l.a.Link(x.iface.ID)
		if old == nil {
			continue
		}
		if old != x && !uplinks && said[x.iface.ID] == 0 && !past(l.a.known.get(x.index()).expires, l.w.now) {
			return fmt.Errorf("%s was copied for nothing", x.iface.Name)
		}
		for _, d := range x.domains {
			o := old.domain(d.id)
			if o != nil && o != d && !uplinks && said[x.iface.ID] < 2 && slices.Equal(o.routers, d.routers) && reflect.DeepEqual(modelOfDomain(o), modelOfDomain(d)) {
				return fmt.Errorf("%v was copied for nothing", d.id)
			}
		}
	}
	return nil
}

// identity: a domain that was withdrawn does not come back under its ID, and no
// two have the same name.
func (l *laws) identity(b *Snapshot) error {
	names := map[string]bool{}
	for d := range b.Domains() {
		if l.was[d.id] && l.a.Domain(d.id) == nil {
			return fmt.Errorf("%v came back", d.id)
		}
		l.was[d.id] = true
		name := fmt.Sprint(d.id.Interface().Index(), d.id)
		if names[name] {
			return fmt.Errorf("two domains are called %v", d.id)
		}
		names[name] = true
		if b.Domain(d.id) != d || d.Interface() != d.id.Interface() {
			return fmt.Errorf("%v is not found by its ID", d.id)
		}
	}
	return nil
}

// stability: addresses do not go on in a new domain while their old one is withdrawn.
func (l *laws) stability(b *Snapshot) error {
	for x := range b.Links() {
		old := l.a.Link(x.iface.ID)
		said := slices.DeleteFunc(slices.Clone(l.w.changed), func(f *Facts) bool { return f.Interface.ID != x.iface.ID })
		if old == nil || len(said) > 1 {
			continue
		}
		for _, d := range old.domains {
			for _, n := range x.domains {
				g := group{addresses: n.addresses}
				if x.domain(d.id) == nil && old.domain(n.id) == nil && n.id.family == d.id.family && n.id.key == d.id.key && g.has(d.addresses) {
					return fmt.Errorf("%v is now %v", d.id, n.id)
				}
			}
		}
	}
	return nil
}

// usable: a domain can be used, has only what is of its family, and every address
// is of one domain, but for link-local ones; nothing has ended.
func (l *laws) usable(b *Snapshot) error {
	if next := b.Next(); past(next, l.w.now) {
		return fmt.Errorf("Next is %v at %v", next, l.w.now)
	}
	for x := range b.Links() {
		owned, names := 0, map[string]bool{}
		for _, d := range x.domains {
			if d.id.key != "" && (names[d.id.key] || d.id.family != Both) {
				return fmt.Errorf("two explicit domains of one name, or not of both families: %v", d.id)
			}
			names[d.id.key] = true
			ok := false
			for a := range d.Addresses() {
				ok = ok || a.Usable() && !a.LinkLocal
				if !d.id.family.has(a.Prefix.Addr()) {
					return fmt.Errorf("%v has %v", d.id, a.Prefix)
				}
				if !a.LinkLocal {
					owned++
				}
			}
			if !ok || !usable(x.iface) {
				return fmt.Errorf("%v cannot be used", d.id)
			}
		}
		if known := distinct(b.Facts(x.iface.ID)); owned > known {
			return fmt.Errorf("%s has %d addresses in domains and %d in all", x.iface.Name, owned, known)
		}
	}
	return nil
}

func distinct(f *Facts) int {
	have := map[string]bool{}
	for _, a := range f.Addresses {
		have[a.Prefix.String()] = have[a.Prefix.String()] || !a.LinkLocal
	}
	return len(have)
}

// fresh: a program that starts now sees the same, but for IDs and lifetimes, unless
// the past tells of an address whose router it was.
func (l *laws) fresh(b *Snapshot) error {
	if l.w.IntN(6) > 0 {
		return nil
	}
	var all []*Facts
	for _, i := range []int{5, 2, 1, 4, 3} {
		if f := l.w.links[i]; f != nil {
			all = append(all, f)
		}
	}
	f := Build(&Snapshot{}, all, nil, l.w.o, l.w.now)
	for x := range b.Links() {
		y := f.Link(x.iface.ID)
		if y == nil {
			return fmt.Errorf("%s is not there", x.iface.Name)
		}
		if !l.w.single && !covered(b.Facts(x.iface.ID), l.w.now) {
			continue
		}
		if was, is := content(x, l.w.single), content(y, l.w.single); was != is {
			return fmt.Errorf("%s by and by:\n%s\nat once:\n%s", x.iface.Name, was, is)
		}
	}
	if n, k := len(slices.Collect(b.Links())), len(slices.Collect(f.Links())); n != k {
		return fmt.Errorf("%d links by and by, %d at once", n, k)
	}
	return nil
}

// covered tells whether routers are known of all IPv6 addresses.
func covered(f *Facts, now time.Time) bool {
	var g gathering
	g.gather(f, now)
	return !slices.ContainsFunc(g.v6, func(a Address) bool {
		return !a.LinkLocal && g.router(a.Prefix.Addr()) < 0 && longest(g.named, a.Prefix.Addr(), nil) < 0
	})
}

// content is what is on a link without identities and lifetimes, and, if several
// routers can make several domains, without data, some of which goes to the first.
func content(l *Link, data bool) string {
	var out []string
	for _, d := range l.domains {
		s := d.id.family.String()
		for a := range d.Addresses() {
			a.Preferred, a.Valid = time.Time{}, time.Time{}
			s += fmt.Sprintf("\n   %+v", a)
		}
		for _, e := range d.elements {
			for _, i := range Items() {
				if x := e.conf.Get(i); data && x != nil {
					s += fmt.Sprintf("\n   %v %v %d", e.typ, i, reflect.ValueOf(x).Len())
				}
			}
		}
		out = append(out, s)
	}
	slices.Sort(out)
	return strings.Join(out, "\n")
}

// dump is all there is in a Snapshot and in the facts of a world, in depth.
func dump(s *Snapshot, w *world) string {
	var b strings.Builder
	fmt.Fprintln(&b, s.seq, s.uplinks, s.options)
	for _, c := range s.known.chunks {
		fmt.Fprintln(&b, c.expires)
		for _, k := range c.all {
			fmt.Fprintf(&b, "%v %+v\n", k.expires, *k.Facts)
		}
	}
	for _, c := range s.links.chunks {
		for _, l := range c.all {
			fmt.Fprintf(&b, "%+v\n", *l.iface)
			for _, d := range l.domains {
				fmt.Fprintf(&b, "%p %v %v %v %+v\n", d, d.id, d.id.family, d.routers, d.addresses)
				for _, e := range d.elements {
					fmt.Fprintf(&b, "%p %v %+v\n", e, e.typ, e.conf)
				}
			}
		}
	}
	for _, f := range w.changed {
		fmt.Fprintf(&b, "%+v\n", *f)
	}
	return b.String()
}

// TestModelDetects shuffles, drops and repeats changes: the model must object, or
// end up with something else, whenever parents and children changed places.
func TestModelDetects(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	shuffled, caught := 0, 0
	for seed := range uint64(40) {
		l := newLaws(seed)
		for range steps {
			a := l.a
			if err := l.step(); err != nil {
				t.Fatal(err)
			}
			changes := slices.Collect(Diff(a, l.a))
			if len(changes) == 0 {
				continue
			}
			want := modelOf(l.a)
			objects := func(c []Change) bool {
				m := modelOf(a)
				return m.play(c) != nil || !m.equal(want)
			}
			i := r.IntN(len(changes))
			if !objects(slices.Delete(slices.Clone(changes), i, i+1)) {
				t.Fatalf("seed %d: nobody missed %q", seed, describe(changes[i]))
			}
			if !objects(slices.Insert(slices.Clone(changes), i, changes[i])) {
				t.Fatalf("seed %d: nobody minded two of %q", seed, describe(changes[i]))
			}
			if !familial(changes) {
				continue
			}
			slices.Reverse(changes)
			shuffled++
			if objects(changes) {
				caught++
			}
		}
	}
	if shuffled < 100 || caught != shuffled {
		t.Errorf("caught %d of %d wrong orders", caught, shuffled)
	}
}

// familial tells whether a parent and a child of its are both among the changes.
func familial(changes []Change) bool {
	for _, c := range changes {
		if c.Kind == NoDomain || c.Kind == NewDomain {
			return true
		}
	}
	return false
}
