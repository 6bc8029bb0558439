package main

import (
	"errors"
	"log"
	"net/netip"
	"os"
	"sync"
	"syscall"

	"github.com/jsimonetti/rtnetlink/v2"
	mdlayher "github.com/mdlayher/netlink"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// A contestant subscribes to links, addresses and routes with a receive buffer (0:
// its own default), and notes on the board what an application would have. The
// function that it may return tells how many of its subscribers know what is so.
type contestant func(buffer int, b *board) (check func() (right, of, told int), err error)

var contestants = map[string]contestant{
	"netpoll":       netpoll,
	"netpoll + hop": netpollHop,
	"netpoll, dump": netpollDump,
	"vishvananda":   vishvananda,
	"rtnetlink":     rtnetlinkPeer,
	"mif":           ours,
	"mif × 100":     oursHundred,
}

// netpoll is the floor: a goroutine in the Go poller that reads and decodes.
func netpoll(buffer int, b *board) (func() (int, int, int), error) {
	return nil, read(buffer, func(e *event) { b.note(e.id()) }, nil)
}

// read starts a goroutine that reads events, and says when some were lost.
func read(buffer int, take func(*event), lost func()) error {
	fd, err := socket(groups, buffer, unix.SOCK_NONBLOCK)
	if err != nil {
		return err
	}
	f := os.NewFile(uintptr(fd), "netlink")
	conn, err := f.SyscallConn()
	if err != nil {
		return err
	}
	go func() {
		defer f.Close()
		r := reader{b: make([]byte, 64<<10), take: take}
		conn.Read(func(fd uintptr) bool { return r.empty(fd, lost) })
	}()
	return nil
}

type reader struct {
	b    []byte
	e    event
	take func(*event)
}

// empty reads until there is nothing left; it is true if reading is over.
func (r *reader) empty(fd uintptr, lost func()) (over bool) {
	missed := false
	for {
		n, _, e := unix.RawSyscall6(unix.SYS_RECVFROM, fd, pointer(r.b), uintptr(len(r.b)), unix.MSG_DONTWAIT, 0, 0)
		switch e {
		case 0:
			each(r.b[:n], r.message)
		case unix.EAGAIN:
			if missed && lost != nil {
				lost()
			}
			return false
		case unix.ENOBUFS:
			missed = true
		case unix.EINTR:
		default:
			return true
		}
	}
}

func (r *reader) message(kind, _ uint16, body []byte) {
	if r.e.decode(kind, body) {
		r.take(&r.e)
	}
}

// netpollHop hands the events to another goroutine: the least that a library with
// a channel to its users can do.
func netpollHop(buffer int, b *board) (func() (int, int, int), error) {
	var mu sync.Mutex
	var queue []event
	ready := make(chan struct{}, 1)
	go func() {
		var mine []event
		for range ready {
			mu.Lock()
			mine, queue = queue, mine[:0]
			mu.Unlock()
			for i := range mine {
				b.note(mine[i].id())
			}
		}
	}()
	return nil, read(buffer, func(e *event) {
		mu.Lock()
		queue = append(queue, *e)
		first := len(queue) == 1
		mu.Unlock()
		if first {
			select {
			case ready <- struct{}{}:
			default:
			}
		}
	}, nil)
}

// netpollDump keeps no model between losses, and after one dumps everything into
// a new one: the floor of what follows ENOBUFS.
func netpollDump(buffer int, b *board) (func() (int, int, int), error) {
	return nil, read(buffer, func(e *event) { b.note(e.id()) }, func() {
		m, err := goDump()
		if err != nil {
			log.Fatal("netpoll, dump: ", err)
		}
		for _, n := range m {
			for _, a := range n.addrs {
				b.note(addrID(unix.RTM_NEWADDR, a.addr))
			}
		}
	})
}

// vishvananda is used as its documentation says: three subscriptions.
func vishvananda(buffer int, b *board) (func() (int, int, int), error) {
	links, addrs, routes := make(chan netlink.LinkUpdate, 256), make(chan netlink.AddrUpdate, 256), make(chan netlink.RouteUpdate, 256)
	failed, force := func(error) {}, buffer > 0
	err := errors.Join(
		netlink.LinkSubscribeWithOptions(links, nil, netlink.LinkSubscribeOptions{ErrorCallback: failed, ReceiveBufferSize: buffer, ReceiveBufferForceSize: force}),
		netlink.AddrSubscribeWithOptions(addrs, nil, netlink.AddrSubscribeOptions{ErrorCallback: failed, ReceiveBufferSize: buffer, ReceiveBufferForceSize: force}),
		netlink.RouteSubscribeWithOptions(routes, nil, netlink.RouteSubscribeOptions{ErrorCallback: failed, ReceiveBufferSize: buffer, ReceiveBufferForceSize: force}))
	go func() {
		for links != nil || addrs != nil || routes != nil {
			select {
			case u, ok := <-links:
				if !ok {
					links = nil
					b.ended.Add(1)
					continue
				}
				b.note(linkID(u.Attrs().Index, u.Attrs().RawFlags&unix.IFF_UP != 0))
			case u, ok := <-addrs:
				if !ok {
					addrs = nil
					b.ended.Add(1)
					continue
				}
				kind := uint16(unix.RTM_DELADDR)
				if u.NewAddr {
					kind = unix.RTM_NEWADDR
				}
				a, _ := netip.AddrFromSlice(u.LinkAddress.IP)
				b.note(addrID(kind, a.Unmap()))
			case u, ok := <-routes:
				if !ok {
					routes = nil
					b.ended.Add(1)
					continue
				}
				var a netip.Addr
				if u.Dst != nil {
					a, _ = netip.AddrFromSlice(u.Dst.IP)
				}
				b.note(addrID(u.Type, a.Unmap()))
			}
		}
	}()
	return nil, err
}

// rtnetlinkPeer is rtnetlink's messages over mdlayher/netlink, with a buffer that
// saves it a look at the size of each message, at its best.
func rtnetlinkPeer(buffer int, b *board) (func() (int, int, int), error) {
	conn, err := mdlayher.Dial(unix.NETLINK_ROUTE, &mdlayher.Config{Groups: groups, MessageBufferSize: 32 << 10})
	if err != nil {
		return nil, err
	}
	if buffer > 0 {
		err = conn.SetReadBuffer(buffer)
	}
	go func() {
		defer b.ended.Add(1)
		for {
			messages, err := conn.Receive()
			if err != nil && !errors.Is(err, syscall.ENOBUFS) {
				return
			}
			for i := range messages {
				b.note(rtnetlinkID(uint16(messages[i].Header.Type), messages[i].Data))
			}
		}
	}()
	return nil, err
}

func rtnetlinkID(kind uint16, body []byte) uint64 {
	var a netip.Addr
	switch kind {
	case unix.RTM_NEWLINK, unix.RTM_DELLINK:
		var l rtnetlink.LinkMessage
		if l.UnmarshalBinary(body) != nil {
			return 0
		}
		return linkID(int(l.Index), l.Flags&unix.IFF_UP != 0)
	case unix.RTM_NEWADDR, unix.RTM_DELADDR:
		var m rtnetlink.AddressMessage
		if m.UnmarshalBinary(body) == nil && m.Attributes != nil {
			a, _ = netip.AddrFromSlice(m.Attributes.Address)
		}
	case unix.RTM_NEWROUTE, unix.RTM_DELROUTE:
		var m rtnetlink.RouteMessage
		if m.UnmarshalBinary(body) == nil {
			a, _ = netip.AddrFromSlice(m.Attributes.Dst)
		}
	}
	return addrID(kind, a.Unmap())
}
