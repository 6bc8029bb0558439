package resolver

import (
	"net"
	"syscall"
	"time"
)

// cpu gives the processor time this process has used.
func cpu() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// boundDialer binds sockets to the loopback device, as those of a domain are to
// its own.
func boundDialer() *net.Dialer {
	return &net.Dialer{Control: func(_, _ string, c syscall.RawConn) (err error) {
		if e := c.Control(func(fd uintptr) { err = syscall.BindToDevice(int(fd), "lo") }); e != nil {
			return e
		}
		return err
	}}
}

// deepen lets a server's socket hold what a thousand clients send at once, if
// that is allowed.
func deepen(pc *net.UDPConn) {
	const size, force = 8 << 20, 33 // SO_RCVBUFFORCE
	_ = pc.SetReadBuffer(size)
	if raw, err := pc.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) { _ = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, force, size) })
	}
}
