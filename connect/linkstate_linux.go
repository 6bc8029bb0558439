package connect

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
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
	return r.interfaceName(index)
}

func (r *routeSocket) interfaceName(index int) (string, error) {
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

// silent tells whether the kernel has looked for a neighbour in vain (RFC 4861,
// section 7.3.2; for IPv4 the same states). False if it is not known.
func (k kernel) silent(neighbour netip.Addr, iface int) bool {
	r, err := k.open()
	if err != nil {
		return false
	}
	defer r.close()
	b := make([]byte, unix.SizeofNdMsg)
	b[0] = familyOf(neighbour)
	binary.NativeEndian.PutUint32(b[4:], uint32(iface))
	body, err := r.ask(unix.RTM_GETNEIGH, appendAttr(b, unix.NDA_DST, neighbour.AsSlice()))
	if err != nil || len(body) < unix.SizeofNdMsg {
		return false
	}
	return binary.NativeEndian.Uint16(body[8:])&(unix.NUD_FAILED|unix.NUD_INCOMPLETE) != 0
}

// comesBack refuses a flow whose replies the reverse path filter drops: it is strict
// on the interface, and by the host's own choice of route to the peer another one
// would be used. What IPsec has decrypted is exempt from the filter, but not known
// here. If the kernel does not say, the flow is let be.
func (r *routeSocket) comesBack(q query) error {
	if max(r.reversePath(netconfAll), r.reversePath(q.iface)) != strict {
		return nil
	}
	ours := q.iface
	q.iface = 0
	a, err := r.get(q, unix.RTM_F_FIB_MATCH)
	if err != nil || a.iface == ours || slices.Contains(a.others, ours) {
		return nil
	}
	return fmt.Errorf("%w: rp_filter is strict on interface %d and the host prefers interface %d for %v; "+
		"set it to 2 (loose) or have routes by source (see Installer)", ErrRepliesDropped, ours, a.iface, q.to.Addr())
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
