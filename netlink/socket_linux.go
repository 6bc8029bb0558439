package netlink

import (
	"errors"
	"os"
	"syscall"
	"time"
	"unsafe"

	"github.com/go-mif/mif/internal/netns"
	"golang.org/x/sys/unix"
)

const (
	groups = 1<<(unix.RTNLGRP_LINK-1) | 1<<(unix.RTNLGRP_IPV4_IFADDR-1) | 1<<(unix.RTNLGRP_IPV4_ROUTE-1) |
		1<<(unix.RTNLGRP_IPV4_RULE-1) | 1<<(unix.RTNLGRP_IPV6_IFADDR-1) | 1<<(unix.RTNLGRP_IPV6_ROUTE-1) |
		1<<(unix.RTNLGRP_IPV6_IFINFO-1) | 1<<(unix.RTNLGRP_IPV6_RULE-1) | 1<<(unix.RTNLGRP_ND_USEROPT-1) |
		1<<(unix.RTNLGRP_NEXTHOP-1)

	datagramLen = 32 << 10 // the most that the kernel fills
	batch       = 16       // datagrams a system call
)

// A socket is the route socket: one for all, so that the order is the kernel's.
type socket struct {
	file   *os.File
	conn   syscall.RawConn
	strict bool // lists can be filtered

	try    func(fd uintptr) bool // made once
	wait   bool                  // for try: park until there is something
	limit  int                   // for try: datagrams at most
	n      int
	err    unix.Errno
	memory [batch * datagramLen]byte
	from   [batch]unix.RawSockaddrNetlink
	parts  [batch]unix.Iovec
	heads  [batch]datagram
}

// A datagram is a struct mmsghdr.
type datagram struct {
	unix.Msghdr
	length uint32
}

func openSocket(c *Config) (*socket, error) {
	var fd int
	err := netns.In(c.NetNS, func() (err error) {
		fd, err = unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_ROUTE)
		return os.NewSyscallError("socket", err)
	})
	if err != nil {
		return nil, err
	}
	if err := setReceiveBuffer(fd, c.ReceiveBuffer); err != nil {
		unix.Close(fd)
		return nil, os.NewSyscallError("setsockopt", err)
	}
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: groups}); err != nil {
		unix.Close(fd)
		return nil, os.NewSyscallError("bind", err)
	}
	return newSocket(fd)
}

func newSocket(fd int) (*socket, error) {
	s := &socket{file: os.NewFile(uintptr(fd), "netlink")}
	s.strict = unix.SetsockoptInt(fd, unix.SOL_NETLINK, unix.NETLINK_GET_STRICT_CHK, 1) == nil
	for i := range s.heads {
		s.parts[i].Base = &s.memory[i*datagramLen]
		s.parts[i].SetLen(datagramLen)
		h := &s.heads[i].Msghdr
		h.Iov = &s.parts[i]
		h.SetIovlen(1)
		h.Name = (*byte)(unsafe.Pointer(&s.from[i]))
	}
	s.try = s.tryReceive
	var err error
	if s.conn, err = s.file.SyscallConn(); err != nil {
		s.file.Close()
		return nil, err
	}
	return s, nil
}

// receive reads a batch of at most limit datagrams: at once (unix.EAGAIN if there
// are none) or when there are some or the deadline has passed
// (os.ErrDeadlineExceeded). It returns how many there are to take.
func (s *socket) receive(wait bool, limit int) (int, error) {
	s.wait, s.limit, s.n, s.err = wait, limit, 0, 0
	var err error
	if wait {
		err = s.conn.Read(s.try)
	} else {
		err = s.conn.Control(s.tryOnce)
	}
	if err == nil && s.err != 0 {
		err = s.err
	}
	return s.n, err
}

func (s *socket) tryOnce(fd uintptr) { s.tryReceive(fd) }

func (s *socket) tryReceive(fd uintptr) bool {
	for i := range s.limit {
		s.heads[i].Namelen = unix.SizeofSockaddrNetlink
	}
	for {
		n, _, e := unix.Syscall6(unix.SYS_RECVMMSG, fd, uintptr(unsafe.Pointer(&s.heads[0])), uintptr(s.limit), unix.MSG_DONTWAIT, 0, 0)
		if e == unix.EINTR {
			continue
		}
		if e == 0 {
			s.n, s.err = int(n), 0
			return true
		}
		s.n, s.err = 0, e
		return e != unix.EAGAIN || !s.wait
	}
}

// take is the i-th datagram of the batch: what it holds, whether it is an event
// (else it is a reply) and whether it is whole. Nobody but the kernel is heard.
func (s *socket) take(i int) (b []byte, event, whole bool) {
	h := &s.heads[i]
	if s.from[i].Pid != 0 || h.Namelen < unix.SizeofSockaddrNetlink {
		return nil, false, true
	}
	n := min(int(h.length), datagramLen)
	return s.memory[i*datagramLen:][:n], s.from[i].Groups != 0, h.Flags&unix.MSG_TRUNC == 0
}

// send sends a request to the kernel, which works on it before this returns.
func (s *socket) send(b []byte) error {
	var sent error
	err := s.conn.Control(func(fd uintptr) {
		for {
			sent = unix.Sendto(int(fd), b, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK})
			if !errors.Is(sent, unix.EINTR) {
				return
			}
		}
	})
	return errors.Join(err, os.NewSyscallError("sendto", sent))
}

// suspended is how long the host has slept since it started.
func suspended() time.Duration {
	var boot, running unix.Timespec
	if unix.ClockGettime(unix.CLOCK_MONOTONIC, &running) != nil || unix.ClockGettime(unix.CLOCK_BOOTTIME, &boot) != nil {
		return 0
	}
	return time.Duration(boot.Nano() - running.Nano())
}

// setReceiveBuffer asks for octets of receive buffer, beyond what an unprivileged process
// may have if that is permitted.
func setReceiveBuffer(fd, octets int) error {
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, octets) == nil {
		return nil
	}
	return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, octets)
}
