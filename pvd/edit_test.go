package pvd

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestEdit holds chunks against a map over many random edits.
func TestEdit(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	s, want := &Snapshot{}, map[int]*Link{}
	for round := range 400 {
		e, old, before := newEdit(s), s, slices.Collect(s.Links())
		for range r.IntN(60) {
			index := 1 + r.IntN(900)
			if round%100 > 60 || r.IntN(4) == 0 {
				e.drop(index)
				delete(want, index)
				continue
			}
			l := &Link{iface: Interface{Index: index, ID: NewInterfaceID(index, "x")}}
			if r.IntN(2) == 0 {
				l.expires = after(r.IntN(1000))
			}
			e.put(l)
			want[index] = l
		}
		s = e.done()
		if err := sound(s, want); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		if !slices.Equal(slices.Collect(old.Links()), before) {
			t.Fatalf("round %d: the Snapshot before was written to", round)
		}
	}
}

func sound(s *Snapshot, want map[int]*Link) error {
	got := slices.Collect(s.Links())
	if len(got) != len(want) {
		return fmt.Errorf("%d links, want %d", len(got), len(want))
	}
	for i, index := range slices.Sorted(maps.Keys(want)) {
		if got[i] != want[index] || s.Link(want[index].iface.ID) != want[index] {
			return fmt.Errorf("link %d is not in its place", index)
		}
	}
	for index := range 1000 {
		if _, _, ok := s.find(index); ok != (want[index] != nil) {
			return fmt.Errorf("index %d is found: %v", index, ok)
		}
	}
	next := s.Next()
	for _, c := range s.chunks {
		if len(c.links) == 0 || len(c.links) > chunkSize {
			return fmt.Errorf("a chunk of %d", len(c.links))
		}
		for _, l := range c.links {
			if past(l.expires, c.expires.Add(-1)) || c.expires.IsZero() && !l.expires.IsZero() || past(l.expires, next.Add(-1)) {
				return fmt.Errorf("a link ends at %v, its chunk at %v, the Snapshot at %v", l.expires, c.expires, next)
			}
		}
	}
	return nil
}

// TestEditInOrder is the start of a host: links come in order, and chunks are full.
func TestEditInOrder(t *testing.T) {
	e := newEdit(&Snapshot{})
	for i := range 10 * chunkSize {
		e.put(&Link{iface: Interface{Index: i + 1}})
	}
	if n := len(e.done().chunks); n != 10 {
		t.Errorf("%d chunks of %d links", n, 10*chunkSize)
	}
}

// TestEditCopiesLittle changes one link of many: one chunk is another.
func TestEditCopiesLittle(t *testing.T) {
	e := newEdit(&Snapshot{})
	for i := range 20 * chunkSize {
		e.put(&Link{iface: Interface{Index: i + 1}})
	}
	s := e.done()
	e = newEdit(s)
	e.put(&Link{iface: Interface{Index: 300}})
	other := 0
	for i, c := range e.done().chunks {
		if c != s.chunks[i] {
			other++
		}
	}
	if other != 1 {
		t.Errorf("%d chunks were copied", other)
	}
}
