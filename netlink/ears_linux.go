package netlink

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"sync"
	"syscall"

	"github.com/go-mif/mif/internal/netns"
	"golang.org/x/sys/unix"
)

// maxHeard is how many advertisements are folded before what they changed is told.
const maxHeard = 256

// Ears hear whole router advertisements by one raw socket for all interfaces, be
// they there yet or not. Reading is the business of the goroutine that receives;
// another one only waits until there is something to read.
type ears struct {
	file   *os.File
	conn   syscall.RawConn
	take   func(fd uintptr) // made once
	packet packet           // what take took
	err    error            // or why it did not
	memory [maxAdvert]byte
	extra  [256]byte

	early   []packet      // of interfaces not heard of yet
	emptied chan struct{} // the socket was read: wait again
	closed  chan struct{}
	running sync.WaitGroup
}

// openEars needs CAP_NET_RAW.
func openEars(c *Config) (*ears, error) {
	var fd int
	err := netns.In(c.NetNS, func() (err error) {
		fd, err = unix.Socket(unix.AF_INET6, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.IPPROTO_ICMPV6)
		return os.NewSyscallError("socket", err)
	})
	if err != nil {
		return nil, fmt.Errorf("raw ICMPv6 socket: %w", err)
	}
	if err := setEars(fd, c.ReceiveBuffer); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("raw ICMPv6 socket: %w", os.NewSyscallError("setsockopt", err))
	}
	e := &ears{file: os.NewFile(uintptr(fd), "icmpv6"), emptied: make(chan struct{}, 1), closed: make(chan struct{})}
	e.take = e.takeOne
	if e.conn, err = e.file.SyscallConn(); err != nil {
		e.file.Close()
		return nil, err
	}
	return e, nil
}

// setEars lets the socket hear router advertisements only, with what is needed to
// judge them, and send what routers do not discard.
func setEars(fd, buffer int) error {
	var only unix.ICMPv6Filter
	for i := range only.Data {
		only.Data[i] = 1<<32 - 1
	}
	only.Data[icmpRouterAdvert/32] &^= 1 << (icmpRouterAdvert % 32)
	return errors.Join(
		setReceiveBuffer(fd, buffer), // so that a flood crowds out little
		unix.SetsockoptICMPv6Filter(fd, unix.IPPROTO_ICMPV6, unix.ICMPV6_FILTER, &only),
		unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_RECVPKTINFO, 1),
		unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_RECVHOPLIMIT, 1),
		unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_RECVFRAGSIZE, 1),
		unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_HOPS, 255),
		unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_LOOP, 0),
	)
}

// listen calls wake whenever there is something to read, until close.
func (e *ears) listen(wake func()) {
	e.running.Go(func() {
		for e.conn.Read(readable) == nil {
			wake()
			select {
			case <-e.emptied:
			case <-e.closed:
				return
			}
		}
	})
}

// readable tells whether a read would not have to wait.
func readable(fd uintptr) bool {
	p := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	n, err := unix.Poll(p, 0)
	return err == nil && n > 0
}

// close ends listen.
func (e *ears) close() error {
	close(e.closed)
	err := e.file.Close()
	e.running.Wait()
	return err
}

// read reads what there is, up to a limit, and gives it to fold, which tells
// whether the interface is known. A packet of one that is not is kept for the next
// time, once.
func (e *ears) read(fold func(*packet) bool) {
	early := e.early
	e.early = nil
	for i := range early {
		fold(&early[i])
	}
	for range maxHeard {
		if e.conn.Control(e.take) != nil || e.err != nil {
			break
		}
		if !fold(&e.packet) && len(e.early) < maxRouters {
			p := e.packet
			p.body = append([]byte(nil), p.body...)
			e.early = append(e.early, p)
		}
	}
	select {
	case e.emptied <- struct{}{}:
	default:
	}
}

// takeOne reads one packet, if there is any. One that is cut is not worth folding.
func (e *ears) takeOne(fd uintptr) {
	e.packet = packet{hopLimit: -1}
	n, extra, flags, from, err := unix.Recvmsg(int(fd), e.memory[:], e.extra[:], unix.MSG_DONTWAIT)
	if e.err = err; err != nil || flags&(unix.MSG_TRUNC|unix.MSG_CTRUNC) != 0 {
		return
	}
	if a, is := from.(*unix.SockaddrInet6); is {
		e.packet.source = netip.AddrFrom16(a.Addr)
	}
	e.packet.body = e.memory[:n]
	messages, err := unix.ParseSocketControlMessage(e.extra[:extra])
	for i := 0; err == nil && i < len(messages); i++ {
		e.packet.control(&messages[i])
	}
}

// control takes what the kernel says beside the packet.
func (p *packet) control(m *unix.SocketControlMessage) {
	switch {
	case m.Header.Level != unix.IPPROTO_IPV6:
	case m.Header.Type == unix.IPV6_PKTINFO && len(m.Data) >= unix.SizeofInet6Pktinfo:
		p.index = int32(host.Uint32(m.Data[16:]))
	case m.Header.Type == unix.IPV6_HOPLIMIT && len(m.Data) >= 4:
		p.hopLimit = int(int32(host.Uint32(m.Data)))
	case m.Header.Type == unix.IPV6_RECVFRAGSIZE:
		p.fragmented = true
	}
}

// solicit asks the routers of a link to advertise now (RFC 4861 section 4.1).
func (e *ears) solicit(index int32) error {
	const routerSolicit = 133
	body := []byte{routerSolicit, 0, 0, 0, 0, 0, 0, 0} // the kernel fills in the checksum
	allRouters := unix.SockaddrInet6{Addr: [16]byte{0xff, 0x02, 15: 2}, ZoneId: uint32(index)}
	var sent error
	err := e.conn.Control(func(fd uintptr) {
		sent = unix.Sendto(int(fd), body, unix.MSG_DONTWAIT, &allRouters)
	})
	return errors.Join(err, os.NewSyscallError("sendto", sent))
}
