package miftest

import (
	"errors"
	"net/netip"
	"os"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// What leads packets to a detour: a rule before that for the host's own addresses,
// and a table with one route.
const (
	tunName     = "detour"
	divertTable = 1001
	divertRule  = 50
	localRule   = 100 // of the kernel's local table; 0 at first
)

// openTUN makes a TUN device that is up, and routes into it that no rule leads to yet.
func (n *namespace) openTUN() (*os.File, error) {
	var tun *os.File
	err := n.do(func() error {
		fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
		if err != nil {
			return &os.PathError{Op: "open", Path: "/dev/net/tun", Err: err}
		}
		q, err := unix.NewIfreq(tunName)
		if err == nil {
			q.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
			err = unix.IoctlIfreq(fd, unix.TUNSETIFF, q)
		}
		tun = os.NewFile(uintptr(fd), tunName)
		return err
	})
	if err == nil {
		err = n.prepareDetour()
	}
	if err != nil && tun != nil {
		tun.Close()
	}
	return tun, err
}

func (n *namespace) prepareDetour() error {
	if err := n.setUp(tunName); err != nil {
		return err
	}
	for family, all := range map[int]string{unix.AF_INET: "0.0.0.0/0", unix.AF_INET6: "::/0"} {
		if err := n.setRoute(Route{Destination: netip.MustParsePrefix(all), Interface: tunName, Table: divertTable}); err != nil {
			return err
		}
		own := netlink.NewRule()
		own.Family, own.Priority, own.Table = family, localRule, unix.RT_TABLE_LOCAL
		first := *own
		first.Priority = 0
		if err := n.use("preparing a detour", func(rt *netlink.Handle) error { return errors.Join(rt.RuleAdd(own), rt.RuleDel(&first)) }); err != nil {
			return err
		}
	}
	return nil
}

// divert leads what comes from the link for a prefix into the detour.
func (n *namespace) divert(to netip.Prefix) error {
	return n.use("diverting "+to.String(), func(rt *netlink.Handle) error {
		r := netlink.NewRule()
		r.Family, r.Priority, r.Table = unix.AF_INET6, divertRule, divertTable
		if to.Addr().Is4() {
			r.Family = unix.AF_INET
		}
		r.IifName, r.Dst = lan, ipNet(to)
		return rt.RuleAdd(r)
	})
}
