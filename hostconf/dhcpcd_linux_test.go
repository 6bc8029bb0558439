package hostconf

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestDhcpcd(t *testing.T) {
	r := newRig(t)
	d := r.dhcpcd(bound("eth0", "192.0.2.1"), dhcpcdRA)
	r.open()
	if s := r.receive(); !server4(s, "192.0.2.1") || len(s.Links["cl0"]) != 2 {
		t.Fatalf("at first: %+v", s)
	}
	if err := r.source(dhcpcdSockets); err != nil {
		t.Error(err)
	}
	d.push(frame(bound("eth0", "192.0.2.2")))
	r.until(func(s *State) bool { return server4(s, "192.0.2.2") })
	d.push(append(frame(bound("eth0", "192.0.2.3")), frame(expired("eth0"))...))
	r.until(func(s *State) bool { return server4(s, "") && len(s.Links["cl0"]) == 2 })
	d.push(frame(record("reason=NOCARRIER\ninterface=cl0\nprotocol=link\nif_up=false\nif_down=true")))
	r.until(func(s *State) bool { return len(s.Links) == 0 })
}

// A push that comes in pieces is taken when it is whole.
func TestDhcpcdSlowly(t *testing.T) {
	r := newRig(t)
	d := r.dhcpcd(bound("eth0", "192.0.2.1"))
	r.open()
	r.receive()
	for _, b := range frame(bound("eth0", "192.0.2.2")) {
		d.push([]byte{b})
	}
	r.until(func(s *State) bool { return server4(s, "192.0.2.2") })
}

func TestDhcpcdComesLater(t *testing.T) {
	r := newRig(t)
	r.open()
	r.receive()
	if err := r.source(dhcpcdSockets); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("absent: %v", err)
	}
	d := r.dhcpcd(bound("eth0", "192.0.2.1"))
	r.until(func(s *State) bool { return server4(s, "192.0.2.1") })
	d.leave()
	r.until(func(s *State) bool { return server4(s, "") })
	r.dhcpcd(bound("eth0", "192.0.2.2"))
	r.until(func(s *State) bool { return server4(s, "192.0.2.2") })
}

// What was said outlives who said it for a while: one that is only started again
// takes nothing back.
func TestDhcpcdRestarts(t *testing.T) {
	for name, end := range map[string]func(*peer){"dies": (*peer).die, "leaves": (*peer).leave} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.pace.grace = time.Hour
			d := r.dhcpcd(bound("eth0", "192.0.2.1"), bound("eth1", "192.0.2.1"))
			r.open()
			r.receive()
			end(d.peer)
			os.Remove(d.path)
			r.dhcpcd(bound("eth0", "192.0.2.2"), bound("eth1", "192.0.2.1"))
			if s := r.receive(); !server4(s, "192.0.2.2") || len(s.Links["eth1"]) != 1 {
				t.Errorf("got %+v", s)
			}
		})
	}
}

// One that was killed leaves its socket; that is said once.
func TestDhcpcdDies(t *testing.T) {
	r := newRig(t)
	d := r.dhcpcd(bound("eth0", "192.0.2.1"))
	r.open()
	r.receive()
	d.die()
	r.until(func(s *State) bool { return server4(s, "") })
	for !errors.Is(r.source(dhcpcdSockets), syscall.ECONNREFUSED) {
		r.poll()
	}
	for range 20 {
		r.poll()
	}
	if n := r.log.count("connection refused"); n != 1 {
		t.Errorf("said %d times", n)
	}
}

func TestDhcpcdHangs(t *testing.T) {
	r := newRig(t)
	r.pace.patience, r.pace.first = 10*time.Millisecond, 10*time.Millisecond
	r.write("/etc/resolv.conf", "nameserver 192.0.2.5")
	r.peer(dhcpcdSocket, func(net.Conn) {})
	r.open()
	if s := r.receive(); resolver(s) != "192.0.2.5" {
		t.Errorf("got %+v", s)
	}
	for !errors.Is(r.source(dhcpcdSockets), os.ErrDeadlineExceeded) {
		r.poll()
	}
	r.write("/etc/resolv.conf", "nameserver 192.0.2.6")
	r.until(func(s *State) bool { return resolver(s) == "192.0.2.6" })
}

func TestDhcpcdTalksNonsense(t *testing.T) {
	for name, answer := range map[string]string{
		"nothing":         "",
		"text":            "I do not know what you mean, ask another",
		"too many":        "\xff\xff\xff\xff\xff\xff\xff\x7f",
		"too long":        "\x01\x00\x00\x00\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\x7f",
		"not a record":    "\x01\x00\x00\x00\x00\x00\x00\x00" + string(frame("hello")),
		"of no interface": "\x01\x00\x00\x00\x00\x00\x00\x00" + string(frame(bound("a/b", "192.0.2.1"))),
		"cut":             "\x01\x00\x00\x00\x00\x00\x00\x00" + string(frame(bound("eth0", "192.0.2.1"))[:90]),
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.pace.grace = time.Hour
			p := r.peer(dhcpcdSocket, func(c net.Conn) {
				c.Write([]byte(answer))
				c.(*net.UnixConn).CloseWrite()
			})
			r.open()
			if s := r.receive(); len(s.Links) != 0 {
				t.Errorf("got %+v", s)
			}
			for r.source(dhcpcdSockets) == nil {
				r.poll()
			}
			p.leave()
			r.dhcpcd(bound("eth0", "192.0.2.1"))
			r.until(func(s *State) bool { return server4(s, "192.0.2.1") })
		})
	}
}

// After nonsense that was pushed it is asked again.
func TestDhcpcdNonsensePushed(t *testing.T) {
	r := newRig(t)
	d := r.dhcpcd(bound("eth0", "192.0.2.1"))
	r.open()
	r.receive()
	d.mu.Lock()
	d.records = []string{bound("eth0", "192.0.2.2")}
	d.mu.Unlock()
	d.push([]byte(strings.Repeat("?", 100)))
	r.until(func(s *State) bool { return server4(s, "192.0.2.2") })
}

func TestSocketIsAFile(t *testing.T) {
	r := newRig(t)
	r.write(dhcpcdSocket, "")
	r.open()
	r.receive()
	if err := r.source(dhcpcdSockets); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("got %v", err)
	}
}

// One that has just started is not asked before it is quiet, but listened to.
func TestDhcpcdStarts(t *testing.T) {
	r := newRig(t)
	r.pace.first, r.pace.young, r.pace.quiet = time.Millisecond, time.Hour, time.Hour
	d := r.dhcpcd(bound("eth0", "192.0.2.1"))
	r.open()
	if s := r.receive(); !server4(s, "") {
		t.Errorf("asked: %+v", s)
	}
	<-d.heard
	d.push(frame(bound("eth0", "192.0.2.2")))
	r.until(func(s *State) bool { return server4(s, "192.0.2.2") })
}

func TestDhcpcdIsAskedWhenQuiet(t *testing.T) {
	r := newRig(t)
	r.pace.first, r.pace.young, r.pace.quiet = time.Millisecond, 20*time.Millisecond, 20*time.Millisecond
	r.dhcpcd(bound("eth0", "192.0.2.1"))
	r.open()
	r.until(func(s *State) bool { return server4(s, "192.0.2.1") })
}

// One that is never quiet is asked all the same, when it has run for a while.
func TestDhcpcdIsNeverQuiet(t *testing.T) {
	r := newRig(t)
	r.pace.first, r.pace.young, r.pace.quiet = time.Millisecond, 20*time.Millisecond, time.Hour
	d := r.dhcpcd(bound("eth0", "192.0.2.1"))
	r.open()
	<-d.heard
	n := 0
	r.until(func(s *State) bool {
		n++
		d.push(frame(bound("eth1", fmt.Sprintf("192.0.2.%d", n%250))))
		return server4(s, "192.0.2.1")
	})
}
