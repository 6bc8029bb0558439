package connect

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"syscall"
	"time"

	"github.com/go-mif/mif/internal/rfc6724"
)

// A path is one intended connection: where to, in which domain.
type path struct {
	domain    Domain
	ask       func() (Domain, error) // for the domain as it is later
	network   string                 // as the caller gave it
	transport string                 // "tcp" or "udp"
	to        netip.AddrPort
	kernel    kernel
	cache     *RouteCache
	policy    []PolicyEntry
	public    bool
	options
}

// options are what a Dialer asks of its sockets.
type options struct {
	icmp        bool // UDP: report every ICMP error
	multipath   bool
	userTimeout time.Duration
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
	s := p.selection().candidates(p.domain.Addresses)
	if len(s) == 0 {
		return nil, fmt.Errorf("%w for %v among its %d addresses%s", ErrNoSource, p.to.Addr(), len(p.domain.Addresses), p.inWaiting())
	}
	return s, nil
}

// inWaiting tells of addresses that will do later, if there are any.
func (p *path) inWaiting() string {
	n := 0
	for _, a := range p.domain.Addresses {
		if a.Tentative && rfc6724.CouldReach(a.Prefix.Addr(), p.to.Addr()) {
			n++
		}
	}
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(", %d tentative as yet", n)
}

func (p *path) selection() *selection {
	s := &selection{dst: p.to.Addr(), policy: newPolicy(p.policy), public: p.public}
	if p.routersDiffer() {
		s.nextHop = p.nextHop()
	}
	return s
}

// routersDiffer says whether rule 5.5 can make a difference.
func (p *path) routersDiffer() bool {
	var first *Address
	for i, a := range p.domain.Addresses {
		switch {
		case a.Tentative || !rfc6724.CouldReach(a.Prefix.Addr(), p.to.Addr()):
		case first == nil:
			first = &p.domain.Addresses[i]
		case a.Router != first.Router:
			return true
		}
	}
	return false
}

// nextHop is the router the kernel would choose were it left to it; zero if that
// cannot be had, or depends on the source.
func (p *path) nextHop() netip.Addr {
	h, err := p.cache.route(flow{p.kernel, p.query(netip.Addr{})}, p.domain.Generation)
	if err != nil {
		return netip.Addr{}
	}
	return h.router
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
	h, err := p.cache.route(flow{p.kernel, p.query(source)}, p.domain.Generation)
	if err != nil {
		return h, err
	}
	if h.broadcast && p.transport == "tcp" {
		return h, fmt.Errorf("%w: broadcast", ErrBadDestination)
	}
	if h.router.IsValid() && len(p.domain.Routers) > 0 && !p.owns(h.router) {
		return h, fmt.Errorf("%w: the kernel would use %v, the domain has %v; "+
			"only routes by source can change that (see Installer)", ErrForeignNextHop, h.router, p.domain.Routers)
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

// connect makes the socket and connects it. Package net binds it to the source, after
// control has said that the port can wait. Without a zone: a socket that is bound to
// its interface needs none, and package net would look it up by name.
func (p *path) connect(ctx context.Context, source netip.Addr) (net.Conn, error) {
	s := socket{kernel: p.kernel, iface: p.domain.Interface, source: source, transport: p.transport, options: p.options}
	defer s.forget()
	nd := net.Dialer{Control: s.control}
	nd.SetMultipathTCP(p.multipath)
	conn, err := p.dial(ctx, &nd, netip.AddrPortFrom(source, 0))
	if err != nil {
		return nil, s.heard(unbound(source, bare(err)))
	}
	if err := s.settle(conn); err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

func (p *path) dial(ctx context.Context, nd *net.Dialer, from netip.AddrPort) (net.Conn, error) {
	if p.transport == "udp" {
		return connOf(nd.DialUDP(ctx, "udp", from, p.to))
	}
	return connOf(nd.DialTCP(ctx, "tcp", from, p.to))
}

// connOf makes a nil pointer a nil interface.
func connOf[C net.Conn](c C, err error) (net.Conn, error) {
	if err != nil {
		return nil, err
	}
	return c, nil
}

// unbound tells a source that cannot be had from one that is out of ports.
func unbound(source netip.Addr, err error) error {
	if call, ok := errors.AsType[*os.SyscallError](err); ok && call.Syscall == "bind" && errors.Is(err, syscall.EADDRNOTAVAIL) {
		return fmt.Errorf("%w: %v is gone or tentative: %w", ErrNoSource, source, syscall.EADDRNOTAVAIL)
	}
	return err
}

// bare takes off the net.OpError, whose addresses an [Error] tells better.
func bare(err error) error {
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Err
	}
	return err
}
