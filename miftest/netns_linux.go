package miftest

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// A namespace is a network namespace with no name and no process in it: it
// lives as long as its descriptor and the sockets made in it.
type namespace struct {
	rt *netlink.Handle // a route socket inside

	mu sync.RWMutex
	fd int // -1 once closed
}

func newNamespace() (*namespace, error) {
	n := &namespace{fd: -1}
	err := onThread(func() error {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("unshare: %w", err)
		}
		var err error
		if n.fd, err = unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0); err != nil {
			return fmt.Errorf("opening the namespace: %w", err)
		}
		n.rt, err = netlink.NewHandle(unix.NETLINK_ROUTE)
		return err
	})
	if err == nil {
		err = n.setUp("lo")
	}
	if err != nil {
		n.close()
		return nil, fmt.Errorf("miftest: new network namespace: %w", err)
	}
	return n, nil
}

func (n *namespace) close() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.rt != nil {
		n.rt.Close()
	}
	if n.fd < 0 {
		return nil
	}
	fd := n.fd
	n.fd = -1
	return unix.Close(fd)
}

func (n *namespace) path() string {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return fmt.Sprintf("/proc/self/fd/%d", n.fd)
}

// do runs f on a thread inside the namespace. The thread ends with f, so
// nothing has to be put back.
func (n *namespace) do(f func() error) error {
	return onThread(func() error {
		if err := n.set(); err != nil {
			return fmt.Errorf("miftest: entering a network namespace: %w", err)
		}
		return f()
	})
}

func (n *namespace) set() error {
	n.mu.RLock()
	defer n.mu.RUnlock()
	if n.fd < 0 {
		return os.ErrClosed
	}
	return unix.Setns(n.fd, unix.CLONE_NEWNET)
}

// onThread runs f on a thread that ends afterwards. It is never the process's
// first thread: that one cannot end, and /proc/self would show its namespace.
func onThread(f func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		if unix.Gettid() == unix.Getpid() {
			done <- onThread(f) // on another: this one is taken
			runtime.UnlockOSThread()
			return
		}
		err := errors.New("miftest: the function ended its goroutine")
		defer func() { done <- err }()
		err = f()
	}()
	return <-done
}

// sysctl sets key, with dots or slashes, as seen from inside.
func (n *namespace) sysctl(key, value string) error {
	if !strings.Contains(key, "/") {
		key = strings.ReplaceAll(key, ".", "/")
	}
	err := n.do(func() error { return os.WriteFile("/proc/sys/"+key, []byte(value), 0o644) })
	if err != nil {
		return fmt.Errorf("miftest: sysctl: %w", err)
	}
	return nil
}
