package hostconf

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A host that has no inotify instance or descriptor left is read all the same.
func TestWithoutInotify(t *testing.T) {
	r := newRig(t)
	r.write(leasesFile, lease4)
	var limit syscall.Rlimit
	r.must(syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit))
	r.must(syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: 0, Max: limit.Max}))
	n, err := newNotifier(r.root)
	r.must(syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit))
	r.must(err)
	r.open()
	r.must(r.w.notifier.close())
	r.w.notifier = n
	if s := r.receive(); !server4(s, "192.0.2.53 192.0.2.54") {
		t.Errorf("got %+v", s)
	}
	if err := r.source(""); !errors.Is(err, syscall.EMFILE) {
		t.Errorf("source: %v", err)
	}
}

// A host without notice of changes still learns that a lease has expired.
func TestDeafExpiry(t *testing.T) {
	d := newDeaf(syscall.EMFILE)
	if err := d.wait(context.Background(), time.Now().Add(time.Millisecond)); err != nil {
		t.Error(err)
	}
	if d.arm(map[string]changes{"/": written}) {
		t.Error("a deaf notifier has news")
	}
}

// What cannot be watched is told as long as it cannot, and logged once.
func TestUnwatchable(t *testing.T) {
	r := newRig(t)
	var log strings.Builder
	w, err := Open(&Config{Root: r.root, Log: slog.New(slog.NewTextHandler(&log, nil))})
	r.must(err)
	r.w = w
	t.Cleanup(func() { r.must(w.Close()) })
	n := w.notifier.(*inotify)
	w.notifier = &withBadWatch{n}
	r.receive()
	r.write("/etc/resolv.conf", "nameserver 192.0.2.5")
	r.until(func(s *State) bool { return resolver(s) == "192.0.2.5" })
	if err := r.source(""); !errors.Is(err, syscall.ENAMETOOLONG) {
		t.Errorf("source: %v", err)
	}
	if got := strings.Count(log.String(), "no notice of changes"); got != 1 {
		t.Errorf("logged %d times:\n%s", got, log.String())
	}
	w.notifier = n
	r.write("/etc/resolv.conf", "nameserver 192.0.2.6")
	r.until(func(s *State) bool { return resolver(s) == "192.0.2.6" })
	if err := r.source(""); err != nil {
		t.Errorf("source: %v", err)
	}
}

// withBadWatch has one more directory to watch, which the kernel refuses.
type withBadWatch struct{ *inotify }

func (w *withBadWatch) arm(dirs map[string]changes) bool {
	dirs["/"+strings.Repeat("x", 300)] = entries
	return w.inotify.arm(dirs)
}

// A directory of two names is watched for what is asked of either.
func TestDirectoryOfTwoNames(t *testing.T) {
	r := newRig(t)
	r.must(os.MkdirAll(r.path("/a"), 0o755))
	r.must(os.Symlink("a", r.path("/b")))
	r.write("/a/file", "x")
	n, err := newNotifier(r.root)
	r.must(err)
	defer n.close()
	dirs := map[string]changes{"/a": written, "/b": entries}
	if !n.arm(dirs) {
		t.Error("nothing new at first")
	}
	for range 20 { // in any order of the map
		if n.arm(dirs) {
			t.Error("something new")
		}
	}
	f, err := os.OpenFile(r.path("/a/file"), os.O_WRONLY, 0)
	r.must(err)
	defer f.Close()
	_, err = f.WriteString("y")
	r.must(err)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	r.must(n.wait(ctx, time.Time{}))
	if n.arm(map[string]changes{"/a": closed}) {
		t.Error("asking for less is news")
	}
	if !n.arm(map[string]changes{"/": closed}) || !n.arm(map[string]changes{"/a": closed}) {
		t.Error("another directory is no news")
	}
}
