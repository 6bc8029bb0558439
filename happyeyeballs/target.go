package happyeyeballs

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
)

// A target is whom to connect to.
type target struct {
	name      string     // empty for a literal
	literal   netip.Addr // invalid for a name; no zone
	zone      string     // of the literal
	port      uint16
	four, six bool // families of connections that are wanted
}

var (
	errNetwork = errors.New("unknown network: it is tcp, tcp4 or tcp6")
	errNoHost  = errors.New("missing host")
	errPort0   = errors.New("port 0")
)

// parse reads what DialContext is given. The port may be a service's name.
func parse(ctx context.Context, network, address string) (t target, err error) {
	switch network {
	case "tcp":
		t.four, t.six = true, true
	case "tcp4":
		t.four = true
	case "tcp6":
		t.six = true
	default:
		return t, errNetwork
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return t, err
	}
	if t.port, err = parsePort(ctx, port); err != nil {
		return t, err
	}
	if host == "" {
		return t, errNoHost
	}
	if a, err := netip.ParseAddr(host); err == nil {
		return t.withLiteral(a)
	}
	t.name = host
	return t, nil
}

func parsePort(ctx context.Context, port string) (uint16, error) {
	if n, err := strconv.ParseUint(port, 10, 16); err == nil {
		if n == 0 {
			return 0, errPort0
		}
		return uint16(n), nil
	}
	n, err := net.DefaultResolver.LookupPort(ctx, "tcp", port)
	if err == nil && n == 0 {
		err = errPort0
	}
	return uint16(n), err
}

// withLiteral is the target with an address in place of a name.
func (t target) withLiteral(a netip.Addr) (target, error) {
	t.zone = a.Zone()
	t.literal = a.WithZone("").Unmap()
	if four := t.literal.Is4(); four && !t.four || !four && !t.six {
		return t, fmt.Errorf("%v is of the other family", a)
	}
	if t.literal.IsUnspecified() || t.literal.IsMulticast() || t.literal == broadcast {
		return t, fmt.Errorf("%v is not a unicast address", a)
	}
	return t, nil
}

var broadcast = netip.AddrFrom4([4]byte{255, 255, 255, 255})

// in tells whether the target may be sought in a domain: a zone is an interface.
func (t target) in(d Domain) bool {
	return t.zone == "" || t.zone == d.Interface || t.zone == strconv.Itoa(d.PvD.Interface().Index())
}
