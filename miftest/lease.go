package miftest

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"
)

// A Lease is what a DHCPv4 server gave the host on one interface, and is
// configured there: the address with the lease's lifetime, and a default route
// by the first router with protocol dhcp(16) and a metric of 100 plus the
// interface's index, as common clients do it. Nothing renews it by itself.
type Lease struct {
	Interface  string
	Address    netip.Prefix
	Server     netip.Addr
	Duration   time.Duration
	Routers    []netip.Addr
	DNS        []netip.Addr
	DomainName string
	Search     []string
	NTP        []netip.Addr
	Options    map[uint8][]byte // all of them

	host  *Host
	index int
	mac   net.HardwareAddr
}

// configure takes over what ack says.
func (l *Lease) configure(ack *dhcpMessage) error {
	mask := ack.options[optMask]
	ones, bits := net.IPMask(mask).Size()
	if bits != 32 || !ack.addr(optServer).IsValid() || ack.duration(optLeaseTime) == 0 {
		return errors.New("the answer lacks a mask, a server or a lease time")
	}
	l.Address, l.Server = netip.PrefixFrom(ack.yours, ones), ack.addr(optServer)
	l.Duration, l.Routers, l.DNS = ack.duration(optLeaseTime), ack.addrs(optRouter), ack.addrs(optDNS)
	l.DomainName, l.Search, l.NTP = string(ack.options[optDomainName]), ack.names(optSearch), ack.addrs(optNTP)
	l.Options = ack.options
	if err := l.host.ns.setAddress(l.Interface, l.Address, l.Duration, l.Duration); err != nil {
		return err
	}
	if len(l.Routers) > 0 {
		if err := l.host.AddRoute(l.route()); err != nil {
			return err
		}
	}
	return l.write()
}

func (l *Lease) route() Route {
	const dhcp = 16 // RTPROT_DHCP
	return Route{
		Destination: netip.MustParsePrefix("0.0.0.0/0"), Gateway: l.Routers[0], Interface: l.Interface,
		Source: l.Address.Addr(), Metric: 100 + l.index, Protocol: dhcp,
	}
}

// Renew asks the server, from the leased address, to begin the lease anew (RFC
// 2131 §4.4.5) and takes over what it says. A refusal removes the lease's
// configuration and is an error.
func (l *Lease) Renew() error {
	x, err := l.unicast()
	if err != nil {
		return err
	}
	defer x.conn.Close()
	q := l.message(dhcpRequest)
	q.client = l.Address.Addr()
	ack, err := l.exchange(x, q, dhcpACK)
	if errors.Is(err, errRefused) {
		err = errors.Join(err, l.unconfigure())
	}
	if err == nil {
		err = l.configure(ack)
	}
	if err != nil {
		return fmt.Errorf("miftest: renewing %v on %s: %w", l.Address, l.Interface, err)
	}
	return nil
}

// Release gives the lease back (RFC 2131 §4.4.6) and removes its configuration.
func (l *Lease) Release() error {
	x, err := l.unicast()
	if err != nil {
		return err
	}
	defer x.conn.Close()
	q := l.message(dhcpRelease)
	q.client = l.Address.Addr()
	q.options = map[uint8][]byte{optServer: addrBytes(l.Server)}
	return errors.Join(x.send(q.marshal()), l.unconfigure())
}

func (l *Lease) unconfigure() error {
	var err error
	if len(l.Routers) > 0 {
		err = l.host.DelRoute(l.route())
	}
	return errors.Join(err, l.host.DelAddress(l.Interface, l.Address), l.unwrite())
}
