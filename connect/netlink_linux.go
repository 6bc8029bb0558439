package connect

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"os"

	"golang.org/x/sys/unix"
)

// A routeSocket asks the kernel one question at a time. The kernel answers within
// the send, so a receive never waits.
type routeSocket struct {
	fd  int
	seq uint32
	buf [8192]byte
}

func (k kernel) open() (*routeSocket, error) {
	fd, err := socketIn(k.netns, unix.AF_NETLINK, unix.SOCK_RAW, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("route socket: %w", err)
	}
	return &routeSocket{fd: fd}, nil
}

// reachable says whether the kernel can be asked at all.
func (k kernel) reachable() error {
	r, err := k.open()
	if err == nil {
		r.close()
	}
	return err
}

func (r *routeSocket) close() { unix.Close(r.fd) }

// ask sends one request and returns the body of the answer, which is good until the
// next one. An errno the kernel answers with is returned as it is.
func (r *routeSocket) ask(kind uint16, body []byte) ([]byte, error) {
	if err := r.send(kind, 0, body); err != nil {
		return nil, err
	}
	kind, body, err := r.receive(r.buf[:])
	if err != nil {
		return nil, err
	}
	return verdict(kind, body)
}

func (r *routeSocket) send(kind, flags uint16, body []byte) error {
	r.seq++
	m := make([]byte, 0, unix.SizeofNlMsghdr+len(body))
	m = binary.NativeEndian.AppendUint32(m, uint32(unix.SizeofNlMsghdr+len(body)))
	m = binary.NativeEndian.AppendUint16(m, kind)
	m = binary.NativeEndian.AppendUint16(m, unix.NLM_F_REQUEST|flags)
	m = binary.NativeEndian.AppendUint32(m, r.seq)
	m = binary.NativeEndian.AppendUint32(m, 0)
	m = append(m, body...)
	err := unix.Sendto(r.fd, m, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK})
	return os.NewSyscallError("route socket: send", err)
}

// receive takes what comes from the kernel (port 0) with the number asked under and
// passes over the rest.
func (r *routeSocket) receive(buf []byte) (kind uint16, body []byte, err error) {
	for range 16 {
		n, from, err := unix.Recvfrom(r.fd, buf, 0)
		if err != nil {
			return 0, nil, os.NewSyscallError("route socket: receive", err)
		}
		if sa, ok := from.(*unix.SockaddrNetlink); !ok || sa.Pid != 0 {
			continue
		}
		if kind, body, ok := message(buf[:n], r.seq); ok {
			return kind, body, nil
		}
	}
	return 0, nil, fmt.Errorf("route socket: no answer among 16 messages: %w", unix.EPROTO)
}

// message splits the first message of a datagram if it has the number.
func message(b []byte, seq uint32) (kind uint16, body []byte, ok bool) {
	if len(b) < unix.SizeofNlMsghdr || binary.NativeEndian.Uint32(b[8:]) != seq {
		return 0, nil, false
	}
	n := binary.NativeEndian.Uint32(b)
	if n < unix.SizeofNlMsghdr || uint64(n) > uint64(len(b)) {
		return 0, nil, false
	}
	return binary.NativeEndian.Uint16(b[4:]), b[unix.SizeofNlMsghdr:n], true
}

// verdict turns an error message into its errno.
func verdict(kind uint16, body []byte) ([]byte, error) {
	if kind != unix.NLMSG_ERROR {
		return body, nil
	}
	if len(body) < 4 {
		return nil, fmt.Errorf("route socket: short error: %w", unix.EPROTO)
	}
	if e := int32(binary.NativeEndian.Uint32(body)); e < 0 {
		return nil, unix.Errno(-e)
	}
	return nil, fmt.Errorf("route socket: an acknowledgement for an answer: %w", unix.EPROTO)
}

// appendAttr adds an attribute, padded to four octets.
func appendAttr(b []byte, kind uint16, value []byte) []byte {
	b = binary.NativeEndian.AppendUint16(b, uint16(unix.SizeofRtAttr+len(value)))
	b = binary.NativeEndian.AppendUint16(b, kind)
	b = append(b, value...)
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}

// eachAttr calls f with the attributes of b. It ends at the first that does not fit.
func eachAttr(b []byte, f func(kind uint16, value []byte)) {
	for len(b) >= unix.SizeofRtAttr {
		n := int(binary.NativeEndian.Uint16(b))
		if n < unix.SizeofRtAttr || n > len(b) {
			return
		}
		f(binary.NativeEndian.Uint16(b[2:])&^(unix.NLA_F_NESTED|unix.NLA_F_NET_BYTEORDER), b[unix.SizeofRtAttr:n])
		b = b[min((n+3)&^3, len(b)):]
	}
}

func uint32Of(v []byte) uint32 {
	if len(v) < 4 {
		return 0
	}
	return binary.NativeEndian.Uint32(v)
}

func addrOf(v []byte) netip.Addr {
	a, _ := netip.AddrFromSlice(v)
	return a
}
