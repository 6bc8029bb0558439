package resolver

import (
	"context"
	"fmt"
	"net/netip"
	"sync"
	"time"
)

const (
	hedgeDelay = 250 * time.Millisecond // silence after which the next server is asked
	firstWait  = 250 * time.Millisecond // silence after which a query is sent again; doubles
	longestGap = 4 * time.Second        // between two sends of a query
	lingerTime = 250 * time.Millisecond // for the true reply, when all that came was broken
	ednsSends  = 2                      // lost queries after which EDNS is left out
	maxMisses  = 3                      // datagrams that do not fit, after which TCP is used
)

// An exchange puts one question to servers until a reply settles it. One
// goroutine, that of run, has all of its state; the tasks that own the
// sockets leave events for it.
type exchange struct {
	r       *Resolver
	name    string // fully qualified
	qtype   uint16
	servers []netip.AddrPort // not asked yet
	turn    *turn

	peers   []*peer
	events  chan event
	tasks   sync.WaitGroup
	hedge   time.Time // when to ask the next server
	linger  time.Time // when to give up, all peers being over
	failure *Error    // what is to be reported if nothing settles it
}

// run gives the first conclusive reply, or an error that says what the
// servers did instead. Nothing is left running.
func (x *exchange) run(ctx context.Context) (reply, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer x.tasks.Wait()
	defer cancel()
	x.events = make(chan event)
	x.failure = &Error{Err: ErrNoServers}
	x.next(ctx)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for !x.spent(time.Now()) {
		timer.Reset(time.Until(x.wake()))
		select {
		case e := <-x.events:
			if x.handle(ctx, e) {
				return reply{e.message, e.peer.server, time.Now()}, nil
			}
		case <-timer.C:
			x.tick(ctx, time.Now())
		case <-ctx.Done():
			return reply{}, x.timedOut(ctx)
		}
		x.turn.end()
	}
	return reply{}, x.failure
}

// timedOut gives the error for the end of the context, with what is known of
// the servers.
func (x *exchange) timedOut(ctx context.Context) error {
	if x.failure.Server.IsValid() {
		return &Error{Err: ended(ctx, fmt.Sprintf("%s: %s", x.failure.Server, x.failure.Err))}
	}
	e := &Error{Err: ended(ctx, "")}
	if len(x.peers) == 1 {
		e.Server = x.peers[0].server
	}
	return e
}

// spent tells whether there is nothing left to wait for.
func (x *exchange) spent(now time.Time) bool {
	return len(x.servers) == 0 && x.idle() && !now.Before(x.linger)
}

// idle tells whether all peers asked so far are over.
func (x *exchange) idle() bool {
	for _, p := range x.peers {
		if !p.over {
			return false
		}
	}
	return true
}

// wake gives the next moment at which something is to be done by itself.
func (x *exchange) wake() time.Time {
	at := time.Now().Add(time.Hour)
	sooner := func(t time.Time) {
		if t.Before(at) {
			at = t
		}
	}
	if len(x.servers) > 0 {
		sooner(x.hedge)
	}
	for _, p := range x.peers {
		if p.waits() {
			sooner(p.resend)
		}
	}
	if x.idle() {
		sooner(x.linger)
	}
	return at
}

// tick does what is due.
func (x *exchange) tick(ctx context.Context, now time.Time) {
	for _, p := range x.peers {
		if p.waits() && !now.Before(p.resend) {
			if p.sends >= ednsSends {
				p.plain.Store(true)
			}
			x.send(ctx, p)
		}
	}
	if !now.Before(x.hedge) {
		x.next(ctx)
	}
}

// next asks the next server, if there is one.
func (x *exchange) next(ctx context.Context) {
	if len(x.servers) == 0 {
		return
	}
	p, err := newPeer(x.servers[0], x.name, x.qtype)
	x.servers = x.servers[1:]
	if err != nil {
		x.failure, x.servers = &Error{Err: err}, nil
		return
	}
	x.peers = append(x.peers, p)
	p.sent(time.Now())
	x.hedge = time.Now().Add(hedgeDelay)
	x.tasks.Go(func() { x.datagrams(ctx, p) })
}

// send sends a peer's query once more, in its present form.
func (x *exchange) send(ctx context.Context, p *peer) {
	p.sent(time.Now())
	if p.conn == nil {
		return // the first query is still under way
	}
	if _, err := p.conn.Write(p.query().wire); err != nil {
		x.giveUp(ctx, p, err)
	}
}
