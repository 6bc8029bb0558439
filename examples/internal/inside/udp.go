package inside

import (
	"context"
	"errors"
	"net"
	"net/netip"

	"github.com/go-mif/mif"
	"github.com/go-mif/mif/examples/internal/program"
	"github.com/go-mif/mif/pvd"
)

// DialUDP makes a UDP socket, connected to HOST:PORT, in the first of the domains meant
// that has a way there; a name is translated by that domain.
func DialUDP(ctx context.Context, h *mif.Host, word, host string, port uint16) (*Conn, error) {
	domains := program.Choose(h.Snapshot(), word)
	if len(domains) == 0 {
		return nil, program.NoDomain(h.Snapshot(), word)
	}
	var failures []error
	for _, d := range domains {
		c, err := dialUDP(ctx, h, d, host, port)
		if err == nil {
			return c, nil
		}
		failures = append(failures, err)
	}
	return nil, errors.Join(failures...)
}

func dialUDP(ctx context.Context, h *mif.Host, d *pvd.Domain, host string, port uint16) (*Conn, error) {
	dialer, err := h.Dialer(d.ID())
	if err != nil {
		return nil, err
	}
	all, err := addresses(ctx, h, d, host)
	for _, a := range all {
		var c *net.UDPConn
		if c, err = dialer.DialUDP(ctx, netip.AddrPortFrom(a, port)); err == nil {
			return Tie(h, d.ID(), c)
		}
	}
	return nil, err
}

// addresses are those of a name in a domain, or the one that is literal.
func addresses(ctx context.Context, h *mif.Host, d *pvd.Domain, host string) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{a}, nil
	}
	r, err := h.Resolver(d.ID())
	if err != nil {
		return nil, err
	}
	network := map[mif.Family]string{pvd.IPv4: "ip4", pvd.IPv6: "ip6", pvd.Both: "ip"}[d.Family()]
	return r.LookupNetIP(ctx, network, host)
}
