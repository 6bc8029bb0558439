package miftest_test

import (
	"errors"
	"os"
	"regexp"
	"testing"

	"github.com/go-mif/mif/miftest"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

const stepVariable = "MIFTEST_STEP" // what a test that runs itself does there

func TestUnprivileged(t *testing.T) {
	t.Parallel()
	if os.Getenv(stepVariable) == "unprivileged" {
		checkUnprivileged(t)
		return
	}
	n := miftest.New(t)
	must(t, n.Host().AddVeth("eth7"))
	c := n.Host().Command("/proc/self/exe", "-test.run=^TestUnprivileged$", "-test.v")
	c.Env = append(os.Environ(), stepVariable+"=unprivileged", noWait)
	c.Unprivileged = true
	if out, err := c.CombinedOutput(); err != nil || !regexp.MustCompile(`--- PASS: TestUnprivileged`).Match(out) {
		t.Errorf("%v\n%s", err, out)
	}
}

func checkUnprivileged(t *testing.T) {
	b, err := os.ReadFile("/proc/self/status")
	must(t, err)
	for _, set := range []string{"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"} {
		if !regexp.MustCompile(set + `:\s+0+\n`).Match(b) {
			t.Errorf("%s is not empty:\n%s", set, b)
		}
	}
	// What needs no privilege works, in the host: route socket and device binding.
	l, err := netlink.LinkByName("eth7")
	must(t, err)
	fd, err := unix.Socket(unix.AF_INET6, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	must(t, err)
	defer unix.Close(fd)
	must(t, unix.BindToDevice(fd, "eth7"))
	// What needs one does not.
	if err := netlink.LinkSetDown(l); !errors.Is(err, unix.EPERM) {
		t.Errorf("setting a link down: %v, want EPERM", err)
	}
	if _, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW, 0); !errors.Is(err, unix.EPERM) {
		t.Errorf("packet socket: %v, want EPERM", err)
	}
	if _, err := miftest.Start(); !errors.Is(err, unix.EPERM) {
		t.Errorf("namespace: %v, want EPERM", err)
	}
}
