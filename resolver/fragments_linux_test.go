package resolver

import (
	"net/netip"
	"os"
	"os/exec"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/miekg/dns"
	"golang.org/x/sys/unix"
)

// insideEnv is the variable that tells a test that it is in a network namespace
// of its own.
const insideEnv = "RESOLVER_TEST_INSIDE"

// inside runs a test again in a network namespace of its own, and tells whether
// this is that run.
func inside(t *testing.T) bool {
	t.Helper()
	if os.Getenv(insideEnv) != "" {
		return true
	}
	cmd := exec.Command("/proc/self/exe", "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), insideEnv+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
		Pdeathsig:   syscall.SIGKILL,
	}
	out, err := cmd.CombinedOutput()
	if err != nil && out == nil {
		t.Skip("no user and network namespaces here: ", err)
	}
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	return false
}

// setLoopback brings the loopback device up with an MTU.
func setLoopback(t *testing.T, mtu uint32) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	for request, value := range map[uint]uint32{unix.SIOCSIFMTU: mtu, unix.SIOCSIFFLAGS: unix.IFF_UP} {
		r, err := unix.NewIfreq("lo")
		if err != nil {
			t.Fatal(err)
		}
		if r.SetUint32(value); request == unix.SIOCSIFFLAGS {
			r.SetUint16(uint16(value))
		}
		if err := unix.IoctlIfreq(fd, request, r); err != nil {
			t.Fatal(err)
		}
	}
}

// TestFragments: a reply that came in fragments is not believed, and asked for
// over TCP; the same reply in one piece is.
func TestFragments(t *testing.T) {
	if !inside(t) {
		return
	}
	for _, c := range []struct {
		at   string
		mtu  uint32
		want string
		tcp  bool
	}{
		{"::1", 65536, "203.0.113.66", false},
		{"::1", 1280, "192.0.2.1", true},
		{"127.0.0.1", 65536, "203.0.113.66", false},
		{"127.0.0.1", 576, "192.0.2.1", true}, // the last one: it is too small for IPv6
	} {
		setLoopback(t, c.mtu)
		var overTCP atomic.Bool
		s := serveAt(t, netip.MustParseAddr(c.at), true, func(q query) {
			if q.tcp {
				overTCP.Store(true)
				q.send(truth(q))
				return
			}
			m := lie(q)
			m.Extra = append(m.Extra, &dns.NULL{Hdr: dns.RR_Header{Name: ".", Rrtype: dns.TypeNULL}, Data: string(make([]byte, 1200))})
			if b := packed(m); len(b) <= ednsSize || len(b) > 1300 {
				t.Errorf("a reply of %d octets", len(b))
			}
			q.send(m)
		})
		r := newResolver(t, Config{Servers: []netip.AddrPort{s.addr}})
		got, err := collect(t.Context(), r, "www.example.com", IPv4)
		if err != nil || len(got) != 1 || got[0] != c.want || overTCP.Load() != c.tcp {
			t.Errorf("at %s with an MTU of %d: %v, %v, TCP %v", c.at, c.mtu, got, err, overTCP.Load())
		}
	}
}
