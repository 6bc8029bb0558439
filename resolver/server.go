package resolver

import (
	"bytes"
	"context"
	"crypto/rand"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

const (
	hedgeDelay = 200 * time.Millisecond // silence after which the next server is asked, if nothing is known
	shortHedge = 50 * time.Millisecond  // its bounds, if the server's latency is known
	longHedge  = 250 * time.Millisecond
	safeHedge  = 2 * time.Second // before a plain server is asked after an encrypted one

	plainTime  = 10 * time.Minute // for which trouble with EDNS is remembered
	doubtTime  = time.Minute      // for which a near miss is
	firstProbe = 5 * time.Second  // before a quiet server is tried again; doubles
	lastProbe  = time.Minute
)

// An endpoint is where a server is, and the name it has to prove over TLS;
// without one it is asked in the clear.
type endpoint struct {
	addr netip.AddrPort
	name string
}

// A server is what is remembered of one name server, and its sockets.
type server struct {
	endpoint
	r *Resolver

	gathering atomic.Pointer[link] // whose queries are about to be sent together

	mu      sync.Mutex
	pool    [poolSize]*link // of UDP
	flow    *link           // the stream in use
	opening *opening        // of a stream
	srtt    time.Duration   // smoothed latency; zero: unknown
	quiet   bool            // the last that is known is that it did not answer
	probe   time.Time       // when to try again, if quiet
	backoff time.Duration
	plain   time.Time // until when EDNS is left out
	doubt   time.Time // until when near misses are remembered
	misses  int

	local  netip.Addr // which the cookie is for
	cookie []byte     // the client's part and, once known, the server's
}

// heard notes a server's latency.
func (s *server) heard(rtt time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	rtt = max(rtt, time.Microsecond)
	if s.srtt == 0 {
		s.srtt = rtt
	} else {
		s.srtt += (rtt - s.srtt) / 8
	}
	s.quiet, s.backoff = false, 0
}

// silent notes that a server has not answered for so long, or cannot be
// reached.
func (s *server) silent(waited time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.srtt != 0 && waited > s.srtt {
		s.srtt += (waited - s.srtt) / 8
	}
	if !s.quiet {
		s.quiet = true
		s.postpone()
	}
}

// postpone puts the next trial of a quiet server off.
func (s *server) postpone() {
	s.backoff = min(max(2*s.backoff, firstProbe), lastProbe)
	s.probe = time.Now().Add(s.backoff)
}

// due tells whether a quiet server is to be tried now, by a copy of a query.
func (s *server) due(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.quiet || now.Before(s.probe) {
		return false
	}
	s.postpone()
	return true
}

// hedge gives how long to wait for a server before the next is asked. One that
// would be asked in the clear has to wait longer for one that is not.
func (s *server) hedge(next []*server) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.name != "" && len(next) > 0 && next[0].name == "":
		return safeHedge
	case s.srtt == 0:
		return hedgeDelay
	}
	return min(max(3*s.srtt, shortHedge), longHedge)
}

// rank gives a server's place among others, the least first: encrypted ones,
// then those that answer, by latency in powers of two, equals over IPv6 first (RFC
// 8305 §3.1).
func (s *server) rank() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	rank := 0
	if s.name == "" {
		rank = 200
	}
	if s.addr.Addr().Unmap().Is4() {
		rank++
	}
	if s.quiet {
		return rank + 100
	}
	srtt := s.srtt
	if srtt == 0 {
		srtt = hedgeDelay / 2
	}
	for ; srtt > 8*time.Millisecond; srtt /= 2 {
		rank += 2
	}
	return rank
}

// avoids tells whether EDNS is left out.
func (s *server) avoids(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return now.Before(s.plain)
}

// ednsFails notes that a server has answered without EDNS, and did not with it.
func (s *server) ednsFails(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.plain = now.Add(plainTime)
}

// missed notes a datagram that does not fit: somebody may be guessing.
func (s *server) missed(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now.After(s.doubt) {
		s.misses = 0
	}
	s.misses++
	s.doubt = now.Add(doubtTime)
}

// doubtful tells how many misses there were of late.
func (s *server) doubtful() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.misses == 0 || time.Now().After(s.doubt) {
		return 0
	}
	return s.misses
}

// bake gives the cookie for a query from an address. A client's part is for
// one address of its own and one server (RFC 9018 §3).
func (s *server) bake(local netip.Addr) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cookie == nil || s.local != local {
		s.cookie, s.local = make([]byte, clientCookie), local
		_, _ = rand.Read(s.cookie) // cannot fail
	}
	return s.cookie
}

// learn keeps the cookie of a genuine reply.
func (s *server) learn(cookie []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(cookie) <= clientCookie || bytes.Equal(cookie, s.cookie) {
		return
	}
	if s.cookie != nil && bytes.Equal(cookie[:clientCookie], s.cookie[:clientCookie]) {
		s.cookie = cookie
	}
}

// forgetCookie gives the server's part up: over a stream, which nobody else
// can speak on, it has answered without one.
func (s *server) forgetCookie() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cookie = nil
}

// cookies tells whether the server's part is known.
func (s *server) cookies() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.cookie) > clientCookie
}

// dial makes a socket to the server.
func (s *server) dial(ctx context.Context, network string) (net.Conn, error) {
	conn, err := s.r.Dial(ctx, network, s.addr.String())
	if err != nil || network == "udp" {
		return conn, err
	}
	if conn = promptly(conn); s.name == "" {
		return conn, nil
	}
	return s.r.handshake(ctx, conn, s.name)
}
