package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/netip"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-mif/mif/examples/internal/exampletest"
	"github.com/go-mif/mif/miftest"
)

// shaped writes so many octets each tick.
type shaped struct {
	http.ResponseWriter
	each int
	tick <-chan time.Time
}

func (s shaped) Write(b []byte) (n int, err error) {
	for n < len(b) && err == nil {
		<-s.tick
		var w int
		w, err = s.ResponseWriter.Write(b[n:min(n+s.each, len(b))])
		n += w
	}
	return n, err
}

// The same file over one uplink and over two of the same rate.
func BenchmarkUplinks(b *testing.B) {
	body := content(16 << 20)
	for _, count := range []int{1, 2} {
		b.Run(fmt.Sprint(count), func(b *testing.B) {
			n := miftest.New(b)
			for _, u := range exampletest.Uplinks(b, n, count) {
				slow(b, u, body, 16_000)
			}
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				r := exampletest.RunIn(b, n.Host(), "-o", filepath.Join(b.TempDir(), "file"), fileURL)
				if r.Status != 0 {
					b.Fatal(r.Err)
				}
			}
		})
	}
}

func slow(b testing.TB, u *exampletest.Uplink, body []byte, each int) {
	l, err := u.Listen(netip.AddrPortFrom(exampletest.Target, 80))
	if err != nil {
		b.Fatal(err)
	}
	tick := time.NewTicker(2 * time.Millisecond)
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(shaped{w, each, tick.C}, r, "", time.Time{}, bytes.NewReader(body))
	})}
	go s.Serve(l)
	b.Cleanup(func() { s.Close(); tick.Stop() })
}
