package resolver

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"
	"go.uber.org/goleak"
)

func good(q query) { q.send(truth(q)) }

// A tally is a socket that keeps the names asked for by it, by ID.
type tally struct {
	net.Conn
	t     *testing.T
	mu    sync.Mutex
	names map[uint16]string
}

func (c *tally) Write(b []byte) (int, error) {
	m := new(dns.Msg)
	if err := m.Unpack(b); err != nil {
		return 0, err
	}
	c.mu.Lock()
	if name := c.names[m.Id]; name != "" && name != m.Question[0].Name {
		c.t.Errorf("ID %d was used for %s and %s", m.Id, name, m.Question[0].Name)
	}
	c.names[m.Id] = m.Question[0].Name // again if it was lost
	c.mu.Unlock()
	return c.Conn.Write(b)
}

// TestPoolRotates: one socket serves several queries, never more than a
// hundred, and with an ID only once.
func TestPoolRotates(t *testing.T) {
	s := serve(t, true, good)
	r := newResolver(t, Config{Servers: []netip.AddrPort{s.addr}, NoCache: true})
	var sockets []*tally
	dial := r.Dial
	r.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		sockets = append(sockets, &tally{Conn: c, t: t, names: map[uint16]string{}})
		return sockets[len(sockets)-1], nil
	}
	const queries = 2000
	for i := range queries {
		if _, err := collect(t.Context(), r, fmt.Sprintf("n%d.example.com", i), IPv4); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(sockets); n < queries/maxUses || n > queries/maxUses+3*poolSize {
		t.Errorf("%d sockets for %d queries", n, queries)
	}
	for _, c := range sockets {
		if n := len(c.names); n > maxUses {
			t.Errorf("%d queries from %v", n, c.LocalAddr())
		}
	}
}

// TestPoolEnds: unused sockets are closed after their time, without Close.
func TestPoolEnds(t *testing.T) {
	for _, script := range []func(query){good, truncated(good)} {
		synctest.Test(t, func(t *testing.T) {
			r := fakeResolver(t, []func(query){script})
			var open atomic.Int32
			count(r, &open)
			if _, err := collect(t.Context(), r, "www.example.com", Both); err != nil {
				t.Fatal(err)
			}
			if open.Load() == 0 {
				t.Error("no socket is kept")
			}
			time.Sleep(linkLife + time.Second)
			synctest.Wait()
			if n := open.Load(); n != 0 {
				t.Errorf("%d sockets are open", n)
			}
			if n := len(r.links.open); n != 0 {
				t.Errorf("%d sockets are known", n)
			}
		})
	}
}

// count counts a resolver's open sockets.
func count(r *Resolver, open *atomic.Int32) {
	dial := r.Dial
	r.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		open.Add(1)
		return &countedConn{Conn: c, open: open}, nil
	}
}

// TestSlowReplyOutlivesSocket: a socket whose time is over is kept until those
// who wait for a reply by it have it.
func TestSlowReplyOutlivesSocket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := fakeResolver(t, []func(query){func(q query) {
			if q.n == 1 {
				q.after(linkLife+2*time.Second, truth(q))
			}
		}})
		cfg, _ := r.Config()
		cfg.Timeout = time.Minute
		r.Config = func() (Config, error) { return cfg, nil }
		got, err := collect(t.Context(), r, "www.example.com", IPv4)
		if err != nil || len(got) != 1 {
			t.Errorf("%v, %v", got, err)
		}
	})
}

// TestMerged: a question is asked once for all who ask it at the same time,
// and the one who asked first may leave.
func TestMerged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int32
		r := fakeResolver(t, []func(query){func(q query) {
			asked.Add(1)
			q.after(200*ms, truth(q))
		}})
		ctx, cancel := context.WithCancel(t.Context())
		var tasks sync.WaitGroup
		for i := range 10 {
			tasks.Go(func() {
				ctx := ctx
				if i > 0 {
					time.Sleep(ms)
					ctx = t.Context()
				}
				got, err := collect(ctx, r, "www.example.com", IPv4)
				if i > 0 && (err != nil || len(got) != 1) {
					t.Errorf("asker %d: %v, %v", i, got, err)
				}
				if i == 0 && err == nil {
					t.Error("the first has an answer")
				}
			})
		}
		time.AfterFunc(100*ms, cancel)
		tasks.Wait()
		if n := asked.Load(); n != 1 {
			t.Errorf("the server was asked %d times", n)
		}
		if n := len(r.memory.view.flights); n != 0 {
			t.Errorf("%d questions are under way", n)
		}
	})
}

// TestMergedTimeouts: each who waits for one exchange has a time of its own.
func TestMergedTimeouts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := fakeResolver(t, []func(query){silent})
		var tasks sync.WaitGroup
		for i := range 5 {
			tasks.Go(func() {
				wait := time.Duration(i+1) * 100 * ms
				ctx, cancel := context.WithTimeout(t.Context(), wait)
				defer cancel()
				start := time.Now()
				_, err := collect(ctx, r, "www.example.com", Both)
				if d := time.Since(start); d != wait || err == nil {
					t.Errorf("%v after %v, want %v", err, d, wait)
				}
			})
		}
		tasks.Wait()
	})
}

// TestManyAtOnce has many look-ups under way, some of which are given up.
func TestManyAtOnce(t *testing.T) {
	ignore := goleak.IgnoreCurrent()
	s := serve(t, true, good)
	r := newResolver(t, Config{Servers: []netip.AddrPort{s.addr}})
	var tasks sync.WaitGroup
	for i := range 500 {
		tasks.Go(func() {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if i%5 == 0 {
				cancel()
			}
			got, err := collect(ctx, r, fmt.Sprintf("n%d.example.com", i%100), Both)
			if i%5 != 0 && (err != nil || !slices.Equal(got, both)) {
				t.Errorf("%d: %v, %v", i, got, err)
			}
		})
	}
	tasks.Wait()
	if n := s.total(dns.TypeA); n > 100 {
		t.Errorf("%d queries for 100 names", n)
	}
	r.Close()
	goleak.VerifyNone(t, ignore, goleak.IgnoreAnyFunction("github.com/go-mif/mif/resolver.(*rig).serveUDP"),
		goleak.IgnoreAnyFunction("github.com/go-mif/mif/resolver.(*rig).serveTCP"))
}

// TestLateReply: what comes for a query nobody waits for any more is not taken
// for a forgery.
func TestLateReply(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := fakeResolver(t, []func(query){func(q query) {
			for range 2 * maxMisses {
				q.send(truth(q))
			}
		}})
		for range 20 {
			if _, err := collect(t.Context(), r, "www.example.com", Both); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if n := r.memory.view.servers[0].misses; n != 0 {
			t.Errorf("%d near misses", n)
		}
	})
}

// TestStreamShared: queries over TCP are pipelined on one stream, and a stream
// the server has closed is replaced (RFC 7766 §6.2.1, §6.2.4).
func TestStreamShared(t *testing.T) {
	var streams atomic.Int32
	s := serve(t, true, truncated(func(q query) {
		q.send(truth(q))
		if q.n%5 == 0 {
			q.reply(nil) // close
		}
	}))
	r := newResolver(t, Config{Servers: []netip.AddrPort{s.addr}, NoCache: true})
	dial := r.Dial
	r.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		if network == "tcp" {
			streams.Add(1)
		}
		return dial(ctx, network, address)
	}
	for i := range 20 {
		got, err := collect(t.Context(), r, "www.example.com", IPv4)
		if err != nil || len(got) != 1 {
			t.Fatalf("%d: %v, %v", i, got, err)
		}
	}
	if n := streams.Load(); n < 2 || n > 5 {
		t.Errorf("%d streams for 20 queries", n)
	}
}

// TestStreamOutOfOrder: replies may come in any order (RFC 7766 §6.2.1.1).
func TestStreamOutOfOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var streams atomic.Int32
		r := fakeResolver(t, []func(query){truncated(func(q query) {
			if q.qtype() == dns.TypeAAAA {
				q.after(30*ms, truth(q))
				return
			}
			q.after(10*ms, truth(q))
		})})
		dial := r.Dial
		r.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			if network == "tcp" {
				streams.Add(1)
			}
			return dial(ctx, network, address)
		}
		start := time.Now()
		got, err := collect(t.Context(), r, "www.example.com", Both)
		if d := time.Since(start); err != nil || !slices.Equal(got, both) || d != 30*ms {
			t.Errorf("%v, %v after %v", got, err, d)
		}
		if n := streams.Load(); n != 1 {
			t.Errorf("%d streams", n)
		}
	})
}

// TestForget: new queries have new sockets, and nothing is remembered.
func TestForget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked, open atomic.Int32
		r := fakeResolver(t, []func(query){func(q query) {
			asked.Add(1)
			q.send(truth(q))
		}})
		count(r, &open)
		for range 2 {
			if _, err := collect(t.Context(), r, "www.example.com", IPv4); err != nil {
				t.Fatal(err)
			}
		}
		r.Forget()
		if n := open.Load(); n != 0 {
			t.Errorf("%d sockets are open", n)
		}
		if _, err := collect(t.Context(), r, "www.example.com", IPv4); err != nil {
			t.Fatal(err)
		}
		if n := asked.Load(); n != 2 {
			t.Errorf("asked %d times, want 2", n)
		}
	})
}

// TestBoardedLate: somebody who comes between the moment at which the one who
// runs an exchange stops and the moment at which it leaves goes on with it.
func TestBoardedLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := fakeResolver(t, []func(query){func(q query) { q.after(50*ms, truth(q)) }})
		cfg, _ := r.Config()
		v, about := r.look(&cfg), topic{"www.example.com.", dns.TypeA}
		f, joined := v.join(about)
		p := &patience{ctx: t.Context(), until: time.Now().Add(10 * ms), life: r.life.context().Done()}
		if joined || f.run(p, nil) {
			t.Fatal("the first asker has an answer")
		}
		v.pass(f)
		later := &patience{ctx: t.Context(), until: time.Now().Add(time.Second), life: p.life}
		done := make(chan *finding)
		go func() { done <- v.ask(later, about, nil, true) }()
		synctest.Wait()
		v.leave(about, f)
		if got := <-done; got.err != nil || len(got.addrs) != 1 {
			t.Errorf("%+v", got)
		}
	})
}

// TestStreamFull: a stream takes no more exchanges than it has IDs for by far.
func TestStreamFull(t *testing.T) {
	l := link{stream: true, refs: maxRefs - 1}
	if !l.take() || l.take() {
		t.Errorf("%d references, want %d", l.refs, maxRefs)
	}
}

// A stuffed socket finds no room for the first datagram.
type stuffed struct {
	net.Conn
	err  error
	once sync.Once
}

func (c *stuffed) Write(b []byte) (n int, err error) {
	c.once.Do(func() { err = c.err })
	if err != nil {
		return 0, err
	}
	return c.Conn.Write(b)
}

// TestNoRoomOnce: a query for which there is no room on this host is one that was
// lost; any other error of the socket is the server's.
func TestNoRoomOnce(t *testing.T) {
	for errno, want := range map[syscall.Errno]time.Duration{
		syscall.ENOBUFS: firstWait,
		syscall.EAGAIN:  firstWait,
		syscall.EPERM:   0,
	} {
		synctest.Test(t, func(t *testing.T) {
			r := fakeResolver(t, []func(query){good})
			dial := r.Dial
			r.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
				c, err := dial(ctx, network, address)
				return &stuffed{Conn: c, err: errno}, err
			}
			start := time.Now()
			_, err := collect(t.Context(), r, "www.example.com", IPv4)
			if d := time.Since(start); d != want || (err == nil) != (want > 0) {
				t.Errorf("%v: %v after %v", errno, err, d)
			}
		})
	}
}

// A refused socket sends the first datagram and no other.
type refused struct {
	net.Conn
	sent atomic.Int32
}

func (c *refused) Write(b []byte) (int, error) {
	if c.sent.Add(1) > 1 {
		return 0, syscall.ECONNREFUSED
	}
	return c.Conn.Write(b)
}

// TestSendFails: what sending one query brings to light is told to all who wait by
// that socket, who then ask by another.
func TestSendFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var dials atomic.Int32
		r := fakeResolver(t, []func(query){func(q query) {
			if dials.Load() > 1 {
				q.send(truth(q))
			}
		}})
		dial := r.Dial
		r.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			c, err := dial(ctx, network, address)
			if dials.Add(1) == 1 {
				c = &refused{Conn: c}
			}
			return c, err
		}
		start := time.Now()
		var tasks sync.WaitGroup
		ask := func(name string) {
			tasks.Go(func() {
				got, err := collect(t.Context(), r, name, IPv4)
				if d := time.Since(start); err != nil || len(got) != 1 || d != 10*ms {
					t.Errorf("%s: %v, %v after %v", name, got, err, d)
				}
			})
		}
		ask("first.example.com")
		time.Sleep(10 * ms)
		synctest.Wait()
		s := r.memory.view.servers[0]
		for i := range s.pool { // the second query is to go by the same socket
			for l := range r.links.open {
				s.pool[i] = l
			}
		}
		ask("second.example.com")
		tasks.Wait()
	})
}
