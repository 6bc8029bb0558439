package resolver

import (
	"io"
	"net"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// TestPrompt: after questions and answers have gone to and fro, the kernel waits before
// it acknowledges one more; not so on a prompt stream.
func TestPrompt(t *testing.T) {
	if by := waits(t, func(c net.Conn) net.Conn { return c }); !by {
		t.Skip("this kernel does not wait")
	}
	if waits(t, promptly) {
		t.Error("the kernel waits before it acknowledges")
	}
}

// waits tells whether the kernel waits before it acknowledges what a stream reads, in
// the end.
func waits(t *testing.T, made func(net.Conn) net.Conn) bool {
	ours, theirs := streamPair(t)
	go func() { _, _ = io.Copy(theirs, theirs) }()
	conn, buf := made(ours), make([]byte, 10)
	for range 50 {
		if _, err := conn.Write(buf); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(conn, buf); err != nil {
			t.Fatal(err)
		}
	}
	raw, err := ours.(syscall.Conn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	quick := 0
	if e := raw.Control(func(fd uintptr) { quick, err = unix.GetsockoptInt(int(fd), unix.SOL_TCP, unix.TCP_QUICKACK) }); e != nil || err != nil {
		t.Fatal(e, err)
	}
	return quick == 0
}

// streamPair gives both ends of a TCP connection on loopback.
func streamPair(t *testing.T) (ours, theirs net.Conn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	if ours, err = net.Dial("tcp", ln.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if theirs, err = ln.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ours.Close()
		theirs.Close()
	})
	return ours, theirs
}
