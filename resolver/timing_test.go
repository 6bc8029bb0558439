package resolver

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"os"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"
)

// A fakeNet is servers reached by pipes, in a bubble where time is virtual and
// replies take none unless the script says so.
type fakeNet map[netip.AddrPort]func(query)

func (f fakeNet) dial(_ context.Context, network, address string) (net.Conn, error) {
	script := f[netip.MustParseAddrPort(address)]
	ours, theirs := net.Pipe()
	go f.serve(theirs, network == "tcp", script)
	return ours, nil
}

// serve answers each message that a pipe carries by a goroutine of its own.
func (f fakeNet) serve(c net.Conn, tcp bool, script func(query)) {
	buf := make([]byte, maxMessage+2)
	counts := map[uint16]int{}
	for {
		size, err := c.Read(buf)
		if err != nil {
			c.Close()
			return
		}
		b := buf[:size]
		if tcp {
			b = b[2:]
		}
		m := new(dns.Msg)
		if err := m.Unpack(b); err != nil {
			panic(err)
		}
		counts[m.Question[0].Qtype]++
		n := counts[m.Question[0].Qtype]
		write := func(b []byte) { _, _ = c.Write(b) }
		go script(query{Msg: m, n: n, tcp: tcp, write: write, reply: func(b []byte) {
			if tcp {
				b = append(binary.BigEndian.AppendUint16(nil, uint16(len(b))), b...)
			}
			write(b)
		}})
	}
}

// after sends messages when a time has passed.
func (q query) after(d time.Duration, ms ...*dns.Msg) {
	time.AfterFunc(d, func() { q.send(ms...) })
}

func silent(query) {}

func cutOff(m *dns.Msg) []byte {
	b := packed(m)
	return b[:len(b)-3]
}

const ms = time.Millisecond

// TestTiming gives each server's script in order of preference, and how long
// a look-up takes to the microsecond.
func TestTiming(t *testing.T) {
	good := func(q query) { q.send(truth(q)) }
	cases := []struct {
		name    string
		scripts []func(query)
		took    time.Duration
		err     error // nil: the true address
	}{
		{"answer at once", []func(query){good}, 0, nil},
		{"answer after 100 ms", []func(query){func(q query) { q.after(100*ms, truth(q)) }}, 100 * ms, nil},
		{"answer slower than the resend", []func(query){func(q query) {
			if q.n == 1 {
				q.after(700*ms, truth(q))
			}
		}}, 700 * ms, nil},
		{"b13 first server silent", []func(query){silent, good}, 200 * ms, nil},
		{"two servers silent", []func(query){silent, silent, good}, 400 * ms, nil},
		{"first server slow, second slower", []func(query){
			func(q query) { q.after(290*ms, truth(q)) },
			func(q query) { q.after(100*ms, lie(q)) },
		}, 290 * ms, nil},
		{"SERVFAIL, then the next", []func(query){func(q query) { q.send(failing(q, dns.RcodeServerFailure)) }, good}, 0, nil},
		{"REFUSED after 20 ms, then the next", []func(query){func(q query) { q.after(20*ms, failing(q, dns.RcodeRefused)) }, good}, 20 * ms, nil},
		{"r01 first query lost", []func(query){func(q query) {
			if q.n > 1 {
				q.send(truth(q))
			}
		}}, 250 * ms, nil},
		{"two queries lost", []func(query){func(q query) {
			if q.n > 2 {
				q.send(truth(q))
			}
		}}, 750 * ms, nil},
		{"r04 silence", []func(query){silent}, 5 * time.Second, context.DeadlineExceeded},
		{"silence and failure", []func(query){silent, func(q query) { q.send(failing(q, dns.RcodeRefused)) }}, 5 * time.Second, os.ErrDeadlineExceeded},
		{"e02 EDNS dropped", []func(query){func(q query) {
			if !q.edns() {
				q.send(truth(q))
			}
		}}, 750 * ms, nil},
		{"FORMERR comes late and twice", []func(query){func(q query) {
			if q.edns() {
				q.after(300*ms, failing(q, dns.RcodeFormatError))
			} else {
				q.after(300*ms, truth(q))
			}
		}}, 600 * ms, nil},
		{"s09 cut off, truth 40 ms later", []func(query){func(q query) {
			if !q.tcp {
				q.reply(cutOff(truth(q)))
				q.after(40*ms, truth(q))
			}
		}}, 40 * ms, nil},
		{"s14 bare SERVFAIL, truth 40 ms later", []func(query){func(q query) {
			bare := failing(q, dns.RcodeServerFailure)
			bare.Question = nil
			q.send(bare)
			q.after(40*ms, truth(q))
		}}, 40 * ms, nil},
		{"bare SERVFAIL and no more", []func(query){func(q query) {
			bare := failing(q, dns.RcodeServerFailure)
			bare.Question = nil
			q.send(bare)
		}}, 250 * ms, ErrServerFailure},
		{"cut off by UDP, TCP fine", []func(query){func(q query) {
			if q.tcp {
				q.send(truth(q))
			} else {
				q.reply(cutOff(lie(q)))
			}
		}}, 0, nil},
		{"TCP begun late, second server not asked", []func(query){func(q query) {
			if q.tcp {
				q.after(100*ms, truth(q))
				return
			}
			m := answer(q)
			m.Truncated = true
			q.after(150*ms, m)
		}, func(q query) { q.send(lie(q)) }}, 250 * ms, nil},
		{"t02 TCP stalls", []func(query){truncated(silent)}, 5 * time.Second, context.DeadlineExceeded},
		{"t02 TCP stalls, next server fine", []func(query){truncated(silent), good}, 50 * ms, nil},
		{"t03 TCP an octet a second", []func(query){truncated(trickle)}, 5 * time.Second, context.DeadlineExceeded},
		{"TCP says other things", []func(query){truncated(chatter)}, 5 * time.Second, context.DeadlineExceeded},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { checkTiming(t, c.scripts, c.took, c.err) })
		})
	}
}

// trickle starts a frame and goes on with it by an octet a second, for ever.
func trickle(q query) {
	q.write([]byte{1, 0})
	every(time.Second, func() { q.write([]byte{0}) })
}

// chatter sends whole frames that are no reply, for ever.
func chatter(q query) {
	every(time.Second, func() { q.reply([]byte{0}) })
}

// every calls a function again and again, until the bubble ends.
func every(d time.Duration, f func()) {
	time.AfterFunc(d, func() {
		f()
		every(d, f)
	})
}

// fakeResolver asks servers in order of preference.
func fakeResolver(t *testing.T, scripts []func(query)) *Resolver {
	f := fakeNet{}
	var cfg Config
	for i, script := range scripts {
		addr := netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(i + 1)}), 53)
		cfg.Servers = append(cfg.Servers, addr)
		f[addr] = script
	}
	r := &Resolver{Config: func() (Config, error) { return cfg, nil }, Dial: f.dial}
	r.hosts.path = "/nonexistent/hosts"
	t.Cleanup(func() { r.Close() })
	return r
}

func checkTiming(t *testing.T, scripts []func(query), took time.Duration, want error) {
	r := fakeResolver(t, scripts)
	start := time.Now()
	got, err := collect(t.Context(), r, "www.example.com", Both)
	if d := time.Since(start); d != took {
		t.Errorf("took %v, want %v", d, took)
	}
	if want == nil && (err != nil || !slices.Equal(got, both)) {
		t.Errorf("%v, %v", got, err)
	}
	if want != nil && (len(got) > 0 || !errors.Is(err, want)) {
		t.Errorf("%v, %v; want error %v", got, err, want)
	}
	var e *Error
	if errors.Is(want, context.DeadlineExceeded) && (!errors.As(err, &e) || !e.Timeout()) {
		t.Errorf("%v is no time-out", err)
	}
}

// TestPartialTimeout is b03: A comes at once, the end of AAAA is told last.
func TestPartialTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := fakeResolver(t, []func(query){func(q query) {
			if q.qtype() == dns.TypeA {
				q.send(truth(q))
			}
		}})
		start := time.Now()
		var at []time.Duration
		var errs []error
		for _, err := range r.Lookup(t.Context(), "www.example.com", Both) {
			at, errs = append(at, time.Since(start)), append(errs, err)
		}
		if !slices.Equal(at, []time.Duration{0, 5 * time.Second}) {
			t.Fatalf("yields at %v", at)
		}
		if errs[0] != nil || !errors.Is(errs[1], context.DeadlineExceeded) || !errors.Is(errs[1], os.ErrDeadlineExceeded) {
			t.Errorf("errors %v", errs)
		}
	})
}

// TestCallerDeadline: the context's deadline counts if it comes first.
func TestCallerDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := fakeResolver(t, []func(query){silent})
		ctx, cancel := context.WithTimeout(t.Context(), 30*ms)
		defer cancel()
		start := time.Now()
		_, err := collect(ctx, r, "www.example.com", Both)
		if d := time.Since(start); d != 30*ms || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v after %v", err, d)
		}
	})
}

// TestPreferredServer: a silent first server is waited for once, not with
// every name of the search list.
func TestPreferredServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := fakeResolver(t, []func(query){silent, func(q query) {
			if q.qname() == "www." {
				q.send(truth(q))
				return
			}
			q.send(failing(q, dns.RcodeNameError))
		}})
		cfg, _ := r.Config()
		cfg.Search = []string{"a.test", "b.test", "c.test"}
		r.Config = func() (Config, error) { return cfg, nil }
		start := time.Now()
		got, err := collect(t.Context(), r, "www", Both)
		if d := time.Since(start); d != 200*ms || err != nil || !slices.Equal(got, both) {
			t.Errorf("%v, %v after %v", got, err, d)
		}
	})
}

// TestServerOverIPv6: of servers of which nothing is known, one over IPv6 is asked
// first (RFC 8305 §3.1), until another is known to be faster.
func TestServerOverIPv6(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := make(chan string, 10)
		by := func(name string, delay time.Duration) func(query) {
			return func(q query) { asked <- name; q.after(delay, truth(q)) }
		}
		r := fakeResolver(t, []func(query){by("four", 0)})
		cfg, _ := r.Config()
		six := netip.MustParseAddrPort("[2001:db8::53]:53")
		f := fakeNet{cfg.Servers[0]: by("four", 0), six: by("six", 230*ms)}
		cfg.Servers, cfg.NoCache = append(cfg.Servers, six), true
		r.Config, r.Dial = func() (Config, error) { return cfg, nil }, f.dial
		for range 2 {
			if got, err := collect(t.Context(), r, "www.example.com", IPv4); err != nil || len(got) != 1 {
				t.Errorf("%v, %v", got, err)
			}
			time.Sleep(time.Second)
		}
		for i, want := range []string{"six", "four", "four"} {
			if got := <-asked; got != want {
				t.Errorf("query %d went over %s, not %s", i, got, want)
			}
		}
	})
}

// TestCancelIsPrompt: no time passes between the end of the context and the
// end of the look-up, whatever it waits for.
func TestCancelIsPrompt(t *testing.T) {
	for _, script := range []func(query){silent, truncated(silent), truncated(trickle)} {
		synctest.Test(t, func(t *testing.T) {
			r := fakeResolver(t, []func(query){script})
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(1234*ms, cancel)
			start := time.Now()
			_, err := collect(ctx, r, "www.example.com", Both)
			if d := time.Since(start); d != 1234*ms || !errors.Is(err, context.Canceled) {
				t.Errorf("%v after %v", err, d)
			}
		})
	}
}

// TestStreamSilencesDatagrams: while a server is asked over TCP, it is not
// asked by UDP again.
func TestStreamSilencesDatagrams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		most := 0
		r := fakeResolver(t, []func(query){func(q query) {
			if q.tcp {
				q.after(2*time.Second, truth(q))
				return
			}
			most = max(most, q.n)
			truncated(nil)(q)
		}})
		start := time.Now()
		got, err := collect(t.Context(), r, "www.example.com", IPv4)
		if d := time.Since(start); d != 2*time.Second || err != nil || len(got) != 1 {
			t.Errorf("%v, %v after %v", got, err, d)
		}
		if most != 1 {
			t.Errorf("%d queries by UDP", most)
		}
	})
}

// TestSlowDial: a socket that takes its time is used when it comes.
func TestSlowDial(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := fakeResolver(t, []func(query){func(q query) { q.send(truth(q)) }})
		dial := r.Dial
		r.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			<-time.After(600 * ms)
			return dial(ctx, network, address)
		}
		start := time.Now()
		got, err := collect(t.Context(), r, "www.example.com", IPv6)
		if d := time.Since(start); d != 600*ms || err != nil || len(got) != 1 {
			t.Errorf("%v, %v after %v", got, err, d)
		}
	})
}
