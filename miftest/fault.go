package miftest

import (
	"errors"
	"fmt"
	"net/netip"
)

// Die makes the router fall silent: it answers nothing and forwards nothing
// from now on, not even with an error, and its services end. The link keeps its
// carrier. A dead router stays dead.
func (r *Router) Die() error {
	// Deaf first, so that no service says goodbye to its peers.
	err := errors.Join(
		r.ns.sysctl("net.ipv4.conf.all.forwarding", "0"),
		r.ns.sysctl("net.ipv6.conf.all.forwarding", "0"),
		r.ns.sysctl("net.ipv6.conf.all.disable_ipv6", "1"),
		r.ns.delAllAddresses(lan),
		r.ns.delAllAddresses("lo"),
	)
	return errors.Join(err, r.stop())
}

// CablePull takes the carrier from the host's link, and with it from every
// router on it. It returns when the host's kernel has acted on it.
func (r *Router) CablePull() error {
	r.link.pulled.Store(true)
	if err := r.link.first.ns.setDown(lan); err != nil {
		return err
	}
	return r.net.host.ns.awaitRunning(r.name, false)
}

// CablePlug gives the link its carrier back. Linux does not solicit routers
// then: what the host knew of them is still there.
func (r *Router) CablePlug() error {
	first := r.link.first
	r.link.pulled.Store(false)
	if err := first.ns.setUp(lan); err != nil {
		return err
	}
	if !first.isDead() {
		if err := first.restore(); err != nil {
			return err
		}
	}
	return errors.Join(r.net.host.ns.awaitRunning(r.name, true), r.net.awaitRouters(r.link))
}

// awaitRouters waits until every router's end of a link carries packets.
func (n *Net) awaitRouters(l *link) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, r := range n.routers {
		if r.link != l {
			continue
		}
		if err := r.ns.awaitRunning(lan, true); err != nil {
			return err
		}
	}
	return nil
}

// restore brings back what the kernel took from the router with its interface.
func (r *Router) restore() error {
	err := r.ns.setAddress(lan, r.linkLocalPrefix(), 0, 0)
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range r.prefixes {
		err = errors.Join(err, r.ns.setRoute(Route{Destination: p, Interface: lan}))
	}
	return err
}

// Flap pulls the cable and plugs it in again, n times.
func (r *Router) Flap(n int) error {
	for range n {
		if err := errors.Join(r.CablePull(), r.CablePlug()); err != nil {
			return err
		}
	}
	return nil
}

// Silent makes an address swallow whatever is sent to it: no answer, no ICMP
// error. It must not be in a prefix of the link, where it would be the host's
// neighbour discovery that fails.
func (r *Router) Silent(a netip.Addr) error {
	if r.isDead() {
		return r.closed()
	}
	if r.onLink(a) {
		return fmt.Errorf("miftest: %v is in a prefix of the link: it cannot be silent", a)
	}
	const blackhole = 6 // RTN_BLACKHOLE
	return r.ns.setRoute(Route{Destination: netip.PrefixFrom(a, a.BitLen()), Type: blackhole})
}
