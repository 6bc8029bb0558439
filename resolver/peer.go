package resolver

import (
	"errors"
	"fmt"
	"time"
)

// A peer is one server in an exchange. It belongs to whoever runs that.
type peer struct {
	server *server
	extra  bool // asked besides, because it was silent before

	link     *link // of UDP; nil until open, and after an error
	renewed  bool  // a new socket was made after an old one failed
	edns     *waiter
	bare     *waiter // without EDNS; with an ID of its own, so that replies are told apart
	plain    bool    // the bare form has been sent, or is the next
	trouble  bool    // EDNS was left out because of what came
	baked    int     // BADCOOKIE replies
	sends    int
	first    time.Time
	resend   time.Time
	heard    bool
	over     bool  // nothing more is expected
	why      error // what was wrong with its replies by UDP
	extended []ExtendedError

	flow      *link // the stream
	flowing   *waiter
	streamed  bool // TCP was tried
	streaming bool // TCP is under way
	fallback  bool // UDP is tried if TCP fails
	old       bool // others had used the stream before
	again     bool // TCP was tried again
}

// sent notes that a query goes out, and when the next one should.
func (p *peer) sent(now time.Time) {
	if p.sends == 0 {
		p.first = now
	}
	p.resend = now.Add(min(firstWait<<min(p.sends, 8), longestGap))
	p.sends++
}

// waits tells whether silence of the peer is answered by another query.
func (p *peer) waits() bool { return !p.over && !p.streaming }

// form gives the present form of the query, if it was made already.
func (p *peer) form() **waiter {
	if p.plain {
		return &p.bare
	}
	return &p.edns
}

// streamFailure gives the error for a failure over TCP: if TCP was tried
// because of what came by UDP, that is what is wrong with the peer.
func (p *peer) streamFailure(err error) error {
	switch {
	case p.why != nil:
		return p.why
	case errors.Is(err, ErrServerFailure):
		return err
	}
	over := "TCP"
	if p.server.name != "" {
		over = "TLS"
	}
	return fmt.Errorf("%w: over %s: %w", ErrServerFailure, over, err)
}

// unlink gives the UDP socket up, and what waits for replies by it.
func (p *peer) unlink() {
	for _, w := range []**waiter{&p.edns, &p.bare} {
		if *w != nil {
			p.link.leave(*w)
			*w = nil
		}
	}
	if p.link != nil {
		p.link.release()
		p.link = nil
	}
}

// unflow gives the stream up. One that has not answered for long is not used
// by others.
func (p *peer) unflow() {
	if p.flow == nil {
		return
	}
	if p.flowing != nil {
		if p.flowing.stalled() {
			p.server.drop(p.flow)
			p.flow.retire()
		}
		p.flow.leave(p.flowing)
		p.flowing = nil
	}
	p.flow.release()
	p.flow = nil
}

func (p *peer) leave() {
	p.unlink()
	p.unflow()
}

// stalled tells whether a query on a stream has been without a reply for long.
func (w *waiter) stalled() bool {
	w.link.mu.Lock()
	defer w.link.mu.Unlock()
	return w.told == 0 && time.Since(w.sent) > time.Second
}

// send sends a peer's query once more, in its present form.
func (x *exchange) send(p *peer, now time.Time) {
	p.sent(now)
	if p.link == nil {
		return // a socket is on its way
	}
	var err error
	if w := p.form(); *w != nil {
		err = x.post(*w, p.link.again)
	} else if *w, err = x.query(p, p.link, !p.plain); err == nil {
		err = x.post(*w, p.link.ask)
	}
	x.out = true
	if err != nil {
		x.broken(p, err)
	}
}

// post has a query sent, and lets the next one of the same look-up go with it: by
// the same socket, until it is sent, so that it does not come first.
func (x *exchange) post(w *waiter, how func(*waiter) (first bool)) error {
	first := how(w)
	if first && !w.link.stream {
		w.link.server.gathering.Store(w.link)
	}
	x.turn.end()
	if !first {
		return nil // it goes with the first one
	}
	return w.link.flush()
}

// query makes a query for a link.
func (x *exchange) query(p *peer, l *link, edns bool) (*waiter, error) {
	w := &waiter{link: l, x: x, peer: p}
	if err := w.compose(x.topic, edns); err != nil {
		return nil, err
	}
	w.stream = l.stream
	if p.server.name != "" {
		w.pad()
	} else if edns {
		w.bake(p.server.bake(l.local))
	}
	if !l.stream && p.server.doubtful() > 0 {
		w.mix(&x.r.entropy)
	}
	return w, nil
}

// broken goes on after a socket has failed. An old one may have failed because
// of an earlier query: a new one is tried then.
func (x *exchange) broken(p *peer, err error) {
	old := p.link != nil && p.link.aged()
	p.unlink()
	switch {
	case p.streaming:
	case old && !p.renewed:
		p.renewed = true
		x.open(p)
	default:
		p.server.silent(0)
		x.giveUp(p, err)
	}
}

// aged tells whether others have used a socket before.
func (l *link) aged() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.uses > 1
}

// engage starts to ask a peer: by a socket of the pool or by a new one, or over
// a stream if the server is an encrypted one or somebody forges its replies.
func (x *exchange) engage(p *peer, now time.Time) {
	p.sent(now)
	p.plain = p.server.avoids(now) && !p.server.cookies()
	if p.server.name != "" || p.server.doubtful() >= maxMisses {
		p.fallback = p.server.name == ""
		x.stream(p)
		return
	}
	x.datagram(p, now)
}

// datagram asks a peer by UDP for the first time.
func (x *exchange) datagram(p *peer, now time.Time) {
	if p.link = p.server.pick(); p.link == nil {
		x.open(p)
		return
	}
	p.sends = 0
	x.send(p, now)
}

// open makes a UDP socket for a peer.
func (x *exchange) open(p *peer) {
	ctx := x.context()
	x.tasks.Go(func() {
		l, err := p.server.open(ctx)
		x.events.put(event{peer: p, link: l, err: err})
	})
}

// mix gives the letters of the question's name random case, which a reply has
// to repeat (draft-vixie-dnsext-dns0x20).
func (q *question) mix(e *entropy) {
	q.exact = true
	bits := uint16(0)
	for i := range q.body[:len(q.body)-4] {
		if i%16 == 0 {
			bits = e.uint16()
		}
		if c := q.body[i]; 'a' <= lower(c) && lower(c) <= 'z' && bits>>(i%16)&1 == 1 {
			q.body[i] ^= 'a' - 'A'
		}
	}
}
