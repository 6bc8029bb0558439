package netlink

import (
	"fmt"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// newRest is a Watcher that has nothing more to tell.
func newRest(t *testing.T, c *Config) *oracle {
	s := newSpace(t)
	o := newOracle(t, s, c)
	o.settle(t)
	return o
}

func TestInterrupt(t *testing.T) {
	o := newRest(t, nil)
	o.Interrupt() // the next one
	if o.take(t, time.Time{}) {
		t.Error("there was something")
	}
	// Interrupts, one after each Receive: none is lost, or this does not end.
	go func() { o.Interrupt() }()
	for range 2000 {
		o.take(t, time.Time{})
		go o.Interrupt()
	}
	o.take(t, time.Time{})
}

func TestInterruptStarvesNothing(t *testing.T) {
	o := newRest(t, nil)
	isolated(t, o.space, "d0")
	for end := time.Now().Add(patience); o.picture.named("d0") == nil; {
		o.Interrupt()
		if o.take(t, time.Time{}); time.Now().After(end) {
			t.Fatal("never told")
		}
	}
}

func TestCloseWakesReceive(t *testing.T) {
	o := newRest(t, nil)
	done := make(chan error, 1)
	go func() {
		_, err := o.Receive(time.Time{})
		done <- err
	}()
	must(t, o.Close())
	if err := <-done; err == nil {
		t.Error("Receive returned nothing wrong")
	}
}

// TestForged sends what looks like an event, but comes from a process.
func TestForged(t *testing.T) {
	o := newRest(t, nil)
	var port uint32
	must(t, o.socket.conn.Control(func(fd uintptr) {
		a, err := unix.Getsockname(int(fd))
		must(t, err)
		port = a.(*unix.SockaddrNetlink).Pid
	}))
	k, before := o.space.speaker(t), o.tables.clock
	b := request(nil, rtmNewAddr, 0, 0, []byte{afINET, 24, 0, 0, 1, 0, 0, 0, 8, 0, ifaLocal, 0, 192, 0, 2, 66})
	must(t, unix.Sendto(k.fd, b, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Pid: port}))
	if o.take(t, time.Unix(1, 0)); o.tables.clock != before || len(o.picture.named("lo").Addresses) != 0 {
		t.Error("a forged event was heard")
	}
}

func TestLoss(t *testing.T) {
	o := newRest(t, &Config{ReceiveBuffer: 4096})
	l := isolated(t, o.space, "d0")
	for i := range 400 {
		must(t, o.space.AddrAdd(l, addr(t, fmt.Sprintf("10.0.%d.%d/32", i/200, i%200+1))))
	}
	o.check(t)
	if n := len(o.picture.named("d0").Addresses); n < 400 || o.resyncs == 0 {
		t.Errorf("%d addresses after %d resyncs", n, o.resyncs)
	}
}

func TestSafety(t *testing.T) {
	o := newRest(t, &Config{SafetyInterval: 50 * time.Millisecond})
	before := o.lists
	for o.lists < before+uint64(listKinds) {
		if o.take(t, time.Now().Add(time.Second)) {
			t.Fatal("a list for safety told a change")
		}
	}
}

func TestManyLinks(t *testing.T) {
	s := newSpace(t)
	s.still(t)
	o := newOracle(t, s, nil)
	for i := range 500 {
		must(t, s.LinkAdd(&netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: fmt.Sprint("a", i)}, PeerName: fmt.Sprint("b", i)}))
	}
	o.picture.until(t, o.Watcher, func() bool { return len(o.picture) == 1001 })
	o.check(t)
}
