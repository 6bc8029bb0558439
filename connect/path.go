package connect

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"syscall"
)

// A path is one intended connection: where to, in which domain.
type path struct {
	domain    Domain
	network   string // as the caller gave it
	transport string // "tcp" or "udp"
	to        netip.AddrPort
	kernel    kernel
	icmp      bool // UDP: report every ICMP error
}

// A hop is the kernel's answer to where a packet would go first.
type hop struct {
	router    netip.Addr // zero: the destination is on the link
	broadcast bool
	local     bool // an address of the interface itself: nothing leaves the host
}

// aim sets the destination after checking it.
func (p *path) aim(to netip.AddrPort) error {
	transport, family, err := parseNetwork(p.network)
	if err != nil {
		return err
	}
	p.transport = transport
	p.to, err = p.destination(family, to)
	return err
}

// sources are the domain's addresses worth trying, best first.
func (p *path) sources() ([]Address, error) {
	s := candidates(p.to.Addr(), p.domain.Addresses)
	if len(s) == 0 {
		return nil, fmt.Errorf("%w for %v among its %d addresses", ErrNoSource, p.to.Addr(), len(p.domain.Addresses))
	}
	return s, nil
}

// only is the one source asked for, if the domain has it.
func (p *path) only(from netip.Addr) ([]Address, error) {
	from = from.Unmap()
	if p.inZone(from.Zone()) != nil {
		return nil, fmt.Errorf("%w: %v is in the zone of another interface", ErrForeignSource, from)
	}
	from = from.WithZone("")
	i := slices.IndexFunc(p.domain.Addresses, func(a Address) bool { return a.Prefix.Addr() == from })
	switch {
	case i < 0, !from.IsValid():
		return nil, fmt.Errorf("%w: %v", ErrForeignSource, from)
	case p.domain.Addresses[i].Tentative:
		return nil, fmt.Errorf("%w: %v is tentative: %w", ErrNoSource, from, syscall.EADDRNOTAVAIL)
	case from.Is4() != p.to.Addr().Is4():
		return nil, fmt.Errorf("%w: %v is not of the family of %v", ErrNoSource, from, p.to.Addr())
	}
	return p.domain.Addresses[i : i+1], nil
}

// check asks the kernel where the packet would go and refuses what is not the
// domain's. Multicast and the limited broadcast need no route: the socket's
// interface is the link they are for.
func (p *path) check(source netip.Addr) (hop, error) {
	if dst := p.to.Addr(); dst.IsMulticast() || dst == limitedBroadcast {
		return hop{}, nil
	}
	h, err := p.kernel.route(p.query(source))
	if err != nil {
		return h, err
	}
	if h.broadcast && p.transport == "tcp" {
		return h, fmt.Errorf("%w: broadcast", ErrBadDestination)
	}
	if h.router.IsValid() && len(p.domain.Routers) > 0 && !p.owns(h.router) {
		return h, fmt.Errorf("%w: the kernel would use %v, the domain has %v", ErrForeignNextHop, h.router, p.domain.Routers)
	}
	return h, nil
}

func (p *path) owns(router netip.Addr) bool {
	return slices.ContainsFunc(p.domain.Routers, func(r netip.Addr) bool {
		return r.WithZone("").Unmap() == router
	})
}

// A query is the flow a route is wanted for.
type query struct {
	source    netip.Addr
	to        netip.AddrPort
	iface     int
	transport string
}

func (p *path) query(source netip.Addr) query {
	return query{source: source, to: p.to, iface: p.domain.Interface, transport: p.transport}
}

// connect makes the socket and connects it. The [net.Dialer] is given no local
// address: it would bind without IP_BIND_ADDRESS_NO_PORT, so that all destinations
// share one source's ports, and look up zones by name.
func (p *path) connect(ctx context.Context, source netip.Addr) (net.Conn, error) {
	s := socket{kernel: p.kernel, iface: p.domain.Interface, source: source, transport: p.transport, icmp: p.icmp}
	nd := net.Dialer{Control: s.control}
	nd.SetMultipathTCP(false)
	conn, err := nd.DialContext(ctx, p.transport, p.to.String())
	if err != nil {
		return nil, bare(err)
	}
	if err := s.settle(conn); err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// bare takes off the net.OpError, whose addresses an [Error] tells better.
func bare(err error) error {
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Err
	}
	return err
}

// explainSilence adds to a time-out the one cause that can be seen from here.
func (p *path) explainSilence(source netip.Addr, err error) error {
	if why := p.kernel.repliesDropped(p.query(source)); why != "" {
		return fmt.Errorf("%w (%s)", err, why)
	}
	return err
}
