package connect

import (
	"fmt"
	"net/netip"
	"strconv"
)

// parseNetwork splits "tcp6" into "tcp" and a family: 4, 6, or 0 for either.
func parseNetwork(network string) (transport string, family int, err error) {
	switch network {
	case "tcp", "udp":
		return network, 0, nil
	case "tcp4", "udp4":
		return network[:3], 4, nil
	case "tcp6", "udp6":
		return network[:3], 6, nil
	}
	return "", 0, fmt.Errorf("%w: network %q is neither TCP nor UDP", ErrBadDestination, network)
}

// parseDestination reads a literal. Names are for the domain's resolver: what the
// host's resolver would answer may be another domain's truth.
func parseDestination(address string) (netip.AddrPort, error) {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return to, fmt.Errorf("%w: %q is not IP:port; names are to be translated in the domain first", ErrBadDestination, address)
	}
	return to, nil
}

// destination checks what can be known without the kernel and returns the address
// in its plain form: IPv4 unmapped, and without a zone, since the socket's
// interface is the zone.
func (p *path) destination(family int, to netip.AddrPort) (netip.AddrPort, error) {
	a := to.Addr().Unmap()
	bad := func(why string) (netip.AddrPort, error) {
		return to, fmt.Errorf("%w: %s", ErrBadDestination, why)
	}
	switch {
	case !a.IsValid():
		return bad("no address")
	case to.Port() == 0:
		return bad("port 0")
	case a.IsUnspecified():
		return bad("unspecified address")
	case a.IsLoopback(): // a default route by the interface would send it there
		return bad("a loopback address is of no domain")
	case family != 0 && (family == 4) != a.Is4():
		return bad("not of the network's family")
	case p.transport == "tcp" && (a.IsMulticast() || a == limitedBroadcast):
		return bad("TCP is unicast")
	}
	if err := p.inZone(a.Zone()); err != nil {
		return to, err
	}
	return netip.AddrPortFrom(a.WithZone(""), to.Port()), nil
}

var limitedBroadcast = netip.AddrFrom4([4]byte{255, 255, 255, 255})

// inZone accepts no zone, the number of the domain's interface, and its name. A
// number is taken for a number even if an interface has that name.
func (p *path) inZone(zone string) error {
	if zone == "" {
		return nil
	}
	if n, err := strconv.ParseUint(zone, 10, 31); err == nil {
		if int(n) == p.domain.Interface {
			return nil
		}
	} else if name, err := p.kernel.interfaceName(p.domain.Interface); err != nil {
		return err
	} else if zone == name {
		return nil
	}
	return fmt.Errorf("%w: zone %q is not the domain's interface (index %d)", ErrBadDestination, zone, p.domain.Interface)
}
