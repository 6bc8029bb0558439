package connect

import (
	"errors"
	"fmt"
	"math"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A socket is how one is prepared between its making and its connect or bind.
type socket struct {
	kernel    kernel
	iface     int
	source    netip.Addr // of a dial; zero: of a listener
	transport string
	ipv6      bool // of a listener
	options
	spare int // a second descriptor, to read ICMP errors from; 0: none
}

// control fits net.Dialer and net.ListenConfig, which call it before anything else
// happens to the socket; in particular before it is known to the poller.
func (s *socket) control(_, _ string, c syscall.RawConn) error {
	var err error
	if e := c.Control(func(fd uintptr) { err = s.prepare(int(fd)) }); e != nil {
		return e
	}
	return err
}

func (s *socket) prepare(fd int) error {
	if err := s.move(fd); err != nil {
		return err
	}
	if err := s.bindInterface(fd); err != nil {
		return err
	}
	if err := s.limitSilence(fd); err != nil {
		return err
	}
	if !s.source.IsValid() {
		return nil
	}
	if err := s.listenForICMP(fd, 1); err != nil {
		return err
	}
	if err := s.deferPort(fd); err != nil {
		return err
	}
	s.keep(fd)
	return nil
}

// limitSilence sets TCP_USER_TIMEOUT (tcp(7)), which accepted connections inherit.
func (s *socket) limitSilence(fd int) error {
	if s.userTimeout <= 0 || s.transport != "tcp" || s.isMultipath(fd) {
		return nil
	}
	ms := min((s.userTimeout+time.Millisecond-1)/time.Millisecond, math.MaxInt32)
	return os.NewSyscallError("setsockopt", unix.SetsockoptInt(fd, unix.SOL_TCP, unix.TCP_USER_TIMEOUT, int(ms)))
}

// move replaces the socket by one of the wanted namespace under the same number.
// Options that package net has set by now are set again.
func (s *socket) move(fd int) error {
	if s.kernel.netns == "" {
		return nil
	}
	family, kind := unix.AF_INET, unix.SOCK_STREAM
	if s.isIPv6() {
		family = unix.AF_INET6
	}
	option := unix.SO_REUSEADDR // what a listener has; harmless before a connect
	if s.transport == "udp" {
		kind, option = unix.SOCK_DGRAM, unix.SO_BROADCAST
	}
	protocol, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_PROTOCOL) // TCP, UDP or MPTCP
	if err != nil {
		return os.NewSyscallError("getsockopt", err)
	}
	there, err := socketIn(s.kernel.netns, family, kind, protocol)
	if err != nil {
		return err
	}
	defer unix.Close(there)
	if err := unix.SetsockoptInt(there, unix.SOL_SOCKET, option, 1); err != nil {
		return os.NewSyscallError("setsockopt", err)
	}
	return os.NewSyscallError("dup3", unix.Dup3(there, fd, unix.O_CLOEXEC))
}

func (s *socket) isIPv6() bool { return s.ipv6 || s.source.Is6() }

// bindInterface goes by index, which no rename can mislead; kernels before 5.1 only
// know names.
func (s *socket) bindInterface(fd int) error {
	err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_BINDTOIFINDEX, s.iface)
	if errors.Is(err, unix.ENOPROTOOPT) {
		var name string
		if name, err = s.kernel.interfaceName(s.iface); err == nil {
			err = unix.BindToDevice(fd, name)
		}
	}
	if err != nil {
		return fmt.Errorf("bind to interface %d: %w", s.iface, err)
	}
	return nil
}

// deferPort leaves the port to connect, which can then give the same one to several
// destinations.
func (s *socket) deferPort(fd int) error {
	return os.NewSyscallError("setsockopt", unix.SetsockoptInt(fd, unix.SOL_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1))
}

// listenForICMP makes ICMP errors reach the socket. For TCP over IPv6 this is needed
// while connecting: an unreachable that comes back within the connect call is
// otherwise forgotten until the SYN is repeated a second later. IPv4 does not need
// it. For UDP it is the caller's choice.
func (s *socket) listenForICMP(fd, on int) error {
	var err error
	switch {
	case s.isMultipath(fd):
	case s.transport == "tcp" && s.source.Is6(), s.icmp && s.transport == "udp" && s.source.Is6():
		err = unix.SetsockoptInt(fd, unix.SOL_IPV6, unix.IPV6_RECVERR, on)
	case s.icmp && s.transport == "udp":
		err = unix.SetsockoptInt(fd, unix.SOL_IP, unix.IP_RECVERR, on)
	}
	return os.NewSyscallError("setsockopt", err)
}

// isMultipath tells Multipath TCP, whose sockets know neither IPV6_RECVERR nor
// TCP_USER_TIMEOUT, from the TCP that package net falls back to.
func (s *socket) isMultipath(fd int) bool {
	if !s.multipath || s.transport != "tcp" {
		return false
	}
	protocol, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_PROTOCOL)
	return err == nil && protocol == unix.IPPROTO_MPTCP
}

// settle makes ICMP errors soft again on an established TCP connection, which must
// survive a passing unreachable (RFC 1122, section 4.2.3.9).
func (s *socket) settle(conn net.Conn) error {
	t, ok := conn.(*net.TCPConn)
	switch {
	case !ok || s.source.Is4():
		return nil
	case s.spare != 0: // the same socket, and nobody else's
		return s.listenForICMP(s.spare, 0)
	}
	raw, err := t.SyscallConn()
	if err != nil {
		return err
	}
	if e := raw.Control(func(fd uintptr) { err = s.listenForICMP(int(fd), 0) }); e != nil {
		return e
	}
	return err
}
