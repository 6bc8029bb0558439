package resolver

import (
	"errors"
	"net/netip"
	"slices"
	"sync"
	"time"
)

const (
	maxEntries  = 4096
	sampleSize  = 8               // entries looked at to find one to give up
	firstFailed = time.Second     // for which a failure is believed (RFC 9520 §3.2); doubles
	lastFailed  = 5 * time.Second // at most
)

// A finding is what came of one question.
type finding struct {
	chain  chain // from the name asked for to where the reply ends
	addrs  []netip.Addr
	err    error // there are none: an *Error
	server netip.AddrPort
	cached bool
}

// conclude puts down what came of an exchange that has ended.
func (x *exchange) conclude(f *finding) {
	if x.settled.server == nil {
		f.err = x.failed()
		return
	}
	f.chain.end, f.server = x.topic.name, x.settled.server.addr
	var err error
	f.addrs, err = f.chain.follow(x.settled.message, x.topic.kind, x.settled.at)
	if err != nil {
		f.err = &Error{Server: f.server, Err: err, Extended: x.settled.extended}
	}
}

// A cache keeps findings as long as they hold (RFC 2308, RFC 9520). The zero
// value is empty.
type cache struct {
	mu      sync.Mutex
	entries map[topic]*entry
}

type entry struct {
	finding *finding
	end     time.Time
	failed  time.Duration // how long a failure is believed; zero: it is none
}

func (c *cache) get(t topic, now time.Time) *finding {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.entries[t]
	if e == nil || !now.Before(e.end) {
		return nil // the old entry may tell how often the server has failed
	}
	return e.finding
}

// put keeps a finding, if it is one to keep.
func (c *cache) put(t topic, f *finding) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	e := &entry{end: f.chain.expiry}
	switch {
	case f.fails():
		e.failed = firstFailed
		if old := c.entries[t]; old != nil && old.failed != 0 && now.Before(old.end.Add(lastFailed)) {
			e.failed = min(2*old.failed, lastFailed)
		}
		e.end = now.Add(e.failed)
	case f.err != nil && !f.chain.lasting:
		return
	}
	if !now.Before(e.end) {
		delete(c.entries, t)
		return
	}
	kept := *f
	kept.cached = true
	kept.addrs = slices.Clone(f.addrs) // not in the flight's room
	e.finding = &kept
	c.room(now)
	c.entries[t] = e
}

// fails tells whether servers answered and their answers were of no use. What
// a socket says, or the end of somebody's patience, is not remembered.
func (f *finding) fails() bool {
	return errors.Is(f.err, ErrServerFailure) || errors.Is(f.err, ErrRefused)
}

// room makes room for an entry: of some, the one that ends first goes.
func (c *cache) room(now time.Time) {
	if c.entries == nil {
		c.entries = map[topic]*entry{}
	}
	if len(c.entries) < maxEntries {
		return
	}
	var first topic
	var end time.Time
	n := 0
	for t, e := range c.entries {
		if !now.Before(e.end) {
			delete(c.entries, t)
		} else if end.IsZero() || e.end.Before(end) {
			first, end = t, e.end
		}
		if n++; n == sampleSize {
			break
		}
	}
	if len(c.entries) >= maxEntries {
		delete(c.entries, first)
	}
}
