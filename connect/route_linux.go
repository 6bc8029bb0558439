package connect

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"
)

// A kernel is the one of a network namespace; empty: the caller's.
type kernel struct{ netns string }

// route asks where a flow would go from its source and by its interface, and
// returns an error that wraps ErrNoRoute unless that is a true route by that very
// interface.
//
// What to ask is a matter of family. Found on Linux 6.18, and the reason for each:
//
// IPv4: given an interface, the kernel takes any destination without a route there
// (even one it has an unreachable, blackhole or prohibit route for) to be on the
// link, answers a plain RTM_GETROUTE with a route without a gateway, and on connect
// sends ARP for it. With RTM_F_FIB_MATCH it answers with the entry of the routing
// table, or with EHOSTUNREACH if there is none. So that is asked, and the errno of
// the rejecting route has to be asked for without the interface.
//
// IPv6: with a source in the question the interface is only a preference, while for
// a bound socket it is a must: a route of better metric, or an earlier rule, of
// another interface hides ours. Without a source it is a must here too. So both are
// asked; the second says nothing of source-specific routes, which only matters
// where the first answered with another interface.
func (k kernel) route(q query) (hop, error) {
	r, err := k.open()
	if err != nil {
		return hop{}, err
	}
	defer r.close()
	h, err := r.route(q)
	if err == nil && q.to.Addr().Is4() && !h.broadcast && !h.local {
		err = r.comesBack(q)
	}
	return h, err
}

// route is what kernel.route says of the way there.
func (r *routeSocket) route(q query) (hop, error) {
	a, err := r.lookup(q)
	if err == nil {
		return a.hop(q.iface)
	}
	if q.to.Addr().Is4() {
		err = r.whyNot(q, err)
	}
	var errno unix.Errno
	if errors.As(err, &errno) && !errors.Is(err, ErrNoSource) {
		return hop{}, fmt.Errorf("%w: %s: %w", ErrNoRoute, reasonOf(errno), err)
	}
	return hop{}, err
}

// lookup asks with the interface as a preference and then, if need be, as a must.
func (r *routeSocket) lookup(q query) (answer, error) {
	a, err := r.entry(q)
	if err == nil && a.iface != q.iface && q.to.Addr().Is6() {
		q.source = netip.Addr{}
		a, err = r.entry(q)
	}
	return a, err
}

// entry asks for the entry of the table. One with several next hops names no
// interface of its own; then the kernel's choice is asked for.
func (r *routeSocket) entry(q query) (answer, error) {
	a, err := r.get(q, unix.RTM_F_FIB_MATCH)
	if err == nil && a.iface == 0 {
		a, err = r.get(q, 0)
	}
	return a, err
}

// whyNot finds out what an IPv4 error stands for.
func (r *routeSocket) whyNot(q query, err error) error {
	bare := q
	switch {
	case errors.Is(err, unix.ENETUNREACH): // also: no such source
		bare.source = netip.Addr{}
		if _, e := r.get(bare, unix.RTM_F_FIB_MATCH); e == nil {
			return fmt.Errorf("%w: %v is gone: %w", ErrNoSource, q.source, unix.EADDRNOTAVAIL)
		}
	case errors.Is(err, unix.EHOSTUNREACH): // no entry, or a rejecting one
		bare.iface = 0
		if _, e := r.get(bare, 0); e != nil {
			return e
		}
		return unix.ENETUNREACH
	}
	return err
}

func reasonOf(e unix.Errno) string {
	switch e {
	case unix.EACCES:
		return "a prohibit route"
	case unix.EINVAL:
		return "a blackhole route"
	case unix.EHOSTUNREACH:
		return "an unreachable route"
	case unix.ENODEV:
		return "the interface is gone"
	}
	return "none by the interface"
}

// get is one RTM_GETROUTE (rtnetlink(7)).
func (r *routeSocket) get(q query, flags uint32) (answer, error) {
	body, err := r.ask(unix.RTM_GETROUTE, q.marshal(flags))
	if err != nil {
		return answer{}, err
	}
	return parseRoute(body)
}

func (q query) marshal(flags uint32) []byte {
	dst, src := q.to.Addr(), q.source
	b := make([]byte, unix.SizeofRtMsg, 128)
	b[0] = unix.AF_INET
	if dst.Is6() {
		b[0] = unix.AF_INET6
	}
	b[1] = uint8(dst.BitLen())
	b[2] = uint8(src.BitLen()) // 0 without one
	binary.NativeEndian.PutUint32(b[8:], flags)
	b = appendAttr(b, unix.RTA_DST, dst.AsSlice())
	if src.IsValid() {
		b = appendAttr(b, unix.RTA_SRC, src.AsSlice())
	}
	if q.iface != 0 {
		b = appendAttr(b, unix.RTA_OIF, binary.NativeEndian.AppendUint32(nil, uint32(q.iface)))
	}
	// Rules may look at these (ip-rule(8), ipproto and dport).
	b = appendAttr(b, unix.RTA_IP_PROTO, []byte{q.protocol()})
	return appendAttr(b, unix.RTA_DPORT, binary.BigEndian.AppendUint16(nil, q.to.Port()))
}

func (q query) protocol() byte {
	if q.transport == "udp" {
		return unix.IPPROTO_UDP
	}
	return unix.IPPROTO_TCP
}

// An answer is what is read of a route.
type answer struct {
	kind   uint8
	flags  uint32
	iface  int
	router netip.Addr
	others []int // interfaces of the next hops, if there are several
}

func parseRoute(b []byte) (answer, error) {
	if len(b) < unix.SizeofRtMsg {
		return answer{}, fmt.Errorf("route socket: short answer: %w", unix.EPROTO)
	}
	a := answer{kind: b[7], flags: binary.NativeEndian.Uint32(b[8:])}
	eachAttr(b[unix.SizeofRtMsg:], func(kind uint16, v []byte) {
		switch kind {
		case unix.RTA_OIF:
			a.iface = int(uint32Of(v))
		case unix.RTA_GATEWAY:
			a.router = addrOf(v)
		case unix.RTA_VIA: // an IPv4 route by an IPv6 router: family, then address
			a.router = addrOf(v[min(2, len(v)):])
		case unix.RTA_MULTIPATH:
			a.others = interfacesOf(v)
		}
	})
	return a, nil
}

// interfacesOf reads a list of next hops (struct rtnexthop in rtnetlink(7)).
func interfacesOf(b []byte) (all []int) {
	for len(b) >= unix.SizeofRtNexthop {
		n := int(binary.NativeEndian.Uint16(b))
		if n < unix.SizeofRtNexthop || n > len(b) {
			break
		}
		all = append(all, int(uint32Of(b[4:])))
		b = b[min((n+3)&^3, len(b)):]
	}
	return all
}

// hop judges an answer.
func (a answer) hop(iface int) (hop, error) {
	switch {
	case a.kind == unix.RTN_UNREACHABLE || a.kind == unix.RTN_BLACKHOLE || a.kind == unix.RTN_PROHIBIT:
		return hop{}, fmt.Errorf("%w: a rejecting route: %w", ErrNoRoute, unix.EHOSTUNREACH)
	case a.iface != iface:
		return hop{}, fmt.Errorf("%w: the host would use interface %d: %w", ErrNoRoute, a.iface, unix.ENETUNREACH)
	case a.flags&unix.RTNH_F_LINKDOWN != 0:
		return hop{}, fmt.Errorf("%w: no carrier on interface %d: %w", ErrNoRoute, iface, unix.ENETDOWN)
	}
	return hop{router: a.router, broadcast: a.kind == unix.RTN_BROADCAST, local: a.kind == unix.RTN_LOCAL}, nil
}
