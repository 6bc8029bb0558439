package main

import (
	"context"
	"sync"
)

// leastShare is the least that is worth a request of its own.
const leastShare = 64 << 10

// A plan is who gets what of a file. Its methods may be called from any goroutine.
type plan struct {
	least   int64 // share worth a request
	size    int64
	mu      sync.Mutex
	there   int64 // octets in the file
	free    []span
	taken   []*piece
	changed chan struct{} // closed when there is more to take, or nothing any more
}

// A span is octets from at up to and without end.
type span struct{ at, end int64 }

// A piece is what one source is getting. Others may take from its end.
type piece struct {
	span
	rate float64 // of the source in octets per second; 0: not known yet
}

func newPlan(size int64) *plan {
	p := &plan{least: leastShare, size: size, changed: make(chan struct{})}
	if size > 0 {
		p.free = []span{{0, size}}
	}
	return p
}

// take gives a source of some rate work: what is nobody's, or a share of what another
// one would be at longest. It waits while there is none, and returns nil when all is
// there or the context is done.
func (p *plan) take(ctx context.Context, rate float64) *piece {
	for {
		p.mu.Lock()
		if one := p.tryTake(rate); one != nil || p.there == p.size {
			p.mu.Unlock()
			return one
		}
		changed := p.changed
		p.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return nil
		}
	}
}

func (p *plan) tryTake(rate float64) *piece {
	one := &piece{rate: rate}
	if len(p.free) > 0 {
		one.span, p.free = p.free[0], p.free[1:]
	} else if one.span = p.steal(rate); one.span == (span{}) {
		return nil
	}
	p.taken = append(p.taken, one)
	p.signal() // this one can be taken from now
	return one
}

// steal takes from the piece with the most left, so much that both would end at the
// same time.
func (p *plan) steal(rate float64) span {
	var from *piece
	for _, one := range p.taken {
		if from == nil || one.end-one.at > from.end-from.at {
			from = one
		}
	}
	if from == nil || from.end-from.at < 2*p.least {
		return span{}
	}
	left := from.end - from.at
	share := left / 2
	if rate > 0 && from.rate > 0 {
		share = int64(float64(left) * (rate / (rate + from.rate)))
	}
	share = min(max(share, p.least), left-p.least)
	from.end -= share
	return span{from.end, from.end + share}
}

// claim is asked when a source of some rate has got so many octets more. It tells where
// they go, and how many of them are still the source's.
func (p *plan) claim(one *piece, octets int, rate float64) (at int64, ours int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	at = one.at
	ours = int(min(int64(octets), one.end-one.at))
	one.at += int64(ours)
	one.rate = rate
	return at, ours
}

// wrote tells that octets claimed are in the file.
func (p *plan) wrote(octets int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.there += int64(octets); p.there == p.size {
		p.signal()
	}
}

// release ends a source's work on a piece: the rest of it is nobody's.
func (p *plan) release(one *piece) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, t := range p.taken {
		if t == one {
			p.taken = append(p.taken[:i], p.taken[i+1:]...)
			break
		}
	}
	if one.at < one.end {
		p.free = append(p.free, one.span)
		p.signal()
	}
}

// extent is what a piece is now.
func (p *plan) extent(one *piece) span {
	p.mu.Lock()
	defer p.mu.Unlock()
	return one.span
}

// got tells how many octets are in the file.
func (p *plan) got() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.there
}

func (p *plan) signal() {
	close(p.changed)
	p.changed = make(chan struct{})
}
