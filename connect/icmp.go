package connect

import "net/netip"

// An icmpError is the error of a connect with the ICMP message it came from.
type icmpError struct {
	err        error
	origin     netip.Addr // who sent the message
	ipv6       bool
	kind, code uint8
}

func (e *icmpError) Error() string { return e.err.Error() }
func (e *icmpError) Unwrap() error { return e.err }

// soft follows RFC 1122, section 4.2.3.9, and for ICMPv6 RFC 5461, section 2: a
// destination unreachable for its route, and a packet that took too long, are
// conditions that may pass. A port, a protocol or an administrator's refusal is not.
func (e *icmpError) soft() bool {
	const (
		v4Unreachable, v4Exceeded, v4Parameter = 3, 11, 12
		v6Unreachable, v6Exceeded              = 1, 3
	)
	switch {
	case e.ipv6:
		return e.kind == v6Exceeded || e.kind == v6Unreachable && (e.code == 0 || e.code == 2 || e.code == 3)
	case e.kind == v4Unreachable:
		return e.code == 0 || e.code == 1 || e.code == 5
	}
	return e.kind == v4Exceeded || e.kind == v4Parameter
}
