package connect

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
)

// Ten thousand dials are under way while their domains and the host's addresses come
// and go: each ends once, for its own reason, and nothing is left. It runs in a
// process of its own in the host's namespace, since each socket for another
// namespace costs a thread for a moment.
func TestFlappingDomains(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	var most unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &most); err != nil || most.Cur < 3*flappingDials/2 {
		t.Skipf("%d descriptors are too few: %v", most.Cur, err)
	}
	u := swallowing(t)
	cmd := exec.Command("/proc/self/exe", "-test.run", "^TestAsFlappingChild$", "-test.v")
	cmd.Env = append(os.Environ(), childEnv+"=1")
	var out []byte
	var err error
	u.host.do(func() { out, err = cmd.CombinedOutput() })
	if err != nil || !strings.Contains(string(out), "--- PASS: TestAsFlappingChild") {
		t.Fatalf("child: %v\n%s", err, out)
	}
	t.Logf("%s", out)
}

const (
	flappingDials   = 10000
	flappingDomains = 50
)

// A flapping is one of many domains of up2, with the dials in it.
type flapping struct {
	changing
	life    context.Context
	end     context.CancelCauseFunc
	reasons []error // of its dials' ends that are right
	running sync.WaitGroup
	ended   atomic.Int32
}

func TestAsFlappingChild(t *testing.T) {
	if os.Getenv(childEnv) == "" {
		t.Skip("run by TestFlappingDomains")
	}
	up2, err := net.InterfaceByName("up2")
	if err != nil {
		t.Fatal(err)
	}
	warm, err := fixed(domain2(up2.Index)).DialContext(context.Background(), "tcp", far4+":80") // opens the poller's descriptors
	if err != nil {
		t.Fatal(err)
	}
	warm.Close()
	before, n := goleak.IgnoreCurrent(), descriptors(t)
	all := startFlapping(t, up2.Index)
	for end := time.Now().Add(safetyNet); descriptors(t) < n+flappingDials; {
		if time.Now().After(end) {
			t.Fatalf("only %d descriptors", descriptors(t))
		}
	}
	stop := flapAddress(t, "up2")
	slowest := time.Duration(0)
	for i, f := range all {
		start := time.Now()
		f.lose(i, up2.Index)
		f.running.Wait()
		slowest = max(slowest, time.Since(start))
		if got := f.ended.Load(); got != flappingDials/flappingDomains {
			t.Errorf("domain %d: %d ends", i, got)
		}
	}
	stop()
	t.Logf("%d dials in %d domains; the slowest domain's dials had ended after %v", flappingDials, flappingDomains, slowest)
	if got := descriptors(t); got != n {
		t.Errorf("%d descriptors before, %d after", n, got)
	}
	goleak.VerifyNone(t, before)
}

func startFlapping(t *testing.T, iface int) []*flapping {
	all := make([]*flapping, flappingDomains)
	for i := range all {
		f := &flapping{}
		f.set(domain2(iface), nil)
		f.life, f.end = context.WithCancelCause(context.Background())
		d := &Dialer{Domain: f.Domain, Context: f.life, Timeout: time.Hour, Cache: new(RouteCache)}
		for j := range flappingDials / flappingDomains {
			f.running.Go(func() { f.dial(t, d, []string{silent4, silent6}[j%2]) })
		}
		all[i] = f
	}
	return all
}

func (f *flapping) dial(t *testing.T, d *Dialer, to string) {
	conn, err := d.Dial(context.Background(), "tcp", netip.MustParseAddrPort(to))
	f.ended.Add(1)
	if conn != nil || err == nil {
		t.Errorf("connected to %s, where nobody is: %v, %v", to, conn, err)
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if !slices.ContainsFunc(f.reasons, func(r error) bool { return errors.Is(err, r) }) {
		t.Errorf("ended by %v, want one of %v", err, f.reasons)
	}
}

// lose takes from a domain its life, its addresses, or both at once.
func (f *flapping) lose(i, iface int) {
	f.mu.Lock()
	f.reasons = [][]error{{errGone}, {ErrSourceGone}, {errGone, ErrSourceGone}}[i%3]
	f.mu.Unlock()
	empty := domain2(iface)
	empty.Addresses = nil
	switch i % 3 {
	case 0:
		f.end(errGone)
	case 1:
		f.set(empty, nil)
	default:
		var both sync.WaitGroup
		both.Go(func() { f.end(errGone) })
		both.Go(func() { f.set(empty, nil) })
		both.Wait()
	}
}

// flapAddress takes the link's addresses away and gives them back, over and over,
// with dials coming and going that may or may not succeed.
func flapAddress(t *testing.T, name string) (stop func()) {
	h, err := netlink.NewHandle()
	if err != nil {
		t.Fatal(err)
	}
	l, err := h.LinkByName(name)
	if err != nil {
		t.Fatal(err)
	}
	var done atomic.Bool
	var running sync.WaitGroup
	running.Go(func() {
		for !done.Load() {
			err := errors.Join(h.AddrDel(l, ipAddr("10.2.0.2/24")), h.AddrAdd(l, ipAddr("10.2.0.2/24")))
			if err != nil {
				t.Errorf("flapping: %v", err)
				return
			}
		}
	})
	d := fixed(domain2(l.Attrs().Index))
	for range 4 {
		running.Go(func() {
			for !done.Load() {
				ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
				conn, err := d.DialContext(ctx, "tcp", "10.2.0.1:80")
				if (conn == nil) == (err == nil) {
					t.Errorf("neither or both: %v, %v", conn, err)
				}
				if conn != nil {
					conn.Close()
				}
				cancel()
			}
		})
	}
	return func() { done.Store(true); running.Wait(); h.Close() }
}
