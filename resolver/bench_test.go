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
	"strconv"
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
// not count.
func startBench(b *testing.B) netip.AddrPort {
	b.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), benchServer+"=1")
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

// measureFloor compiles and runs the C program, or gives nothing if there is no
// compiler. So many queries are under way at a time.
func measureFloor(b *testing.B, server netip.AddrPort, width int) (floor, error) {
	cc, err := exec.LookPath("cc")
	if err != nil {
		return floor{}, err
	}
	program := filepath.Join(b.TempDir(), "floor")
	if out, err := exec.Command(cc, "-O2", "-o", program, filepath.Join("testdata", "floor.c")).CombinedOutput(); err != nil {
		return floor{}, fmt.Errorf("%w: %s", err, out)
	}
	const queries = 40000
	out, err := exec.Command(program, strconv.Itoa(int(server.Port())), strconv.Itoa(queries), strconv.Itoa(width)).Output()
	if err != nil {
		return floor{}, err
	}
	var f floor
	if _, err := fmt.Sscan(string(out), &f.wall, &f.cpu); err != nil {
		return floor{}, err
	}
	return floor{f.wall / queries, f.cpu / queries}, nil
}

// A client makes one look-up.
type client struct {
	name string
	ask  func(ctx context.Context, name string) error
}

func clients(b *testing.B, server netip.AddrPort) []client {
	r := newResolver(b, Config{Servers: []netip.AddrPort{server}, NoCache: true})
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
	netLookup := func(network string) func(context.Context, string) error {
		return func(ctx context.Context, name string) error {
			_, err := std.LookupNetIP(ctx, network, name)
			return err
		}
	}
	m := new(dns.Client)
	return []client{
		{"ours/A", lookup(IPv4)},
		{"ours/A+AAAA", lookup(Both)},
		{"socket per query/A", func(ctx context.Context, name string) error { return rawQuery(server, name) }},
		{"miekg/A", func(ctx context.Context, name string) error {
			_, _, err := m.ExchangeContext(ctx, new(dns.Msg).SetQuestion(name, dns.TypeA), server.String())
			return err
		}},
		{"net.Resolver/A", netLookup("ip4")},
		{"net.Resolver/A+AAAA", netLookup("ip")},
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
// those of a C program that opens a socket for each query. The sockets of ours
// and of the Go program with a socket for each query are bound to the loopback
// device; those of the C program and the others are not.
func BenchmarkQuery(b *testing.B) {
	server := startBench(b)
	for _, width := range []int{1, 64, 1024} {
		f, err := measureFloor(b, server, width)
		if err != nil {
			b.Logf("no floor: %v", err)
		}
		b.Run(fmt.Sprintf("%d/C, socket per query/A", width), func(b *testing.B) {
			if err != nil {
				b.Skip("no C program: ", err)
			}
			b.ReportMetric(f.wall, "ns/op")
			b.ReportMetric(f.cpu, "cpu-ns/op")
		})
		for _, c := range clients(b, server) {
			b.Run(fmt.Sprintf("%d/%s", width, c.name), func(b *testing.B) { measure(b, c, width, f) })
		}
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
	b.ReportMetric(used, "cpu-ns/op")
	if f.cpu > 0 {
		b.ReportMetric(used/f.cpu, "cpu/C")
		b.ReportMetric(f.wall/wall, "rate/C")
	}
	if n := failed.Load(); n > int64(b.N)/100 {
		b.Errorf("%d of %d look-ups failed", n, b.N)
	}
}
