package resolver

import "time"

// stream asks a peer over TCP or TLS, if that was not done (RFC 7766 §5).
func (x *exchange) stream(p *peer) {
	if p.streamed {
		if !p.streaming {
			x.giveUp(p, p.streamFailure(errMalformed))
		}
		return
	}
	p.streamed, p.streaming = true, true
	x.hedge = time.Now().Add(p.server.hedge(x.servers))
	x.openFlow(p)
}

func (x *exchange) openFlow(p *peer) {
	ctx := x.context()
	x.tasks.Go(func() {
		l, reused, err := p.server.openFlow(ctx)
		x.events.put(event{peer: p, stream: true, link: l, reused: reused, err: err})
	})
}

// flowOpen takes in that a stream is open, or could not be made.
func (x *exchange) flowOpen(p *peer, e event) {
	if e.err != nil {
		x.flowFailed(p, e.err)
		return
	}
	p.flow, p.again = e.link, p.again || !e.reused
	w, err := x.query(p, p.flow, true)
	if err == nil {
		p.flowing = w
		err = x.post(w, p.flow.ask)
	}
	x.out = true
	if err != nil {
		x.flowFailed(p, err)
	}
}

// flowFailed goes on after the failure of a stream. If others had used it, the
// server may just have closed it for its age: a new one is tried (RFC 7766
// §6.2.4).
func (x *exchange) flowFailed(p *peer, err error) {
	fresh := p.flow == nil || p.again
	p.unflow()
	switch {
	case !fresh:
		p.again = true
		x.openFlow(p)
	case p.fallback:
		p.fallback, p.streaming = false, false
		x.datagram(p, time.Now())
	default:
		p.streaming = false
		if p.server.name != "" {
			p.server.silent(0)
		}
		x.giveUp(p, p.streamFailure(err))
	}
}
