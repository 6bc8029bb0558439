package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rivo/uniseg"

	"github.com/go-mif/mif"
	"github.com/go-mif/mif/examples/internal/show"
	"github.com/go-mif/mif/pvd"
)

// soon is the lifetime from which on it is marked.
const soon = 10 * time.Second

// A tabled is a table under way. Its columns are a tree, what there is, and the two
// lifetimes if there is room for them.
type tabled struct {
	lines           []line
	tree, what, age int // the widths of the columns; of each lifetime
	now             time.Time
}

// table is the state as a table of a width, with a head.
func table(s state, width int, now time.Time) []line {
	t := &tabled{now: now, tree: treeWidth(s, width)}
	if width >= 60 {
		t.age = 11
	}
	t.what = max(0, width-t.tree-2*t.age)
	t.row(span{"INTERFACE", faint}, span{"", faint}, span{"PREFERRED", faint}, span{"VALID", faint})
	for _, l := range s.links() {
		t.link(l)
	}
	return t.lines
}

// treeWidth is the width of the longest name, within reason.
func treeWidth(s state, width int) int {
	longest := len("    AdditionalInfo")
	for _, l := range s {
		for _, d := range l.domains {
			longest = max(longest, 2+uniseg.StringWidth(d.PvD.String()))
		}
	}
	return min(longest+2, max(0, width*2/5))
}

func (t *tabled) link(l *link) {
	look := good
	if !l.Up || !l.Carrier {
		look = bad
	}
	t.row(span{l.Name, strong}, span{condition(l.InterfaceAnnouncement), look}, span{}, span{})
	for _, d := range l.domains {
		about := d.Family.String()
		if d.FQDN != "" {
			about += ", named " + d.FQDN
		}
		t.row(span{"  " + d.PvD.String(), named}, span{about, usual}, span{}, span{})
		for _, k := range d.kinds() {
			t.element(d, k)
		}
	}
}

// element is the rows of an element, the first of which has its name.
func (t *tabled) element(d *domain, kind mif.ElementType) {
	before := len(t.lines)
	name := func() span {
		if len(t.lines) > before {
			return span{}
		}
		return span{"    " + kind.String(), usual}
	}
	for _, a := range d.from(kind) {
		t.address(name(), a)
	}
	data := d.elements[kind]
	for _, i := range slices.Sorted(maps.Keys(data)) {
		says := fmt.Sprintf("%-14v %s", i, strings.Join(show.Values(data[i], t.now), ", "))
		end := span{}
		if until := show.Soonest(data[i]); !until.IsZero() {
			end = t.left(until)
		}
		t.row(name(), span{says, usual}, span{}, end)
	}
	if len(t.lines) == before {
		t.row(name(), span{}, span{}, span{})
	}
}

func (t *tabled) address(name span, a pvd.Address) {
	words := append([]string{a.Prefix.String()}, show.Flags(a)...)
	look := strong
	switch {
	case a.Duplicate:
		look = bad
	case a.Deprecated, a.Tentative:
		look = warned
	case a.LinkLocal:
		look = usual
	}
	t.row(name, span{strings.Join(words, ", "), look}, t.left(a.Preferred), t.left(a.Valid))
}

func (t *tabled) left(until time.Time) span {
	look := faint
	if !until.IsZero() && until.Sub(t.now) <= soon {
		look = warned
	}
	return span{show.Left(until, t.now), look}
}

// row adds a row, in which what there is has the room of the lifetimes there are not.
// What a network may have had a say in is made harmless here.
func (t *tabled) row(tree, what, preferred, valid span) {
	wide := t.what
	var ages line
	for _, s := range []span{preferred, valid} {
		if s.text == "" && len(ages) == 0 {
			wide += t.age
			continue
		}
		if t.age > 0 {
			ages = append(ages, span{fmt.Sprintf("%*s", t.age, s.text), s.style})
		}
	}
	if len(ages) == 0 {
		wide++ // no space is needed behind it
	}
	t.lines = append(t.lines, append(line{pad(tree, t.tree), pad(what, wide)}, ages...))
}

// pad is a text that fills a column but for a space.
func pad(s span, width int) span {
	s.text = fill(cut(show.Printable(s.text), max(0, width-1)), width)
	return s
}
