package miftest

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// farIndex is where the indexes of the far ends of links begin. The two ends of
// a veth pair must not have equal indexes: the kernel would take the news of
// the carrier for something that can wait a second.
const farIndex = 1 << 20

// An end is one end of a link to be made.
type end struct {
	ns    *namespace
	name  string
	index int // 0: the next free one
	mac   net.HardwareAddr
}

func addVeth(near, far end) error {
	return far.ns.use("adding link "+near.name, func(rt *netlink.Handle) error {
		return rt.LinkAdd(&netlink.Veth{
			LinkAttrs: far.attrs(), PeerName: near.name, PeerHardwareAddr: near.mac, PeerNamespace: netlink.NsFd(near.ns.fd),
		})
	})
}

// addMacvlan gives e a part in the link whose far end is parent.
func addMacvlan(parent, e end) error {
	return parent.ns.link("adding a router to", parent.name, func(rt *netlink.Handle, l netlink.Link) error {
		attrs := e.attrs()
		attrs.ParentIndex = l.Attrs().Index
		attrs.Namespace = netlink.NsFd(e.ns.fd)
		return rt.LinkAdd(&netlink.Macvlan{LinkAttrs: attrs, Mode: netlink.MACVLAN_MODE_BRIDGE})
	})
}

func (e end) attrs() netlink.LinkAttrs {
	a := netlink.NewLinkAttrs()
	a.Name, a.Index, a.HardwareAddr = e.name, e.index, e.mac
	return a
}

// use calls f with the route socket inside. It keeps the namespace open
// meanwhile: a closed Handle would act on the calling thread's own.
func (n *namespace) use(op string, f func(*netlink.Handle) error) error {
	n.mu.RLock()
	defer n.mu.RUnlock()
	err := os.ErrClosed
	if n.fd >= 0 {
		err = f(n.rt)
	}
	if err != nil {
		return fmt.Errorf("miftest: %s: %w", op, err)
	}
	return nil
}

// link is use with the interface of that name.
func (n *namespace) link(op, name string, f func(*netlink.Handle, netlink.Link) error) error {
	return n.use(op+" "+name, func(rt *netlink.Handle) error {
		l, err := rt.LinkByName(name)
		if err != nil {
			return err
		}
		return f(rt, l)
	})
}

func (n *namespace) setUp(name string) error {
	return n.link("setting up", name, (*netlink.Handle).LinkSetUp)
}

func (n *namespace) setDown(name string) error {
	return n.link("setting down", name, (*netlink.Handle).LinkSetDown)
}

func (n *namespace) remove(name string) error {
	return n.link("removing", name, (*netlink.Handle).LinkDel)
}

func (n *namespace) index(name string) (index int, err error) {
	err = n.link("index of", name, func(_ *netlink.Handle, l netlink.Link) error {
		index = l.Attrs().Index
		return nil
	})
	return index, err
}

func (n *namespace) hardwareAddr(name string) (mac net.HardwareAddr, err error) {
	err = n.link("hardware address of", name, func(_ *netlink.Handle, l netlink.Link) error {
		mac = l.Attrs().HardwareAddr
		return nil
	})
	return mac, err
}

// running reports whether name has a carrier and the kernel has acted on it.
func (n *namespace) running(name string) (yes bool, err error) {
	err = n.link("state of", name, func(_ *netlink.Handle, l netlink.Link) error {
		yes = l.Attrs().OperState == netlink.OperUp
		return nil
	})
	return yes, err
}

// usable reports whether name has an address that can be bound to and that
// packets reach.
func (n *namespace) usable(name string, a netip.Addr) (bool, error) {
	yes, err := n.settled(name, a)
	if err != nil || !yes || a.Is4() {
		return yes, err
	}
	return n.local(name, a)
}

// local reports whether name has the local route of an IPv6 address. The kernel
// adds it, and joins the solicited-node group before it (RFC 4861 §7.2.1), some
// time after it has shown the address. Packets that come earlier are refused.
func (n *namespace) local(name string, a netip.Addr) (bool, error) {
	const column, flag = 8, 0x80000000 // of the flags; RTF_LOCAL
	var routes []byte
	err := n.do(func() (err error) {
		routes, err = os.ReadFile("/proc/thread-self/net/ipv6_route")
		return err
	})
	start := fmt.Sprintf("%x 80 ", a.As16())
	for line := range strings.Lines(string(routes)) {
		f := strings.Fields(line)
		if !strings.HasPrefix(line, start) || len(f) <= column+1 || f[column+1] != name {
			continue
		}
		if flags, err := strconv.ParseUint(f[column], 16, 32); err == nil && flags&flag != 0 {
			return true, nil
		}
	}
	return false, err
}

// settled reports whether name has an address that is past DAD.
func (n *namespace) settled(name string, a netip.Addr) (yes bool, err error) {
	err = n.link("addresses of", name, func(rt *netlink.Handle, l netlink.Link) error {
		addrs, err := rt.AddrList(l, netlink.FAMILY_ALL)
		for _, have := range addrs {
			got, _ := netip.AddrFromSlice(have.IP)
			yes = yes || got.Unmap() == a && have.Flags&(unix.IFA_F_TENTATIVE|unix.IFA_F_DADFAILED) == 0
		}
		if errors.Is(err, netlink.ErrDumpInterrupted) {
			return nil // what it shows is true, if not all; the caller asks again
		}
		return err
	})
	return yes, err
}

// setAddress adds or changes an address; lifetimes of 0 and 0 mean for ever.
func (n *namespace) setAddress(name string, p netip.Prefix, preferred, valid time.Duration) error {
	return n.link("adding "+p.String()+" to", name, func(rt *netlink.Handle, l netlink.Link) error {
		a := &netlink.Addr{IPNet: ipNet(p), PreferedLft: seconds(preferred), ValidLft: seconds(valid)}
		if p.Addr().Is6() {
			a.Flags = unix.IFA_F_NODAD
		}
		return rt.AddrReplace(l, a)
	})
}

func (n *namespace) delAddress(name string, p netip.Prefix) error {
	return n.link("removing "+p.String()+" from", name, func(rt *netlink.Handle, l netlink.Link) error {
		return rt.AddrDel(l, &netlink.Addr{IPNet: ipNet(p)})
	})
}

// delAllAddresses removes every address of an interface.
func (n *namespace) delAllAddresses(name string) error {
	return n.link("removing all addresses from", name, func(rt *netlink.Handle, l netlink.Link) error {
		addrs, err := rt.AddrList(l, netlink.FAMILY_ALL)
		if err != nil {
			return err
		}
		for _, a := range addrs {
			// One may have gone with another of its subnet.
			if err := rt.AddrDel(l, &a); err != nil && !errors.Is(err, unix.EADDRNOTAVAIL) {
				return err
			}
		}
		return nil
	})
}

func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}

// seconds rounds up: a lifetime that is not zero must not become zero.
func seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }
