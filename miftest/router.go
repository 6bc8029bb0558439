package miftest

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
)

// lan is a router's name for its end of the link.
const lan = "lan"

// RouterConfig says what a router is at first. Interface is required.
type RouterConfig struct {
	// Interface is the host's name for the link, e.g. "eth0". Routers with the
	// same Interface share the link.
	Interface string

	// MAC is the router's own hardware address on the link; nil gives the n-th
	// router of a Net 02:00:01:00:00:n. The host's n-th link always has
	// 02:00:00:00:00:n.
	MAC net.HardwareAddr

	// RA is what the router advertises, at once and to whoever solicits; nil
	// is no IPv6.
	RA *RA

	// IPv4 is the router's own address on the link with its prefix, e.g.
	// 192.168.1.1/24; the zero value is no IPv4.
	IPv4 netip.Prefix

	// DHCP is what the router's DHCPv4 server gives; nil is no server.
	DHCP *DHCP

	// DHCPv6 is what the router's stateless DHCPv6 server says; nil is no server.
	DHCPv6 *DHCPv6

	// Addresses are on the router's loopback: what is reached through it.
	// DNS, Serve and Listen add theirs by themselves.
	Addresses []netip.Prefix
}

// A Router is a router on one of the host's links, with the services behind it.
type Router struct {
	net  *Net
	ns   *namespace
	link *link
	name string // of the link
	mac  net.HardwareAddr
	ipv4 netip.Prefix

	starting sync.Mutex // held while ra, dhcp, dhcp6 or detour is brought into being
	dhcp     *dhcpServer
	dhcp6    *dhcp6Server
	detour   *detour

	mu       sync.Mutex
	ra       *responder
	services []io.Closer
	prefixes []netip.Prefix // on the link, IPv6
	onLAN    []netip.Prefix // own addresses there, IPv6
	dead     bool
}

// A link is one of the host's cables. Its far end is the first router's;
// further routers take part in it by a macvlan.
type link struct {
	first *Router
	far   end

	pulled atomic.Bool
}

// Router is AddRouter for tests: it fails the test where that fails.
func (n *Net) Router(t testing.TB, c RouterConfig) *Router {
	t.Helper()
	r, err := n.AddRouter(c)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// AddRouter adds a router and, unless another router has made it, the link to
// it. On return the link has a carrier, the router's services answer and its
// first advertisement has been sent. DHCP leases are taken by Host.DHCPClient.
func (n *Net) AddRouter(c RouterConfig) (*Router, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := c.check(); err != nil {
		return nil, err
	}
	k, err := n.take()
	if err != nil {
		return nil, err
	}
	ns, err := newNamespace()
	if err != nil {
		return nil, err
	}
	r := &Router{net: n, ns: ns, name: c.Interface, ipv4: c.IPv4, mac: c.MAC}
	if r.mac == nil {
		r.mac = deterministicMAC(routerMAC, len(n.routers)+1)
	}
	n.routers = append(n.routers, r)
	if err := r.prepare(); err != nil {
		return nil, err
	}
	if err := r.attach(k); err != nil {
		return nil, err
	}
	return r, r.configure(c)
}

func (c RouterConfig) check() error {
	switch {
	case c.Interface == "" || len(c.Interface) > 15:
		return fmt.Errorf("miftest: a router needs an Interface of at most 15 octets, not %q", c.Interface)
	case c.MAC != nil && len(c.MAC) != 6:
		return fmt.Errorf("miftest: hardware address %v", c.MAC)
	case c.IPv4.IsValid() && !c.IPv4.Addr().Is4():
		return fmt.Errorf("miftest: %v is not IPv4", c.IPv4)
	}
	return nil
}

// prepare sets the namespace up before it has a link.
func (r *Router) prepare() error {
	return errors.Join(
		r.ns.sysctl("net.ipv6.conf.all.forwarding", "1"),
		r.ns.sysctl("net.ipv4.conf.all.forwarding", "1"),
		r.ns.sysctl("net.ipv4.conf.all.rp_filter", "0"),
		r.ns.sysctl("net.ipv4.conf.default.rp_filter", "0"),
		r.ns.sysctl("net.ipv6.conf.default.accept_dad", "0"),
		// Errors are for whoever caused them, each time.
		r.ns.sysctl("net.ipv4.icmp_ratelimit", "0"),
		r.ns.sysctl("net.ipv6.icmp.ratelimit", "0"),
		// The link-local address is added past DAD, so that it serves at once.
		r.ns.sysctl("net.ipv6.conf.default.addr_gen_mode", "1"),
	)
}

// attach joins the router to its link, making the link if need be, and waits
// until both ends carry. n.mu is held.
func (r *Router) attach(k int) error {
	n := r.net
	near := end{ns: n.host.ns, name: r.name, mac: deterministicMAC(hostMAC, len(n.links)+1)}
	far := end{ns: r.ns, name: lan, index: farIndex + k, mac: r.mac}
	l := n.links[r.name]
	_, err := near.ns.index(near.name)
	if l != nil && err == nil {
		if l.pulled.Load() {
			return fmt.Errorf("miftest: the cable of %s is pulled", r.name)
		}
		err = addMacvlan(l.far, far)
	} else {
		l = &link{first: r, far: far}
		err = addVeth(near, far)
	}
	if err != nil {
		return err
	}
	n.links[r.name], r.link = l, l
	if err := errors.Join(r.ns.setUp(lan), near.ns.setUp(near.name)); err != nil {
		return err
	}
	if err := errors.Join(r.ns.awaitRunning(lan, true), near.ns.awaitRunning(near.name, true)); err != nil {
		return err
	}
	return r.neighbour(r.linkLocalPrefix())
}

func (r *Router) configure(c RouterConfig) error {
	for _, p := range c.Addresses {
		if err := r.ns.give("lo", p, 0, 0); err != nil {
			return err
		}
	}
	if c.IPv4.IsValid() {
		if err := r.neighbour(c.IPv4); err != nil {
			return err
		}
	}
	if err := errors.Join(r.SetDHCP(c.DHCP), r.SetDHCPv6(c.DHCPv6)); err != nil {
		return err
	}
	return r.SetRA(c.RA)
}

// Interface returns the host's name for the router's link.
func (r *Router) Interface() string { return r.name }

// LinkLocal returns the router's link-local address, the source of its
// advertisements, without zone.
func (r *Router) LinkLocal() netip.Addr { return r.linkLocalPrefix().Addr() }

func (r *Router) linkLocalPrefix() netip.Prefix {
	p := netip.MustParsePrefix("fe80::/64")
	return netip.PrefixFrom(eui64(p, [6]byte(r.mac)), 64)
}

// Do runs f on a thread inside the router's namespace, as Host.Do does.
func (r *Router) Do(f func() error) error { return r.ns.do(f) }

// own gives the router an address unless it has it. One of the link's prefixes
// goes on the link, where neighbours ask for it, any other on the loopback.
func (r *Router) own(a netip.Addr) error {
	if a.Is6() && a.IsLinkLocalUnicast() || a.IsUnspecified() || a == r.ipv4.Addr() {
		return nil
	}
	p := netip.PrefixFrom(a, a.BitLen())
	if r.onLink(a) {
		return r.neighbour(p)
	}
	return r.ns.give("lo", p, 0, 0)
}

// neighbour gives the router an address on the link.
func (r *Router) neighbour(p netip.Prefix) error {
	if p.Addr().Is6() {
		if r.link.pulled.Load() {
			return fmt.Errorf("miftest: no %v for the router while the cable of %s is pulled", p.Addr(), r.name)
		}
		r.remember(p)
	}
	return r.ns.give(lan, p, 0, 0)
}

// remember keeps an address for restore.
func (r *Router) remember(p netip.Prefix) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !slices.Contains(r.onLAN, p) {
		r.onLAN = append(r.onLAN, p)
	}
}

func (r *Router) onLink(a netip.Addr) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ipv4.Contains(a) || slices.ContainsFunc(r.prefixes, func(p netip.Prefix) bool { return p.Contains(a) })
}

// keep makes c end with the router, or at once where that has ended.
func (r *Router) keep(c io.Closer) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.dead {
		return errors.Join(r.closed(), c.Close())
	}
	r.services = append(r.services, c)
	return nil
}

func (r *Router) isDead() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.dead
}

// closed is the error of asking a dead router for something.
func (r *Router) closed() error { return fmt.Errorf("miftest: router on %s: %w", r.name, os.ErrClosed) }

// stop ends the services, once.
func (r *Router) stop() error {
	r.mu.Lock()
	services := r.services
	r.services, r.dead = nil, true
	r.mu.Unlock()
	var errs []error
	for _, s := range services {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}

func (r *Router) close() error { return errors.Join(r.stop(), r.ns.close()) }

// Kinds of deterministic hardware addresses.
const (
	hostMAC = iota
	routerMAC
	sunkMAC
)

func deterministicMAC(kind, k int) net.HardwareAddr {
	return net.HardwareAddr{2, 0, byte(kind), byte(k >> 16), byte(k >> 8), byte(k)}
}
