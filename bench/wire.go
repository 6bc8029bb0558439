package main

import (
	"encoding/binary"
	"net/netip"
	"os"

	"golang.org/x/sys/unix"
)

// groups are what everybody subscribes to: links, addresses and routes.
const groups = unix.RTMGRP_LINK | unix.RTMGRP_IPV4_IFADDR | unix.RTMGRP_IPV4_ROUTE | unix.RTMGRP_IPV6_IFADDR | unix.RTMGRP_IPV6_ROUTE

var host = binary.NativeEndian

// An event is a link, address or route message, decoded as far as a model of the
// host needs it: what the floors make of each.
type event struct {
	kind                       uint16
	index                      int32
	flags, mtu, table, metric  uint32
	preferred, valid           uint32
	addr, gateway              netip.Addr
	bits, family, scope, state uint8
	name                       [16]byte
	hardware                   [8]byte
}

// socket opens a route socket that is not in the Go poller yet.
func socket(groups uint32, buffer int, flags int) (int, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|flags, unix.NETLINK_ROUTE)
	if err != nil {
		return 0, os.NewSyscallError("socket", err)
	}
	if buffer > 0 {
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, buffer); err != nil {
			unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, buffer)
		}
	}
	return fd, os.NewSyscallError("bind", unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: groups}))
}

// each calls f with every message in b: its kind, flags and body.
func each(b []byte, f func(kind, flags uint16, body []byte)) {
	for len(b) >= 16 {
		n := int(host.Uint32(b))
		if n < 16 || n > len(b) {
			return
		}
		f(host.Uint16(b[4:]), host.Uint16(b[6:]), b[16:n])
		b = b[min((n+3)&^3, len(b)):]
	}
}

// decode decodes a message's body, and tells whether it is one of the three.
func (e *event) decode(kind uint16, b []byte) bool {
	*e = event{kind: kind}
	switch {
	case (kind == unix.RTM_NEWLINK || kind == unix.RTM_DELLINK) && len(b) >= 16:
		e.family, e.index, e.flags = b[0], int32(host.Uint32(b[4:])), host.Uint32(b[8:])
		e.attributes(b[16:], e.ofLink)
	case (kind == unix.RTM_NEWADDR || kind == unix.RTM_DELADDR) && len(b) >= 8:
		e.family, e.bits, e.flags, e.scope, e.index = b[0], b[1], uint32(b[2]), b[3], int32(host.Uint32(b[4:]))
		e.attributes(b[8:], e.ofAddress)
	case (kind == unix.RTM_NEWROUTE || kind == unix.RTM_DELROUTE) && len(b) >= 12:
		e.family, e.bits, e.table, e.scope = b[0], b[1], uint32(b[4]), b[6]
		e.attributes(b[12:], e.ofRoute)
	default:
		return false
	}
	return true
}

func (e *event) attributes(b []byte, take func(kind uint16, v []byte)) {
	for len(b) >= 4 {
		n := int(host.Uint16(b))
		if n < 4 || n > len(b) {
			return
		}
		take(host.Uint16(b[2:])&0x3fff, b[4:n])
		b = b[min((n+3)&^3, len(b)):]
	}
}

func (e *event) ofLink(kind uint16, v []byte) {
	switch kind {
	case unix.IFLA_IFNAME:
		copy(e.name[:], v)
	case unix.IFLA_ADDRESS:
		copy(e.hardware[:], v)
	case unix.IFLA_MTU:
		e.mtu = host.Uint32(v)
	case unix.IFLA_OPERSTATE:
		e.state = v[0]
	}
}

func (e *event) ofAddress(kind uint16, v []byte) {
	switch kind {
	case unix.IFA_LOCAL:
		e.addr, _ = netip.AddrFromSlice(v)
	case unix.IFA_ADDRESS:
		if !e.addr.IsValid() {
			e.addr, _ = netip.AddrFromSlice(v)
		}
	case unix.IFA_FLAGS:
		e.flags = host.Uint32(v)
	case unix.IFA_CACHEINFO:
		e.preferred, e.valid = host.Uint32(v), host.Uint32(v[4:])
	}
}

func (e *event) ofRoute(kind uint16, v []byte) {
	switch kind {
	case unix.RTA_DST:
		e.addr, _ = netip.AddrFromSlice(v)
	case unix.RTA_GATEWAY:
		e.gateway, _ = netip.AddrFromSlice(v)
	case unix.RTA_OIF:
		e.index = int32(host.Uint32(v))
	case unix.RTA_PRIORITY:
		e.metric = host.Uint32(v)
	case unix.RTA_TABLE:
		e.table = host.Uint32(v)
	}
}

// id is what an event is recognised by: a link by its index and whether it is up,
// the rest by address.
func (e *event) id() uint64 {
	switch {
	case e.kind == unix.RTM_NEWLINK || e.kind == unix.RTM_DELLINK:
		return linkID(int(e.index), e.flags&unix.IFF_UP != 0)
	case e.addr.Is4():
		return addrID(e.kind, e.addr)
	}
	return 0
}

func linkID(index int, up bool) uint64 {
	id := uint64(unix.RTM_NEWLINK)<<32 | uint64(index)<<1
	if up {
		id |= 1
	}
	return id
}

func addrID(kind uint16, a netip.Addr) uint64 {
	if !a.Is4() {
		return 0
	}
	b := a.As4()
	return uint64(kind)<<32 | uint64(binary.BigEndian.Uint32(b[:]))
}
