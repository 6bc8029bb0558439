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
			j := start(t, n.Host(), "-sha256", hash(c.body))
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

// What is there already is not written over by what is not whole.
func TestKept(t *testing.T) {
	t.Parallel()
	n := miftest.New(t)
	u := exampletest.AddUplink(t, n, 0)
	body := content(1000)
	serve(t, u, &server{body: body})
	file := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(file, []byte("old"), 0o600))
	r := exampletest.RunIn(t, n.Host(), "-o", file, "-sha256", hash(nil), fileURL)
	if b, err := os.ReadFile(file); err != nil || string(b) != "old" || r.Status != 1 || !strings.Contains(r.Err, "the SHA-256 is "+hash(body)) {
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
