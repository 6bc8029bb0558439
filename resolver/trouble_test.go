package resolver

import (
	"context"
	"net/netip"
	"runtime"
	"sync"
	"testing"
	"time"
)

// BenchmarkTrouble tells how long look-ups of Resolvers that know nothing take on
// loopback when a server does not answer, and how long it takes until a cancelled one
// has returned and Close has left nothing of it.
func BenchmarkTrouble(b *testing.B) {
	b.Run("silent first server", func(b *testing.B) {
		mute, good := serve(b, true, silent), serve(b, true, good)
		trouble(b, mute.addr, good.addr)
	})
	b.Run("lost query", func(b *testing.B) {
		var mu sync.Mutex
		asked := map[uint16]bool{}
		s := serve(b, true, func(q query) {
			mu.Lock()
			defer mu.Unlock()
			if asked[q.Id] {
				q.send(truth(q))
			}
			asked[q.Id] = true
		})
		trouble(b, s.addr)
	})
	b.Run("cancelled", func(b *testing.B) {
		s := serve(b, true, silent)
		before := runtime.NumGoroutine()
		for range b.N {
			b.StopTimer()
			r := newResolver(b, Config{Servers: []netip.AddrPort{s.addr}})
			ctx, cancel := context.WithCancel(b.Context())
			asked := s.total(1)
			done := make(chan error)
			go func() {
				_, err := r.LookupNetIP(ctx, "ip", "www.example.com")
				done <- err
			}()
			for s.total(1) == asked {
				runtime.Gosched()
			}
			b.StartTimer()
			cancel()
			if <-done == nil {
				b.Error("there was an answer")
			}
			r.Close()
			for runtime.NumGoroutine() > before {
				runtime.Gosched()
			}
		}
	})
}

func trouble(b *testing.B, servers ...netip.AddrPort) {
	for range b.N {
		r := newResolver(b, Config{Servers: servers})
		start := time.Now()
		if got, err := r.LookupNetIP(b.Context(), "ip", "www.example.com"); err != nil || len(got) != 2 {
			b.Errorf("%v, %v after %v", got, err, time.Since(start))
		}
		r.Close()
	}
}
