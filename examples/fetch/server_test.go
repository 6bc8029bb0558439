package main

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/go-mif/mif/examples/internal/exampletest"
)

// limit bounds what should never take long.
const limit = 30 * time.Second

// content is a file of some octets that look alike nowhere.
func content(size int) []byte {
	b := make([]byte, size)
	rand.NewChaCha8([32]byte{1}).Read(b)
	return b
}

func sum(b []byte) string {
	all := sha256.Sum256(b)
	return hex.EncodeToString(all[:])
}

// digests are those of some octets as RFC 9530 has them.
func digests(b []byte) string {
	small, large := sha256.Sum256(b), sha512.Sum512(b)
	return fmt.Sprintf("unixsum=:AA==:, sha-512=:%s:, sha-256=:%s:",
		base64.StdEncoding.EncodeToString(large[:]), base64.StdEncoding.EncodeToString(small[:]))
}

// A server has a file behind an uplink.
type server struct {
	t      *testing.T
	body   []byte
	etag   string
	digest string           // Repr-Digest
	handle http.HandlerFunc // in place of the file, if not nil

	gate   chan struct{} // until it is closed, no answer goes further than first octets
	first  int
	waits  chan struct{} // closed when an answer has come to the gate
	waited sync.Once

	mu    sync.Mutex
	peers []netip.AddrPort // of requests for more than one octet
}

func serve(t *testing.T, u *exampletest.Uplink, s *server) *server {
	t.Helper()
	l, err := u.Listen(netip.AddrPortFrom(exampletest.Target, 80))
	must(t, err)
	s.t, s.waits = t, make(chan struct{})
	if s.etag == "" {
		s.etag = `"one"`
	}
	web := &http.Server{Handler: s}
	go web.Serve(l)
	t.Cleanup(func() { web.Close() })
	return s
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Range") != "bytes=0-0" {
		s.mu.Lock()
		s.peers = append(s.peers, netip.MustParseAddrPort(r.RemoteAddr))
		s.mu.Unlock()
	}
	if s.handle != nil {
		s.handle(w, r)
		return
	}
	w.Header().Set("ETag", s.etag)
	w.Header().Set("Repr-Digest", s.digest)
	if s.gate != nil {
		w = &gated{ResponseWriter: w, server: s, request: r}
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(s.body))
}

// A gated answer stops at the server's gate.
type gated struct {
	http.ResponseWriter
	server  *server
	request *http.Request
	sent    int
	open    bool
}

func (g *gated) Write(b []byte) (int, error) {
	room := max(g.server.first-g.sent, 0)
	if g.open || room >= len(b) {
		g.sent += len(b)
		return g.ResponseWriter.Write(b)
	}
	n, err := g.ResponseWriter.Write(b[:room])
	if err != nil {
		return n, err
	}
	g.ResponseWriter.(http.Flusher).Flush()
	g.server.waited.Do(func() { close(g.server.waits) })
	select {
	case <-g.server.gate:
	case <-g.request.Context().Done():
		return n, g.request.Context().Err()
	}
	g.open = true
	rest, err := g.ResponseWriter.Write(b[n:])
	return n + rest, err
}

// asked tells how many requests there were, all from the right uplink.
func (s *server) asked(u *exampletest.Uplink) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.peers {
		if !u.Peer.Contains(p.Addr()) {
			s.t.Errorf("a request came from %v, not %v", p, u.Peer)
		}
	}
	return len(s.peers)
}

// await waits for an answer that has come to the gate.
func (s *server) await() {
	s.t.Helper()
	select {
	case <-s.waits:
	case <-time.After(limit):
		s.t.Fatal("no request has come")
	}
}

// partial answers with part of a file, as it is told.
func partial(w http.ResponseWriter, contentRange, etag string, body []byte) {
	w.Header().Set("Content-Range", contentRange)
	w.Header().Set("ETag", etag)
	w.WriteHeader(http.StatusPartialContent)
	w.Write(body)
}

// asks tells which octets a request is for.
func asks(r *http.Request) (s span) {
	fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-%d", &s.at, &s.end)
	s.end++
	return s
}
