package miftest_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/go-mif/mif/miftest"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// must is for verbs of which a test needs no more than that they work.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// eventually polls the kernel until condition holds.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(10 * time.Second); !condition(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("not in time: %s", what)
		}
	}
}

// addrs lists the addresses of an interface of the host.
func addrs(t *testing.T, h *miftest.Host, ifname string) (found []netlink.Addr) {
	t.Helper()
	must(t, h.Do(func() error {
		l, err := netlink.LinkByName(ifname)
		if err != nil {
			return err
		}
		found, err = netlink.AddrList(l, netlink.FAMILY_ALL)
		return err
	}))
	return found
}

func address(t *testing.T, h *miftest.Host, ifname string, want netip.Addr) (netlink.Addr, bool) {
	t.Helper()
	for _, a := range addrs(t, h, ifname) {
		if got, _ := netip.AddrFromSlice(a.IP); got.Unmap() == want {
			return a, true
		}
	}
	return netlink.Addr{}, false
}

// defaults lists the host's default routes of a family.
func defaults(t *testing.T, h *miftest.Host, family int) (found []netlink.Route) {
	t.Helper()
	must(t, h.Do(func() error {
		all, err := netlink.RouteList(nil, family)
		for _, r := range all {
			if ones, _ := r.Dst.Mask.Size(); ones == 0 {
				found = append(found, r)
			}
		}
		return err
	}))
	return found
}

func carrier(t *testing.T, h *miftest.Host, ifname string) (yes bool) {
	t.Helper()
	must(t, h.Do(func() error {
		l, err := netlink.LinkByName(ifname)
		if err == nil {
			yes = l.Attrs().RawFlags&unix.IFF_LOWER_UP != 0
		}
		return err
	}))
	return yes
}
