package resolver

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync/atomic"
	"time"
)

// A peer is one server in an exchange.
type peer struct {
	server netip.AddrPort
	edns   *question
	bare   *question   // without EDNS; with an ID of its own, so that replies are told apart
	plain  atomic.Bool // the bare form has been sent, or is the next

	// The rest belongs to the exchange's goroutine.
	conn      net.Conn // nil until open, and after an error
	sends     int
	resend    time.Time
	streamed  bool  // TCP was tried
	streaming bool  // TCP is under way
	over      bool  // nothing more is expected
	why       error // what was wrong with its replies by UDP
}

func newPeer(server netip.AddrPort, name string, qtype uint16) (*peer, error) {
	edns, err := newQuestion(name, qtype, true)
	if err != nil {
		return nil, err
	}
	bare, err := newQuestion(name, qtype, false)
	return &peer{server: server, edns: edns, bare: bare}, err
}

// query gives the present form of the query.
func (p *peer) query() *question {
	if p.plain.Load() {
		return p.bare
	}
	return p.edns
}

// sent notes that a query goes out, and when the next one should.
func (p *peer) sent(now time.Time) {
	p.resend = now.Add(min(firstWait<<min(p.sends, 8), longestGap))
	p.sends++
}

// waits tells whether silence of the peer is answered by another query.
func (p *peer) waits() bool { return !p.over && !p.streaming }

// streamFailure gives the error for a failure over TCP: if TCP was tried
// because of what came by UDP, that is what is wrong with the peer.
func (p *peer) streamFailure(err error) error {
	switch {
	case p.why != nil:
		return p.why
	case errors.Is(err, ErrServerFailure):
		return err
	}
	return fmt.Errorf("%w: over TCP: %w", ErrServerFailure, err)
}

// An event is what a task tells an exchange: that a socket is open, that it
// failed, or what came by it.
type event struct {
	peer    *peer
	stream  bool     // by TCP
	conn    net.Conn // open, and the first query sent
	err     error
	message message
	verdict verdict
	edns    bool // the query replied to had EDNS
}

// post leaves an event, or drops it when the exchange has ended.
func (x *exchange) post(ctx context.Context, e event) {
	select {
	case x.events <- e:
	case <-ctx.Done():
	}
}

// datagrams owns a peer's UDP socket: it sends the first query and reads
// replies until the socket fails, somebody floods it, or the exchange ends.
func (x *exchange) datagrams(ctx context.Context, p *peer) {
	conn, err := x.r.Dial(ctx, "udp", p.server.String())
	if err != nil {
		x.post(ctx, event{peer: p, err: err})
		return
	}
	defer conn.Close()
	defer expire(ctx, conn)()
	if _, err := conn.Write(p.edns.wire); err != nil {
		x.post(ctx, event{peer: p, err: err})
		return
	}
	x.post(ctx, event{peer: p, conn: conn})
	x.listen(ctx, p, conn)
}

// listen reads datagrams and tells of those that are replies. When too many
// are not, somebody is guessing the ID: nothing more is believed that comes
// to this socket (RFC 5452 §9.3).
func (x *exchange) listen(ctx context.Context, p *peer, conn net.Conn) {
	buf := x.r.buffer()
	defer x.r.buffers.Put(buf)
	for misses := 0; misses < maxMisses && ctx.Err() == nil; {
		n, err := conn.Read(buf[:])
		if err != nil {
			x.post(ctx, event{peer: p, err: err})
			return
		}
		if e := p.judge(buf[:n]); e.verdict != alien {
			x.post(ctx, e)
		} else {
			misses++
		}
	}
	x.post(ctx, event{peer: p, verdict: alien})
}

// judge reads a datagram as a reply to either form of the query.
func (p *peer) judge(b []byte) event {
	m, v := p.edns.judge(b)
	if v != alien || !p.plain.Load() {
		return event{peer: p, message: m, verdict: v, edns: true}
	}
	m, v = p.bare.judge(b)
	return event{peer: p, message: m, verdict: v}
}

// streamed puts the question over a stream of its own and tells how that ended.
func (x *exchange) streamed(ctx context.Context, p *peer) {
	m, err := x.roundTrip(ctx, p.server)
	x.post(ctx, event{peer: p, stream: true, message: m, verdict: whole, err: err})
}

// roundTrip asks a server over TCP (RFC 1035 §4.2.2), without EDNS, which has
// nothing to add to a stream. Messages that are no reply are skipped.
func (x *exchange) roundTrip(ctx context.Context, server netip.AddrPort) (message, error) {
	q, err := newQuestion(x.name, x.qtype, false)
	if err != nil {
		return message{}, err
	}
	conn, err := x.r.Dial(ctx, "tcp", server.String())
	if err != nil {
		return message{}, err
	}
	defer conn.Close()
	defer expire(ctx, conn)()
	frame := binary.BigEndian.AppendUint16(nil, uint16(len(q.wire)))
	if _, err := conn.Write(append(frame, q.wire...)); err != nil {
		return message{}, err
	}
	buf := x.r.buffer()
	defer x.r.buffers.Put(buf)
	for ctx.Err() == nil {
		b, err := readFrame(conn, buf)
		if err != nil {
			return message{}, err
		}
		switch m, v := q.judge(b); v {
		case whole:
			return m, nil
		case mute, cut:
			return message{}, errMalformed
		}
	}
	return message{}, ctx.Err()
}

// readFrame reads one message with its length before it.
func readFrame(conn io.Reader, buf *[maxMessage]byte) ([]byte, error) {
	if _, err := io.ReadFull(conn, buf[:2]); err != nil {
		return nil, err
	}
	b := buf[:binary.BigEndian.Uint16(buf[:])]
	_, err := io.ReadFull(conn, b)
	return b, err
}

// expire lets the context's end interrupt reads and writes of a socket, by a
// deadline in the past. The function it gives ends that, and waits for it.
func expire(ctx context.Context, conn net.Conn) (release func()) {
	done := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(done)
		if conn.SetDeadline(time.Unix(1, 0)) != nil {
			_ = conn.Close() // it knows no deadlines, or is closed already
		}
	})
	return func() {
		if !stop() {
			<-done
		}
	}
}

// buffer gives room for any message.
func (r *Resolver) buffer() *[maxMessage]byte {
	if buf, ok := r.buffers.Get().(*[maxMessage]byte); ok {
		return buf
	}
	return new([maxMessage]byte)
}
