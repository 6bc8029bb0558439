package resolver

import (
	"context"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/miekg/dns"
)

// An outcome is what came of the look-up of one name in one family.
type outcome struct {
	qtype   uint16
	answers []Answer

	// Of other types than addresses.
	records []dns.RR
	end     string // their owner
	expiry  time.Time
	server  netip.AddrPort

	err error
}

// candidate asks for the addresses of one name, in each family wanted at the
// same time, and tells whether there are any.
func (l *lookup) candidate(name string) (found bool, err error) {
	if l.translates() && name != only4 {
		return l.translated(name)
	}
	types := l.types()
	if len(types) == 1 {
		l.r.asking.Add(1)
		defer l.r.asking.Add(-1)
		err := l.offer(l.resolve(&l.patience, name, types[0], nil), &found)
		return l.sum(found, err)
	}
	if known := l.recall(name, types); known != nil {
		for _, o := range known {
			err = graver(err, l.offer(o, &found))
		}
		return l.sum(found, err)
	}
	l.together(name, types, func(_ uint16, o outcome) bool {
		err = graver(err, l.offer(o, &found))
		return err != errLeft
	})
	return l.sum(found, err)
}

// together asks for each type in a task of its own, as long as it is wanted to
// go on. If nobody wants one before the other, the last one needs none.
func (l *lookup) together(name string, types []uint16, take func(qtype uint16, o outcome) (goOn bool)) {
	ctx, cancel := context.WithCancel(l.patience.ctx)
	p := &patience{ctx: ctx, until: l.patience.until, life: l.patience.life}
	var tasks sync.WaitGroup
	defer tasks.Wait()
	defer cancel()
	outcomes := make(chan outcome, len(types))
	var before <-chan struct{}
	l.r.asking.Add(int32(len(types)))
	for i, qtype := range types {
		turn := newTurn(before)
		before = turn.over
		task := func() {
			defer l.r.asking.Add(-1)
			defer turn.end()
			o := l.resolve(p, name, qtype, turn)
			o.qtype = qtype
			outcomes <- o
		}
		if l.whole && i == len(types)-1 {
			task()
		} else {
			tasks.Go(task)
		}
	}
	for range types {
		if o := <-outcomes; !take(o.qtype, o) {
			return
		}
	}
}

// offer yields an outcome's addresses, or gives its error.
func (l *lookup) offer(o outcome, found *bool) error {
	if len(o.answers) == 0 {
		return o.err
	}
	*found = true
	if !l.yield(o.answers, nil) {
		return errLeft
	}
	return nil
}

// sum gives the outcome of all types: that one is empty counts only if all are.
func (l *lookup) sum(found bool, err error) (bool, error) {
	if found && empty(err) {
		err = nil
	}
	return found, err
}

// types gives the record types to ask for, in the order of RFC 8305 §3.
func (l *lookup) types() []uint16 {
	types := []uint16{dns.TypeAAAA, dns.TypeA}
	switch l.family {
	case IPv4:
		return types[1:]
	case IPv6:
		return types[:1]
	}
	return types
}

// A turn keeps queries that go out together in order: a task begins when the
// one before has sent its first query, or has failed to. A nil turn is alone.
type turn struct {
	begin <-chan struct{} // nil: at once
	over  chan struct{}
	ended bool // by the task whose turn it is
}

func newTurn(begin <-chan struct{}) *turn {
	return &turn{begin: begin, over: make(chan struct{})}
}

// end lets the next begin. It may be called again.
func (t *turn) end() {
	if t != nil && !t.ended {
		t.ended = true
		close(t.over)
	}
}

func (t *turn) wait(p *patience) {
	if t == nil || t.begin == nil {
		return
	}
	select {
	case <-t.begin:
	case <-p.done():
	}
}

// recall gives what the cache knows of a name, if it knows all that is wanted.
func (l *lookup) recall(name string, types []uint16) []outcome {
	if l.cfg.NoCache {
		return nil
	}
	outcomes := make([]outcome, 0, len(types))
	now := time.Now()
	for _, qtype := range types {
		o, ok := walk(name, func(name string) *finding { return l.view.cache.get(topic{name, qtype}, now) })
		if !ok {
			return nil
		}
		outcomes = append(outcomes, o)
	}
	return outcomes
}

// resolve asks for one name in one family, along its alias chain.
func (l *lookup) resolve(p *patience, name string, qtype uint16, turn *turn) outcome {
	turn.wait(p)
	o, _ := walk(name, func(name string) *finding {
		return l.view.ask(p, topic{name, qtype}, turn, l.cfg.NoCache)
	})
	return o
}

// walk goes along the alias chain of a name by findings, until one is missing.
func walk(name string, find func(name string) *finding) (o outcome, ok bool) {
	c := chain{end: name + "."}
	var server netip.AddrPort
	cached := true
	for range maxQueries {
		f := find(fold(c.end))
		if f == nil {
			return outcome{}, false
		}
		server, cached = f.server, cached && f.cached
		if err := c.join(&f.chain); err != nil {
			return outcome{err: &Error{Server: server, Err: err}}, true
		}
		if f.err != nil {
			return outcome{err: f.err}, true
		}
		if len(f.chain.records) > 0 {
			o := outcome{records: slices.Clone(f.chain.records), end: c.canonical(), expiry: c.expiry, server: server}
			return o, true
		}
		if len(f.addrs) > 0 {
			return outcome{answers: c.answers(f, cached)}, true
		}
	}
	return outcome{err: &Error{Server: server, Err: errAliases}}, true
}

// join goes along another chain, which begins at the end of this one.
func (c *chain) join(next *chain) error {
	for i := range next.path {
		target := next.end
		if i+1 < len(next.path) {
			target = next.path[i+1]
		}
		if err := c.step(target); err != nil {
			return err
		}
	}
	if !next.expiry.IsZero() {
		c.expire(next.expiry)
	}
	return nil
}

func (c *chain) answers(f *finding, cached bool) []Answer {
	answers := make([]Answer, len(f.addrs))
	for i, addr := range f.addrs {
		answers[i] = Answer{
			Addr:          addr,
			Expiry:        c.expiry,
			CanonicalName: c.canonical(),
			Server:        f.server,
			Origin:        DNS,
			Cached:        cached,
		}
	}
	return answers
}

// A reply is a conclusive message, who sent it, and when it came.
type reply struct {
	message
	server *server
	at     time.Time
}
