package resolver

import (
	"errors"
	"io"
	"syscall"
	"time"
)

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
	p.flow, p.old = e.link, e.reused
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

// flowFailed goes on after the failure of a stream. A new one is tried, once, if
// others had used it: the server may just have closed it for its age; and if the
// server has closed it and there is no other server (RFC 7766 §6.2.4).
func (x *exchange) flowFailed(p *peer, err error) {
	again := p.flow != nil && !p.again && (p.old || len(x.servers) == 0 && hungUp(err))
	p.unflow()
	switch {
	case again:
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

// hungUp tells whether the other side has closed a stream.
func hungUp(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}
