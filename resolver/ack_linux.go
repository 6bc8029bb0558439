package resolver

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// A prompt stream acknowledges what it has read at once. The kernel would wait up to
// 40 ms for data to send with it, and as long a server without TCP_NODELAY would keep
// its next reply back (RFC 9293 §3.7.4, §3.8.6.3).
type prompt struct {
	net.Conn
	raw syscall.RawConn
}

// promptly gives a prompt stream, if it is one of the kernel's own.
func promptly(conn net.Conn) net.Conn {
	if c, ok := conn.(syscall.Conn); ok {
		if raw, err := c.SyscallConn(); err == nil {
			return &prompt{conn, raw}
		}
	}
	return conn
}

func (p *prompt) Read(b []byte) (int, error) {
	n, err := p.Conn.Read(b)
	_ = p.raw.Control(func(fd uintptr) { _ = unix.SetsockoptInt(int(fd), unix.SOL_TCP, unix.TCP_QUICKACK, 1) })
	return n, err
}
