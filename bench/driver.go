package main

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"runtime"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// A driver makes the changes: one locked thread, one raw socket.
type driver struct {
	fd   int
	b    []byte
	main int // index of an interface that has an address, up and with a carrier
	flap int // index of one that is set up and down
	next uint32
}

// base is the address that the driver's main interface always has.
var base = netip.MustParseAddr("10.255.255.1")

// newDriver furnishes the namespace: two pairs of interfaces that speak only of
// what the driver does.
func newDriver() (*driver, error) {
	runtime.LockOSThread()
	if err := silence(); err != nil {
		return nil, err
	}
	fd, err := socket(0, 8<<20, 0)
	if err != nil {
		return nil, err
	}
	d := &driver{fd: fd, b: make([]byte, 64<<10)}
	if d.main, err = pair("main0", "main1"); err != nil {
		return nil, err
	}
	if d.flap, err = pair("flap0", "flap1"); err != nil {
		return nil, err
	}
	return d, d.do(addr(true, d.main, base, 32))
}

// silence keeps new interfaces from making addresses of their own.
func silence() error {
	return errors.Join(
		os.WriteFile("/proc/sys/net/ipv6/conf/default/addr_gen_mode", []byte("1"), 0),
		os.WriteFile("/proc/sys/net/ipv6/conf/default/accept_dad", []byte("0"), 0))
}

func pair(name, peer string) (int, error) {
	attrs := netlink.NewLinkAttrs()
	attrs.Name = name
	v := netlink.NewVeth(attrs)
	v.PeerName = peer
	if err := netlink.LinkAdd(v); err != nil {
		return 0, fmt.Errorf("%s: %w", name, err)
	}
	for _, n := range []string{name, peer} {
		l, err := netlink.LinkByName(n)
		if err == nil {
			err = netlink.LinkSetUp(l)
		}
		if err != nil {
			return 0, fmt.Errorf("%s: %w", n, err)
		}
	}
	l, err := netlink.LinkByName(name)
	if err != nil {
		return 0, err
	}
	return l.Attrs().Index, nil
}

// A change is a request without an acknowledgement, ready to be sent.
type change []byte

func addr(add bool, index int, a netip.Addr, bits uint8) change {
	kind, flags, family := unix.RTM_DELADDR, 0, unix.AF_INET
	if add {
		kind, flags = unix.RTM_NEWADDR, unix.NLM_F_CREATE|unix.NLM_F_EXCL
	}
	if a.Is6() {
		family = unix.AF_INET6
	}
	m := nl.NewIfAddrmsg(family)
	m.Prefixlen, m.Index = bits, uint32(index)
	return request(kind, flags, m, nl.NewRtAttr(unix.IFA_LOCAL, a.AsSlice()), nl.NewRtAttr(unix.IFA_ADDRESS, a.AsSlice()))
}

func route(add bool, index int, to netip.Prefix) change {
	kind, flags, m := unix.RTM_DELROUTE, 0, nl.NewRtDelMsg()
	if add {
		kind, flags, m = unix.RTM_NEWROUTE, unix.NLM_F_CREATE|unix.NLM_F_EXCL, nl.NewRtMsg()
		m.Protocol, m.Scope = unix.RTPROT_STATIC, unix.RT_SCOPE_LINK
	}
	m.Family, m.Table, m.Dst_len = unix.AF_INET, unix.RT_TABLE_MAIN, uint8(to.Bits())
	return request(kind, flags, m, nl.NewRtAttr(unix.RTA_DST, to.Addr().AsSlice()), nl.NewRtAttr(unix.RTA_OIF, nl.Uint32Attr(uint32(index))))
}

func linkUp(index int, up bool) change {
	m := nl.NewIfInfomsg(unix.AF_UNSPEC)
	m.Index, m.Change = int32(index), unix.IFF_UP
	if up {
		m.Flags = unix.IFF_UP
	}
	return request(unix.RTM_NEWLINK, 0, m)
}

// newLink makes an interface that is up, has a carrier and says nothing.
func newLink(name string) change {
	m := nl.NewIfInfomsg(unix.AF_UNSPEC)
	m.Flags, m.Change = unix.IFF_UP, unix.IFF_UP
	info := nl.NewRtAttr(unix.IFLA_LINKINFO, nil)
	info.AddRtAttr(nl.IFLA_INFO_KIND, []byte("ifb\x00"))
	padded := append([]byte(name), make([]byte, unix.IFNAMSIZ-len(name))...)
	return request(unix.RTM_NEWLINK, unix.NLM_F_CREATE|unix.NLM_F_EXCL, m, nl.NewRtAttr(unix.IFLA_IFNAME, padded), info)
}

func request(kind, flags int, data ...nl.NetlinkRequestData) change {
	r := nl.NewNetlinkRequest(kind, flags)
	for _, d := range data {
		r.AddData(d)
	}
	return r.Serialize()
}

// do makes a change and waits until the kernel says that it is made.
func (d *driver) do(c change) error {
	if err := d.send(c.acknowledged()); err != nil {
		return err
	}
	return d.replies(1)
}

func (c change) acknowledged() change {
	host.PutUint16(c[6:], host.Uint16(c[6:])|unix.NLM_F_ACK)
	return c
}

func (d *driver) send(b []byte) error {
	return os.NewSyscallError("sendto", unix.Sendto(d.fd, b, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}))
}

// replies reads so many replies, or all there are if none is said.
func (d *driver) replies(want int) (err error) {
	flags := 0
	if want == 0 {
		flags = unix.MSG_DONTWAIT
	}
	for got := 0; want == 0 || got < want; {
		n, _, e := unix.Recvfrom(d.fd, d.b, flags)
		if e == unix.EAGAIN {
			return err
		}
		if e != nil {
			return os.NewSyscallError("recvfrom", e)
		}
		each(d.b[:n], func(kind, _ uint16, body []byte) {
			got++
			if no := unix.Errno(-int32(host.Uint32(body))); kind == unix.NLMSG_ERROR && no != 0 {
				err = errors.Join(err, fmt.Errorf("the kernel refused a change: %w", no))
			}
		})
	}
	return err
}

// storm sends changes at full rate, many at a time.
func (d *driver) storm(changes []change) error {
	for i := 0; i < len(changes); i += 32 {
		var b []byte
		for _, c := range changes[i:min(i+32, len(changes))] {
			b = append(b, c...)
		}
		if err := d.send(b); err != nil {
			return err
		}
	}
	return d.replies(0)
}

// fresh is an address that was not used before, and that no storm uses.
func (d *driver) fresh() netip.Addr {
	d.next++
	return number(10, 1<<22+d.next)
}

// number is an IPv4 address: an octet and the other three.
func number(first byte, n uint32) netip.Addr {
	return netip.AddrFrom4([4]byte{first, byte(n >> 16), byte(n >> 8), byte(n)})
}

// toggles are so many changes: addresses that come and, but for one in keep (0:
// none), go at once.
func (d *driver) toggles(n, keep int) (all []change) {
	for k := 0; len(all) < n; k++ {
		a := number(10, uint32(k))
		all = append(all, addr(true, d.main, a, 32))
		if (keep == 0 || k%keep != 0) && len(all) < n {
			all = append(all, addr(false, d.main, a, 32))
		}
	}
	return all
}

// populate makes interfaces with two addresses and a route each, and returns
// their indexes.
func (d *driver) populate(from, to int) (indexes []int, err error) {
	var links []change
	for i := from; i < to; i++ {
		links = append(links, newLink(fmt.Sprint("m", i)))
	}
	if err := d.storm(links); err != nil {
		return nil, err
	}
	all, err := netlink.LinkList()
	if err != nil {
		return nil, err
	}
	index := map[string]int{}
	for _, l := range all {
		index[l.Attrs().Name] = l.Attrs().Index
	}
	var rest []change
	for i := from; i < to; i++ {
		at := index[fmt.Sprint("m", i)]
		indexes = append(indexes, at)
		rest = append(rest, addr(true, at, number(11, uint32(i)<<8|1), 24),
			addr(true, at, netip.AddrFrom16([16]byte{0: 0xfd, 4: byte(i >> 8), 5: byte(i), 15: 1}), 64),
			route(true, at, netip.PrefixFrom(number(172, 16<<16|uint32(i)<<4), 28)))
	}
	return indexes, d.storm(rest)
}
