package interop

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
)

// look returns the path of a program, or skips the test if there is none. Debian keeps
// servers where an ordinary user's PATH does not lead.
func look(t *testing.T, name string) string {
	t.Helper()
	for _, dir := range []string{"", "/usr/sbin", "/sbin"} {
		if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return path
		}
	}
	t.Skipf("%s is not installed", name)
	return ""
}

// A daemon is a program that runs beside the test until it is stopped.
type daemon struct {
	t    *testing.T
	cmd  *exec.Cmd
	out  said
	done chan struct{} // closed when it has ended
}

// start runs a command by a function that begins it in the right namespace.
func start(t *testing.T, cmd *exec.Cmd, begin func() error) *daemon {
	t.Helper()
	d := &daemon{t: t, cmd: cmd, done: make(chan struct{})}
	d.out.news = make(chan struct{}, 1)
	cmd.Stdout, cmd.Stderr = &d.out, &d.out
	if err := begin(); err != nil {
		t.Fatalf("%s: %v", cmd.Path, err)
	}
	go func() {
		cmd.Wait()
		close(d.done)
	}()
	t.Cleanup(func() {
		d.end(syscall.SIGKILL)
		if text := d.out.String(); t.Failed() && text != "" {
			t.Logf("%s said:\n%s", cmd.Path, text)
		}
	})
	return d
}

// await waits until the program has said something.
func (d *daemon) await(text string) {
	d.t.Helper()
	for deadline := time.After(patience); !bytes.Contains([]byte(d.out.String()), []byte(text)); {
		select {
		case <-d.out.news:
		case <-d.done:
			d.t.Fatalf("%s ended, and did not say %q", d.cmd.Path, text)
		case <-deadline:
			d.t.Fatalf("%s does not say %q", d.cmd.Path, text)
		}
	}
}

// wait waits for the end of a program that ends by itself.
func (d *daemon) wait() {
	d.t.Helper()
	select {
	case <-d.done:
	case <-time.After(patience):
		d.t.Fatalf("%s does not end", d.cmd.Path)
	}
}

func (d *daemon) signal(s os.Signal) {
	d.t.Helper()
	if err := d.cmd.Process.Signal(s); err != nil {
		d.t.Fatalf("%s: %v", d.cmd.Path, err)
	}
}

// end signals the program and waits for its end.
func (d *daemon) end(s os.Signal) {
	d.cmd.Process.Signal(s)
	select {
	case <-d.done:
	case <-time.After(patience):
		d.cmd.Process.Kill()
		d.t.Errorf("%s does not end by %v", d.cmd.Path, s)
		<-d.done
	}
}

// said is what a program has written.
type said struct {
	mu   sync.Mutex
	text bytes.Buffer
	news chan struct{}
}

func (s *said) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case s.news <- struct{}{}:
	default:
	}
	return s.text.Write(b)
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// count waits until the program has said something so many times.
func (d *daemon) count(text string, times int) {
	d.t.Helper()
	deadline := time.After(patience)
	for {
		switch n := bytes.Count([]byte(d.out.String()), []byte(text)); {
		case n >= times:
			return
		default:
			select {
			case <-d.out.news:
			case <-deadline:
				d.t.Fatalf("%s said %q %d times, not %d", d.cmd.Path, text, n, times)
			}
		}
	}
}
