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
	s, want := list[*known]{}, map[int]*known{}
	for round := range 400 {
		e, old, before := newEdit(s), s, contents(s)
		for range r.IntN(60) {
			index := 1 + r.IntN(900)
			if round%100 > 60 || r.IntN(4) == 0 {
				e.drop(index)
				delete(want, index)
				continue
			}
			k := of(index)
			if r.IntN(2) == 0 {
				k.expires = after(r.IntN(1000))
			}
			e.put(k)
			want[index] = k
		}
		s = e.done()
		if err := sound(s, want); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		if !slices.Equal(contents(old), before) {
			t.Fatalf("round %d: the list before was written to", round)
		}
	}
}

func of(index int) *known { return &known{Facts: &Facts{Interface: Interface{Index: index}}} }

func contents(l list[*known]) (all []*known) {
	for _, c := range l.chunks {
		all = append(all, c.all...)
	}
	return all
}

func sound(l list[*known], want map[int]*known) error {
	got := contents(l)
	if len(got) != len(want) {
		return fmt.Errorf("%d elements, want %d", len(got), len(want))
	}
	for i, index := range slices.Sorted(maps.Keys(want)) {
		if got[i] != want[index] {
			return fmt.Errorf("%d is not in its place", index)
		}
	}
	for index := range 1000 {
		if l.get(index) != want[index] {
			return fmt.Errorf("index %d is %v", index, l.get(index))
		}
	}
	next := (&Snapshot{known: l}).Next()
	for _, c := range l.chunks {
		if len(c.all) == 0 || len(c.all) > chunkSize {
			return fmt.Errorf("a chunk of %d", len(c.all))
		}
		for _, k := range c.all {
			if past(k.expires, c.expires.Add(-1)) || c.expires.IsZero() && !k.expires.IsZero() || past(k.expires, next.Add(-1)) {
				return fmt.Errorf("one ends at %v, its chunk at %v, the Snapshot at %v", k.expires, c.expires, next)
			}
		}
	}
	return nil
}

// TestEditInOrder is the start of a host: links come in order, and chunks are full.
func TestEditInOrder(t *testing.T) {
	e := newEdit(list[*known]{})
	for i := range 10 * chunkSize {
		e.put(of(i + 1))
	}
	if n := len(e.done().chunks); n != 10 {
		t.Errorf("%d chunks of %d links", n, 10*chunkSize)
	}
}

// TestEditCopiesLittle changes one link of many: one chunk is another.
func TestEditCopiesLittle(t *testing.T) {
	e := newEdit(list[*known]{})
	for i := range 20 * chunkSize {
		e.put(of(i + 1))
	}
	s := e.done()
	e = newEdit(s)
	e.put(of(300))
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
