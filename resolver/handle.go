package resolver

import (
	"context"
	"errors"
	"time"
)

// handle takes an event in and tells whether it settles the question.
func (x *exchange) handle(ctx context.Context, e event) bool {
	p := e.peer
	switch {
	case e.conn != nil:
		p.conn = e.conn
	case e.err != nil && e.stream:
		p.streaming = false
		x.giveUp(ctx, p, p.streamFailure(e.err))
	case e.err != nil:
		p.conn = nil
		if !p.streaming {
			x.giveUp(ctx, p, e.err)
		}
	case e.verdict == alien:
		p.conn, p.why = nil, errSpoofed
		x.stream(ctx, p)
	case e.verdict == cut:
		x.stream(ctx, p)
	case e.verdict == mute:
		x.mute(ctx, e)
	case e.message.conclusive():
		return true
	case ednsTrouble(e.message.rcode) && e.edns:
		x.withoutEDNS(ctx, p)
	default:
		x.giveUp(ctx, p, rcodeError(e.message.rcode))
	}
	return false
}

// mute goes on after a reply that says nothing. It may be a forged one, so
// the wait for another goes on as well.
func (x *exchange) mute(ctx context.Context, e event) {
	p, rcode := e.peer, e.message.rcode
	err := errMalformed
	if !ednsTrouble(rcode) && !e.message.conclusive() {
		err = rcodeError(rcode)
	}
	p.why = err
	x.linger = time.Now().Add(lingerTime)
	switch {
	case errors.Is(err, ErrRefused) || err == ErrServerFailure:
		x.giveUp(ctx, p, err)
	case e.edns:
		x.withoutEDNS(ctx, p)
	default:
		x.stream(ctx, p)
	}
}

// withoutEDNS asks a peer again without EDNS, at once, if that was not done.
func (x *exchange) withoutEDNS(ctx context.Context, p *peer) {
	if !p.plain.Swap(true) {
		x.send(ctx, p)
	}
}

// stream asks a peer over TCP, if that was not done (RFC 7766 §5).
func (x *exchange) stream(ctx context.Context, p *peer) {
	if p.streamed {
		return
	}
	p.streamed, p.streaming = true, true
	x.hedge = time.Now().Add(hedgeDelay)
	x.tasks.Go(func() { x.streamed(ctx, p) })
}

// giveUp stops asking a peer, keeps why, and asks the next server. What the
// peer may still send is listened for as long as the exchange goes on.
func (x *exchange) giveUp(ctx context.Context, p *peer, err error) {
	if p.over {
		return
	}
	p.over = true
	if !x.failure.Server.IsValid() || !goesOn(x.failure) && goesOn(err) {
		x.failure = &Error{Server: p.server, Err: err}
	}
	x.next(ctx)
}
