package connect

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// mayChange asks for the removal of a rule that does not exist, which shows whether
// the removal of one that does would be allowed.
func (r *routeSocket) mayChange() error {
	nobody := sourceRule{family: familyIPv4, priority: InstallerPriority, from: netip.AddrFrom4([4]byte{127, 77, 77, 77}), table: InstallerTable}
	err := r.change(unix.RTM_DELRULE, 0, nobody.marshal())
	if errors.Is(err, unix.EPERM) {
		return fmt.Errorf("CAP_NET_ADMIN is lacking: %w", err)
	}
	return nil
}

func (r *routeSocket) addRoute(x tableRoute) error {
	return r.change(unix.RTM_NEWROUTE, unix.NLM_F_CREATE|unix.NLM_F_APPEND, x.marshal())
}

func (r *routeSocket) deleteRoute(x tableRoute) error {
	return r.change(unix.RTM_DELROUTE, 0, x.marshal())
}

func (r *routeSocket) addRule(x sourceRule) error {
	return r.change(unix.RTM_NEWRULE, unix.NLM_F_CREATE|unix.NLM_F_EXCL, x.marshal())
}

func (r *routeSocket) deleteRule(x sourceRule) error {
	return r.change(unix.RTM_DELRULE, 0, x.marshal())
}

// change is one request with an acknowledgement. That it was so already is no error.
func (r *routeSocket) change(kind, flags uint16, body []byte) error {
	if err := r.send(kind, flags|unix.NLM_F_ACK, body); err != nil {
		return err
	}
	kind, body, err := r.receive(r.buf[:])
	switch {
	case err != nil:
		return err
	case kind != unix.NLMSG_ERROR || len(body) < 4:
		return fmt.Errorf("route socket: no acknowledgement: %w", unix.EPROTO)
	}
	switch e := unix.Errno(-int32(binary.NativeEndian.Uint32(body))); e {
	case 0, unix.EEXIST, unix.ENOENT, unix.ESRCH:
		return nil
	default:
		return e
	}
}

func (t tableRoute) marshal() []byte {
	b := make([]byte, unix.SizeofRtMsg, 96)
	b[0], b[1], b[5], b[7] = t.family, uint8(t.dst.Bits()), InstallerProtocol, unix.RTN_UNICAST
	b[6] = unix.RT_SCOPE_LINK
	if t.via.IsValid() {
		b[6] = unix.RT_SCOPE_UNIVERSE
		binary.NativeEndian.PutUint32(b[8:], unix.RTNH_F_ONLINK)
		b = appendAttr(b, unix.RTA_GATEWAY, t.via.AsSlice())
	}
	if t.dst.Bits() > 0 {
		b = appendAttr(b, unix.RTA_DST, t.dst.Addr().AsSlice())
	}
	b = appendUint32(b, unix.RTA_OIF, uint32(t.iface))
	b = appendUint32(b, unix.RTA_PRIORITY, t.metric)
	return appendUint32(b, unix.RTA_TABLE, t.table)
}

// The header of a rule, struct fib_rule_hdr, is laid out like a route's.
func (s sourceRule) marshal() []byte {
	b := make([]byte, unix.SizeofRtMsg, 128)
	b[0], b[2], b[7] = s.family, uint8(s.from.BitLen()), unix.FR_ACT_TO_TBL
	b = appendAttr(b, unix.FRA_SRC, s.from.AsSlice())
	if s.to.IsValid() {
		b[1] = uint8(s.to.Bits())
		b = appendAttr(b, unix.FRA_DST, s.to.Addr().AsSlice())
	}
	if s.oif != "" {
		b = appendAttr(b, unix.FRA_OIFNAME, append([]byte(s.oif), 0))
	}
	if s.suppress {
		b = appendUint32(b, unix.FRA_SUPPRESS_PREFIXLEN, 0)
	}
	b = appendUint32(b, unix.FRA_PRIORITY, s.priority)
	b = appendAttr(b, unix.FRA_PROTOCOL, []byte{InstallerProtocol})
	return appendUint32(b, unix.FRA_TABLE, s.table)
}

func appendUint32(b []byte, kind uint16, v uint32) []byte {
	return appendAttr(b, kind, binary.NativeEndian.AppendUint32(nil, v))
}

// A routeFilter is what of a family's routes to dump; zero fields match all.
type routeFilter struct {
	family   uint8
	protocol uint8
	table    uint32
	iface    int
}

// routesBy are the main table's routes by an interface, those with several next hops
// left out.
func (r *routeSocket) routesBy(family uint8, iface int) ([]tableRoute, error) {
	return r.dumpRoutes(routeFilter{family: family, table: mainTable, iface: iface})
}

// dumpRoutes lets the kernel filter, if it can, and filters again. A table that does
// not exist is an empty one.
func (r *routeSocket) dumpRoutes(f routeFilter) (all []tableRoute, err error) {
	b := make([]byte, unix.SizeofRtMsg, 32)
	b[0], b[5] = f.family, f.protocol
	if f.table != 0 {
		b = appendUint32(b, unix.RTA_TABLE, f.table)
	}
	if f.iface != 0 {
		b = appendUint32(b, unix.RTA_OIF, uint32(f.iface))
	}
	messages, err := r.dump(unix.RTM_GETROUTE, b)
	if errors.Is(err, unix.ENOENT) {
		return nil, nil
	}
	for _, m := range messages {
		if x, protocol, ok := parseTableRoute(m); ok && f.matches(x, protocol) {
			all = append(all, x)
		}
	}
	return all, err
}

func (f routeFilter) matches(x tableRoute, protocol uint8) bool {
	return x.family == f.family && (f.protocol == 0 || f.protocol == protocol) &&
		(f.table == 0 || f.table == x.table) && (f.iface == 0 || f.iface == x.iface)
}

// parseTableRoute reads a unicast route with one next hop.
func parseTableRoute(b []byte) (x tableRoute, protocol uint8, ok bool) {
	if len(b) < unix.SizeofRtMsg || b[7] != unix.RTN_UNICAST || b[2] != 0 ||
		binary.NativeEndian.Uint32(b[8:])&unix.RTM_F_CLONED != 0 {
		return x, 0, false
	}
	x.family, x.table = b[0], uint32(b[4])
	dst := everywhere(x.family).Addr()
	ok = true
	eachAttr(b[unix.SizeofRtMsg:], func(kind uint16, v []byte) {
		switch kind {
		case unix.RTA_DST:
			dst = addrOf(v)
		case unix.RTA_GATEWAY:
			x.via = addrOf(v)
		case unix.RTA_OIF:
			x.iface = int(uint32Of(v))
		case unix.RTA_PRIORITY:
			x.metric = uint32Of(v)
		case unix.RTA_TABLE:
			x.table = uint32Of(v)
		case unix.RTA_MULTIPATH, unix.RTA_VIA, unix.RTA_ENCAP:
			ok = false
		}
	})
	x.dst = netip.PrefixFrom(dst, int(b[1]))
	return x, b[5], ok && x.dst.IsValid()
}

// dumpRules are the rules with our protocol.
func (r *routeSocket) dumpRules(family uint8) (all []sourceRule, err error) {
	b := make([]byte, unix.SizeofRtMsg)
	b[0] = family
	messages, err := r.dump(unix.RTM_GETRULE, b)
	for _, m := range messages {
		if x, ok := parseRule(m); ok {
			all = append(all, x)
		}
	}
	return all, err
}

func parseRule(b []byte) (x sourceRule, ok bool) {
	if len(b) < unix.SizeofRtMsg {
		return x, false
	}
	x.family, x.table = b[0], uint32(b[4])
	eachAttr(b[unix.SizeofRtMsg:], func(kind uint16, v []byte) {
		switch kind {
		case unix.FRA_SRC:
			x.from = addrOf(v)
		case unix.FRA_DST:
			x.to = netip.PrefixFrom(addrOf(v), int(b[1]))
		case unix.FRA_OIFNAME:
			x.oif = strings.TrimRight(string(v), "\x00")
		case unix.FRA_PRIORITY:
			x.priority = uint32Of(v)
		case unix.FRA_TABLE:
			x.table = uint32Of(v)
		case unix.FRA_SUPPRESS_PREFIXLEN:
			x.suppress = uint32Of(v) == 0
		case unix.FRA_PROTOCOL:
			ok = len(v) == 1 && v[0] == InstallerProtocol
		}
	})
	return x, ok && x.from.IsValid()
}

// dump lists objects. A list that was disturbed while it was made is made again.
func (r *routeSocket) dump(kind uint16, body []byte) (all [][]byte, err error) {
	for range 8 {
		if err := r.send(kind, unix.NLM_F_DUMP, body); err != nil {
			return nil, err
		}
		all, disturbed, err := r.list()
		if err != nil || !disturbed {
			return all, err
		}
	}
	return nil, fmt.Errorf("route socket: list: %w", unix.EAGAIN)
}

// list reads until the end of a dump.
func (r *routeSocket) list() (all [][]byte, disturbed bool, err error) {
	buf := make([]byte, 64<<10)
	for {
		n, from, err := unix.Recvfrom(r.fd, buf, 0)
		if err != nil {
			return nil, false, os.NewSyscallError("route socket: receive", err)
		}
		if sa, ok := from.(*unix.SockaddrNetlink); !ok || sa.Pid != 0 {
			continue
		}
		for b := buf[:n]; len(b) >= unix.SizeofNlMsghdr; {
			kind, body, ok := message(b, r.seq)
			size := int(binary.NativeEndian.Uint32(b))
			disturbed = disturbed || binary.NativeEndian.Uint16(b[6:])&unix.NLM_F_DUMP_INTR != 0
			switch {
			case ok && (kind == unix.NLMSG_DONE || kind == unix.NLMSG_ERROR):
				return all, disturbed, doneError(body)
			case ok:
				all = append(all, append([]byte(nil), body...))
			}
			b = b[min(max(size+3, unix.SizeofNlMsghdr)&^3, len(b)):]
		}
	}
}

// doneError is the errno at the end of a dump; 0 for none.
func doneError(body []byte) error {
	if e := int32(uint32Of(body)); e < 0 {
		return unix.Errno(-e)
	}
	return nil
}
