package connect

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"text/tabwriter"
	"time"

	"golang.org/x/sys/unix"
)

var costFlag = flag.Bool("cost", false, "measure what a connect costs beside the floors and the peers")

// A contender connects n times and closes at once. It reports what one took.
type contender struct {
	name string
	run  func(n int) (spent, error)
}

type spent struct{ cpu, wall time.Duration }

// TestCost prints the cost of a connect as a table, for IPv4 and IPv6: medians of
// rounds in which everybody takes a turn, and the median of each round's ratio. The
// measuring process is a child in the host's namespace: a thread that had entered it
// would be bound to its goroutine, which costs more than a connect.
func TestCost(t *testing.T) {
	if !*costFlag {
		t.Skip("measures only with -cost")
	}
	u := distinct(t)
	u.host.sysctl("net/ipv4/tcp_max_tw_buckets", "1")
	u.r2.sysctl("net/ipv4/tcp_max_tw_buckets", "1")
	for _, c := range [][2]string{{"10.2.0.2", "10.2.0.1"}, {"2001:db8:2::2", "2001:db8:2::1"}} {
		from, to := c[0], c[1]
		cmd := exec.Command("/proc/self/exe", "-test.run", "^TestAsCourse$", "-test.v")
		at := net.JoinHostPort(to, strconv.Itoa(u.acceptor(to)))
		cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %s %d", courseEnv, from, at, u.host.index("up2")))
		var out []byte
		var err error
		u.host.do(func() { out, err = cmd.CombinedOutput() })
		fmt.Printf("%s\n", out)
		u.host.must(err)
	}
}

const courseEnv = "CONNECT_TEST_COURSE"

func TestAsCourse(t *testing.T) {
	if os.Getenv(courseEnv) == "" {
		t.Skip("run by TestCost")
	}
	var from, to string
	var b course
	if _, err := fmt.Sscan(os.Getenv(courseEnv), &from, &to, &b.iface); err != nil {
		t.Fatal(err)
	}
	b.from, b.to = netip.MustParseAddr(from), netip.MustParseAddrPort(to)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	b.race(t, b.contenders(t))
}

// A course is the one connection everybody makes.
type course struct {
	from  netip.Addr
	to    netip.AddrPort
	iface int
}

func (b *course) contenders(t *testing.T) []contender {
	all := b.floor(t)
	bound := net.Dialer{LocalAddr: &net.TCPAddr{IP: b.from.AsSlice()}, Control: b.bindDevice}
	for _, c := range []struct {
		name string
		dial func() (net.Conn, error)
	}{
		{"Go system calls, poll", func() (net.Conn, error) { return nil, b.raw(false) }},
		{"Go system calls, poll, bound", func() (net.Conn, error) { return nil, b.raw(true) }},
		{"net.Dialer", func() (net.Conn, error) {
			return new(net.Dialer).DialContext(context.Background(), "tcp", b.to.String())
		}},
		{"net.Dialer, LocalAddr and Control", func() (net.Conn, error) { return bound.DialContext(context.Background(), "tcp", b.to.String()) }},
		{"Dialer, route asked each time", b.ours(nil)},
		{"Dialer, route cached", b.ours(new(RouteCache))},
	} {
		all = append(all, contender{c.name, b.loop(c.dial)})
	}
	return all
}

func (b *course) ours(cache *RouteCache) func() (net.Conn, error) {
	domain := domain2(b.iface)
	domain.Generation = 1
	d := &Dialer{Domain: func() (Domain, error) { return domain, nil }, Cache: cache}
	return func() (net.Conn, error) { return d.Dial(context.Background(), "tcp", b.to) }
}

// loop dials n times.
func (b *course) loop(dial func() (net.Conn, error)) func(n int) (spent, error) {
	return func(n int) (spent, error) {
		start, cpu := time.Now(), cpuTime()
		for range n {
			c, err := dial()
			if err != nil {
				return spent{}, err
			}
			if c != nil {
				c.Close()
			}
		}
		return spent{(cpuTime() - cpu) / time.Duration(n), time.Since(start) / time.Duration(n)}, nil
	}
}

func cpuTime() time.Duration {
	var r unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &r); err != nil {
		panic(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

func (b *course) bindDevice(_, _ string, c syscall.RawConn) error {
	var err error
	if e := c.Control(func(fd uintptr) {
		err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_BINDTOIFINDEX, b.iface)
	}); e != nil {
		return e
	}
	return err
}

// raw is what the C program does, in Go.
func (b *course) raw(bound bool) error {
	family, s := unix.AF_INET, &socket{iface: b.iface, source: b.from, transport: "tcp"}
	if b.from.Is6() {
		family = unix.AF_INET6
	}
	fd, err := makeSocket(family, unix.SOCK_STREAM, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if bound {
		if err := s.bindInterface(fd); err != nil {
			return err
		}
		if err := s.deferPort(fd); err != nil {
			return err
		}
		if err := unix.Bind(fd, sockaddrOf(netip.AddrPortFrom(b.from, 0))); err != nil {
			return err
		}
	}
	if err := unix.Connect(fd, sockaddrOf(b.to)); err != unix.EINPROGRESS {
		return err
	}
	for p := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}; ; {
		if _, err := unix.Poll(p, 20000); err != unix.EINTR {
			break
		}
	}
	if e, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR); e != 0 || err != nil {
		return unix.Errno(e)
	}
	return nil
}

func sockaddrOf(a netip.AddrPort) unix.Sockaddr {
	if a.Addr().Is4() {
		return &unix.SockaddrInet4{Addr: a.Addr().As4(), Port: int(a.Port())}
	}
	return &unix.SockaddrInet6{Addr: a.Addr().As16(), Port: int(a.Port())}
}

// floor compiles the C program. Without a compiler the table lacks it, and says so.
func (b *course) floor(t *testing.T) []contender {
	bin := filepath.Join(t.TempDir(), "connect")
	if out, err := exec.Command("cc", "-O2", "-o", bin, "testdata/connect.c").CombinedOutput(); err != nil {
		t.Logf("no C floor: %v\n%s", err, out)
		return nil
	}
	run := func(extra ...string) func(n int) (spent, error) {
		return func(n int) (s spent, err error) {
			args := append([]string{b.to.Addr().String(), strconv.Itoa(int(b.to.Port())), strconv.Itoa(n)}, extra...)
			out, err := exec.Command(bin, args...).Output()
			if err == nil {
				_, err = fmt.Sscan(string(out), &s.cpu, &s.wall)
			}
			return s, err
		}
	}
	return []contender{{"C", run()}, {"C, bound", run(b.from.String(), "up2")}}
}

// race lets everybody run in turn, several times, and prints the table.
func (b *course) race(t *testing.T, all []contender) {
	const rounds, n = 9, 1000
	times := make([][]spent, len(all))
	for range rounds {
		for i, c := range all {
			runtime.GC()
			s, err := c.run(n)
			if err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
			times[i] = append(times[i], s)
		}
	}
	plain := slices.IndexFunc(all, func(c contender) bool { return c.name == "net.Dialer" })
	var out bytes.Buffer
	w := tabwriter.NewWriter(&out, 0, 0, 1, ' ', 0)
	fmt.Fprintf(w, "| to %v\t| CPU µs\t| wall µs\t| ÷ %s\t| ÷ net.Dialer\t|\n|---\t|---:\t|---:\t|---:\t|---:\t|\n", b.to.Addr(), all[0].name)
	for i, c := range all {
		fmt.Fprintf(w, "| %s\t| %.1f\t| %.1f\t| %.2f\t| %.2f\t|\n", c.name,
			median(times[i], func(_ int, s spent) float64 { return float64(s.cpu) / 1e3 }),
			median(times[i], func(_ int, s spent) float64 { return float64(s.wall) / 1e3 }),
			median(times[i], func(r int, s spent) float64 { return float64(s.cpu) / float64(times[0][r].cpu) }),
			median(times[i], func(r int, s spent) float64 { return float64(s.cpu) / float64(times[plain][r].cpu) }))
	}
	w.Flush()
	fmt.Printf("\n%s\n", out.String())
}

func median(all []spent, of func(round int, s spent) float64) float64 {
	var values []float64
	for r, s := range all {
		values = append(values, of(r, s))
	}
	slices.Sort(values)
	return values[len(values)/2]
}

const acceptEnv = "CONNECT_TEST_ACCEPT"

// acceptor starts a process in r2 that accepts and closes, so that what the server
// does is nobody's CPU here. It returns its port.
func (u *uplinks) acceptor(addr string) (port int) {
	cmd := exec.Command("/proc/self/exe", "-test.run", "^TestAsAcceptor$")
	cmd.Env = append(os.Environ(), acceptEnv+"="+addr)
	out, err := cmd.StdoutPipe()
	u.host.must(err)
	in, err := cmd.StdinPipe()
	u.host.must(err)
	u.r2.do(func() { err = cmd.Start() })
	u.host.must(err)
	u.host.t.Cleanup(func() { in.Close(); cmd.Wait() })
	_, err = fmt.Fscan(out, &port)
	u.host.must(err)
	return port
}

// TestAsAcceptor accepts until its standard input ends.
func TestAsAcceptor(t *testing.T) {
	if os.Getenv(acceptEnv) == "" {
		t.Skip("run by TestCost")
	}
	ln, err := net.Listen("tcp", net.JoinHostPort(os.Getenv(acceptEnv), "0"))
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		os.Stdin.Read(make([]byte, 1))
		ln.Close()
	}()
	fmt.Println(ln.Addr().(*net.TCPAddr).Port)
	for {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		c.Close()
	}
}
