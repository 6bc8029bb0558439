package resolver

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"runtime"
	"sync"
	"syscall"
	"time"
)

const (
	writeTime = 100 * time.Millisecond // for one query to a stream
	maxRefs   = 1 << 14                // exchanges on one stream
)

// A link is a connected socket to a server that several queries share. A
// reference is taken when it is picked; when it is retired and the last one is
// given back, it is closed. One goroutine reads it.
type link struct {
	server *server
	conn   net.Conn
	port   *port // of conn, if it has one
	stream bool
	local  netip.Addr
	timer  *time.Timer

	sending sync.Mutex // keeps queries in order

	mu      sync.Mutex
	waiting map[uint16]*waiter // by ID; on a UDP socket those that have left too
	out     []*waiter          // whose queries are to be sent, by the first one's asker
	spare   []*waiter          // room for the next ones
	refs    int
	uses    int
	misses  int
	used    time.Time // when the last reference was given back
	retired bool
	dead    bool
}

// A waiter is a query on a link, as long as its exchange goes on.
type waiter struct {
	question
	link *link
	sent time.Time
	more bool // sent more than once

	x    *exchange // nil when the exchange has ended; guarded by the link
	peer *peer
	told uint8 // verdicts that were told, a bit for each
}

// newLink has one reference.
func newLink(s *server, conn net.Conn, stream bool) *link {
	l := &link{server: s, conn: conn, stream: stream, waiting: map[uint16]*waiter{}, refs: 1, uses: 1}
	if !stream {
		l.port = s.r.portOf(conn)
	}
	if a := conn.LocalAddr(); a != nil {
		if from, err := netip.ParseAddrPort(a.String()); err == nil {
			l.local = from.Addr()
		}
	}
	return l
}

// start starts the time a link has.
func (l *link) start() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.timer = time.AfterFunc(linkLife, l.expire)
}

// take takes a reference, unless the link is over, or has so many that there would be
// no free ID soon.
func (l *link) take() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.retired || l.dead || l.refs >= maxRefs {
		return false
	}
	l.refs++
	l.uses++
	return true
}

// worn retires a socket that has been used enough and tells so.
func (l *link) worn() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.retired = l.retired || l.uses >= maxUses
	return l.retired
}

// release gives a reference back.
func (l *link) release() {
	l.mu.Lock()
	l.refs--
	if l.stream {
		l.used = time.Now()
	}
	over := l.retired && l.refs == 0
	l.mu.Unlock()
	if over {
		l.shut()
	}
}

// retire ends a link's use for new queries.
func (l *link) retire() {
	l.mu.Lock()
	l.retired = true
	over := l.refs == 0
	l.mu.Unlock()
	if over {
		l.shut()
	}
}

// expire retires a UDP socket for its age, and a stream that is not used.
func (l *link) expire() {
	l.mu.Lock()
	left := linkLife
	if l.refs == 0 {
		left = time.Until(l.used.Add(linkLife))
	}
	if l.stream && left > 0 && !l.dead {
		l.timer.Reset(left)
		l.mu.Unlock()
		return
	}
	l.mu.Unlock()
	l.server.drop(l)
	l.retire()
}

// shut closes the socket, once.
func (l *link) shut() {
	l.mu.Lock()
	was := l.dead
	l.dead = true
	l.timer.Stop()
	l.mu.Unlock()
	if !was {
		_ = l.conn.Close()
		l.server.r.links.remove(l)
	}
}

// fail ends a link and tells all who wait.
func (l *link) fail(err error) {
	l.server.drop(l)
	l.shut()
	l.tell(event{err: err})
}

// tell leaves an event for all who wait.
func (l *link) tell(e event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, w := range l.waiting {
		if w.x != nil {
			e.peer, e.waiter = w.peer, w
			w.x.events.put(e)
		}
	}
}

// ask takes a query to be sent, with an ID that was not used on this socket. The
// waiter is told of replies from then on. The first one has to be flushed.
func (l *link) ask(w *waiter) (first bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	w.identify(l.server.r.entropy.uint16())
	for l.waiting[w.id] != nil {
		w.identify(l.server.r.entropy.uint16())
	}
	w.link, w.sent = l, time.Now()
	l.waiting[w.id] = w
	l.out = append(l.out, w)
	return len(l.out) == 1
}

// again takes a query to be sent once more.
func (l *link) again(w *waiter) (first bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	w.more = true
	l.out = append(l.out, w)
	return len(l.out) == 1
}

// flush sends the queries that are to be sent, after others under way have had a
// chance to add theirs: together they cost less. An error ends the link: what is
// wrong is so for all of them, and a stream may be left within a message.
func (l *link) flush() error {
	if l.server.r.asking.Load() > 1 {
		runtime.Gosched()
	}
	l.sending.Lock()
	defer l.sending.Unlock()
	defer l.server.gathering.CompareAndSwap(l, nil)
	l.mu.Lock()
	out := l.out
	l.out, l.spare = l.spare, nil
	l.mu.Unlock()
	err := l.write(out)
	clear(out)
	l.mu.Lock()
	l.spare = out[:0]
	l.mu.Unlock()
	if err != nil {
		l.fail(err)
	}
	return err
}

func (l *link) write(out []*waiter) (err error) {
	if l.port != nil {
		return l.port.write(out)
	}
	for i := 0; i < len(out) && err == nil; i++ {
		if err = l.writeOne(out[i].wire); !l.stream && noRoom(err) {
			err = nil
		}
	}
	return err
}

func (l *link) writeOne(wire []byte) error {
	if !l.stream {
		_, err := l.conn.Write(wire)
		return err
	}
	frame := make([]byte, 2, 2+len(wire))
	binary.BigEndian.PutUint16(frame, uint16(len(wire)))
	_ = l.conn.SetWriteDeadline(time.Now().Add(writeTime))
	_, err := l.conn.Write(append(frame, wire...))
	return err
}

// noRoom tells whether a datagram found no room on this host. It is lost then, as
// it could have been on its way, and is sent again in its time.
func noRoom(err error) bool {
	return errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.ENOBUFS)
}
