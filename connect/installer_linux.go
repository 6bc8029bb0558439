package connect

import (
	"errors"
	"fmt"
	"net/netip"
	"sync"

	"golang.org/x/sys/unix"
)

// An Installer makes the host route by source, so that connections of a domain use
// that domain's routers even where several domains share a link (RFC 8028, section
// 3.3), and their replies pass a strict reverse path filter. For each domain and
// family it keeps a routing table, with the domain's routers for defaults and with
// what the main table has on the link, and rules that lead there from the domain's
// addresses.
//
// A rule catches only what is sent by sockets bound to the domain's interface, as
// a Dialer's are. Where rp_filter is strict, IPv4 needs more: then everything sent
// from the domain's address follows the domain, except to networks that the main table
// has a route to.
//
// It needs CAP_NET_ADMIN over the network namespace. Up to 64 processes can have one
// at a time; each keeps to tables and rules of its own, held by an abstract socket
// (unix(7)) "@mif-routes-N". What a killed process has left is removed when the next
// Installer is opened. Any process may hold such a socket; all it wins is that
// leftovers stay.
//
// Its methods may be called by several goroutines at once.
type Installer struct {
	mu     sync.Mutex
	r      *routeSocket // nil once closed
	lock   int          // the slot's socket
	slot   int
	tables map[tableKey]uint32
}

// OpenInstaller opens one for the network namespace at that path (empty: the calling
// thread's own), and sweeps what killed processes have left there. The error wraps
// EPERM without CAP_NET_ADMIN, and EUSERS if 64 processes have one.
func OpenInstaller(netns string) (*Installer, error) {
	k := kernel{netns: netns}
	r, err := k.open()
	if err != nil {
		return nil, fmt.Errorf("connect: installer: %w", err)
	}
	i := &Installer{r: r, tables: map[tableKey]uint32{}}
	if err := i.begin(k); err != nil {
		r.close()
		return nil, fmt.Errorf("connect: installer: %w", err)
	}
	return i, nil
}

func (i *Installer) begin(k kernel) (err error) {
	// Kernels before 4.20 lack it; then more is dumped than is needed.
	_ = unix.SetsockoptInt(i.r.fd, unix.SOL_NETLINK, unix.NETLINK_GET_STRICT_CHK, 1)
	if err := i.r.mayChange(); err != nil {
		return err
	}
	if i.slot, i.lock, err = k.freeSlot(); err != nil {
		return err
	}
	if err := i.r.sweep(k, i.slot); err != nil {
		unix.Close(i.lock)
		return err
	}
	return nil
}

// Install makes the kernel's state what these domains need and takes away what was
// installed for others. It changes only what differs, so calling it whenever
// anything has changed on the host is cheap, and right: the kernel drops routes of
// its own accord when links go down. A domain's Name and Interface identify it.
// Routers are taken to be default routers. Domains whose interface is gone are passed
// over. Errors do not stop it; they are returned joined.
func (i *Installer) Install(domains []Domain) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.r == nil {
		return errors.New("connect: installer: closed")
	}
	p, errs := i.plan(domains)
	have, err := i.r.ours(i.slot)
	if err == nil {
		errs = append(errs, i.r.apply(have, p))
	}
	if err := errors.Join(append(errs, err)...); err != nil {
		return fmt.Errorf("connect: installer: %w", err)
	}
	return nil
}

// Close removes all that was installed. It may be called more than once.
func (i *Installer) Close() error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.r == nil {
		return nil
	}
	err := i.r.clearSlot(i.slot)
	i.r.close()
	unix.Close(i.lock)
	i.r = nil
	if err != nil {
		return fmt.Errorf("connect: installer: %w", err)
	}
	return nil
}

// plan is what the domains need, in tables that they keep from call to call.
func (i *Installer) plan(domains []Domain) (*plan, []error) {
	links, errs := i.links(domains)
	p, used := newPlan(i.slot, links, domains), map[tableKey]uint32{}
	for _, d := range domains {
		for _, family := range []uint8{familyIPv4, familyIPv6} {
			if len(familyAddresses(d, family)) == 0 {
				continue
			}
			k := tableKey{d.Name, d.Interface, family}
			table, ok := i.table(k, used)
			if !ok {
				errs = append(errs, fmt.Errorf("%s: more than %d tables: %w", d.Name, tablesPerSlot, unix.ENOSPC))
				continue
			}
			used[k] = table
			p.add(d, family, table)
		}
	}
	i.tables = used
	return p, errs
}

// table finds a domain's table: the one it had, else one that nobody has.
func (i *Installer) table(k tableKey, used map[tableKey]uint32) (uint32, bool) {
	if t, ok := i.tables[k]; ok {
		return t, true
	}
	taken := map[uint32]bool{}
	for _, m := range []map[tableKey]uint32{i.tables, used} {
		for _, t := range m {
			taken[t] = true
		}
	}
	first := InstallerTable + uint32(i.slot*tablesPerSlot)
	for t := first; t < first+tablesPerSlot; t++ {
		if !taken[t] {
			return t, true
		}
	}
	return 0, false
}

// links asks for what has to be known of the domains' interfaces.
func (i *Installer) links(domains []Domain) (map[int]link, []error) {
	links := map[int]link{}
	var errs []error
	for _, d := range domains {
		if _, ok := links[d.Interface]; ok || d.Interface <= 0 {
			continue
		}
		l, err := i.r.link(d.Interface)
		switch {
		case err == nil:
			links[d.Interface] = l
		case !errors.Is(err, unix.ENODEV):
			errs = append(errs, fmt.Errorf("%s: %w", d.Name, err))
		}
	}
	return links, errs
}

func (r *routeSocket) link(index int) (l link, err error) {
	if l.name, err = r.interfaceName(index); err != nil {
		return l, err
	}
	l.strict = max(r.reversePath(netconfAll), r.reversePath(index)) == strict
	for _, family := range []uint8{familyIPv4, familyIPv6} {
		routes, err := r.routesBy(family, index)
		if err != nil {
			return l, err
		}
		l.routes = append(l.routes, routes...)
	}
	return l, nil
}

// apply goes from what there is to what is planned: what is new comes first, so that
// a connection is never without a route.
func (r *routeSocket) apply(have *plan, want *plan) error {
	var errs []error
	note := func(what any, err error) {
		if err != nil {
			errs = append(errs, fmt.Errorf("%v: %w", what, err))
		}
	}
	for x := range want.routes {
		if !have.routes[x] {
			note(x, r.addRoute(x))
		}
	}
	for x := range want.rules {
		if !have.rules[x] {
			note(x, r.addRule(x))
		}
	}
	for x := range have.rules {
		if !want.rules[x] {
			note(x, r.deleteRule(x))
		}
	}
	for x := range have.routes {
		if !want.routes[x] {
			note(x, r.deleteRoute(x))
		}
	}
	return errors.Join(errs...)
}

func (s sourceRule) String() string {
	return fmt.Sprintf("rule %d from %v oif %q table %#x", s.priority, s.from, s.oif, s.table)
}

func (t tableRoute) String() string {
	via := ""
	if t.via != (netip.Addr{}) {
		via = " via " + t.via.String()
	}
	return fmt.Sprintf("route %v%s dev %d table %#x", t.dst, via, t.iface, t.table)
}
