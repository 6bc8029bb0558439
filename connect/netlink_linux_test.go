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
	rule := sourceRule{family: familyIPv4, priority: InstallerPriority, from: netip.MustParseAddr("10.0.0.2"), oif: "eth0", table: InstallerTable}.marshal()
	m = binary.NativeEndian.AppendUint32(nil, uint32(unix.SizeofNlMsghdr+len(rule)))
	m = append(m, make([]byte, 12)...)
	f.Add(append(m, rule...), uint32(0))
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
			if x, _, ok := parseTableRoute(body); ok && (!x.dst.IsValid() || x.slot() >= slots) {
				t.Fatalf("a route to nowhere: %v", x)
			}
			if x, ok := parseRule(body); ok && (!x.from.IsValid() || x.slot() >= slots) {
				t.Fatalf("a rule for nobody: %v", x)
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

// What is written is what is read back.
func TestInstallerMessages(t *testing.T) {
	rule := sourceRule{family: familyIPv4, priority: InstallerPriority + 5, from: netip.MustParseAddr("10.0.0.2"),
		to: prefix("10.0.0.0/24"), oif: "eth0", table: InstallerTable + 300, suppress: true}
	if got, ok := parseRule(rule.marshal()); !ok || got != rule || got.slot() != 1 {
		t.Errorf("rule %+v, %v", got, ok)
	}
	foreign := rule.marshal()
	foreign[len(foreign)-12] = InstallerProtocol + 1 // of FRA_PROTOCOL, the last attribute but one
	if got, ok := parseRule(foreign); ok {
		t.Errorf("another's rule is taken for ours: %+v", got)
	}
	route := tableRoute{family: familyIPv6, table: InstallerTable + 300, dst: prefix("2001:db8::/32"), via: netip.MustParseAddr("fe80::1"), iface: 9, metric: 7}
	if got, protocol, ok := parseTableRoute(route.marshal()); !ok || got != route || protocol != InstallerProtocol || got.slot() != 1 {
		t.Errorf("route %+v, %v", got, ok)
	}
	for _, f := range []routeFilter{{family: familyIPv4}, {family: familyIPv6, iface: 8}, {family: familyIPv6, table: mainTable}, {family: familyIPv6, protocol: 9}} {
		if f.matches(route, InstallerProtocol) || !(routeFilter{family: familyIPv6, iface: 9}).matches(route, InstallerProtocol) {
			t.Errorf("%+v and %v", f, route)
		}
	}
	for _, x := range []tableRoute{{table: InstallerTable - 1}, {table: InstallerTable + slots*tablesPerSlot}, {table: mainTable}} {
		if x.slot() >= 0 {
			t.Errorf("table %#x is of slot %d", x.table, x.slot())
		}
	}
	for _, x := range []sourceRule{{priority: InstallerPriority - 1}, {priority: InstallerPriority + slots*ruleKinds}} {
		if x.slot() >= 0 {
			t.Errorf("priority %d is of slot %d", x.priority, x.slot())
		}
	}
}
