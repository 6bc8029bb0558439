package pvd

import (
	"cmp"
	"slices"
	"time"
)

// A list has things of links in order of interface index. It lies in chunks, which
// make a change on one link cost by that link: one of them is copied, not the list.
type list[T linked] struct{ chunks []*chunk[T] }

// A chunk is a run of a list, with at least one element.
type chunk[T linked] struct {
	all     []T
	expires time.Time // the earliest end in it; zero: never
}

// linked is what belongs to a link.
type linked interface {
	index() int     // of the interface
	end() time.Time // when something of it ceases to be true; zero: never
}

const chunkSize = 64

// find tells in which chunk and where in it what has an index is or belongs.
func (l *list[T]) find(index int) (at, in int, ok bool) {
	at, ok = slices.BinarySearchFunc(l.chunks, index, func(c *chunk[T], x int) int { return cmp.Compare(c.all[0].index(), x) })
	if ok || len(l.chunks) == 0 {
		return at, 0, ok
	}
	at = max(at-1, 0)
	in, ok = slices.BinarySearchFunc(l.chunks[at].all, index, func(v T, x int) int { return cmp.Compare(v.index(), x) })
	return at, in, ok
}

// get returns what has an index, the zero value if there is none.
func (l *list[T]) get(index int) (v T) {
	if at, in, ok := l.find(index); ok {
		v = l.chunks[at].all[in]
	}
	return v
}

// An edit makes a list out of another, copying only what it changes.
type edit[T linked] struct {
	list[T]
	fresh []*chunk[T] // copied already
}

func newEdit[T linked](l list[T]) edit[T] {
	return edit[T]{list: list[T]{slices.Clone(l.chunks)}}
}

// put adds an element or replaces the one of the same index.
func (e *edit[T]) put(v T) {
	at, in, ok := e.find(v.index())
	if len(e.chunks) == 0 {
		e.insert(0, &chunk[T]{all: []T{v}})
		return
	}
	c := e.own(at)
	if ok {
		c.all[in] = v
		return
	}
	c.all = slices.Insert(c.all, in, v)
	e.split(at)
}

// drop removes the element of an index.
func (e *edit[T]) drop(index int) {
	at, in, ok := e.find(index)
	if !ok {
		return
	}
	c := e.own(at)
	c.all = slices.Delete(c.all, in, in+1)
	if len(c.all) == 0 {
		e.chunks = slices.Delete(e.chunks, at, at+1)
	}
}

// own returns a chunk that may be written to.
func (e *edit[T]) own(at int) *chunk[T] {
	c := e.chunks[at]
	if slices.Contains(e.fresh, c) {
		return c
	}
	c = &chunk[T]{all: slices.Clone(c.all)}
	e.chunks[at] = c
	e.fresh = append(e.fresh, c)
	return c
}

// split halves a chunk that is full, so that the next one need not be copied.
func (e *edit[T]) split(at int) {
	c := e.chunks[at]
	if len(c.all) <= chunkSize {
		return
	}
	half := len(c.all) / 2
	if at == len(e.chunks)-1 {
		half = chunkSize // filled in order, as at the start
	}
	e.insert(at+1, &chunk[T]{all: slices.Clone(c.all[half:])})
	c.all = slices.Delete(c.all, half, len(c.all))
}

func (e *edit[T]) insert(at int, c *chunk[T]) {
	e.chunks = slices.Insert(e.chunks, at, c)
	e.fresh = append(e.fresh, c)
}

// done returns the list.
func (e *edit[T]) done() list[T] {
	for _, c := range e.fresh {
		c.expires = time.Time{}
		for _, v := range c.all {
			c.expires = earlier(c.expires, v.end())
		}
	}
	return e.list
}
