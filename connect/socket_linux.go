package connect

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// A socket is how one is prepared between its making and its connect or bind.
type socket struct {
	kernel    kernel
	iface     int
	source    netip.Addr // bound here; zero: left to the caller
	transport string
	ipv6      bool // of a listener, which has no source here
	icmp      bool
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
	if !s.source.IsValid() {
		return nil
	}
	if err := s.listenForICMP(fd, 1); err != nil {
		return err
	}
	return s.bindSource(fd)
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
	there, err := socketIn(s.kernel.netns, family, kind, 0)
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

// bindSource leaves the port to connect, which can then give the same one to
// several destinations.
func (s *socket) bindSource(fd int) error {
	if err := unix.SetsockoptInt(fd, unix.SOL_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1); err != nil {
		return os.NewSyscallError("setsockopt", err)
	}
	err := unix.Bind(fd, s.sockaddr())
	if errors.Is(err, unix.EADDRNOTAVAIL) {
		return fmt.Errorf("%w: %v is gone or tentative: %w", ErrNoSource, s.source, err)
	}
	return os.NewSyscallError("bind", err)
}

func (s *socket) sockaddr() unix.Sockaddr {
	if s.source.Is4() {
		return &unix.SockaddrInet4{Addr: s.source.As4()}
	}
	sa := &unix.SockaddrInet6{Addr: s.source.As16()}
	if s.source.IsLinkLocalUnicast() {
		sa.ZoneId = uint32(s.iface)
	}
	return sa
}

// listenForICMP makes ICMP errors reach the socket. For TCP over IPv6 this is needed
// while connecting: an unreachable that comes back within the connect call is
// otherwise forgotten until the SYN is repeated a second later. IPv4 does not need
// it. For UDP it is the caller's choice.
func (s *socket) listenForICMP(fd, on int) error {
	var err error
	switch {
	case s.transport == "tcp" && s.source.Is6(), s.icmp && s.transport == "udp" && s.source.Is6():
		err = unix.SetsockoptInt(fd, unix.SOL_IPV6, unix.IPV6_RECVERR, on)
	case s.icmp && s.transport == "udp":
		err = unix.SetsockoptInt(fd, unix.SOL_IP, unix.IP_RECVERR, on)
	}
	return os.NewSyscallError("setsockopt", err)
}

// settle makes ICMP errors soft again on an established TCP connection, which must
// survive a passing unreachable (RFC 1122, section 4.2.3.9).
func (s *socket) settle(conn net.Conn) error {
	t, ok := conn.(*net.TCPConn)
	if !ok || s.source.Is4() {
		return nil
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
