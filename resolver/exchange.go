package resolver

import (
	"context"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

const (
	firstWait  = 250 * time.Millisecond // silence after which a query is sent again; doubles
	longestGap = 4 * time.Second        // between two sends of a query
	lingerTime = 250 * time.Millisecond // for the true reply, when all that came was broken
	ednsSends  = 2                      // lost queries after which EDNS is left out
	maxMisses  = 3                      // datagrams that do not fit, after which TCP is used
)

// An exchange puts one question to servers until a reply settles it. Whoever
// has its flight's baton has all of its state but the events.
type exchange struct {
	r       *Resolver
	topic   topic
	servers []*server // not asked yet
	events  mailbox
	tasks   sync.WaitGroup  // that dial
	ctx     context.Context // theirs, once there are any
	cancel  context.CancelFunc

	// What anyone may read while nothing settles the question.
	foremost netip.AddrPort        // the server asked first
	several  atomic.Bool           // it is not the only one asked
	known    atomic.Pointer[Error] // the present failure

	turn    *turn // of whoever runs it
	begun   bool
	out     bool // something was sent, or failed to be
	peers   []*peer
	few     [2]*peer // room for them
	first   peer
	hedge   time.Time // when to ask the next server
	linger  time.Time // when to give up, all peers being over
	failure *Error    // what is to be reported if nothing settles it
	settled reply
}

// run goes on until a reply or the lack of one settles the question, and tells
// whether that has come: if not, the asker's patience is at its end.
func (x *exchange) run(p *patience, turn *turn) bool {
	x.turn = turn
	now := time.Now()
	if !x.begun {
		x.begin(now)
	}
	timer := x.events.alarm.timer
	defer timer.Stop()
	for {
		for e, ok := x.events.get(); ok; e, ok = x.events.get() {
			if x.handle(e, now) {
				return true
			}
		}
		x.tick(now)
		if x.spent(now) {
			return true
		}
		if x.out {
			turn.end()
		}
		timer.Reset(p.sooner(x.wake(now)).Sub(now))
		select {
		case <-x.events.ready():
		case <-timer.C:
			turn.end()
		case <-p.done():
		case <-p.life:
		}
		if now = time.Now(); p.over(now) {
			return false
		}
	}
}

// begin asks the first server, and those that have been silent and may be
// there again.
func (x *exchange) begin(now time.Time) {
	x.begun = true
	x.peers = x.few[:0]
	x.next(now)
	for _, s := range x.servers {
		if s.due(now) {
			p := &peer{server: s, extra: true}
			x.peers = append(x.peers, p)
			x.engage(p, now)
		}
	}
}

// failed gives the error if nothing has settled the question.
func (x *exchange) failed() *Error {
	if x.failure == nil {
		return &Error{Err: ErrNoServers}
	}
	return x.failure
}

// timedOut gives the error for an end of patience, with what is known of the
// servers.
func (x *exchange) timedOut(p *patience) error {
	known := x.known.Load()
	if known == nil {
		e := &Error{Err: p.err("")}
		if !x.several.Load() {
			e.Server = x.foremost
		}
		return e
	}
	return &Error{Err: p.err(fmt.Sprintf("%s: %s", known.Server, known.text())), Extended: known.Extended}
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
func (x *exchange) wake(now time.Time) time.Time {
	at := now.Add(time.Hour)
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
func (x *exchange) tick(now time.Time) {
	for _, p := range x.peers {
		if p.waits() && !now.Before(p.resend) {
			if p.link != nil && p.sends >= ednsSends && !p.server.cookies() {
				p.plain, p.trouble = true, true
			}
			x.send(p, now)
		}
	}
	if len(x.servers) > 0 && !now.Before(x.hedge) {
		x.unheard(now)
		x.next(now)
	}
}

// unheard notes which servers have said nothing for as long as they should
// have taken.
func (x *exchange) unheard(now time.Time) {
	for _, p := range x.peers {
		if waited := now.Sub(p.first); !p.heard && !p.over && waited >= p.server.hedge(nil) {
			p.server.silent(waited)
		}
	}
}

// next asks the next server, if there is one.
func (x *exchange) next(now time.Time) {
	if len(x.servers) == 0 {
		return
	}
	p := &x.first
	if len(x.peers) > 0 {
		p = new(peer)
		x.several.Store(true)
	}
	p.server = x.servers[0]
	x.servers = x.servers[1:]
	x.peers = append(x.peers, p)
	x.hedge = now.Add(p.server.hedge(x.servers))
	x.engage(p, now)
}

// context gives the context for tasks.
func (x *exchange) context() context.Context {
	if x.ctx == nil {
		x.ctx, x.cancel = context.WithCancel(x.r.life.context())
	}
	return x.ctx
}

// close ends an exchange that nobody runs. Nothing is left running or waiting.
func (x *exchange) close() {
	if x.cancel != nil {
		x.cancel()
	}
	x.tasks.Wait()
	for e, ok := x.events.get(); ok; e, ok = x.events.get() {
		if e.link != nil {
			e.link.release()
		}
	}
	if x.begun && x.settled.server == nil {
		x.unheard(time.Now())
	}
	for _, p := range x.peers {
		p.leave()
	}
	x.r.keep(x.events.alarm)
}
