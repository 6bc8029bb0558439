package miftest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const etherAll = unix.ETH_P_ALL

// A packetSocket reads and writes whole frames of one interface.
type packetSocket struct {
	file *os.File
	raw  syscall.RawConn
	buf  [1 << 16]byte
}

func (n *namespace) openPacket(index int, etherType uint16) (*packetSocket, error) {
	s := &packetSocket{}
	err := n.do(func() error {
		// Protocol 0 hears nothing; bind, which names the interface, opens its ears.
		fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
		if err != nil {
			return err
		}
		s.file = os.NewFile(uintptr(fd), "packet")
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, 4<<20) // as much of it as is allowed
		return unix.Bind(fd, &unix.SockaddrLinklayer{Ifindex: index, Protocol: etherType<<8 | etherType>>8})
	})
	if err == nil {
		s.raw, err = s.file.SyscallConn()
	}
	if err != nil {
		if s.file != nil {
			s.file.Close()
		}
		return nil, fmt.Errorf("miftest: packet socket: %w", err)
	}
	return s, nil
}

func (s *packetSocket) Close() error { return s.file.Close() }

func (s *packetSocket) write(frame []byte) error {
	_, err := s.file.Write(frame)
	return err
}

// read waits for a frame.
func (s *packetSocket) read(deadline time.Time) ([]byte, error) {
	s.file.SetReadDeadline(deadline)
	n, err := s.file.Read(s.buf[:])
	return s.buf[:n], err
}

// each calls f whenever there may be frames, until the socket is closed.
func (s *packetSocket) each(f func()) {
	s.raw.Read(func(uintptr) bool {
		f()
		return false
	})
}

// next returns a frame that is there already and how it came, or false.
func (s *packetSocket) next() (p Packet, kind uint8, ok bool) {
	s.raw.Control(func(fd uintptr) {
		n, from, err := unix.Recvfrom(int(fd), s.buf[:], unix.MSG_DONTWAIT)
		for errors.Is(err, unix.EINTR) {
			n, from, err = unix.Recvfrom(int(fd), s.buf[:], unix.MSG_DONTWAIT)
		}
		if ll, is := from.(*unix.SockaddrLinklayer); err == nil && is {
			p, kind, ok = decode(bytes.Clone(s.buf[:n])), ll.Pkttype, true
		}
	})
	return p, kind, ok
}

// lost returns how many frames did not fit into the buffer since it was asked.
func (s *packetSocket) lost() (count int) {
	s.raw.Control(func(fd uintptr) {
		if st, err := unix.GetsockoptTpacketStats(int(fd), unix.SOL_PACKET, unix.PACKET_STATISTICS); err == nil {
			count = int(st.Drops)
		}
	})
	return count
}

// listenOn returns a UDP socket bound to an interface of the calling thread's
// namespace.
func listenOn(network, ifname, address string) (net.PacketConn, error) {
	lc := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		var err error
		if e := c.Control(func(fd uintptr) { err = unix.BindToDevice(int(fd), ifname) }); e != nil {
			return e
		}
		return err
	}}
	return lc.ListenPacket(context.Background(), network, address)
}
