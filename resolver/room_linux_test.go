package resolver

import (
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestNoRoom: who sends does not wait for room in the socket, which there is not while
// the kernel looks for the server on the link in vain.
func TestNoRoom(t *testing.T) {
	if !inside(t) {
		return
	}
	tap(t, netip.MustParseAddr("192.0.2.1"))
	conn, err := net.Dial("udp", "192.0.2.53:53")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.(*net.UDPConn).SetWriteBuffer(1); err != nil {
		t.Fatal(err)
	}
	if err := conn.SetWriteDeadline(time.Now().Add(2 * time.Second)); err != nil { // it searches for three
		t.Fatal(err)
	}
	p := new(Resolver).portOf(conn)
	for i := range 200 {
		w := &waiter{question: question{wire: make([]byte, 100)}}
		if err := p.write([]*waiter{w, w}); err != nil {
			t.Fatalf("write %d: %v", i, err)
		}
	}
}

// tap makes an Ethernet device that nobody is behind, with a network of 24 bits.
func tap(t *testing.T, at netip.Addr) {
	t.Helper()
	device, err := os.OpenFile("/dev/net/tun", os.O_RDWR, 0)
	if err != nil {
		t.Skip("no TAP devices here: ", err)
	}
	t.Cleanup(func() { device.Close() })
	r, err := unix.NewIfreq("mute0")
	if err != nil {
		t.Fatal(err)
	}
	r.SetUint16(unix.IFF_TAP | unix.IFF_NO_PI)
	if err := unix.IoctlIfreq(int(device.Fd()), unix.TUNSETIFF, r); err != nil {
		t.Skip("no TAP devices here: ", err)
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	set := func(request uint, value func(*unix.Ifreq) error) {
		r, _ := unix.NewIfreq("mute0")
		if err := value(r); err != nil {
			t.Fatal(err)
		}
		if err := unix.IoctlIfreq(fd, request, r); err != nil {
			t.Fatal(err)
		}
	}
	set(unix.SIOCSIFADDR, func(r *unix.Ifreq) error { return r.SetInet4Addr(at.AsSlice()) })
	set(unix.SIOCSIFNETMASK, func(r *unix.Ifreq) error { return r.SetInet4Addr([]byte{255, 255, 255, 0}) })
	set(unix.SIOCSIFFLAGS, func(r *unix.Ifreq) error { r.SetUint16(unix.IFF_UP); return nil })
}
