package dhcp

import (
	"crypto/rand"
	"net/netip"
	"time"
)

const (
	maxDelay = time.Second // before the first message (INF_MAX_DELAY, RFC 8415 section 7.6)
	patience = time.Minute // for which an answer is waited after a message

	// DHCPv4: RFC 2131 section 4.1, and section 4.4.3 for how often.
	firstWait4 = 4 * time.Second
	jitter4    = time.Second
	tries4     = 4
	again4     = time.Hour      // when to ask anew, answered or not
	believed4  = 24 * time.Hour // how long an answer counts

	// DHCPv6: RFC 8415 sections 7.6, 15 and 21.23.
	firstWait6     = time.Second         // INF_TIMEOUT
	infMaxRT       = time.Hour           // INF_MAX_RT
	defaultRefresh = 86400 * time.Second // IRT_DEFAULT; it is also the most that is believed
	leastRefresh   = 600 * time.Second   // IRT_MINIMUM
)

// An exchange is what goes on about one Question. It does nothing by itself: it is
// told the time, and what came.
type exchange struct {
	Question
	random func() float64 // in [0, 1)

	xid   uint32
	began time.Time     // when this transaction's first message was sent
	sent  int           // messages of this transaction; 0: none yet
	wait  time.Duration // after the last of them
	next  time.Time     // when to send the next message
	until time.Time     // an answer is waited for until then; zero: none is
	maxRT time.Duration // DHCPv6

	answer *reply    // nil: none that counts
	expiry time.Time // of the answer
}

func newExchange(q Question, now time.Time, random func() float64) *exchange {
	e := &exchange{Question: q, random: random, maxRT: infMaxRT}
	e.next = now.Add(e.upTo(maxDelay))
	return e
}

// upTo is a random time in [0, d).
func (e *exchange) upTo(d time.Duration) time.Duration { return time.Duration(e.random() * float64(d)) }

// around is a random time in [-d, d).
func (e *exchange) around(d time.Duration) time.Duration { return e.upTo(2*d) - d }

// message is the message that is due, if one is.
func (e *exchange) message(now time.Time) (d datagram, due bool) {
	if now.Before(e.next) {
		return d, false
	}
	if e.sent == 0 {
		e.began, e.xid = now, e.newTransaction()
	}
	e.sent++
	elapsed := now.Sub(e.began)
	e.until = now.Add(patience)
	if e.From.Is4() {
		e.schedule4(now)
		d.from, d.to = netip.AddrPortFrom(e.From, client4), netip.AddrPortFrom(netip.AddrFrom4([4]byte{255, 255, 255, 255}), server4)
		d.payload = e.inform(e.xid, uint16(elapsed/time.Second))
	} else {
		e.schedule6(now)
		d.from, d.to = netip.AddrPortFrom(e.From, client6), netip.AddrPortFrom(allServers, server6)
		d.payload = informationRequest(e.xid, elapsed)
	}
	return d, true
}

// allServers is All_DHCP_Relay_Agents_and_Servers (RFC 8415 section 7.1).
var allServers = netip.MustParseAddr("ff02::1:2")

// newTransaction is a number that nobody guesses.
func (e *exchange) newTransaction() uint32 {
	var b [4]byte
	rand.Read(b[:])
	if e.From.Is4() {
		return network.Uint32(b[:])
	}
	return network.Uint32(b[:]) >> 8
}

// schedule4 doubles the wait with each message, and begins anew after the last.
func (e *exchange) schedule4(now time.Time) {
	if e.sent == tries4 {
		e.sent = 0
		e.next = now.Add(again4 + e.upTo(maxDelay))
		return
	}
	e.next = now.Add(firstWait4<<(e.sent-1) + e.around(jitter4))
}

// schedule6 doubles the wait with each message, up to INF_MAX_RT.
func (e *exchange) schedule6(now time.Time) {
	base := 2 * e.wait
	if e.sent == 1 {
		base, e.wait = firstWait6, firstWait6
	}
	e.wait = base + e.around(e.wait/10)
	if e.wait > e.maxRT {
		e.wait = e.maxRT + e.around(e.maxRT/10)
	}
	e.next = now.Add(e.wait)
}

// hear takes a datagram that came by the Question's interface, and tells whether it
// was the answer.
func (e *exchange) hear(d *datagram, now time.Time) bool {
	if !e.waits(now) {
		return false
	}
	r, ok := e.decode(d)
	if !ok || r.xid != e.xid {
		return false
	}
	if r.maxRT != 0 {
		e.maxRT = r.maxRT
	}
	if r.refused {
		return false
	}
	var fresh time.Duration
	fresh, e.expiry = e.lifetime(r, now)
	e.answer, e.until, e.sent = r, time.Time{}, 0
	e.next = now.Add(fresh + e.upTo(maxDelay))
	return true
}

// decode understands what a server sends to a client's port.
func (e *exchange) decode(d *datagram) (*reply, bool) {
	switch {
	case d.from.Addr().Is4() != e.From.Is4():
	case e.From.Is4() && d.from.Port() == server4 && d.to.Port() == client4:
		return e.hears4(d)
	case !e.From.Is4() && d.to.Port() == client6: // a server may send from any port
		return e.hears6(d)
	}
	return nil, false
}

// lifetime is for how long a reply is fresh, and when it ceases to count.
func (e *exchange) lifetime(r *reply, now time.Time) (fresh time.Duration, expiry time.Time) {
	if e.From.Is4() {
		return again4, now.Add(believed4)
	}
	refresh := min(max(r.refresh, leastRefresh), defaultRefresh)
	return refresh / 8 * 7, now.Add(refresh)
}

// waits tells whether an answer is waited for.
func (e *exchange) waits(now time.Time) bool { return now.Before(e.until) }

// expire forgets an answer that no longer counts, and tells whether it did.
func (e *exchange) expire(now time.Time) bool {
	if e.answer == nil || now.Before(e.expiry) {
		return false
	}
	e.answer = nil
	return true
}

// wake is when something is to be done next.
func (e *exchange) wake(now time.Time) time.Time {
	t := e.next
	if e.answer != nil && e.expiry.Before(t) {
		t = e.expiry
	}
	if e.waits(now) && e.until.Before(t) {
		t = e.until
	}
	return t
}

// said is the answer as it is told.
func (e *exchange) said() Answer {
	element := e.Element()
	source := element.String() + " " + e.answer.server.String()
	return Answer{Question: e.Question, Configuration: e.answer.configuration(element, source, e.expiry)}
}
