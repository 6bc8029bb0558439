package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"time"

	"github.com/go-mif/mif"
	"github.com/go-mif/mif/examples/internal/program"
	"github.com/go-mif/mif/miftest"
	"github.com/go-mif/mif/pvd"
)

// A stage is a host to play on, and whom to reach from it.
type stage struct {
	host     *mif.Host
	name     string
	port     uint16
	greeting string // what is sent on each connection; empty if the peers speak first
	domains  int    // how many domains with DNS servers it is known to get
	close    func()

	// reached tells which domain's target a connection from an address arrived at,
	// as that target saw it. It is nil on a stage whose targets cannot be asked.
	reached func(from netip.AddrPort) string
}

// A target is whom to reach by this machine's uplinks.
type target struct {
	name string
	port uint16
	send string
}

// parse reads NAME:PORT.
func parse(s string) (t target, err error) {
	name, port, err := net.SplitHostPort(s)
	if err != nil {
		return t, fmt.Errorf("-host %s is not NAME:PORT: %w", s, err)
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 || name == "" {
		return t, fmt.Errorf("-host %s is not NAME:PORT, such as www.example.com:80", s)
	}
	return target{name, uint16(n), fmt.Sprintf(httpHead, name)}, nil
}

// uplinks is the stage that this machine is.
func uplinks(c mif.Config, t target) (*stage, error) {
	h, err := mif.Open(&c)
	if err != nil {
		return nil, err
	}
	return &stage{host: h, name: t.name, port: t.port, greeting: t.send, close: func() { h.Close() }}, nil
}

// embedded is the stage of the figure. The host is watched before it has anything,
// because what routers say can be heard, but not asked for.
func embedded(c mif.Config) (*stage, error) {
	n, err := miftest.Start()
	if err != nil {
		return nil, err
	}
	c.NetNS, c.Root = n.Host().NetNS(), n.Host().Root()
	h, err := mif.Open(&c)
	if err != nil {
		return nil, errors.Join(err, n.Close())
	}
	s := &stage{host: h, domains: 3, close: func() { h.Close(); n.Close() }}
	if c.MergeFamilies {
		s.domains = 2
	}
	f, err := n.Figure2()
	if err != nil {
		s.close()
		return nil, err
	}
	s.name, s.port = f.Name, f.Port
	s.raise()
	s.reached = func(from netip.AddrPort) string { return reached(f, from) }
	return s, nil
}

// raise raises the curtain when the host knows what it got, routes included, which may
// come last, so that the figure is the same each time.
func (s *stage) raise() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	program.Await(ctx, s.host, func(now *pvd.Snapshot) bool {
		n := 0
		for d := range now.Domains() {
			if served(d) {
				n++
			}
		}
		return n >= s.domains
	})
}

// served tells whether whoever gave a domain its DNS servers gave it its routes too.
func served(d *pvd.Domain) bool {
	n := 0
	for e := range d.Elements() {
		switch {
		case d.Data(e, pvd.ItemDNSServers) == nil:
		case d.Data(e, pvd.ItemRoutes) == nil:
			return false
		default:
			n++
		}
	}
	return n > 0
}

func reached(f *miftest.Figure2, from netip.AddrPort) string {
	for domain, t := range map[string]*miftest.TCPServer{
		"eth0/ipv4": f.Eth0IPv4, "eth0/ipv6": f.Eth0IPv6, "wlan0/ipv6": f.Wlan0IPv6,
	} {
		for _, peer := range t.Peers() {
			if peer == from {
				return domain
			}
		}
	}
	return ""
}
