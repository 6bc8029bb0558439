package exampletest

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// Terminal makes a terminal of a size, which needs no file system with its name: the
// side of who sits at it, and that of a program.
func Terminal(t testing.TB, columns, rows uint16) (seat, program *os.File) {
	t.Helper()
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Skipf("no terminal: %v", err)
	}
	seat = os.NewFile(uintptr(fd), "seat")
	t.Cleanup(func() { seat.Close() })
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	peer, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.TIOCGPTPEER, unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC)
	if errno != 0 {
		t.Fatal(errno)
	}
	program = os.NewFile(peer, "terminal")
	t.Cleanup(func() { program.Close() })
	if err := unix.IoctlSetWinsize(int(peer), unix.TIOCSWINSZ, &unix.Winsize{Col: columns, Row: rows}); err != nil {
		t.Fatal(err)
	}
	return seat, program
}
