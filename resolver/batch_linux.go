package resolver

import (
	"cmp"
	"net"
	"os"
	"sync"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	batchSize   = 16 // datagrams of one system call
	controlRoom = 64 // octets of control messages
)

// A port is a UDP socket that reads and writes several datagrams by one system
// call, and knows which came in fragments.
type port struct {
	raw     syscall.RawConn
	batches *sync.Pool // of *batch
}

// portOf gives the port of a socket, or nil if it is none of the kernel's own.
func (r *Resolver) portOf(conn net.Conn) *port {
	udp, ok := conn.(*net.UDPConn)
	if !ok {
		return nil
	}
	raw, err := udp.SyscallConn()
	if err != nil || raw.Control(tellFragments) != nil {
		return nil
	}
	return &port{raw, &r.batches}
}

// tellFragments lets each datagram say whether it came in fragments (ip(7),
// ipv6(7)). One of the two is of another family, or a kernel does not know it.
func tellFragments(fd uintptr) {
	_ = unix.SetsockoptInt(int(fd), unix.SOL_IP, unix.IP_RECVFRAGSIZE, 1)
	_ = unix.SetsockoptInt(int(fd), unix.SOL_IPV6, unix.IPV6_RECVFRAGSIZE, 1)
}

// A batch is room for datagrams.
type batch struct {
	headers [batchSize]header
	parts   [batchSize]unix.Iovec
	control [batchSize][controlRoom]byte
	data    [batchSize][maxDatagram]byte

	write func(fd uintptr) bool // sendAll
	out   []*waiter
	err   error // of sending
}

// A header is struct mmsghdr of recvmmsg(2).
type header struct {
	unix.Msghdr
	size uint32
}

func (p *port) batch() *batch {
	if b, ok := p.batches.Get().(*batch); ok {
		return b
	}
	b := new(batch)
	for i := range b.headers {
		b.headers[i].Iov = &b.parts[i]
		b.headers[i].SetIovlen(1)
	}
	b.write = b.sendAll
	return b
}

// read gives all datagrams that come to take, until it wants no more or the
// socket ends. One that is not whole, or came in fragments, is cut. No buffer
// is held while there is none.
func (p *port) read(take func(b []byte, cut bool) bool) (err error) {
	e := p.raw.Read(func(fd uintptr) bool {
		b := p.batch()
		defer p.batches.Put(b)
		for {
			var n int
			if n, err = b.receive(fd); err != nil || n == 0 {
				return err != nil
			}
			for i := range b.headers[:n] {
				if !take(b.datagram(i)) {
					return true
				}
			}
			if n < batchSize {
				return false // what comes from now on wakes the reader again
			}
		}
	})
	if e != nil {
		return e
	}
	return err
}

// receive reads what there is, perhaps nothing.
func (b *batch) receive(fd uintptr) (int, error) {
	for i := range b.headers {
		h := &b.headers[i]
		b.parts[i].Base = &b.data[i][0]
		b.parts[i].SetLen(maxDatagram)
		h.Control = &b.control[i][0]
		h.SetControllen(controlRoom)
	}
	n, err := b.call(unix.SYS_RECVMMSG, fd, batchSize)
	if err == unix.EAGAIN {
		return 0, nil
	}
	return n, os.NewSyscallError("recvmmsg", err)
}

// call makes a system call for the first n messages.
func (b *batch) call(number, fd uintptr, n int) (int, error) {
	for {
		done, _, errno := syscall.Syscall6(number, fd, uintptr(unsafe.Pointer(&b.headers)), uintptr(n), unix.MSG_DONTWAIT, 0, 0)
		switch errno {
		case 0:
			return int(done), nil
		case unix.EINTR:
		default:
			return 0, errno
		}
	}
}

// datagram gives one that was read, and whether it is not whole or came in
// fragments.
func (b *batch) datagram(i int) (data []byte, cut bool) {
	h := &b.headers[i]
	cut = h.Flags&(unix.MSG_TRUNC|unix.MSG_CTRUNC) != 0
	if h.Controllen > 0 {
		cut = cut || fragmented(b.control[i][:h.Controllen])
	}
	return b.data[i][:h.size], cut
}

// fragmented tells whether a control message has the size of a fragment.
func fragmented(control []byte) bool {
	all, err := unix.ParseSocketControlMessage(control)
	if err != nil {
		return true
	}
	for _, m := range all {
		switch (unix.Cmsghdr{Level: m.Header.Level, Type: m.Header.Type}) {
		case unix.Cmsghdr{Level: unix.SOL_IP, Type: unix.IP_RECVFRAGSIZE},
			unix.Cmsghdr{Level: unix.SOL_IPV6, Type: unix.IPV6_RECVFRAGSIZE}:
			return true
		}
	}
	return false
}

// write sends queries, of which those that find no room are lost.
func (p *port) write(all []*waiter) error {
	b := p.batch()
	defer p.batches.Put(b)
	b.out, b.err = all, nil
	err := p.raw.Write(b.write)
	b.out = nil
	return cmp.Or(err, b.err)
}

// sendAll sends what is to go out. It does not wait for room, which may come late or
// never, when the device does not send.
func (b *batch) sendAll(fd uintptr) bool {
	for len(b.out) > 0 {
		n, err := b.send(fd, b.out[:min(len(b.out), batchSize)])
		switch {
		case noRoom(err):
			n = 1
		case err != nil:
			b.err = os.NewSyscallError("sendmmsg", err)
			return true
		}
		b.out = b.out[n:]
	}
	return true
}

// send sends some, and tells how many.
func (b *batch) send(fd uintptr, some []*waiter) (int, error) {
	for i, w := range some {
		b.parts[i].Base = &w.wire[0]
		b.parts[i].SetLen(len(w.wire))
		b.headers[i].Control = nil
		b.headers[i].SetControllen(0)
	}
	n, err := b.call(unix.SYS_SENDMMSG, fd, len(some))
	for i := range some {
		b.parts[i].Base = nil // a query must not be kept by it
	}
	return n, err
}
