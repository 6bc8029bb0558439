package main

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/go-mif/mif/examples/internal/exampletest"
	"github.com/go-mif/mif/miftest"
)

// honest answers a request for one octet as a server with ranges does.
func honest(w http.ResponseWriter, r *http.Request, body []byte) bool {
	s := asks(r)
	if s != (span{0, 1}) {
		return false
	}
	w.Header().Set("Digest", "SHA-256="+base64.StdEncoding.EncodeToString(make([]byte, 32)))
	partial(w, fmt.Sprintf("bytes 0-0/%d", len(body)), `"one"`, body[:1])
	return true
}

// A server that says one thing and does another: the download fails, tells why, and
// leaves no file.
func TestLies(t *testing.T) {
	t.Parallel()
	body := content(300 << 10)
	size := int64(len(body))
	for says, handle := range map[string]func(w http.ResponseWriter, s span){
		`now it is "two"`: func(w http.ResponseWriter, s span) {
			partial(w, fmt.Sprintf("bytes %d-%d/%d", s.at, s.end-1, size), `"two"`, body[s.at:s.end])
		},
		"now it has 307201": func(w http.ResponseWriter, s span) {
			partial(w, fmt.Sprintf("bytes %d-%d/%d", s.at, s.end-1, size+1), `"one"`, body[s.at:s.end])
		},
		"asked for octets 0 to 307199, it sent 1 to 307199": func(w http.ResponseWriter, s span) {
			partial(w, fmt.Sprintf("bytes %d-%d/%d", s.at+1, s.end-1, size), `"one"`, body[s.at+1:s.end])
		},
		"now it has sha-256 ": func(w http.ResponseWriter, s span) {
			w.Header().Set("Digest", "SHA-256="+base64.StdEncoding.EncodeToString(append(make([]byte, 31), 1)))
			partial(w, fmt.Sprintf("bytes %d-%d/%d", s.at, s.end-1, size), `"one"`, body[s.at:s.end])
		},
		"it sent all": func(w http.ResponseWriter, _ span) { w.Write(body) },
		`"bytes */*" is no Content-Range`: func(w http.ResponseWriter, s span) {
			partial(w, "bytes */*", `"one"`, body[s.at:s.end])
		},
		"it sends 5 octets for 0 to 307199": func(w http.ResponseWriter, s span) {
			partial(w, fmt.Sprintf("bytes %d-%d/%d", s.at, s.end-1, size), `"one"`, body[:5])
		},
		"it does not send the last 100": func(w http.ResponseWriter, s span) {
			chunked(w, s, size, body[s.at:s.end-100])
		},
		"it sends more than octets": func(w http.ResponseWriter, s span) {
			chunked(w, s, size, append(body[s.at:s.end:s.end], "more"...))
		},
		"it does not have 0 to 307199": func(w http.ResponseWriter, _ span) { w.WriteHeader(http.StatusRequestedRangeNotSatisfiable) },
		`the server says "503`:         func(w http.ResponseWriter, _ span) { w.WriteHeader(http.StatusServiceUnavailable) },
	} {
		t.Run(says, func(t *testing.T) {
			t.Parallel()
			n := miftest.New(t)
			u := exampletest.AddUplink(t, n, 0)
			serve(t, u, &server{handle: func(w http.ResponseWriter, r *http.Request) {
				if !honest(w, r, body) {
					handle(w, asks(r))
				}
			}})
			start(t, n.Host()).end(says)
		})
	}
}

// chunked answers without telling the length beforehand.
func chunked(w http.ResponseWriter, s span, size int64, body []byte) {
	w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", s.at, s.end-1, size))
	w.Header().Set("ETag", `"one"`)
	w.WriteHeader(http.StatusPartialContent)
	w.(http.Flusher).Flush()
	w.Write(body)
}

// First answers that are of no use.
func TestRefused(t *testing.T) {
	t.Parallel()
	body := content(1000)
	for says, handle := range map[string]http.HandlerFunc{
		`the server says "404 Not Found"`: http.NotFound,
		"it sent 1 to 1": func(w http.ResponseWriter, _ *http.Request) {
			partial(w, "bytes 1-1/1000", `"one"`, body[1:2])
		},
		"cut off after 500 of 1000 octets": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			w.Write(body[:500])
		},
		"file too large": func(w http.ResponseWriter, _ *http.Request) {
			partial(w, "bytes 0-0/4611686018427387903", `"one"`, body[:1])
		},
	} {
		t.Run(says, func(t *testing.T) {
			t.Parallel()
			n := miftest.New(t)
			serve(t, exampletest.AddUplink(t, n, 0), &server{handle: handle})
			start(t, n.Host()).end(says)
		})
	}
}

// A server that shuts up, one that is not there, and a host without domains.
func TestNobody(t *testing.T) {
	t.Parallel()
	n := miftest.New(t)
	u := exampletest.AddUplink(t, n, 0)
	start(t, n.Host()).end("network is unreachable")
	start(t, n.Host(), "-pvd", "eth9", "-wait", "1ms").end(`no provisioning domain "eth9"`)
	serve(t, u, &server{body: content(1000), gate: make(chan struct{})})
	start(t, n.Host(), "-stall", "100ms").end("nothing came for too long")
	other := exampletest.AddUplink(t, n, 1)
	s := serve(t, other, &server{body: content(200_000), gate: make(chan struct{}), first: 100_000})
	j := start(t, n.Host(), "-pvd", "eth1", "-wait", "2s")
	s.await()
	must(t, other.CablePull())
	j.end("no domain has come after ")
}

// Two uplinks with different files behind one name do not become one file: that of the
// first answer is taken, and the other uplink left out.
func TestDifferent(t *testing.T) {
	t.Parallel()
	n := miftest.New(t)
	gate := make(chan struct{}) // so that none has all before the other has begun
	bodies := map[string][]byte{}
	var both []*server
	for i, u := range exampletest.Uplinks(t, n, 2) {
		body := append([]byte(u.PvD), content(2<<20)...)
		bodies[u.PvD] = body
		both = append(both, serve(t, u, &server{body: body, gate: gate, first: 1, etag: fmt.Sprintf(`"%d"`, i)}))
	}
	j := start(t, n.Host())
	for _, s := range both {
		s.await()
	}
	close(gate)
	j.end("")
	left := map[bool]line{}
	for _, l := range j.lines("Left") {
		left[l.Err == ""] = l
	}
	if out := left[false]; out.Octets == nil || *out.Octets != 0 || !strings.Contains(out.Err, "(ETag)") {
		t.Errorf("%+v", out)
	}
	j.whole(bodies[left[true].PvD])
}

// A domain with the page of a captive portal in place of the rest is left out.
func TestPortal(t *testing.T) {
	t.Parallel()
	n := miftest.New(t)
	all := exampletest.Uplinks(t, n, 2)
	body, gate := content(2<<20), make(chan struct{})
	a := serve(t, all[0], &server{body: body, gate: gate, first: 1})
	asked := make(chan struct{}, 100)
	serve(t, all[1], &server{handle: func(w http.ResponseWriter, r *http.Request) {
		if asks(r) == (span{0, 1}) {
			partial(w, fmt.Sprintf("bytes 0-0/%d", len(body)), `"one"`, body[:1])
			return
		}
		w.Write([]byte("<title>Welcome</title>"))
		asked <- struct{}{}
	}})
	j := start(t, n.Host())
	a.await()
	<-asked
	close(gate)
	j.end("")
	j.whole(body)
	for _, l := range j.lines("Left") {
		if out := strings.Contains(l.Err, "it sent all"); out != (l.PvD == all[1].PvD) {
			t.Errorf("%+v", l)
		}
	}
}
