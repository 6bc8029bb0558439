package resolver

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"
)

// soaAnswer is an empty reply with a zone's word for it.
func soaAnswer(q query, rcode int, ttl, least uint32) *dns.Msg {
	m := failing(q, rcode)
	m.RecursionAvailable = true
	m.Ns = rrs(fmt.Sprintf("example.com. %d IN SOA ns. admin. 1 2 3 4 %d", ttl, least))
	return m
}

// TestCacheTimes gives replies and for how long each is remembered.
func TestCacheTimes(t *testing.T) {
	one := func(line string) func(query) {
		return func(q query) { q.send(answer(q, strings.ReplaceAll(line, "@", q.qname()))) }
	}
	cases := []struct {
		name   string
		script func(query)
		kept   time.Duration
		err    error
	}{
		{"an address", one("@ 60 IN A 192.0.2.1"), time.Minute, nil},
		{"TTL zero", one("@ 0 IN A 192.0.2.1"), 0, nil},
		{"TTL with the highest bit", one("@ 4294967295 IN A 192.0.2.1"), 0, nil},
		{"TTL of a week", one("@ 604800 IN A 192.0.2.1"), 24 * time.Hour, nil},
		{"alias shorter than the address", func(q query) {
			q.send(answer(q, q.qname()+" 20 IN CNAME b.", "b. 60 IN A 192.0.2.1"))
		}, 20 * time.Second, nil},
		{"alias in another reply", func(q query) {
			if q.qname() == "b." {
				q.send(answer(q, "b. 60 IN A 192.0.2.1"))
				return
			}
			q.send(answer(q, q.qname()+" 20 IN CNAME b."))
		}, 20 * time.Second, nil},
		{"no such name", func(q query) { q.send(soaAnswer(q, dns.RcodeNameError, 90, 30)) }, 30 * time.Second, ErrNoSuchName},
		{"no data", func(q query) { q.send(soaAnswer(q, dns.RcodeSuccess, 30, 90)) }, 30 * time.Second, ErrNoData},
		{"no data for a day", func(q query) { q.send(soaAnswer(q, dns.RcodeSuccess, 86400, 86400)) }, time.Hour, ErrNoData},
		{"no such name, no zone", func(q query) { q.send(failing(q, dns.RcodeNameError)) }, 0, ErrNoSuchName},
		{"no data, zone elsewhere", func(q query) {
			m := answer(q)
			m.Ns = rrs("example.org. 60 IN SOA ns. admin. 1 2 3 4 60")
			q.send(m)
		}, 0, ErrNoData},
		{"failure", func(q query) { q.send(failing(q, dns.RcodeServerFailure)) }, time.Second, ErrServerFailure},
		{"refusal", func(q query) { q.send(failing(q, dns.RcodeRefused)) }, time.Second, ErrRefused},
		{"silence", silent, 0, ErrTimeoutForTest},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { checkKept(t, c.script, c.kept, c.err) })
		})
	}
}

// ErrTimeoutForTest stands for the end of a look-up's time.
var ErrTimeoutForTest = errors.New("time-out")

func checkKept(t *testing.T, script func(query), kept time.Duration, want error) {
	var asked atomic.Int32
	r := fakeResolver(t, []func(query){func(q query) {
		asked.Add(1)
		script(q)
	}})
	ask := func(wantCached bool) {
		t.Helper()
		before := asked.Load()
		start := time.Now()
		answers, err := collectAnswers(t.Context(), r, "www.example.com", IPv4)
		var e *Error
		if timedOut := errors.As(err, &e) && e.Timeout(); want == ErrTimeoutForTest && !timedOut || want != ErrTimeoutForTest && !errors.Is(err, want) {
			t.Fatalf("%v, want %v", err, want)
		}
		if wantCached != (asked.Load() == before) {
			t.Fatalf("%d queries, cached wanted: %v", asked.Load()-before, wantCached)
		}
		for _, a := range answers {
			if a.Cached != wantCached || wantCached && a.Expiry.After(start.Add(kept)) {
				t.Errorf("%+v", a)
			}
		}
	}
	ask(false)
	if kept > 0 {
		time.Sleep(kept - 1)
		ask(true)
		time.Sleep(time.Nanosecond)
	}
	ask(false)
}

// TestFailuresBackOff: a failure that lasts is believed longer, at most 5 s.
func TestFailuresBackOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked []time.Time
		r := fakeResolver(t, []func(query){func(q query) {
			asked = append(asked, time.Now())
			q.send(failing(q, dns.RcodeServerFailure))
		}})
		for range 200 {
			_, _ = collect(t.Context(), r, "www.example.com", IPv4)
			time.Sleep(100 * ms)
		}
		want := []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 5 * time.Second, 5 * time.Second}
		if len(asked) <= len(want) {
			t.Fatalf("asked %d times", len(asked))
		}
		for i, d := range want {
			if got := asked[i+1].Sub(asked[i]); got != d {
				t.Errorf("pause %d is %v, want %v", i, got, d)
			}
		}
	})
}

// TestCacheBypass: NoCache neither uses nor fills the cache.
func TestCacheBypass(t *testing.T) {
	s := serve(t, true, good)
	cfg := Config{Servers: []netip.AddrPort{s.addr}, NoCache: true}
	r := newResolver(t, cfg)
	r.Config = func() (Config, error) { return cfg, nil }
	for i, step := range []struct {
		bypass bool
		total  int
	}{{true, 1}, {false, 2}, {false, 2}, {true, 3}} {
		cfg.NoCache = step.bypass
		if _, err := collect(t.Context(), r, "www.example.com", IPv4); err != nil {
			t.Fatal(err)
		}
		if n := s.total(dns.TypeA); n != step.total {
			t.Errorf("step %d: %d queries, want %d", i, n, step.total)
		}
	}
}

// TestCacheOfOtherServers: what one list of servers said is not another's.
func TestCacheOfOtherServers(t *testing.T) {
	first, second := serve(t, true, good), serve(t, true, good)
	cfg := Config{Servers: []netip.AddrPort{first.addr}}
	r := newResolver(t, cfg)
	r.Config = func() (Config, error) { return cfg, nil }
	for range 2 {
		if _, err := collect(t.Context(), r, "www.example.com", Both); err != nil {
			t.Fatal(err)
		}
	}
	cfg.Servers = []netip.AddrPort{second.addr}
	answers, err := collectAnswers(t.Context(), r, "www.example.com", Both)
	if err != nil || len(answers) != 2 {
		t.Fatalf("%v, %v", answers, err)
	}
	for _, a := range answers {
		if a.Server != second.addr || a.Cached {
			t.Errorf("%+v", a)
		}
	}
	if n := first.total(dns.TypeA); n != 1 {
		t.Errorf("the first server was asked %d times", n)
	}
}

// TestCacheBound: what ends soonest goes first, roughly, and there is a bound.
func TestCacheBound(t *testing.T) {
	var c cache
	now := time.Now()
	for i := range 3 * maxEntries {
		f := &finding{chain: chain{expiry: now.Add(time.Duration(i+1) * time.Hour)}, addrs: make([]netip.Addr, 1)}
		c.put(topic{name: fmt.Sprint(i)}, f)
	}
	if n := len(c.entries); n != maxEntries {
		t.Errorf("%d entries, want %d", n, maxEntries)
	}
	if c.get(topic{name: fmt.Sprint(3*maxEntries - 1)}, now) == nil {
		t.Error("the last entry is gone")
	}
}
