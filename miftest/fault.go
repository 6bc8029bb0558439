package miftest

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
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

// CablePlug gives the link its carrier back and returns when packets pass
// again. Linux does not solicit routers then: what the host knew of them is
// still there. The host's interface must be up.
func (r *Router) CablePlug() error {
	r.link.pulled.Store(false)
	if err := r.link.first.ns.setUp(lan); err != nil {
		return err
	}
	if err := r.net.host.ns.awaitRunning(r.name, true); err != nil {
		return err
	}
	for _, o := range r.net.routersOn(r.link) {
		if err := o.restore(); err != nil {
			return err
		}
	}
	return nil
}

func (n *Net) routersOn(l *link) (on []*Router) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, r := range n.routers {
		if r.link == l {
			on = append(on, r)
		}
	}
	return on
}

// restore waits for the carrier and brings back what the kernel took from the
// router with it.
func (r *Router) restore() error {
	if err := r.ns.awaitRunning(lan, true); err != nil || r.isDead() {
		return err
	}
	r.mu.Lock()
	prefixes, addresses := slices.Clone(r.prefixes), slices.Clone(r.onLAN)
	r.mu.Unlock()
	var errs []error
	for _, p := range addresses {
		errs = append(errs, r.neighbour(p))
	}
	for _, p := range prefixes {
		errs = append(errs, r.ns.setRoute(Route{Destination: p, Interface: lan}))
	}
	return errors.Join(errs...)
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
