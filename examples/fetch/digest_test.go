package main

import (
	"context"
	"errors"
	"net/http"
	"os"
	"strings"
	"testing"
)

// zeros is so many zero octets in base64.
func zeros(octets int) string {
	return strings.Repeat("A", (octets*8+5)/6) + strings.Repeat("=", (3-octets%3)%3)
}

func TestPromised(t *testing.T) {
	small, large := zeros(32), zeros(64)
	for _, c := range []struct{ field, value, algorithm string }{
		{"Repr-Digest", "sha-256=:" + small + ":", "sha-256"},
		{"Repr-Digest", "md5=:" + zeros(16) + ":, sha-512=:" + large + ":;a=1,sha-256=:" + small + ":", "sha-512"},
		{"Repr-Digest", "sha-256=" + small, ""},
		{"Repr-Digest", "sha-256=:" + small, ""},
		{"Repr-Digest", "sha-256=:" + zeros(31) + ":", ""},
		{"Repr-Digest", "sha-256=:?:", ""},
		{"Repr-Digest", "sha-256", ""},
		{"Digest", "MD5=" + zeros(16) + ",SHA-256=" + small, "sha-256"},
		{"Digest", "sha-256=:" + small + ":", ""},
		{"Content-Digest", "sha-256=:" + small + ":", ""}, // of what is sent, not of the file
	} {
		h := http.Header{}
		h.Set(c.field, c.value)
		got := promised(h)
		if got.algorithm != c.algorithm || strings.Trim(got.sum, "0") != "" || len(got.sum) != 2*map[string]int{"sha-256": 32, "sha-512": 64}[c.algorithm] {
			t.Errorf("%s: %s is %v", c.field, c.value, got)
		}
	}
}

// Whatever a server sends, there is a digest of the right length, or none.
func FuzzPromised(f *testing.F) {
	f.Add("sha-256=:"+zeros(32)+":", "SHA-512="+zeros(64))
	f.Add("a=1, b=:::;,,sha-256=::", "=")
	f.Fuzz(func(t *testing.T, now, before string) {
		d := promised(http.Header{"Repr-Digest": {now}, "Digest": {before}})
		if n := newHash(d.algorithm); (n == nil) != (d == digest{}) || n != nil && len(d.sum) != 2*n.Size() {
			t.Errorf("%q and %q are %+v", now, before, d)
		}
	})
}

// Whatever a server sends, a range that is taken is one.
func FuzzContentRange(f *testing.F) {
	f.Add("bytes 0-0/1")
	f.Add("bytes 5-9/*")
	f.Fuzz(func(t *testing.T, s string) {
		if got, size, err := contentRange(s); err == nil && (got.at < 0 || got.at >= got.end || got.end > size) {
			t.Errorf("%q is %v of %d", s, got, size)
		}
	})
}

// A big file is not hashed to its end when someone has interrupted that.
func TestVerifyEnds(t *testing.T) {
	file, err := os.Open(os.Args[0])
	must(t, err)
	defer file.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	d := digest{"sha-256", strings.Repeat("0", 64)}
	if err := d.verify(ctx, file, 1, "given"); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
