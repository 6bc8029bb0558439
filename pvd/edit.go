package pvd

import (
	"slices"
	"time"
)

// An edit makes a Snapshot out of another, copying only what it changes.
type edit struct {
	s     Snapshot
	fresh []*chunk // copied already
}

func newEdit(s *Snapshot) *edit {
	e := &edit{s: *s}
	e.s.chunks = slices.Clone(s.chunks)
	return e
}

// put adds a link or replaces the one of the same index.
func (e *edit) put(l *Link) {
	at, in, ok := e.s.find(l.iface.Index)
	if len(e.s.chunks) == 0 {
		e.insert(0, &chunk{links: []*Link{l}})
		return
	}
	c := e.own(at)
	if ok {
		c.links[in] = l
		return
	}
	c.links = slices.Insert(c.links, in, l)
	e.split(at)
}

// drop removes the link of an index.
func (e *edit) drop(index int) {
	at, in, ok := e.s.find(index)
	if !ok {
		return
	}
	c := e.own(at)
	c.links = slices.Delete(c.links, in, in+1)
	if len(c.links) == 0 {
		e.s.chunks = slices.Delete(e.s.chunks, at, at+1)
	}
}

// own returns a chunk that may be written to.
func (e *edit) own(at int) *chunk {
	c := e.s.chunks[at]
	if slices.Contains(e.fresh, c) {
		return c
	}
	c = &chunk{links: slices.Clone(c.links)}
	e.s.chunks[at] = c
	e.fresh = append(e.fresh, c)
	return c
}

// split halves a chunk that is full, so that the next one need not be copied.
func (e *edit) split(at int) {
	c := e.s.chunks[at]
	if len(c.links) <= chunkSize {
		return
	}
	half := len(c.links) / 2
	if at == len(e.s.chunks)-1 {
		half = chunkSize // filled in order, as at the start
	}
	e.insert(at+1, &chunk{links: slices.Clone(c.links[half:])})
	c.links = slices.Delete(c.links, half, len(c.links))
}

func (e *edit) insert(at int, c *chunk) {
	e.s.chunks = slices.Insert(e.s.chunks, at, c)
	e.fresh = append(e.fresh, c)
}

// done returns the Snapshot.
func (e *edit) done() *Snapshot {
	for _, c := range e.fresh {
		c.expires = time.Time{}
		for _, l := range c.links {
			c.expires = earlier(c.expires, l.expires)
		}
	}
	return &e.s
}
