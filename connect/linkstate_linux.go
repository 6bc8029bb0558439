package connect

import (
	"encoding/binary"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

// interfaceName asks for the present name of an interface.
func (k kernel) interfaceName(index int) (string, error) {
	r, err := k.open()
	if err != nil {
		return "", err
	}
	defer r.close()
	b := make([]byte, unix.SizeofIfInfomsg)
	binary.NativeEndian.PutUint32(b[4:], uint32(index))
	body, err := r.ask(unix.RTM_GETLINK, b)
	if err != nil {
		return "", fmt.Errorf("interface %d: %w", index, err)
	}
	var name string
	if len(body) >= unix.SizeofIfInfomsg {
		eachAttr(body[unix.SizeofIfInfomsg:], func(kind uint16, v []byte) {
			if kind == unix.IFLA_IFNAME {
				name = strings.TrimRight(string(v), "\x00")
			}
		})
	}
	return name, nil
}

// repliesDropped tells whether the reverse path filter (RFC 3704, section 2.2) drops
// what comes back: it is strict on the interface, and by the host's own choice of
// route to the peer another one would be used. Empty: no, or not known.
func (k kernel) repliesDropped(q query) string {
	if q.to.Addr().Is6() || q.to.Addr().IsMulticast() {
		return "" // Linux filters IPv4 only
	}
	r, err := k.open()
	if err != nil {
		return ""
	}
	defer r.close()
	if max(r.reversePath(netconfAll), r.reversePath(q.iface)) != strict {
		return ""
	}
	iface := q.iface
	q.iface = 0
	a, err := r.get(q, 0)
	if err != nil || a.iface == iface {
		return ""
	}
	return fmt.Sprintf("rp_filter is strict on interface %d and the host prefers interface %d for %v: replies are dropped",
		iface, a.iface, q.to.Addr())
}

// The parts of linux/netconf.h that x/sys lacks. The effective rp_filter is the
// larger of "all" and the interface's: 0 off, 1 strict, 2 loose.
const (
	rtmGetNetconf    = 82
	sizeofNetconfMsg = 4
	netconfIfindex   = 1
	netconfRPFilter  = 3
	netconfAll       = -1
	strict           = 1
)

// reversePath reads rp_filter, by netlink since /proc shows the namespace of
// whoever opened it. 0 if it cannot be had.
func (r *routeSocket) reversePath(iface int) int {
	b := make([]byte, sizeofNetconfMsg)
	b[0] = unix.AF_INET
	b = appendAttr(b, netconfIfindex, binary.NativeEndian.AppendUint32(nil, uint32(int32(iface))))
	body, err := r.ask(rtmGetNetconf, b)
	if err != nil || len(body) < sizeofNetconfMsg {
		return 0
	}
	mode := 0
	eachAttr(body[sizeofNetconfMsg:], func(kind uint16, v []byte) {
		if kind == netconfRPFilter {
			mode = int(uint32Of(v))
		}
	})
	return mode
}
