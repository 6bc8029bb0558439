package connect

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"time"
)

// minShare is the least of a deadline that an address gets if others are left.
const minShare = 2 * time.Second

// dialName connects to a name: to one of its addresses after the other.
func (d *Dialer) dialName(ctx context.Context, network, host string, port uint16) (net.Conn, error) {
	b := d.begin(ctx)
	defer b.end()
	refuse := func(err error) (net.Conn, error) {
		return nil, &Error{Op: "dial", Network: network, Err: fmt.Errorf("%s: %w", host, err)}
	}
	_, family, err := parseNetwork(network)
	if err != nil {
		return refuse(err)
	}
	addrs, err := d.Lookup(b.ctx, map[int]string{0: "ip", 4: "ip4", 6: "ip6"}[family], host)
	if err = cmp.Or(b.err(), err); err != nil {
		return refuse(err)
	}
	if len(addrs) == 0 {
		return refuse(fmt.Errorf("%w: no address", ErrBadDestination))
	}
	return d.dialEach(b, network, addrs, port)
}

// dialEach returns of several errors the first that does not merely say that the domain
// lacks the family.
func (d *Dialer) dialEach(b *bounds, network string, addrs []netip.Addr, port uint16) (net.Conn, error) {
	var first error
	for i, a := range addrs {
		conn, err := d.dialShare(b.ctx, network, netip.AddrPortFrom(a, port), len(addrs)-i)
		if err == nil {
			return conn, nil
		}
		if first == nil || errors.Is(first, ErrNoSource) {
			first = err
		}
		if b.err() != nil {
			return nil, err
		}
	}
	return nil, first
}

// dialShare leaves time for the addresses that are left.
func (d *Dialer) dialShare(ctx context.Context, network string, to netip.AddrPort, left int) (net.Conn, error) {
	if end, ok := ctx.Deadline(); ok && left > 1 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, max(time.Until(end)/time.Duration(left), minShare))
		defer cancel()
	}
	return d.Dial(ctx, network, to)
}

// splitName takes a destination with a name apart; ok is false if it is none.
func splitName(address string) (host string, port uint16, ok bool) {
	host, service, err := net.SplitHostPort(address)
	if err != nil || host == "" {
		return "", 0, false
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return "", 0, false
	}
	n, err := strconv.ParseUint(service, 10, 16)
	return host, uint16(n), err == nil
}
