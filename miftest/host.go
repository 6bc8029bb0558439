package miftest

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"time"
)

// A Host is the multi-homed host: a network namespace whose links lead to the
// routers of its Net. It is set up as a plain host: it accepts router
// advertisements, does not forward and has rp_filter off.
type Host struct {
	net  *Net
	ns   *namespace
	root string
}

func newHost() (*Host, error) {
	ns, err := newNamespace()
	if err != nil {
		return nil, err
	}
	h := &Host{ns: ns}
	if err := errors.Join(
		h.Sysctl("net.ipv6.conf.all.accept_dad", "0"),
		h.Sysctl("net.ipv6.conf.default.accept_dad", "0"),
		h.Sysctl("net.ipv6.conf.default.accept_ra", "1"),
		h.Sysctl("net.ipv6.conf.default.autoconf", "1"),
		h.Sysctl("net.ipv6.conf.default.addr_gen_mode", "0"),
		h.Sysctl("net.ipv6.conf.default.use_tempaddr", "0"),
		h.Sysctl("net.ipv6.conf.default.router_solicitation_delay", "0"),
		h.Sysctl("net.ipv4.conf.all.rp_filter", "0"),
		h.Sysctl("net.ipv4.conf.default.rp_filter", "0"),
	); err != nil {
		ns.close()
		return nil, err
	}
	if h.root, err = os.MkdirTemp("", "miftest"); err != nil {
		ns.close()
		return nil, err
	}
	return h, nil
}

// NetNS returns a path that opens the host's network namespace, good in this
// process while the Net is open, as setns and mif's Config.NetNS want it.
func (h *Host) NetNS() string { return h.ns.path() }

// Do runs f on a thread inside the host's namespace and returns its error.
// Sockets that f makes stay in the host for good; goroutines that f starts, and
// thus a net.Dialer with a name to look up or two families to race, do not run
// there.
func (h *Host) Do(f func() error) error { return h.ns.do(f) }

// Sysctl sets a kernel parameter, such as "net.ipv4.conf.all.rp_filter", in the
// host. Use slashes for dots where an interface's name has a dot.
func (h *Host) Sysctl(key, value string) error { return h.ns.sysctl(key, value) }

// Index returns the kernel's index of an interface.
func (h *Host) Index(ifname string) (int, error) { return h.ns.index(ifname) }

// SLAAC returns the address the host forms on ifname from a /64 prefix by
// stateless autoconfiguration (RFC 4862 §5.5.3, RFC 4291 appendix A). The
// prefix fe80::/64 gives the link-local address, without zone.
func (h *Host) SLAAC(ifname string, prefix netip.Prefix) (netip.Addr, error) {
	mac, err := h.ns.hardwareAddr(ifname)
	if err != nil {
		return netip.Addr{}, err
	}
	if len(mac) != 6 || prefix.Bits() != 64 || !prefix.Addr().Is6() {
		return netip.Addr{}, fmt.Errorf("miftest: no address of %s in %v", ifname, prefix)
	}
	return eui64(prefix, [6]byte(mac)), nil
}

// AwaitSLAAC waits until the host has the address that SLAAC returns, and can
// use it, and returns it.
func (h *Host) AwaitSLAAC(ifname string, prefix netip.Prefix) (netip.Addr, error) {
	a, err := h.SLAAC(ifname, prefix)
	if err != nil {
		return a, err
	}
	return a, eventually(a.String(), func() (bool, error) { return h.ns.usable(ifname, a) })
}

func eui64(prefix netip.Prefix, mac [6]byte) netip.Addr {
	a := prefix.Masked().Addr().As16()
	copy(a[8:], []byte{mac[0] ^ 2, mac[1], mac[2], 0xff, 0xfe, mac[3], mac[4], mac[5]})
	return netip.AddrFrom16(a)
}

// SetUp sets an interface up, and SetDown down, as an administrator does. The
// kernel solicits routers when a link comes up.
func (h *Host) SetUp(ifname string) error { return h.ns.setUp(ifname) }

// SetDown is described at SetUp.
func (h *Host) SetDown(ifname string) error { return h.ns.setDown(ifname) }

// RemoveLink removes an interface, as pulling out a USB adapter does. A router
// added under the same name later makes a new link; those of the old one stay
// cut off.
func (h *Host) RemoveLink(ifname string) error { return h.ns.remove(ifname) }

// AddAddress gives an interface an address for ever, past duplicate address
// detection, and returns when it can be used.
func (h *Host) AddAddress(ifname string, p netip.Prefix) error {
	return h.ns.give(ifname, p, 0, 0)
}

// SetLifetimes adds an address with finite lifetimes, in whole seconds, or
// changes those of one that is there. A preferred lifetime of 0 deprecates it;
// valid must be at least a second.
func (h *Host) SetLifetimes(ifname string, p netip.Prefix, preferred, valid time.Duration) error {
	if valid < time.Second || preferred > valid {
		return fmt.Errorf("miftest: lifetimes of %v: preferred %v, valid %v", p, preferred, valid)
	}
	return h.ns.give(ifname, p, preferred, valid)
}

// DelAddress takes an address from an interface.
func (h *Host) DelAddress(ifname string, p netip.Prefix) error { return h.ns.delAddress(ifname, p) }

// A Route is an entry of a routing table. Destination is required.
type Route struct {
	Destination netip.Prefix
	Gateway     netip.Addr // none: on the link
	Interface   string
	Source      netip.Addr // preferred source address
	Metric      int
	Table       int // 0: main
	Protocol    int // RTPROT_* of rtnetlink(7); 0: boot
	Type        int // RTN_* of rtnetlink(7), e.g. 6 blackhole, 7 unreachable, 8 prohibit; 0: unicast
}

// AddRoute adds a route or replaces the one with the same destination, metric
// and table.
func (h *Host) AddRoute(r Route) error { return h.ns.setRoute(r) }

// DelRoute removes a route.
func (h *Host) DelRoute(r Route) error { return h.ns.delRoute(r) }

// AddVeth adds an interface of that name whose link leads nowhere, and sets it
// up. It has a carrier.
func (h *Host) AddVeth(ifname string) error {
	n := h.net
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.addSunk(ifname)
}

// AddLinks adds count interfaces like AddVeth, named prefix0, prefix1 and so
// on, and returns their names. A thousand take about a second.
func (h *Host) AddLinks(prefix string, count int) ([]string, error) {
	n := h.net
	n.mu.Lock()
	defer n.mu.Unlock()
	var names []string
	for i := range count {
		name := fmt.Sprintf("%s%d", prefix, i)
		if err := n.addSunk(name); err != nil {
			return names, err
		}
		names = append(names, name)
	}
	return names, nil
}

// addSunk adds a link whose far end is in the sink. n.mu is held.
func (n *Net) addSunk(name string) error {
	k, err := n.take()
	if err != nil {
		return err
	}
	if n.sink == nil {
		if n.sink, err = newSink(); err != nil {
			return err
		}
	}
	far := end{ns: n.sink, name: fmt.Sprintf("sink%d", k), index: farIndex + k}
	if err := addVeth(end{ns: n.host.ns, name: name, mac: deterministicMAC(sunkMAC, k)}, far); err != nil {
		return err
	}
	return errors.Join(n.sink.setUp(far.name), n.host.ns.setUp(name))
}

// newSink returns a namespace that hears everything and says nothing.
func newSink() (*namespace, error) {
	ns, err := newNamespace()
	if err != nil {
		return nil, err
	}
	if err := ns.sysctl("net.ipv6.conf.default.disable_ipv6", "1"); err != nil {
		ns.close()
		return nil, err
	}
	return ns, nil
}
