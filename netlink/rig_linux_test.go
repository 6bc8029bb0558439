package netlink

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"

	"github.com/vishvananda/netlink"
	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
)

const inside = "NETLINK_TEST_INSIDE"

// TestMain runs the tests in namespaces of their own: user, network and mount.
// Where they cannot be had, the tests that need them are skipped.
func TestMain(m *testing.M) {
	if os.Getenv(inside) == "" {
		if code, err := reexecute(); err == nil {
			os.Exit(code)
		} else {
			fmt.Fprintln(os.Stderr, "no namespaces:", err)
		}
	}
	goleak.VerifyTestMain(m)
}

func reexecute() (int, error) {
	c := exec.Command("/proc/self/exe", os.Args[1:]...)
	c.Env = append(os.Environ(), inside+"=1")
	c.Stdin, c.Stdout, c.Stderr = os.Stdin, os.Stdout, os.Stderr
	c.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
		Pdeathsig:   syscall.SIGKILL,
	}
	runtime.LockOSThread() // the child dies with the thread
	if err := c.Start(); err != nil {
		return 0, err
	}
	if err := c.Wait(); err != nil && c.ProcessState.ExitCode() < 0 {
		return 1, nil
	}
	return c.ProcessState.ExitCode(), nil
}

// A space is a network namespace held by a file descriptor alone: the kernel ends
// it with the test.
type space struct {
	*netlink.Handle
	fd int
}

func newSpace(t testing.TB) *space {
	t.Helper()
	if os.Getenv(inside) == "" {
		t.Skip("needs user and network namespaces, which this system refuses")
	}
	s := &space{fd: -1}
	err := onThread(func() (err error) {
		if err = unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return err
		}
		if s.fd, err = unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0); err != nil {
			return err
		}
		s.Handle, err = netlink.NewHandle(unix.NETLINK_ROUTE)
		return err
	})
	t.Cleanup(func() {
		if s.Handle != nil {
			s.Close()
		}
		unix.Close(s.fd)
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// do runs f on a thread in the namespace.
func (s *space) do(t testing.TB, f func() error) {
	t.Helper()
	err := onThread(func() error {
		return errors.Join(unix.Setns(s.fd, unix.CLONE_NEWNET), f())
	})
	if err != nil {
		t.Fatal(err)
	}
}

// onThread runs f on a thread that ends with it.
func onThread(f func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		done <- f()
	}()
	return <-done
}

// watch opens a Watcher in the namespace.
func (s *space) watch(t testing.TB, c *Config) *Watcher {
	t.Helper()
	var filled Config
	if c != nil {
		filled = *c
	}
	filled.NetNS = fmt.Sprintf("/proc/self/fd/%d", s.fd)
	w, err := Open(&filled)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	return w
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
