package resolver

import (
	"errors"
	"time"

	"github.com/miekg/dns"
)

// handle takes an event in and tells whether it settles the question.
func (x *exchange) handle(e event, now time.Time) bool {
	p := e.peer
	switch {
	case e.stream:
		x.flowOpen(p, e)
	case e.waiter == nil:
		x.linkOpen(p, e, now)
	case e.waiter.link != p.link && e.waiter.link != p.flow:
		// of a socket that was given up
	case e.err != nil && e.waiter.link == p.flow:
		x.flowFailed(p, e.err)
	case e.err != nil:
		x.broken(p, e.err)
	case e.verdict == alien:
		p.unlink()
		p.why = errSpoofed
		x.stream(p)
	default:
		return x.read(e, now)
	}
	return false
}

// read takes a reply in and tells whether it settles the question.
func (x *exchange) read(e event, now time.Time) bool {
	p := e.peer
	p.heard = true
	flowing := e.waiter.link.stream
	if len(e.message.extended) > 0 {
		p.extended = e.message.extended
	}
	switch {
	case flowing && e.verdict != whole:
		x.flowFailed(p, errMalformed)
	case e.verdict == cut:
		x.stream(p)
	case e.verdict == mute:
		x.mute(e, now)
	case e.message.conclusive():
		x.settle(e, now)
		return true
	case e.message.rcode == dns.RcodeBadCookie && e.waiter.ours != nil && !flowing:
		x.badCookie(p, now)
	case ednsTrouble(e.message.rcode) && e.waiter.edns && !flowing:
		x.withoutEDNS(p, now)
	default:
		p.streaming = false
		x.giveUp(p, rcodeError(e.message.rcode))
	}
	return false
}

// settle keeps the reply that settles the question, and what it tells of the
// server.
func (x *exchange) settle(e event, now time.Time) {
	p := e.peer
	x.settled = reply{e.message, p.server, now}
	switch {
	case e.waiter.link.stream && p.server.name == "" && e.message.cookie == nil && e.waiter.ours != nil:
		p.server.forgetCookie()
	case !e.waiter.link.stream && !e.waiter.edns && p.trouble:
		p.server.ednsFails(now)
	}
}

// badCookie asks a peer again with the cookie it has given, once, and then
// over TCP (RFC 7873 §5.3).
func (x *exchange) badCookie(p *peer, now time.Time) {
	if p.baked++; p.baked > 1 || p.link == nil {
		x.stream(p)
		return
	}
	p.link.leave(p.edns)
	p.edns = nil
	x.send(p, now)
}

// mute goes on after a reply that says nothing. It may be a forged one, so
// the wait for another goes on as well.
func (x *exchange) mute(e event, now time.Time) {
	p, rcode := e.peer, e.message.rcode
	err := errMalformed
	if !ednsTrouble(rcode) && !e.message.conclusive() {
		err = rcodeError(rcode)
	}
	p.why = err
	x.linger = now.Add(lingerTime)
	switch {
	case errors.Is(err, ErrRefused) || err == ErrServerFailure:
		x.giveUp(p, err)
	case e.waiter.edns:
		x.withoutEDNS(p, now)
	default:
		x.stream(p)
	}
}

// withoutEDNS asks a peer again without EDNS, at once, if that was not done.
func (x *exchange) withoutEDNS(p *peer, now time.Time) {
	p.trouble = true
	if !p.plain {
		p.plain = true
		x.send(p, now)
	}
}

// giveUp stops asking a peer, keeps why, and asks the next server. What the
// peer may still send is listened for as long as the exchange goes on.
func (x *exchange) giveUp(p *peer, err error) {
	if p.over {
		return
	}
	p.over, x.out = true, true
	if x.failure == nil || !goesOn(x.failure) && goesOn(err) {
		x.failure = &Error{Server: p.server.addr, Err: err, Extended: p.extended}
		x.known.Store(x.failure)
	}
	if !p.extra {
		x.next(time.Now())
	}
}

// linkOpen takes in that a UDP socket is open, or could not be made.
func (x *exchange) linkOpen(p *peer, e event, now time.Time) {
	switch {
	case e.err != nil:
		x.broken(p, e.err)
	case p.streaming || p.over:
		e.link.release()
	default:
		p.link = e.link
		p.sends = 0
		x.send(p, now)
	}
}
