package mif

import (
	"fmt"
	"os"
	"syscall"
)

// epoll is a waiter. Its own descriptor is waited for by the Go poller, so that it
// costs no thread.
type epoll struct{ file *os.File }

func newWaiter() (waiter, error) {
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("epoll: %w", err)
	}
	if err := syscall.SetNonblock(fd, true); err != nil {
		syscall.Close(fd)
		return nil, fmt.Errorf("epoll: %w", err)
	}
	return &epoll{os.NewFile(uintptr(fd), "epoll")}, nil
}

// add watches a descriptor. A connection can be watched again after it was told
// of, and twice at a time: the later watch takes the place of the earlier.
func (e *epoll) add(fd uintptr, token int32) error {
	const once = syscall.EPOLLIN | syscall.EPOLLRDHUP | 1<<30 // EPOLLONESHOT
	raw, err := e.file.SyscallConn()
	if err != nil {
		return err
	}
	ev := syscall.EpollEvent{Events: once, Fd: token}
	control := raw.Control(func(own uintptr) {
		err = syscall.EpollCtl(int(own), syscall.EPOLL_CTL_ADD, int(fd), &ev)
		if err == syscall.EEXIST {
			err = syscall.EpollCtl(int(own), syscall.EPOLL_CTL_MOD, int(fd), &ev)
		}
	})
	if err != nil {
		return err
	}
	return control
}

func (e *epoll) next() (token int32, err error) {
	raw, err := e.file.SyscallConn()
	if err != nil {
		return 0, err
	}
	var ready [1]syscall.EpollEvent
	read := raw.Read(func(own uintptr) bool {
		n := 0
		for n, err = syscall.EpollWait(int(own), ready[:], 0); err == syscall.EINTR; {
			n, err = syscall.EpollWait(int(own), ready[:], 0)
		}
		return n > 0 || err != nil
	})
	if err == nil {
		err = read
	}
	return ready[0].Fd, err
}

func (e *epoll) close() error { return e.file.Close() }
