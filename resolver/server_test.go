package resolver

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if os.Getenv(benchServer) != "" {
		serveBench()
	}
	goleak.VerifyTestMain(m)
}

// A query is what a scripted server was asked.
type query struct {
	*dns.Msg
	n     int  // 1 for the first of its type by its transport
	tcp   bool // by TCP
	from  netip.AddrPort
	reply func([]byte)
	write func([]byte) // without a frame; of a fake network only
}

// send packs messages and sends them as replies.
func (q query) send(ms ...*dns.Msg) {
	for _, m := range ms {
		q.reply(packed(m))
	}
}

func (q query) qtype() uint16 { return q.Question[0].Qtype }
func (q query) qname() string { return q.Question[0].Name }
func (q query) edns() bool    { return q.IsEdns0() != nil }

func packed(m *dns.Msg) []byte {
	b, err := m.Pack()
	if err != nil {
		panic(err)
	}
	return b
}

// A rig is a scripted name server on loopback, UDP and TCP.
type rig struct {
	addr    netip.AddrPort
	script  func(query)
	tasks   sync.WaitGroup
	mu      sync.Mutex
	counts  map[[2]uint16]int
	came    map[datagramID]bool
	streams map[net.Conn]bool // nil once closed
}

// A datagramID tells a query by UDP from others: one that is sent again, as it may be
// on a busy machine, is the same.
type datagramID struct {
	from netip.AddrPort
	id   uint16
}

// total tells how many queries of a type came, by either transport.
func (s *rig) total(qtype uint16) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts[[2]uint16{qtype, 0}] + s.counts[[2]uint16{qtype, 1}]
}

// serve starts a server whose script answers one query at a time. Without a
// port of TCP it refuses connections.
func serve(t testing.TB, tcp bool, script func(query)) *rig {
	t.Helper()
	return serveAt(t, netip.AddrFrom4([4]byte{127, 0, 0, 1}), tcp, script)
}

// serveAt starts a server at an address.
func serveAt(t testing.TB, at netip.Addr, tcp bool, script func(query)) *rig {
	t.Helper()
	pc, ln := listen(t, at)
	s := &rig{script: script, counts: map[[2]uint16]int{}, came: map[datagramID]bool{}, streams: map[net.Conn]bool{}}
	s.addr = pc.LocalAddr().(*net.UDPAddr).AddrPort()
	s.tasks.Go(func() { s.serveUDP(pc) })
	if tcp {
		s.tasks.Go(func() { s.serveTCP(ln) })
	} else {
		ln.Close()
	}
	t.Cleanup(func() {
		pc.Close()
		ln.Close()
		s.mu.Lock()
		for c := range s.streams {
			c.Close()
		}
		s.streams = nil
		s.mu.Unlock()
		s.tasks.Wait()
	})
	return s
}

// listen finds a port that is free for UDP and for TCP.
func listen(t testing.TB, at netip.Addr) (*net.UDPConn, net.Listener) {
	t.Helper()
	for range 50 {
		pc, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(at, 0)))
		if err != nil {
			t.Fatal(err)
		}
		ln, err := net.Listen("tcp", pc.LocalAddr().String())
		if err == nil {
			return pc, ln
		}
		pc.Close()
	}
	t.Fatal("no port is free for both transports")
	return nil, nil
}

func (s *rig) serveUDP(pc *net.UDPConn) {
	buf := make([]byte, 65535)
	for {
		n, from, err := pc.ReadFromUDPAddrPort(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err == nil {
			s.handle(buf[:n], false, from, func(b []byte) { _, _ = pc.WriteToUDPAddrPort(b, from) })
		}
	}
}

func (s *rig) serveTCP(ln net.Listener) {
	for {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		if s.streams == nil {
			c.Close()
		} else {
			s.streams[c] = true
			s.tasks.Go(func() { s.serveStream(c) })
		}
		s.mu.Unlock()
	}
}

func (s *rig) serveStream(c net.Conn) {
	defer c.Close()
	buf := new([maxMessage]byte)
	for closed := false; !closed; {
		b, err := readFrame(c, buf)
		if err != nil {
			return
		}
		s.handle(b, true, netip.AddrPort{}, func(b []byte) {
			if b == nil {
				closed = true
				return
			}
			_, _ = c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(b))), b...))
		})
	}
}

func (s *rig) handle(b []byte, tcp bool, from netip.AddrPort, reply func([]byte)) {
	m := new(dns.Msg)
	if m.Unpack(b) != nil || len(m.Question) != 1 {
		return
	}
	key := [2]uint16{m.Question[0].Qtype}
	if tcp {
		key[1] = 1
	}
	s.mu.Lock()
	if id := (datagramID{from, m.Id}); tcp || !s.came[id] {
		s.came[id] = true
		s.counts[key]++
	}
	n := s.counts[key]
	s.mu.Unlock()
	s.script(query{Msg: m, n: n, tcp: tcp, from: from, reply: reply})
}

// newResolver gives a resolver without a hosts file, and checks at the end of
// the test that every socket it made is closed.
func newResolver(t testing.TB, cfg Config) *Resolver {
	t.Helper()
	var all sockets
	r := &Resolver{
		Config: func() (Config, error) { return cfg, nil },
		Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			return all.keep(new(net.Dialer).DialContext(ctx, network, address))
		},
	}
	r.hosts.path = filepath.Join(t.TempDir(), "none")
	t.Cleanup(func() {
		r.Close()
		if n := all.open(); n != 0 {
			t.Errorf("%d sockets left open", n)
		}
	})
	return r
}

// sockets are those a resolver got, as they are: wrapped ones would be used
// otherwise.
type sockets struct {
	mu  sync.Mutex
	all []net.Conn
}

func (s *sockets) keep(c net.Conn, err error) (net.Conn, error) {
	if err == nil {
		s.mu.Lock()
		s.all = append(s.all, c)
		s.mu.Unlock()
	}
	return c, err
}

// open tells how many are open.
func (s *sockets) open() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.all {
		if err := c.SetDeadline(time.Time{}); !errors.Is(err, net.ErrClosed) {
			n++
		}
	}
	return n
}

type countedConn struct {
	net.Conn
	open *atomic.Int32
	once sync.Once
}

func (c *countedConn) Close() error {
	c.once.Do(func() { c.open.Add(-1) })
	return c.Conn.Close()
}

// collect makes a look-up and gives its addresses, sorted, and its error.
func collect(ctx context.Context, r *Resolver, name string, f Family) ([]string, error) {
	answers, err := collectAnswers(ctx, r, name, f)
	addrs := make([]string, len(answers))
	for i, a := range answers {
		addrs[i] = a.Addr.String()
	}
	slices.Sort(addrs)
	return addrs, err
}

func collectAnswers(ctx context.Context, r *Resolver, name string, f Family) (all []Answer, err error) {
	for group, e := range r.Lookup(ctx, name, f) {
		all, err = append(all, group...), e
	}
	return all, err
}

// rrs reads records in the form of a zone file.
func rrs(lines ...string) []dns.RR {
	var out []dns.RR
	for _, line := range lines {
		rr, err := dns.NewRR(line)
		if err != nil || rr == nil {
			panic(line)
		}
		out = append(out, rr)
	}
	return out
}

// answer makes a reply with records.
func answer(q query, lines ...string) *dns.Msg {
	m := new(dns.Msg).SetReply(q.Msg)
	m.RecursionAvailable = true
	m.Answer = rrs(lines...)
	return m
}

// address gives the record of the type asked for, the true one or an evil one.
func address(owner string, qtype uint16, evil bool) string {
	switch {
	case qtype == dns.TypeA && !evil:
		return owner + " 60 IN A 192.0.2.1"
	case qtype == dns.TypeA:
		return owner + " 60 IN A 203.0.113.66"
	case !evil:
		return owner + " 60 IN AAAA 2001:db8::1"
	}
	return owner + " 60 IN AAAA 2001:db8:bad::66"
}

// truth and lie are the good and the evil answer to a query.
func truth(q query) *dns.Msg { return answer(q, address(q.qname(), q.qtype(), false)) }
func lie(q query) *dns.Msg   { return answer(q, address(q.qname(), q.qtype(), true)) }

func failing(q query, rcode int) *dns.Msg { return new(dns.Msg).SetRcode(q.Msg, rcode) }
