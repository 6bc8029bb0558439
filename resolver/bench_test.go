package resolver

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// benchServer is the variable that makes the test program a name server.
const benchServer = "RESOLVER_BENCH_SERVER"

// serveBench answers every query of a type by one address, without looking at
// much, until its input ends.
func serveBench() {
	pc, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	go func() {
		_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
		os.Exit(0)
	}()
	deepen(pc)
	fmt.Println(pc.LocalAddr())
	buf := make([]byte, 1024)
	for {
		n, from, err := pc.ReadFromUDPAddrPort(buf)
		if err == nil && n > headerLen {
			_, _ = pc.WriteToUDPAddrPort(benchReply(buf[:n]), from)
		}
	}
}

// benchReply makes a query's reply of it.
func benchReply(b []byte) []byte {
	end := headerLen
	for b[end] != 0 {
		end += 1 + int(b[end])
	}
	end += 5
	kind := b[end-3]
	b = b[:end]
	b[2], b[3] = b[2]|0x80, 0x80
	b[7], b[9], b[11] = 1, 0, 0
	b = append(b, 0xc0, headerLen, 0, kind, 0, 1, 0, 0, 0, 60)
	if kind == byte(dns.TypeA) {
		return append(b, 0, 4, 192, 0, 2, 1)
	}
	return append(b, 0, 16, 0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1)
}

// startBench runs the server in a process of its own, so that its work does
// not count: one in C, or one in Go where there is no compiler.
func startBench(b *testing.B) netip.AddrPort {
	b.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), benchServer+"=1")
	if program, err := compile(b, "server.c"); err == nil {
		cmd = exec.Command(program)
	} else {
		b.Logf("the server is in Go: %v", err)
	}
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		in.Close()
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	return netip.MustParseAddrPort(strings.TrimSpace(line))
}

// A floor is what the C program takes for a query.
type floor struct{ wall, cpu float64 }

// compile makes a program of a C file, if there is a compiler and what the file
// needs.
func compile(b *testing.B, file string, libraries ...string) (program string, err error) {
	cc, err := exec.LookPath("cc")
	if err != nil {
		return "", err
	}
	program = filepath.Join(b.TempDir(), strings.TrimSuffix(file, ".c"))
	args := append([]string{"-O2", "-o", program, filepath.Join("testdata", file)}, libraries...)
	if out, err := exec.Command(cc, args...).CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return program, nil
}

// measureC runs a C program, so many queries of which are under way at a time.
func measureC(b *testing.B, program string, server netip.AddrPort, width int, more ...string) floor {
	const queries = 40000
	args := append([]string{fmt.Sprint(server.Port()), fmt.Sprint(queries), fmt.Sprint(width)}, more...)
	out, err := exec.Command(program, args...).Output()
	if err != nil {
		b.Fatal(err)
	}
	var f floor
	if _, err := fmt.Sscan(string(out), &f.wall, &f.cpu); err != nil {
		b.Fatal(err)
	}
	return floor{f.wall / queries, f.cpu / queries}
}

// A client makes one look-up.
type client struct {
	name string
	ask  func(ctx context.Context, name string) error
}

func clients(b *testing.B, server netip.AddrPort) []client {
	r := newResolver(b, Config{
		Servers: []netip.AddrPort{server}, NoCache: true,
		Addresses: []Address{{Prefix: netip.MustParsePrefix("192.0.2.9/24")}, {Prefix: netip.MustParsePrefix("2001:db8::9/64")}},
	})
	r.Dial = boundDialer().DialContext
	std := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, server.String())
	}}
	lookup := func(f Family) func(context.Context, string) error {
		return func(ctx context.Context, name string) (err error) {
			for _, e := range r.Lookup(ctx, name, f) {
				err = e
			}
			return err
		}
	}
	netLookup := func(r interface {
		LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
	}, network string) func(context.Context, string) error {
		return func(ctx context.Context, name string) error {
			_, err := r.LookupNetIP(ctx, network, name)
			return err
		}
	}
	m := new(dns.Client)
	return []client{
		{"ours/A", lookup(IPv4)},
		{"ours/A+AAAA, each when it comes", lookup(Both)},
		{"ours/A+AAAA", netLookup(r, "ip")},
		{"socket per query/A", func(ctx context.Context, name string) error { return rawQuery(server, name) }},
		{"miekg/A", func(ctx context.Context, name string) error {
			_, _, err := m.ExchangeContext(ctx, new(dns.Msg).SetQuestion(name, dns.TypeA), server.String())
			return err
		}},
		{"net.Resolver/A", netLookup(std, "ip4")},
		{"net.Resolver/A+AAAA", netLookup(std, "ip")},
	}
}

// rawQuery is the least a Go program can do with a socket for each query.
func rawQuery(server netip.AddrPort, name string) error {
	c, err := boundDialer().Dial("udp4", server.String())
	if err != nil {
		return err
	}
	defer c.Close()
	q, err := newQuestion(name, dns.TypeA, false)
	if err != nil {
		return err
	}
	if err := c.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		return err
	}
	if _, err := c.Write(q.wire); err != nil {
		return err
	}
	var buf [1232]byte
	n, err := c.Read(buf[:])
	if err == nil && n < headerLen+len(q.body)+16 {
		err = errors.New("short reply")
	}
	return err
}

// BenchmarkQuery asks for names with 1, 64 and 1024 look-ups under way. It
// tells the processor time of a look-up, and it and the rate as multiples of
// those of a C program that opens a socket for each query. The sockets of ours,
// of c-ares and of the Go program with a socket for each query are bound to the
// loopback device; those of the C program and the others are not.
func BenchmarkQuery(b *testing.B) {
	server := startBench(b)
	program, missing := compile(b, "floor.c")
	ares, noAres := compile(b, "ares.c", "-lcares")
	for _, width := range []int{1, 64, 1024} {
		var f floor
		runC := func(name string, missing error, program string, more ...string) (got floor) {
			b.Run(fmt.Sprintf("%d/%s", width, name), func(b *testing.B) {
				if missing != nil {
					b.Skip("no C program: ", missing)
				}
				got = measureC(b, program, server, width, more...)
				got.report(b, f)
			})
			return got
		}
		f = runC("C, socket per query/A", missing, program)
		runC("c-ares/A", noAres, ares)
		runC("c-ares/A+AAAA", noAres, ares, "both")
		for _, c := range clients(b, server) {
			b.Run(fmt.Sprintf("%d/%s", width, c.name), func(b *testing.B) { measure(b, c, width, f) })
		}
	}
}

// report tells the times of a look-up, and what multiple of a floor's they are.
func (f floor) report(b *testing.B, than floor) {
	b.ReportMetric(f.wall, "ns/op")
	b.ReportMetric(f.cpu, "cpu-ns/op")
	if than.cpu > 0 {
		b.ReportMetric(f.cpu/than.cpu, "cpu/C")
		b.ReportMetric(than.wall/f.wall, "rate/C")
	}
}

func measure(b *testing.B, c client, width int, f floor) {
	b.ReportAllocs()
	names := make([]string, 4096)
	for i := range names {
		names[i] = fmt.Sprintf("n%d.example.com.", i)
	}
	var next, failed atomic.Int64
	var tasks sync.WaitGroup
	b.ResetTimer()
	before := cpu()
	for range width {
		tasks.Go(func() {
			for n := next.Add(1); n <= int64(b.N); n = next.Add(1) {
				if c.ask(b.Context(), names[n%int64(len(names))]) != nil {
					failed.Add(1)
				}
			}
		})
	}
	tasks.Wait()
	used, wall := float64(cpu()-before)/float64(b.N), float64(b.Elapsed())/float64(b.N)
	floor{wall, used}.report(b, f)
	if n := failed.Load(); n > int64(b.N)/100 {
		b.Errorf("%d of %d look-ups failed", n, b.N)
	}
}
