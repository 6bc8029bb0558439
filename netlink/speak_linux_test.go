package netlink

import (
	"encoding/binary"
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"
)

// A speaker asks the kernel for changes that vishvananda/netlink has no words for.
type speaker struct {
	fd  int
	seq uint32
	buf [8192]byte
}

func (s *space) speaker(t testing.TB) *speaker {
	t.Helper()
	k := &speaker{fd: -1}
	s.do(t, func() (err error) {
		k.fd, err = unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
		return err
	})
	t.Cleanup(func() { unix.Close(k.fd) })
	return k
}

// ask sends a request and returns the kernel's answer.
func (k *speaker) ask(kind, flags uint16, body []byte) error {
	k.seq++
	b := request(nil, kind, flags|unix.NLM_F_REQUEST|unix.NLM_F_ACK, k.seq, body)
	if err := unix.Sendto(k.fd, b, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return err
	}
	for {
		n, _, err := unix.Recvfrom(k.fd, k.buf[:], 0)
		if err != nil {
			return err
		}
		m, _, ok := cutMessage(k.buf[:n])
		if !ok || m.kind != nlmsgError {
			continue
		}
		if e := unix.Errno(-int32(number(m.body))); e != 0 {
			return e
		}
		return nil
	}
}

// attr appends an attribute.
func attr(b []byte, kind uint16, v []byte) []byte {
	b = host.AppendUint16(b, uint16(4+len(v)))
	b = host.AppendUint16(b, kind)
	b = append(b, v...)
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}

func attr32(b []byte, kind uint16, v uint32) []byte {
	return attr(b, kind, binary.NativeEndian.AppendUint32(nil, v))
}

// A way is a route to ask for.
type way struct {
	dst, from   netip.Prefix
	metric      uint32
	table       uint32
	tos, kind   uint8
	source      netip.Addr
	object      uint32
	hops        []nexthop
	mtu         uint32
	proto       uint8
	expires     uint32 // seconds
	withoutHops bool   // a removal that names no hop
}

func (w *way) body() []byte {
	family := byte(afINET6)
	if w.dst.Addr().Is4() {
		family = afINET
	}
	scope := byte(0)
	if family == afINET && len(w.hops) > 0 && !w.hops[0].gateway.IsValid() {
		scope = unix.RT_SCOPE_LINK
	}
	if w.withoutHops {
		scope = unix.RT_SCOPE_NOWHERE
	}
	bits := byte(0)
	if w.from.IsValid() {
		bits = byte(w.from.Bits())
	}
	b := []byte{family, byte(w.dst.Bits()), bits, w.tos, 0, w.proto, scope, w.kind, 0, 0, 0, 0}
	b = attr32(b, rtaTable, w.table)
	b = attr(b, rtaDst, w.dst.Addr().AsSlice())
	if bits > 0 {
		b = attr(b, rtaSrc, w.from.Addr().AsSlice())
	}
	if w.metric != 0 {
		b = attr32(b, rtaPriority, w.metric)
	}
	if w.source.IsValid() {
		b = attr(b, rtaPrefSrc, w.source.AsSlice())
	}
	if w.object != 0 {
		b = attr32(b, rtaNexthop, w.object)
	}
	if w.mtu != 0 {
		b = attr(b, rtaMetrics, attr32(nil, unix.RTAX_MTU, w.mtu))
	}
	if w.expires != 0 {
		b = attr32(b, unix.RTA_EXPIRES, w.expires)
	}
	return w.appendHops(b, family)
}

func (w *way) appendHops(b []byte, family byte) []byte {
	switch {
	case w.withoutHops || len(w.hops) == 0:
		return b
	case len(w.hops) == 1:
		return appendGateway(attr32(b, rtaOIF, uint32(w.hops[0].index)), w.hops[0].gateway, family)
	}
	var all []byte
	for _, h := range w.hops {
		a := appendGateway(nil, h.gateway, family)
		one := host.AppendUint16(nil, uint16(8+len(a)))
		one = append(one, 0, byte(h.weight))
		one = host.AppendUint32(one, uint32(h.index))
		all = append(all, append(one, a...)...)
	}
	return attr(b, rtaMultipath, all)
}

func appendGateway(b []byte, g netip.Addr, family byte) []byte {
	switch {
	case !g.IsValid():
		return b
	case g.Is4() == (family == afINET):
		return attr(b, rtaGateway, g.AsSlice())
	}
	return attr(b, rtaVia, append(host.AppendUint16(nil, afINET6), g.AsSlice()...))
}

// objectBody is a nexthop object to ask for: a hop, or a group.
func objectBody(id uint32, family byte, h nexthop, members []uint32) []byte {
	b := []byte{family, 0, 0, 0, 0, 0, 0, 0}
	b = attr32(b, nhaID, id)
	if len(members) > 0 {
		var g []byte
		for _, m := range members {
			g = append(host.AppendUint32(g, m), 0, 0, 0, 0)
		}
		return attr(b, nhaGroup, g)
	}
	if h.index != 0 {
		b = attr32(b, nhaOIF, uint32(h.index))
	}
	if h.gateway.IsValid() {
		b = attr(b, nhaGateway, h.gateway.AsSlice())
	}
	return b
}
