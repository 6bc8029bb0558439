package additional

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-mif/mif/miftest"
)

// Section 4.1: "an HTTP-over-TLS GET query to https://<PvD-ID>/.well-known/pvd"; "Clients
// SHOULD include this media type as an Accept header field". Section 7: "SHOULD NOT include
// any privacy-sensitive data, such as a User-Agent header field or an HTTP cookie."
func TestSection4_1Request(t *testing.T) {
	for _, name := range []string{"HTTPS_PROXY", "https_proxy", "ALL_PROXY"} {
		t.Setenv(name, "http://192.0.2.1:3128")
	}
	w := newWeb(t)
	w.serve(home, w.says(status("200 OK", "Content-Type: application/pvd+json", "Set-Cookie: a=b")+good), home)
	for range 2 {
		if id, _, err := w.fetch(); err != nil || id != home {
			t.Fatalf("%q, %v", id, err)
		}
	}
	want := "GET /.well-known/pvd HTTP/1.1\nHost: cafe.example.com\nConnection: close\nAccept: application/pvd+json"
	if !slices.Equal(w.heard, []string{want, want}) {
		t.Errorf("%q", w.heard)
	}
}

// Section 4.1: "it MUST verify that the TLS server certificate is valid for the performed
// request, specifically, that a DNS-ID on the certificate is equal to the PvD ID expressed
// as an FQDN"; "If this validation fails, hosts MUST close the connection". Section 4.4:
// "Hosts MUST validate the TLS server certificate".
func TestSection4_1Certificate(t *testing.T) {
	for name, c := range map[string]struct {
		names []string
		ok    bool
	}{
		"the name":          {[]string{home}, true},
		"in capitals":       {[]string{"CAFE.example.com"}, true},
		"among others":      {[]string{"www.example.com", home}, true},
		"another":           {[]string{"www.example.com"}, false},
		"the parent":        {[]string{"example.com"}, false},
		"a wildcard":        {[]string{"*.example.com"}, false},
		"a wildcard and it": {[]string{"*.example.com", home}, true},
		"none":              {nil, false},
	} {
		w := newWeb(t)
		w.serve(home, w.says(ok(good)), c.names...)
		id, again, err := w.fetch()
		if (err == nil) != c.ok || again || (id == home) != c.ok || !c.ok && len(w.heard) > 0 {
			t.Errorf("%s: %q, again %v, %v, heard %q", name, id, again, err, w.heard)
		}
	}
	w := newWeb(t)
	w.serve(home, w.says(ok(good)), home)
	other, err := miftest.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	w.Roots = other.Roots()
	if id, again, err := w.fetch(); err == nil || again || len(w.heard) > 0 {
		t.Errorf("an authority that is not believed: %q, %v, %v", id, again, err)
	}
}

// RFC 9325 section 3.1.1: nothing below TLS 1.2.
func TestOldTLS(t *testing.T) {
	for most, want := range map[uint16]bool{tls.VersionTLS10: false, tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} {
		w := newWeb(t)
		cert, err := w.authority.Certify(home)
		if err != nil {
			t.Fatal(err)
		}
		w.listen(home, func(c net.Conn) {
			w.says(ok(good))(tls.Server(c, &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS10, MaxVersion: most}))
		})
		if id, again, err := w.fetch(); (err == nil) != want || again {
			t.Errorf("%s: %q, %v, %v", tls.VersionName(most), id, again, err)
		}
	}
}

// Section 4.1: "greater than or equal to 400 [...] consider that there is no PvD Additional
// Information"; "between 200 and 299, inclusive, the response is expected to be a single
// JSON object".
func TestSection4_1Status(t *testing.T) {
	typ := "Content-Type: application/pvd+json"
	for text, want := range map[string]bool{
		ok(good):                          true,
		status("203 X", typ) + good:       true,
		status("299 X", typ) + good:       true,
		status("100 Continue") + ok(good): true,
		status("200 OK", "Content-Type: application/pvd+json; charset=utf-8") + good:                                true,
		status("200 OK", typ, "Transfer-Encoding: chunked") + fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(good), good): true,
		strings.Repeat(status("103 Early"), 9) + ok(good):                                                           false,
		status("204 No Content", typ):                             false,
		status("400 X", typ) + good:                               false,
		status("404 X", typ) + good:                               false,
		status("503 X", typ) + good:                               false,
		status("600 X", typ) + good:                               false,
		status("300 X", typ) + good:                               false, // nowhere to go
		status("304 X", typ) + good:                               false,
		status("200 OK") + good:                                   false,
		status("200 OK", "Content-Type: text/html") + good:        false,
		status("200 OK", "Content-Type: application/json") + good: false,
		ok(good + good):                                           false,
		ok("<html>"):                                              false,
		ok(""):                                                    false,
		"":                                                        false,
		"SSH-2.0-x\r\n":                                           false,
		status("200 OK", typ, "Content-Length: 9000") + good:                           false,
		ok(`{` + least + `,"x":"` + strings.Repeat("a", maxOctets) + `"}`):             false,
		status("200 OK", typ, "X: "+strings.Repeat("a", maxHeader+3*maxOctets)) + good: false,
	} {
		w := newWeb(t)
		w.serve(home, w.says(text), home)
		if id, again, err := w.fetch(); (err == nil) != want || again || len(w.heard) != 1 {
			t.Errorf("%.200q: %q, again %v, %v, heard %d", text, id, again, err, len(w.heard))
		}
	}
}

// Section 4.1: "between 300 and 399, inclusive, it MUST follow the redirection(s)": by
// HTTPS, to hosts that prove their names, and not for ever.
func TestSection4_1Redirections(t *testing.T) {
	to := func(s string) string { return status("302 Found", "Location: "+s) }
	for name, c := range map[string]struct {
		home, other string
		names       []string // of the other's certificate
		ok          bool
		heard       int
	}{
		"to another host":          {to("https://other.example/a?b=c"), ok(good), []string{"other.example"}, true, 2},
		"by 300":                   {status("300 X", "Location: https://other.example/"), ok(good), []string{"other.example"}, true, 2},
		"by 308":                   {status("308 X", "Location: //other.example/"), ok(good), []string{"other.example"}, true, 2},
		"with a wildcard":          {to("https://other.example/"), ok(good), []string{"*.example", "other.example"}, true, 2},
		"without a certificate":    {to("https://other.example/"), ok(good), []string{home}, false, 1},
		"to a failure":             {to("https://other.example/"), status("404 X"), []string{"other.example"}, false, 2},
		"in the clear":             {to("http://other.example/"), ok(good), []string{"other.example"}, false, 1},
		"to another scheme":        {to("file:///etc/passwd"), ok(good), []string{"other.example"}, false, 1},
		"with a password":          {to("https://me:secret@other.example/"), ok(good), []string{"other.example"}, false, 1},
		"to nothing that can be":   {to("https://%zz/"), ok(good), []string{"other.example"}, false, 1},
		"in a circle":              {to("/.well-known/pvd"), ok(good), nil, false, maxRedirects + 1},
		"there and back, for ever": {to("https://other.example/"), to("https://cafe.example.com/.well-known/pvd"), []string{"other.example"}, false, maxRedirects + 1},
	} {
		w := newWeb(t)
		w.serve(home, w.says(c.home), home)
		w.serve("other.example", w.says(c.other), c.names...)
		if _, again, err := w.fetch(); (err == nil) != c.ok || again || len(w.heard) != c.heard {
			t.Errorf("%s: again %v, %v, heard %q", name, again, err, w.heard)
		}
	}
}

// Who cannot be reached, or is silent, may be tried again.
func TestSilence(t *testing.T) {
	w := newWeb(t)
	if id, again, err := w.fetch(); err == nil || !again {
		t.Errorf("no address: %q, %v, %v", id, again, err)
	}
	w.listen(home, func(net.Conn) {})
	w.hosts[home].Close()
	if id, again, err := w.fetch(); err == nil || !again {
		t.Errorf("no connection: %q, %v, %v", id, again, err)
	}
	w = newWeb(t)
	w.listen(home, func(c net.Conn) { io.WriteString(c, "220 mail.example ESMTP\r\n") })
	if id, again, err := w.fetch(); err == nil || again {
		t.Errorf("no TLS: %q, %v, %v", id, again, err)
	}
}

// A fetch ends at once with its context, wherever it is.
func TestCancel(t *testing.T) {
	for _, at := range []string{"lookup", "dial", "handshake", "headers", "body"} {
		w := newWeb(t)
		ctx, cancel := context.WithCancelCause(t.Context())
		hang := func(c io.Reader) { cancel(os.ErrProcessDone); io.Copy(io.Discard, c) }
		switch at {
		case "lookup":
			w.Lookup = func(ctx context.Context, _ string) ([]netip.Addr, error) {
				cancel(os.ErrProcessDone)
				<-ctx.Done()
				return nil, ctx.Err()
			}
		case "dial":
			w.serve(home, w.says(ok(good)), home)
			w.Dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
				cancel(os.ErrProcessDone)
				<-ctx.Done()
				return nil, ctx.Err()
			}
		case "handshake":
			w.listen(home, func(c net.Conn) { hang(c) })
		case "headers":
			w.serve(home, func(c net.Conn) { http.ReadRequest(bufio.NewReader(c)); hang(c) }, home)
		case "body":
			w.serve(home, func(c net.Conn) {
				http.ReadRequest(bufio.NewReader(c))
				io.WriteString(c, ok(good[:9]))
				hang(c)
			}, home)
		}
		if i, err := w.Fetch(ctx, home); err == nil || !errors.Is(err, ErrUnreachable) {
			t.Errorf("%s: %v, %v", at, i, err)
		}
		cancel(nil)
	}
}

// What is no name of a host is asked for nowhere.
func TestFetchOfNoName(t *testing.T) {
	w := newWeb(t)
	w.Lookup = func(context.Context, string) ([]netip.Addr, error) { t.Error("asked"); return nil, os.ErrInvalid }
	for _, name := range []string{"", "localhost", "192.0.2.1", "a.b:1", "a@b.c", "a/b.c", "::1"} {
		if _, err := w.Fetch(t.Context(), name); err == nil || errors.Is(err, ErrUnreachable) {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// Nothing is left unread, or the kernel would reset the connection, and what comes later by
// its own choice of route.
func TestHangsUp(t *testing.T) {
	w := newWeb(t)
	cert, err := w.authority.Certify(home)
	if err != nil {
		t.Fatal(err)
	}
	w.listen(home, func(c net.Conn) {
		s := tls.Server(c, &tls.Config{Certificates: []tls.Certificate{cert}})
		w.says(status("200 OK", "Content-Type: application/pvd+json", fmt.Sprintf("Content-Length: %d", len(good))) + good)(s)
		io.Copy(io.Discard, c)
		c.SetDeadline(time.Now().Add(30 * time.Second)) // TLS has set one that has passed
		if _, err := io.WriteString(c, "a word too late"); err != nil {
			t.Error(err)
		}
	})
	if _, _, err := w.fetch(); err != nil || w.left > 0 {
		t.Errorf("%v, %d connections with something unread", err, w.left)
	}
}
