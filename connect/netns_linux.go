package connect

import (
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// socketIn makes a socket in the network namespace at path, in the caller's own if
// that is empty. A socket belongs for good to the namespace it was made in, so this
// is all that ever needs to happen there.
func socketIn(path string, family, kind, protocol int) (fd int, err error) {
	if path == "" {
		return makeSocket(family, kind, protocol)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		fd, err = openThere(path, family, kind, protocol)
	}()
	<-done
	return fd, err
}

func makeSocket(family, kind, protocol int) (int, error) {
	fd, err := unix.Socket(family, kind|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, protocol)
	return fd, os.NewSyscallError("socket", err)
}

// openThere moves its thread to the namespace and back. If it cannot come back, the
// thread stays locked and ends with the goroutine.
func openThere(path string, family, kind, protocol int) (int, error) {
	there, err := os.Open(path)
	if err != nil {
		return -1, fmt.Errorf("network namespace: %w", err)
	}
	defer there.Close()
	runtime.LockOSThread()
	here, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		runtime.UnlockOSThread()
		return -1, fmt.Errorf("network namespace: %w", err)
	}
	defer here.Close()
	if err := unix.Setns(int(there.Fd()), unix.CLONE_NEWNET); err != nil {
		runtime.UnlockOSThread()
		return -1, fmt.Errorf("network namespace %s: %w", path, os.NewSyscallError("setns", err))
	}
	fd, err := makeSocket(family, kind, protocol)
	if unix.Setns(int(here.Fd()), unix.CLONE_NEWNET) == nil {
		runtime.UnlockOSThread()
	}
	return fd, err
}
