package hostconf

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/go-mif/mif/pvd"
)

const leasesFile = "/var/lib/dhcp/dhclient.eth0.leases"

// A rig is a file tree and a Watcher of it.
type rig struct {
	t    testing.TB
	root string
	pace pace
	log  logged
	w    *Watcher
}

// newRig has a pace that fails no test on a busy machine, and none that waits.
func newRig(t testing.TB) *rig {
	before := goleak.IgnoreCurrent() // benchmarks wait for each other
	t.Cleanup(func() { goleak.VerifyNone(t, before) })
	return &rig{t: t, root: t.TempDir(), pace: pace{patience: 20 * time.Second, first: 20 * time.Second, retry: time.Millisecond, rest: 10 * time.Millisecond}}
}

func (r *rig) path(name string) string { return filepath.Join(r.root, name) }

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// write replaces a file in one step, as most programs do.
func (r *rig) write(name, text string) {
	r.t.Helper()
	r.must(os.MkdirAll(filepath.Dir(r.path(name)), 0o755))
	r.must(os.WriteFile(r.path("/.new"), []byte(text), 0o644))
	r.must(os.Rename(r.path("/.new"), r.path(name)))
}

func (r *rig) open() {
	r.t.Helper()
	w, err := open(&Config{Root: r.root, Log: slog.New(slog.NewTextHandler(&r.log, nil))}, r.pace)
	r.must(err)
	r.w = w
	r.t.Cleanup(func() { r.must(w.Close()) })
}

func (r *rig) receive() *State {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	s, err := r.w.Receive(ctx)
	r.must(err)
	return s
}

// until receives until a state is as wanted.
func (r *rig) until(wanted func(*State) bool) *State {
	r.t.Helper()
	for {
		if s := r.receive(); wanted(s) {
			return s
		}
	}
}

// server4 tells whether the only name server of eth0 over IPv4 is this one, or
// there is none if it is empty.
func server4(s *State, want string) bool {
	var got []string
	for _, c := range s.Links["eth0"] {
		for _, d := range c.DNSServers {
			if d.Element == pvd.ElementDHCPv4 {
				got = append(got, d.Value.Addr().String())
			}
		}
	}
	return strings.Join(got, " ") == want
}

func leaseWith(server string) string {
	return "lease {\n  interface \"eth0\";\n  option domain-name-servers " + server + ";\n  expire 1 2099/01/05 05:05:06;\n}\n"
}

func resolver(s *State) string {
	var got []string
	for _, d := range s.Resolver.DNSServers {
		got = append(got, d.Value.Addr().String())
	}
	return strings.Join(got, " ")
}

func (r *rig) source(path string) error {
	for _, s := range r.w.Sources() {
		if s.Path == path {
			return s.Err
		}
	}
	r.t.Fatalf("no source %s", path)
	return nil
}

// logged is a log that several goroutines can write to and read.
type logged struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (l *logged) count(s string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), s)
}

// sourceOf is what a source lacks, by its name and path.
func (r *rig) sourceOf(name, path string) error {
	for _, s := range r.w.Sources() {
		if s.Name == name && s.Path == path {
			return s.Err
		}
	}
	r.t.Fatalf("no source %s at %s", name, path)
	return nil
}

// poll gives the Watcher time to notice what changes no state. If one changes after
// all, it returns that, else nil.
func (r *rig) poll() *State {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Millisecond)
	defer cancel()
	s, err := r.w.Receive(ctx)
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		r.t.Fatal(err)
	}
	return s
}
