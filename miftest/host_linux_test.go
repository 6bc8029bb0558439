package miftest_test

import (
	"bytes"
	"errors"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/go-mif/mif/miftest"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

func TestLinks(t *testing.T) {
	n := miftest.New(t)
	h := n.Host()
	names, err := h.AddLinks("d", 200)
	must(t, err)
	must(t, h.AddVeth("wwan0"))
	if len(names) != 200 || names[199] != "d199" {
		t.Errorf("names %v", names)
	}
	eventually(t, "carriers everywhere", func() bool {
		up := 0
		must(t, h.Do(func() error {
			links, err := netlink.LinkList()
			for _, l := range links {
				if l.Attrs().OperState == netlink.OperUp {
					up++
				}
			}
			return err
		}))
		return up == 201
	})
}

func TestHostVerbs(t *testing.T) {
	t.Parallel()
	n := miftest.New(t)
	h := n.Host()
	n.Router(t, miftest.RouterConfig{Interface: "eth0", IPv4: netip.MustParsePrefix("192.168.1.1/24")})
	p := netip.MustParsePrefix("2001:db8::9/64")
	must(t, h.AddAddress("eth0", p))
	if a, ok := address(t, h, "eth0", p.Addr()); !ok || a.Flags&unix.IFA_F_PERMANENT == 0 || a.Flags&unix.IFA_F_TENTATIVE != 0 {
		t.Errorf("address %+v", a)
	}
	must(t, h.SetLifetimes("eth0", p, 0, time.Hour))
	if a, _ := address(t, h, "eth0", p.Addr()); a.Flags&unix.IFA_F_DEPRECATED == 0 || a.ValidLft < 3500 {
		t.Errorf("deprecated address %+v", a)
	}
	if h.SetLifetimes("eth0", p, time.Hour, time.Minute) == nil {
		t.Error("preferred for longer than valid")
	}
	must(t, h.DelAddress("eth0", p))
	if err := h.DelAddress("eth0", p); !errors.Is(err, unix.EADDRNOTAVAIL) {
		t.Errorf("deleting again: %v", err)
	}
	must(t, h.AddAddress("eth0", netip.MustParsePrefix("192.168.1.9/24")))
	r := miftest.Route{Destination: netip.MustParsePrefix("0.0.0.0/0"), Gateway: netip.MustParseAddr("192.168.1.1"), Interface: "eth0", Metric: 7, Protocol: 99}
	must(t, h.AddRoute(r))
	if got := defaults(t, h, netlink.FAMILY_V4); len(got) != 1 || got[0].Priority != 7 || got[0].Protocol != 99 {
		t.Errorf("default routes %v", got)
	}
	must(t, h.DelRoute(r))
	must(t, h.AddRoute(miftest.Route{Destination: r.Destination, Type: unix.RTN_PROHIBIT}))
	if err := h.Do(func() error {
		_, err := net.Dial("udp", "203.0.113.1:9")
		return err
	}); !errors.Is(err, unix.EACCES) {
		t.Errorf("dialling what a route prohibits: %v", err)
	}
	must(t, h.Sysctl("net.ipv4.conf.eth0.rp_filter", "1"))
	must(t, h.Do(func() error {
		b, err := os.ReadFile("/proc/sys/net/ipv4/conf/eth0/rp_filter")
		if strings.TrimSpace(string(b)) != "1" {
			t.Errorf("rp_filter is %q", b)
		}
		return err
	}))
	if h.Sysctl("net.ipv4.no_such_thing", "1") == nil {
		t.Error("set a parameter there is not")
	}
}

// A link that is unplugged and plugged in again is another one.
func TestRemoveLink(t *testing.T) {
	t.Parallel()
	n := miftest.New(t)
	c := miftest.RouterConfig{Interface: "usb0", RA: miftest.NewRA(prefix1)}
	n.Router(t, c)
	before, err := n.Host().Index("usb0")
	must(t, err)
	must(t, n.Host().RemoveLink("usb0"))
	if _, err := n.Host().Index("usb0"); err == nil {
		t.Fatal("the link is still there")
	}
	n.Router(t, c)
	_, err = n.Host().AwaitSLAAC("usb0", prefix1)
	must(t, err)
	if after, _ := n.Host().Index("usb0"); after == before {
		t.Errorf("index %d again", after)
	}
}

func TestDo(t *testing.T) {
	t.Parallel()
	n := miftest.New(t)
	must(t, n.Host().AddVeth("eth7"))
	failure := errors.New("failure")
	if err := n.Host().Do(func() error { return failure }); err != failure {
		t.Errorf("error %v", err)
	}
	// The path leads into the same namespace, and this thread is not there.
	want, err := os.Stat(n.Host().NetNS())
	must(t, err)
	must(t, n.Host().Do(func() error {
		got, err := os.Stat("/proc/thread-self/ns/net")
		if err == nil && !os.SameFile(want, got) {
			t.Error("not in the host's namespace")
		}
		return err
	}))
	if got, _ := os.Stat("/proc/self/ns/net"); os.SameFile(want, got) {
		t.Error("the process is in the host's namespace")
	}
}

func TestClosed(t *testing.T) {
	t.Parallel()
	miftest.New(t)
	n, err := miftest.Start()
	must(t, err)
	must(t, n.Close())
	must(t, n.Close())
	for name, err := range map[string]error{
		"AddVeth":    n.Host().AddVeth("eth0"),
		"AddAddress": n.Host().AddAddress("lo", netip.MustParsePrefix("192.0.2.1/32")),
		"AddRoute":   n.Host().AddRoute(miftest.Route{Destination: netip.MustParsePrefix("192.0.2.1/32"), Type: unix.RTN_BLACKHOLE}),
		"Do":         n.Host().Do(func() error { return nil }),
	} {
		if !errors.Is(err, os.ErrClosed) {
			t.Errorf("%s after Close: %v", name, err)
		}
	}
	if _, err := n.AddRouter(miftest.RouterConfig{Interface: "eth0"}); !errors.Is(err, os.ErrClosed) {
		t.Errorf("AddRouter after Close: %v", err)
	}
}

// Not parallel: it counts the descriptors of the process.
func TestNothingLeft(t *testing.T) {
	miftest.New(t)
	before := descriptors(t)
	n, err := miftest.Start()
	must(t, err)
	f, err := n.Figure2()
	must(t, err)
	_, err = f.Eth0.Capture()
	must(t, err)
	must(t, n.Host().AddVeth("eth9"))
	c := (bound{n.Host(), "eth0", f.Lease.Address.Addr()}).connect(t, "tcp", f.Eth0IPv4.Addr())
	must(t, n.Close())
	must(t, c.Close())
	if after := descriptors(t); after != before {
		t.Errorf("%d descriptors before, %d after", before, after)
	}
}

func descriptors(t *testing.T) int {
	t.Helper()
	fds, err := os.ReadDir("/proc/self/fd")
	must(t, err)
	return len(fds)
}

func TestCommand(t *testing.T) {
	t.Parallel()
	n := miftest.New(t)
	want, err := os.Readlink("/proc/self/ns/net")
	must(t, err)
	out, err := n.Host().Command("readlink", "/proc/self/ns/net").Output()
	must(t, err)
	if got := strings.TrimSpace(string(out)); got == want || !strings.HasPrefix(got, "net:[") {
		t.Errorf("the command ran in %s, this test in %s", got, want)
	}
	if err := n.Host().Command("false").Run(); err == nil {
		t.Error("a failing command did not fail")
	}
	both, err := n.Host().Command("sh", "-c", "echo one; echo two >&2").CombinedOutput()
	must(t, err)
	if !bytes.Contains(both, []byte("one")) || !bytes.Contains(both, []byte("two")) {
		t.Errorf("combined output %q", both)
	}
}
