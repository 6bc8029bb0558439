package main

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-mif/mif/examples/internal/exampletest"
	"github.com/go-mif/mif/miftest"
)

// Without ranges it is one stream; a file may be empty.
func TestOneStream(t *testing.T) {
	t.Parallel()
	body := content(1 << 20)
	for what, c := range map[string]struct {
		body   []byte
		handle http.HandlerFunc
	}{
		"no ranges": {body, func(w http.ResponseWriter, _ *http.Request) { w.Write(body) }},
		"known length": {body, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1048576")
			w.Write(body)
		}},
		"empty":          {nil, func(http.ResponseWriter, *http.Request) {}},
		"redirected":     {body, redirected(body)},
		"empty, by 416":  {nil, nil},
		"ranges for all": {body, nil},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			n := miftest.New(t)
			u := exampletest.AddUplink(t, n, 0)
			serve(t, u, &server{body: c.body, handle: c.handle})
			j := start(t, n.Host(), "-sha256", sum(c.body))
			j.end("")
			j.whole(c.body)
		})
	}
}

func redirected(body []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/file" {
			http.Redirect(w, r, "/other", http.StatusFound)
			return
		}
		w.Write(body)
	}
}

// On a host with one plain uplink nothing has to be said of domains: that which does not
// reach the server says so, and the other one gets all.
func TestPlainUplink(t *testing.T) {
	t.Parallel()
	n, u := exampletest.Plain(t)
	body := content(1 << 20)
	certificate := exampletest.SecureSite(t, u, &server{t: t, body: body, etag: `"one"`})
	file := filepath.Join(t.TempDir(), "file")
	c := exampletest.In(n.Host(), "-o", file, "https://"+exampletest.Name+"/file")
	c.Env = append(c.Env, "SSL_CERT_FILE="+certificate)
	r := exampletest.Run(t, c, &c.Stdout, &c.Stderr)
	if got, err := os.ReadFile(file); r.Status != 0 || !bytes.Equal(got, body) || !strings.Contains(r.Out, u.PvD+" got 1.0 MB") {
		t.Errorf("%d octets %v, status %d, %s%s", len(got), err, r.Status, r.Out, r.Err)
	}
}

// The hash that a server gives is checked, and told to be right or wrong.
func TestDigest(t *testing.T) {
	t.Parallel()
	body := content(300 << 10)
	host := func(said string) *miftest.Host {
		n := miftest.New(t)
		serve(t, exampletest.AddUplink(t, n, 0), &server{body: body, digest: said})
		return n.Host()
	}
	j := start(t, host(digests(body)))
	j.end("")
	j.whole(body)
	if l := j.lines("Done"); len(l) != 1 || !strings.HasPrefix(l[0].Digest, "sha-512 ") {
		t.Errorf("%+v", l)
	}
	start(t, host(digests([]byte("other")))).end("as the server said")
}

// A server whose certificate is trusted is asked by TLS, another one is not.
func TestTLS(t *testing.T) {
	t.Parallel()
	n := miftest.New(t)
	body := content(300 << 10)
	certificate := exampletest.SecureSite(t, exampletest.AddUplink(t, n, 0), &server{t: t, body: body, etag: `"one"`})
	for _, c := range []struct{ trusted, says string }{{certificate, ""}, {"/dev/null", "certificate"}} {
		file := filepath.Join(t.TempDir(), "file")
		cmd := exampletest.In(n.Host(), "-o", file, "https://"+exampletest.Name+"/file")
		cmd.Env = append(cmd.Env, "SSL_CERT_DIR=/nowhere", "SSL_CERT_FILE="+c.trusted)
		r := exampletest.Run(t, cmd, &cmd.Stdout, &cmd.Stderr)
		if got, err := os.ReadFile(file); bytes.Equal(got, body) != (c.says == "") || (r.Status == 0) != (c.says == "") || !strings.Contains(r.Err, c.says) {
			t.Errorf("trusting %s: %d octets %v, status %d, %s", c.trusted, len(got), err, r.Status, r.Err)
		}
	}
}

// What is there already is not written over by what is not whole.
func TestKept(t *testing.T) {
	t.Parallel()
	n := miftest.New(t)
	u := exampletest.AddUplink(t, n, 0)
	body := content(1000)
	serve(t, u, &server{body: body})
	file := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(file, []byte("old"), 0o600))
	r := exampletest.RunIn(t, n.Host(), "-o", file, "-sha256", sum(nil), fileURL)
	if b, err := os.ReadFile(file); err != nil || string(b) != "old" || r.Status != 1 || !strings.Contains(r.Err, "the SHA-256 is "+sum(body)) {
		t.Errorf("%q %v, status %d %s", b, err, r.Status, r.Err)
	}
	must(t, os.WriteFile(file+".part", nil, 0o600))
	r = exampletest.RunIn(t, n.Host(), "-o", file, fileURL)
	if r.Status != 1 || !strings.Contains(r.Err, "file.part is there") {
		t.Errorf("status %d %s", r.Status, r.Err)
	}
	must(t, os.Remove(file+".part"))
	r = exampletest.RunIn(t, n.Host(), "-o", file, fileURL)
	if b, err := os.ReadFile(file); err != nil || !bytes.Equal(b, body) || r.Status != 0 || !strings.Contains(r.Out, "eth0/ipv4 got 1.0 kB\n") {
		t.Errorf("%d octets %v, status %d %s%s", len(b), err, r.Status, r.Out, r.Err)
	}
	r = exampletest.RunIn(t, n.Host(), "-o", filepath.Dir(file), fileURL)
	if r.Status != 1 || !strings.Contains(r.Err, "is no file") {
		t.Errorf("status %d %s", r.Status, r.Err)
	}
}
