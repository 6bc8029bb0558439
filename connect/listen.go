package connect

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/go-mif/mif/internal/rfc6724"
)

// Listen accepts TCP connections that come in by the domain's interface, or from this
// host itself, to one of the domain's addresses. The network is tcp, tcp4 or tcp6. The address is "addr:port", where
// addr must be the domain's (else [ErrForeignSource]), or ":port" for the domain's
// best address: not deprecated, not link-local, not temporary, and IPv6 before IPv4.
// Port 0 lets the kernel choose. The listener is a *net.TCPListener; it outlives
// ctx and the Dialer's Context, and is its owner's to close.
func (d *Dialer) Listen(ctx context.Context, network, address string) (net.Listener, error) {
	l, err := d.local(ctx, "tcp", network, address)
	if err != nil {
		return nil, err
	}
	ln, err := l.config().Listen(ctx, "tcp", l.at.String())
	if err != nil {
		return nil, l.failed(err)
	}
	return ln, nil
}

// ListenPacket opens an unconnected UDP socket on one of the domain's addresses. The
// network is udp, udp4 or udp6; for the address see [Dialer.Listen]. The result is a
// *net.UDPConn. What it sends leaves by the domain's interface from that address,
// but the route is not checked for each datagram: without one, the kernel takes an
// IPv4 destination to be on the link. [Dialer.Explain] tells beforehand.
func (d *Dialer) ListenPacket(ctx context.Context, network, address string) (net.PacketConn, error) {
	l, err := d.local(ctx, "udp", network, address)
	if err != nil {
		return nil, err
	}
	pc, err := l.config().ListenPacket(ctx, "udp", l.at.String())
	if err != nil {
		return nil, l.failed(err)
	}
	return pc, nil
}

// A listening is a socket to be bound to an address of the domain.
type listening struct {
	path
	at netip.AddrPort
}

func (l *listening) failed(err error) error {
	err = bare(err)
	if errors.Is(err, syscall.EADDRNOTAVAIL) {
		err = fmt.Errorf("%w: the address is gone or tentative: %w", ErrNoSource, err)
	}
	return &Error{Op: "listen", Domain: l.domain.Name, Network: l.network, Source: l.at.Addr(), Err: err}
}

// config leaves the bind to package net. Its address has no zone; the interface the
// socket is bound to by then stands for it.
func (l *listening) config() *net.ListenConfig {
	s := socket{kernel: l.kernel, iface: l.domain.Interface, transport: l.transport, ipv6: l.at.Addr().Is6(), options: l.options}
	lc := &net.ListenConfig{Control: s.control}
	lc.SetMultipathTCP(l.multipath)
	return lc
}

func (d *Dialer) local(ctx context.Context, transport, network, address string) (*listening, error) {
	l := &listening{path: path{network: network, kernel: kernel{netns: d.NetNS}, options: d.options()}}
	b := d.begin(ctx)
	defer b.end()
	err := b.err()
	if err == nil {
		l.domain, err = d.domain()
	}
	if err == nil {
		err = l.settle(transport, address)
	}
	if err != nil {
		return nil, l.failed(err)
	}
	return l, nil
}

// settle decides on the address to listen at.
func (l *listening) settle(transport, address string) error {
	t, family, err := parseNetwork(l.network)
	if err != nil || t != transport {
		return fmt.Errorf("cannot listen for %s on network %q: %w", transport, l.network, net.UnknownNetworkError(l.network))
	}
	l.transport = transport
	host, port, err := splitLocal(address)
	if err != nil {
		return err
	}
	own := l.servable(family)
	if host.IsValid() {
		if err := l.inZone(host.Zone()); err != nil {
			return fmt.Errorf("%w: %v: %w", ErrForeignSource, host, err)
		}
		host = host.Unmap().WithZone("")
		own = slices.DeleteFunc(own, func(a Address) bool { return a.Prefix.Addr() != host })
		if len(own) == 0 {
			return fmt.Errorf("%w: %v", ErrForeignSource, host)
		}
	}
	if len(own) == 0 {
		return ErrNoSource
	}
	l.at = netip.AddrPortFrom(own[0].Prefix.Addr(), port)
	return nil
}

// splitLocal reads "addr:port" and ":port"; the address of the latter is zero.
func splitLocal(address string) (netip.Addr, uint16, error) {
	if port, ok := strings.CutPrefix(address, ":"); ok {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil {
			return netip.Addr{}, 0, fmt.Errorf("address %q: %w", address, err)
		}
		return netip.Addr{}, uint16(n), nil
	}
	at, err := netip.ParseAddrPort(address)
	return at.Addr(), at.Port(), err
}

// servable are the domain's addresses of a family (0: any), best to be found at
// first.
func (l *listening) servable(family int) []Address {
	own := slices.DeleteFunc(slices.Clone(l.domain.Addresses), func(a Address) bool {
		return a.Tentative || family != 0 && (family == 4) != a.Prefix.Addr().Is4()
	})
	slices.SortStableFunc(own, func(a, b Address) int {
		return cmp.Or(
			rfc6724.Prefer(!a.Deprecated, !b.Deprecated),
			rfc6724.Scope(b.Prefix.Addr())-rfc6724.Scope(a.Prefix.Addr()),
			rfc6724.Prefer(!a.Temporary, !b.Temporary),
			rfc6724.Prefer(a.Prefix.Addr().Is6(), b.Prefix.Addr().Is6()),
		)
	})
	return own
}
