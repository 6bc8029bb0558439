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
	answers []Answer
	err     error
}

// candidate asks for the addresses of one name, in each family wanted at the
// same time, and tells whether there are any.
func (l *lookup) candidate(ctx context.Context, name string) (found bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	var tasks sync.WaitGroup
	defer tasks.Wait()
	defer cancel()

	types := l.types()
	outcomes := make(chan outcome, len(types))
	var before <-chan struct{}
	for _, qtype := range types {
		turn := newTurn(before)
		before = turn.over
		tasks.Go(func() {
			defer turn.end()
			outcomes <- l.resolve(ctx, name, qtype, turn)
		})
	}
	for range types {
		o := <-outcomes
		err = graver(err, o.err)
		if len(o.answers) > 0 {
			if found = true; !l.yield(o.answers) {
				return true, errLeft
			}
		}
	}
	if found && empty(err) {
		err = nil
	}
	return found, err
}

// types gives the record types to ask for, in the order of RFC 8305 §3.
func (l *lookup) types() []uint16 {
	switch l.family {
	case IPv4:
		return []uint16{dns.TypeA}
	case IPv6:
		return []uint16{dns.TypeAAAA}
	}
	return []uint16{dns.TypeAAAA, dns.TypeA}
}

// A turn keeps queries that go out together in order: a task begins when the
// one before has sent its first query, or has failed to.
type turn struct {
	begin <-chan struct{} // nil: at once
	over  chan struct{}
	end   func() // may be called again
}

func newTurn(begin <-chan struct{}) *turn {
	over := make(chan struct{})
	return &turn{begin: begin, over: over, end: sync.OnceFunc(func() { close(over) })}
}

func (t *turn) wait(ctx context.Context) {
	if t.begin == nil {
		return
	}
	select {
	case <-t.begin:
	case <-ctx.Done():
	}
}

// resolve asks for one name in one family, along its alias chain.
func (l *lookup) resolve(ctx context.Context, name string, qtype uint16, turn *turn) outcome {
	turn.wait(ctx)
	c := chain{end: name + "."}
	var last reply
	for range maxQueries {
		var err error
		if last, err = l.ask(ctx, c.end, qtype, turn); err != nil {
			return outcome{err: err}
		}
		addrs, err := c.follow(last.message, qtype, last.at)
		if err != nil {
			return outcome{err: &Error{Server: last.server, Err: err}}
		}
		if len(addrs) > 0 {
			return outcome{answers: c.answers(addrs, last.server)}
		}
	}
	return outcome{err: &Error{Server: last.server, Err: errAliases}}
}

func (c *chain) answers(addrs []netip.Addr, server netip.AddrPort) []Answer {
	answers := make([]Answer, len(addrs))
	for i, addr := range addrs {
		answers[i] = Answer{
			Addr:          addr,
			Expiry:        c.expiry,
			CanonicalName: c.canonical(),
			Server:        server,
			Origin:        DNS,
		}
	}
	return answers
}

// A reply is a conclusive message, who sent it, and when it came.
type reply struct {
	message
	server netip.AddrPort
	at     time.Time
}

// ask puts one question to the servers.
func (l *lookup) ask(ctx context.Context, name string, qtype uint16, turn *turn) (reply, error) {
	x := &exchange{r: l.r, name: name, qtype: qtype, servers: l.order(), turn: turn}
	rep, err := x.run(ctx)
	if err == nil {
		l.preferred.Store(&rep.server)
	}
	return rep, err
}

// order gives the servers, the one that answered last first: a search list
// should not wait for a silent one again with every name.
func (l *lookup) order() []netip.AddrPort {
	servers := slices.Clone(l.cfg.Servers)
	if p := l.preferred.Load(); p != nil {
		i := slices.Index(servers, *p)
		copy(servers[1:i+1], servers[:i])
		servers[0] = *p
	}
	return servers
}
