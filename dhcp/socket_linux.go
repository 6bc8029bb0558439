package dhcp

import (
	"encoding/binary"
	"os"
	"syscall"
	"time"

	"github.com/go-mif/mif/internal/netns"
	"golang.org/x/sys/unix"
)

// maxPacket is the most octets of a packet that are looked at; a longer one is none.
const maxPacket = 16 << 10

// What the socket is bound to while it listens, and while it does not: nobody sends
// frames of a type that is for experiments (IEEE 802, RFC 9542 section 3).
const (
	allPackets = unix.ETH_P_ALL
	noPackets  = 0x88b5
)

// A packetSocket sends and hears IP packets of every interface. It takes nothing from
// anybody: a packet socket gets copies.
type packetSocket struct {
	file   *os.File
	conn   syscall.RawConn
	memory [maxPacket]byte
	extra  [128]byte
}

// openSocket needs CAP_NET_RAW.
func openSocket(path string) (socket, error) {
	var fd int
	err := netns.In(path, func() (err error) {
		fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
		return os.NewSyscallError("socket", err)
	})
	if err != nil {
		return nil, err
	}
	if err := setSocket(fd); err != nil {
		unix.Close(fd)
		return nil, os.NewSyscallError("setsockopt", err)
	}
	s := &packetSocket{file: os.NewFile(uintptr(fd), "packet")}
	if s.conn, err = s.file.SyscallConn(); err != nil {
		s.file.Close()
		return nil, err
	}
	return s, nil
}

func setSocket(fd int) error {
	if err := unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_AUXDATA, 1); err != nil {
		return err
	}
	_ = unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_IGNORE_OUTGOING, 1) // Linux 4.20; the filter does it, too
	return unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]})
}

func (s *packetSocket) listen(on bool) (err error) {
	to := unix.SockaddrLinklayer{Protocol: swapped(noPackets)}
	if on {
		to.Protocol = swapped(allPackets)
	}
	if e := s.conn.Control(func(fd uintptr) { err = unix.Bind(int(fd), &to) }); e != nil {
		return e
	}
	return os.NewSyscallError("bind", err)
}

func (s *packetSocket) send(index int, packet []byte) (err error) {
	to := unix.SockaddrLinklayer{Ifindex: index, Halen: 6, Protocol: swapped(unix.ETH_P_IP), Addr: [8]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}}
	if packet[0]>>4 == 6 { // RFC 2464 section 7
		to.Protocol = swapped(unix.ETH_P_IPV6)
		to.Addr = [8]byte{0x33, 0x33, packet[36], packet[37], packet[38], packet[39]}
	}
	if e := s.conn.Control(func(fd uintptr) { err = unix.Sendto(int(fd), packet, unix.MSG_DONTWAIT, &to) }); e != nil {
		return e
	}
	return os.NewSyscallError("sendto", err)
}

func (s *packetSocket) setDeadline(t time.Time) error { return s.file.SetReadDeadline(t) }

// receive passes over what is no whole datagram.
func (s *packetSocket) receive() (index int, d datagram, err error) {
	for ok := false; !ok; {
		var one received
		if e := s.conn.Read(func(fd uintptr) bool { return s.take(int(fd), &one) }); e != nil {
			return 0, d, e
		}
		if one.err != nil && one.err != unix.ENETDOWN { // the socket is of all interfaces, one of which went down
			return 0, d, os.NewSyscallError("recvmsg", one.err)
		}
		index = one.index
		if one.err == nil && one.whole {
			d, ok = parsePacket(s.memory[:one.n], one.checked)
		}
	}
	return index, d, nil
}

// A received is how a packet came.
type received struct {
	n, index int
	whole    bool
	checked  bool // the checksum is right, or was left to a device that the packet never met
	err      error
}

// take takes one packet, and tells whether there was one, or an error.
func (s *packetSocket) take(fd int, r *received) bool {
	n, extra, flags, from, err := unix.Recvmsg(fd, s.memory[:], s.extra[:], unix.MSG_DONTWAIT)
	if err == unix.EAGAIN || err == unix.EINTR {
		return false
	}
	*r = received{n: n, err: err, whole: flags&(unix.MSG_TRUNC|unix.MSG_CTRUNC) == 0}
	if a, is := from.(*unix.SockaddrLinklayer); is {
		r.index = a.Ifindex
	}
	messages, _ := unix.ParseSocketControlMessage(s.extra[:extra])
	for i := range messages {
		m := &messages[i]
		if m.Header.Level == unix.SOL_PACKET && m.Header.Type == unix.PACKET_AUXDATA && len(m.Data) >= 4 {
			r.checked = binary.NativeEndian.Uint32(m.Data)&(unix.TP_STATUS_CSUMNOTREADY|unix.TP_STATUS_CSUM_VALID) != 0
		}
	}
	return true
}

func (s *packetSocket) close() error { return s.file.Close() }

// swapped is a number in network order.
func swapped(n uint16) uint16 {
	var b [2]byte
	network.PutUint16(b[:], n)
	return binary.NativeEndian.Uint16(b[:])
}
