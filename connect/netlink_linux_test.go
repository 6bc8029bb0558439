package connect

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

// Any octets for a message: no panic, no attribute outside of them.
func FuzzRouteMessage(f *testing.F) {
	f.Add([]byte{}, uint32(1))
	f.Add(make([]byte, 16), uint32(0))
	q := query{source: netip.MustParseAddr(far6), to: netip.MustParseAddrPort("[" + far6 + "]:80"), iface: 3}
	body := appendAttr(q.marshal(0), unix.RTA_VIA, []byte{2, 0, 10, 0, 0, 1})
	m := binary.NativeEndian.AppendUint32(nil, uint32(unix.SizeofNlMsghdr+len(body)))
	m = append(m, make([]byte, 12)...)
	f.Add(append(m, body...), uint32(0))
	f.Fuzz(func(t *testing.T, b []byte, seq uint32) {
		kind, body, ok := message(b, seq)
		if !ok {
			return
		}
		if len(body) > len(b) {
			t.Fatal("a body larger than its message")
		}
		if body, err := verdict(kind, body); err == nil {
			if a, err := parseRoute(body); err == nil && a.iface == 7 {
				_, _ = a.hop(7)
			}
		}
	})
}

func TestParseRoute(t *testing.T) {
	b := make([]byte, unix.SizeofRtMsg)
	b[7] = unix.RTN_UNICAST
	b = appendAttr(b, unix.RTA_OIF, binary.NativeEndian.AppendUint32(nil, 9))
	gw := netip.MustParseAddr("fe80::1")
	via := appendAttr(slices.Clone(b), unix.RTA_VIA, append([]byte{unix.AF_INET6, 0}, gw.AsSlice()...))
	for name, m := range map[string][]byte{"gateway": appendAttr(slices.Clone(b), unix.RTA_GATEWAY, gw.AsSlice()), "via": via} {
		a, err := parseRoute(m)
		if err != nil || a.iface != 9 || a.router != gw {
			t.Errorf("%s: %+v, %v", name, a, err)
		}
		if h, err := a.hop(9); h.router != gw || err != nil {
			t.Errorf("%s: hop %+v, %v", name, h, err)
		}
		if _, err := a.hop(8); !errors.Is(err, ErrNoRoute) {
			t.Errorf("%s: another interface's route accepted: %v", name, err)
		}
	}
	if _, err := parseRoute(b[:5]); !errors.Is(err, unix.EPROTO) {
		t.Errorf("short route: %v", err)
	}
}

func TestVerdict(t *testing.T) {
	errno := binary.NativeEndian.AppendUint32(nil, ^uint32(unix.ENETUNREACH)+1)
	if _, err := verdict(unix.NLMSG_ERROR, errno); !errors.Is(err, unix.ENETUNREACH) {
		t.Errorf("errno: %v", err)
	}
	for _, b := range [][]byte{nil, {1}, make([]byte, 4)} {
		if _, err := verdict(unix.NLMSG_ERROR, b); !errors.Is(err, unix.EPROTO) {
			t.Errorf("%v: %v", b, err)
		}
	}
}
