package resolver

import (
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"
)

// later answers truly after a time.
func later(d time.Duration, asked *atomic.Int32) func(query) {
	return func(q query) {
		asked.Add(1)
		q.after(d, truth(q))
	}
}

// ask makes a look-up past the cache and gives how long it took.
func ask(t *testing.T, r *Resolver) time.Duration {
	t.Helper()
	start := time.Now()
	got, err := collect(t.Context(), r, "www.example.com", IPv4)
	if err != nil || !slices.Equal(got, both[:1]) {
		t.Fatalf("%v, %v", got, err)
	}
	return time.Since(start)
}

// uncached gives a resolver for a fake network that does not use its cache.
func uncached(t *testing.T, scripts ...func(query)) *Resolver {
	r := fakeResolver(t, scripts)
	cfg, _ := r.Config()
	cfg.NoCache = true
	r.Config = func() (Config, error) { return cfg, nil }
	return r
}

// TestFastServer: once a hedge has shown that the second server is faster, it
// is asked first.
func TestFastServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var slow, fast atomic.Int32
		r := uncached(t, later(400*ms, &slow), later(10*ms, &fast))
		for i, want := range []time.Duration{210 * ms, 10 * ms, 10 * ms} {
			if d := ask(t, r); d != want {
				t.Errorf("look-up %d took %v, want %v", i, d, want)
			}
			time.Sleep(time.Second)
		}
		if n := slow.Load(); n > 2 { // the first, and its resend
			t.Errorf("the slow server was asked %d times", n)
		}
	})
}

// TestHedgeByLatency: a server known to be fast is not waited for long.
func TestHedgeByLatency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var dead atomic.Bool
		var other atomic.Int32
		r := uncached(t, func(q query) {
			if !dead.Load() {
				q.after(20*ms, truth(q))
			}
		}, later(ms, &other))
		ask(t, r)
		dead.Store(true)
		if d := ask(t, r); d != 61*ms {
			t.Errorf("took %v, want 3 times 20 ms and 1 ms", d)
		}
		if d := ask(t, r); d != ms {
			t.Errorf("took %v, want 1 ms: the dead server comes last", d)
		}
	})
}

// TestQuietServerProbed: a silent server gets a copy of a query now and then,
// and comes back when it answers.
func TestQuietServerProbed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var dead atomic.Bool
		var first, second atomic.Int32
		dead.Store(true)
		r := uncached(t, func(q query) {
			first.Add(1)
			if !dead.Load() {
				q.after(ms, truth(q))
			}
		}, later(100*ms, &second))
		ask(t, r)
		probes := first.Load()
		for range 40 {
			ask(t, r)
			time.Sleep(400 * ms)
		}
		if n := first.Load() - probes; n < 1 || n > 3 {
			t.Errorf("%d copies in 20 s", n)
		}
		dead.Store(false)
		time.Sleep(lastProbe)
		ask(t, r)
		time.Sleep(time.Second)
		if d := ask(t, r); d != ms {
			t.Errorf("took %v, want 1 ms from the server that is back", d)
		}
	})
}

// TestTroubleRemembered: a server that cannot do EDNS is asked without it for
// ten minutes.
func TestTroubleRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var edns, plain atomic.Int32
		r := uncached(t, func(q query) {
			if q.edns() {
				edns.Add(1)
				q.send(failing(q, dns.RcodeFormatError))
				return
			}
			plain.Add(1)
			q.send(truth(q))
		})
		for range 10 {
			ask(t, r)
		}
		if e, p := edns.Load(), plain.Load(); e != 1 || p != 10 {
			t.Errorf("%d queries with EDNS and %d without", e, p)
		}
		time.Sleep(plainTime + time.Second)
		ask(t, r)
		if e := edns.Load(); e != 2 {
			t.Errorf("%d queries with EDNS", e)
		}
	})
}

// TestDoubt: after a near miss the letters' case is random and has to be
// repeated, after three queries go over TCP, and after a minute all is well.
func TestDoubt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var names []string
		var streams int
		misses := 1
		r := uncached(t, func(q query) {
			mu.Lock()
			defer mu.Unlock()
			names = append(names, q.qname())
			if q.tcp {
				streams++
			}
			if m := lie(q); misses > 0 && !q.tcp {
				misses--
				m.Id++
				q.send(m)
			}
			if m := lie(q); q.qname() != strings.ToLower(q.qname()) {
				m.Question[0].Name = strings.ToLower(q.qname())
				q.send(m)
			}
			q.send(truth(q))
		})
		for range 4 {
			ask(t, r)
		}
		mu.Lock()
		if names[0] != "www.example.com." || !slices.ContainsFunc(names[1:], func(s string) bool { return s != strings.ToLower(s) }) {
			t.Errorf("names %q", names)
		}
		if streams == 0 {
			t.Errorf("no query over TCP after %d near misses", r.memory.view.servers[0].misses)
		}
		names, streams = nil, 0
		mu.Unlock()
		time.Sleep(doubtTime + time.Second)
		ask(t, r)
		mu.Lock()
		defer mu.Unlock()
		if streams != 0 || names[0] != "www.example.com." {
			t.Errorf("a minute later: %d streams, names %q", streams, names)
		}
	})
}

// TestServersForgotten: of servers that are configured no more, not many are
// remembered.
func TestServersForgotten(t *testing.T) {
	r := &Resolver{}
	for i := range 10 * maxServed {
		cfg := Config{Servers: []netip.AddrPort{netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), 53)}}
		r.look(&cfg)
	}
	if n := len(r.memory.servers); n > maxServed {
		t.Errorf("%d servers are remembered", n)
	}
}
