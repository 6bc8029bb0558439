package resolver

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"time"
)

const (
	maxDatagram = 4096 // octets; a longer reply is to be had over TCP
	maxStray    = 1000 // messages in a row that do not fit, after which a stream is given up
)

// leave ends a waiter's wait. Its ID stays used on a UDP socket, so that a late
// reply is not taken for a forged one.
func (l *link) leave(w *waiter) {
	l.mu.Lock()
	defer l.mu.Unlock()
	w.x, w.peer = nil, nil
	if l.stream {
		delete(l.waiting, w.id)
	}
}

// read reads replies until the socket ends or is not to be believed any more.
func (l *link) read() {
	var err error
	if l.stream {
		err = l.frames()
	} else {
		err = l.datagrams()
	}
	if errors.Is(err, errSpoofed) {
		l.server.drop(l)
		l.shut()
		l.tell(event{verdict: alien})
		return
	}
	l.fail(err)
}

// datagrams reads a UDP socket. One that fills the room may have been longer.
func (l *link) datagrams() error {
	if l.port != nil {
		if err := l.port.read(l.datagram); err != nil {
			return err
		}
		return errSpoofed
	}
	buf := make([]byte, maxDatagram)
	for {
		n, err := l.conn.Read(buf)
		if err != nil {
			return err
		}
		if !l.datagram(buf[:n], n == len(buf)) {
			return errSpoofed
		}
	}
}

// datagram delivers one datagram. Of one that is cut, be it for its length or
// because it came in fragments, which can be forged without a guess (RFC 5452
// §4.4 does not know them; RFC 8900 §3.7 does), nothing counts but that it came:
// the reply is to be had over TCP.
func (l *link) datagram(b []byte, cut bool) bool {
	if cut && len(b) >= headerLen {
		b[2] |= flagTC >> 8
	}
	return l.deliver(b)
}

func (l *link) frames() error {
	in := bufio.NewReader(l.conn)
	buf := l.server.r.buffer()
	defer l.server.r.buffers.Put(buf)
	for {
		b, err := readFrame(in, buf)
		if err != nil {
			return err
		}
		if !l.deliver(b) {
			return errMalformed
		}
	}
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

// deliver takes a message to the one who waits for it, and tells whether the
// link is still to be believed. When too many messages are no reply, somebody
// is guessing the ID (RFC 5452 §9.3).
func (l *link) deliver(b []byte) bool {
	w, q := l.awaited(b)
	if w == nil {
		return l.miss()
	}
	m, v := q.judge(b)
	if v == alien {
		return l.miss()
	}
	l.settle(w, m, v)
	return true
}

// awaited gives the waiter a message is for, by its ID.
func (l *link) awaited(b []byte) (*waiter, *question) {
	if len(b) < headerLen {
		return nil, nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	w := l.waiting[binary.BigEndian.Uint16(b)]
	if w == nil {
		return nil, nil
	}
	return w, &w.question
}

// miss counts a message that is no reply.
func (l *link) miss() bool {
	l.mu.Lock()
	l.misses++
	misses := l.misses
	l.mu.Unlock()
	if l.stream {
		return misses < maxStray
	}
	l.server.missed(time.Now())
	return misses < maxMisses
}

// settle tells a waiter of a reply: once of each kind, so that copies cost
// nothing. It tells the server's latency, also if the exchange has ended.
func (l *link) settle(w *waiter, m message, v verdict) {
	kind := uint8(1) << v
	if v == whole && !m.conclusive() {
		kind = 1 << 7
	}
	first, news := l.note(w, kind)
	if !news {
		return
	}
	if first > 0 {
		l.server.heard(first)
	}
	l.server.learn(m.cookie)
	l.mu.Lock()
	defer l.mu.Unlock()
	if w.x != nil {
		w.x.events.put(event{peer: w.peer, waiter: w, message: m, verdict: v})
	}
}

// note notes a kind of reply and tells whether it is the first of that kind,
// and how long the very first took, if that can be told (RFC 6298 §3).
func (l *link) note(w *waiter, kind uint8) (first time.Duration, news bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stream {
		l.misses = 0
	}
	if w.told == 0 && !w.more {
		first = max(time.Since(w.sent), 1)
	}
	news = w.told&kind == 0
	w.told |= kind
	return first, news
}

// buffer gives room for any message.
func (r *Resolver) buffer() *[maxMessage]byte {
	if buf, ok := r.buffers.Get().(*[maxMessage]byte); ok {
		return buf
	}
	return new([maxMessage]byte)
}
