package mif

import (
	"iter"
	"slices"
)

// A fifo is a queue without a bound. The zero fifo is empty and holds no memory;
// neither does one that was emptied, beyond the first element's.
type fifo[T any] struct {
	elems []T
	head  int
}

func (q *fifo[T]) empty() bool { return q.head == len(q.elems) }

func (q *fifo[T]) push(e T) {
	if len(q.elems) == cap(q.elems) && q.head > len(q.elems)/2 {
		n := copy(q.elems, q.elems[q.head:])
		clear(q.elems[n:])
		q.elems, q.head = q.elems[:n], 0
	}
	q.elems = append(q.elems, e)
}

// take removes the first element, if there is one.
func (q *fifo[T]) take() (e T, ok bool) {
	if q.empty() {
		return e, false
	}
	return q.pop(), true
}

// pop removes the first element, which must be there.
func (q *fifo[T]) pop() T {
	var zero T
	e := q.elems[q.head]
	q.elems[q.head] = zero
	q.head++
	if q.empty() {
		q.reset()
	}
	return e
}

func (q *fifo[T]) reset() {
	q.head = 0
	if cap(q.elems) > 1 {
		q.elems = nil
	} else {
		q.elems = q.elems[:0]
	}
}

// last is the last element, nil if there is none.
func (q *fifo[T]) last() *T {
	if q.empty() {
		return nil
	}
	return &q.elems[len(q.elems)-1]
}

// all yields the elements in order.
func (q *fifo[T]) all() iter.Seq[T] { return slices.Values(q.elems[q.head:]) }

// replace puts another element in the place of each.
func (q *fifo[T]) replace(by func(T) T) {
	for i := q.head; i < len(q.elems); i++ {
		q.elems[i] = by(q.elems[i])
	}
}

// filter removes the elements that are not to be kept.
func (q *fifo[T]) filter(keep func(T) bool) {
	kept := q.elems[:0]
	for _, e := range q.elems[q.head:] {
		if keep(e) {
			kept = append(kept, e)
		}
	}
	clear(q.elems[len(kept):])
	q.elems, q.head = kept, 0
	if q.empty() {
		q.reset()
	}
}
