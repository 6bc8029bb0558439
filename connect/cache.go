package connect

import (
	"sync"
	"time"
)

// A RouteCache remembers what the kernel answered about routes, so that the next
// connect from the same source to the same destination need not ask. The zero value
// is empty and ready. It may be shared by any number of Dialers and goroutines, and
// must not be copied once used.
//
// An answer holds for one [Domain].Generation and for at most a second, since not
// all that changes a route is told by anybody, such as the expiry of one. Refusals
// are not kept: what cures one is often not told either. No more than 1,024 answers
// are kept, some 200 KiB.
type RouteCache struct {
	mu         sync.Mutex
	generation uint64
	answers    map[flow]answered
}

const (
	cacheAge  = time.Second
	cacheSize = 1024
)

// A flow is a query to one of several kernels.
type flow struct {
	kernel kernel
	query  query
}

type answered struct {
	hop hop
	at  time.Time
}

// route is the kernel's answer, had now or before.
func (c *RouteCache) route(f flow, generation uint64) (hop, error) {
	if c == nil || generation == 0 {
		return f.kernel.route(f.query)
	}
	now := time.Now()
	if h, ok := c.find(f, generation, now); ok {
		return h, nil
	}
	h, err := f.kernel.route(f.query)
	if err == nil {
		c.keep(f, generation, answered{h, now})
	}
	return h, err
}

func (c *RouteCache) find(f flow, generation uint64, now time.Time) (hop, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if generation > c.generation {
		c.generation = generation
		clear(c.answers)
	}
	a, ok := c.answers[f]
	return a.hop, ok && generation == c.generation && now.Sub(a.at) < cacheAge
}

// keep stores an answer unless a later generation has begun while it was asked for.
func (c *RouteCache) keep(f flow, generation uint64, a answered) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if generation != c.generation {
		return
	}
	if c.answers == nil || len(c.answers) >= cacheSize {
		c.answers = make(map[flow]answered)
	}
	c.answers[f] = a
}
