package mif

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-mif/mif/pvd"
)

// A Domain is a provisioning domain of the program's own, such as a VPN's, in the
// hands of the one who added it. Its methods may be called from any goroutine.
type Domain struct {
	host   *Host
	serial uint64
	static pvd.Static // guarded by own.mu
}

// own are the domains of the program's own.
type own struct {
	mu      sync.Mutex
	serial  uint64
	all     []*Domain
	touched map[InterfaceID]bool // links of which some changed
	waiting []chan struct{}      // for the loop to look at them
	looked  []chan struct{}      // the loop did, and has not published what followed
	ended   bool                 // the loop has
}

// AddDomain adds a domain of the program's own to a link (RFC 8801 section 3.4.4 has
// VPNs in mind). It is announced, with element ElementProgram, while its link is up
// and one of its addresses can be used, and goes with its link, at its Expiry, by
// Withdraw, or with the Host. When AddDomain returns it is in the Snapshot. The
// addresses must be there already, and not another added domain's. The error wraps
// ErrUnknownInterface if there is no such link, net.ErrClosed if the Host is closed.
func (h *Host) AddDomain(s pvd.Static) (*Domain, error) {
	d := &Domain{host: h}
	if err := h.own.set(h.whole.Load(), d, s); err != nil {
		return nil, err
	}
	return d, h.applied()
}

// Update replaces what the domain is, but not its link, which need not be given. The
// domain stays the same as long as one of its addresses can be used. The error is as
// AddDomain's, and wraps ErrUnknownPvD if the domain was withdrawn or went with its
// link.
func (d *Domain) Update(s pvd.Static) error {
	if err := d.host.own.update(d.host.whole.Load(), d, s); err != nil {
		return err
	}
	return d.host.applied()
}

// Withdraw ends the domain. When it returns, the domain is in no Snapshot any more.
// To withdraw what is gone is no error.
func (d *Domain) Withdraw() error {
	d.host.own.remove(d)
	return d.host.applied()
}

// PvD is the domain's identity as it is announced now. It is not valid while the
// domain cannot be used: its link is down, its addresses are not there. When it can
// be used again it is a new one, as that of every domain that comes back.
func (d *Domain) PvD() PvDID {
	h := d.host
	h.own.mu.Lock()
	link := d.static.Interface
	h.own.mu.Unlock()
	if l := h.Snapshot().Link(link); l != nil {
		if p := l.Added(d.serial); p != nil {
			return p.ID()
		}
	}
	return PvDID{}
}

// applied waits until the loop has published what follows from a change.
func (h *Host) applied() error {
	done := h.own.wait()
	if done == nil {
		return errClosed
	}
	h.kernel.Interrupt()
	select {
	case <-done:
		return nil
	case <-h.end.Done():
		return errClosed
	}
}

// set adds a domain.
func (o *own) set(now *pvd.Snapshot, d *Domain, s pvd.Static) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ended {
		return errClosed
	}
	s, err := o.check(now, d, s)
	if err != nil {
		return fmt.Errorf("mif: domain %q: %w", s.Name, err)
	}
	if !slices.Contains(o.all, d) {
		o.serial++
		d.serial = o.serial
		o.all = append(o.all, d)
	}
	d.static = s
	o.touch(s.Interface)
	return nil
}

func (o *own) update(now *pvd.Snapshot, d *Domain, s pvd.Static) error {
	o.mu.Lock()
	there, link := slices.Contains(o.all, d), d.static.Interface
	o.mu.Unlock()
	if !there {
		return fmt.Errorf("mif: domain %q: %w", s.Name, ErrUnknownPvD)
	}
	s.Interface, s.InterfaceName = link, ""
	return o.set(now, d, s)
}

func (o *own) remove(d *Domain) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if i := slices.Index(o.all, d); i >= 0 {
		o.all = slices.Delete(o.all, i, i+1)
		o.touch(d.static.Interface)
	}
}

func (o *own) touch(id InterfaceID) {
	if o.touched == nil {
		o.touched = map[InterfaceID]bool{}
	}
	o.touched[id] = true
}

// check returns s with its link filled in and in memory that is not the caller's.
func (o *own) check(now *pvd.Snapshot, d *Domain, s pvd.Static) (pvd.Static, error) {
	if s.Name == "" || strings.ContainsAny(s.Name, "/ \t\r\n") {
		return s, fmt.Errorf("a name must not be empty, nor have slashes or spaces")
	}
	f := factsOf(now, &s)
	if f == nil {
		return s, fmt.Errorf("%w: %v %s", ErrUnknownInterface, s.Interface, s.InterfaceName)
	}
	s.Interface = f.Interface.ID
	if !s.Expiry.IsZero() && !s.Expiry.After(time.Now()) {
		return s, fmt.Errorf("it has expired at %v", s.Expiry)
	}
	if len(s.Addresses) == 0 {
		return s, fmt.Errorf("no addresses")
	}
	s.Addresses = slices.Clone(s.Addresses)
	for _, a := range s.Addresses {
		if err := checkAddress(f, a); err != nil {
			return s, err
		}
	}
	s.DNSServers, s.Routers, s.Routes = slices.Clone(s.DNSServers), slices.Clone(s.Routers), slices.Clone(s.Routes)
	s.SearchDomains, s.RoutingDomains = slices.Clone(s.SearchDomains), slices.Clone(s.RoutingDomains)
	return s, o.conflict(d, &s)
}

// factsOf are those of the link that a domain is to be added to, nil if it does not
// exist.
func factsOf(now *pvd.Snapshot, s *pvd.Static) *pvd.Facts {
	if s.Interface.IsValid() {
		return now.Facts(s.Interface)
	}
	for i := range now.Interfaces() {
		if i.Name == s.InterfaceName {
			return now.Facts(i.ID)
		}
	}
	return nil
}

// checkAddress tells what is wrong with an address for a domain on a link.
func checkAddress(f *pvd.Facts, a netip.Addr) error {
	if !a.IsValid() || a.IsLinkLocalUnicast() || a.Zone() != "" {
		return fmt.Errorf("address %v belongs to no single domain", a)
	}
	if !slices.ContainsFunc(f.Addresses, func(f pvd.AddressFact) bool { return f.Prefix.Addr() == a }) {
		return fmt.Errorf("interface %s has no address %v", f.Interface.Name, a)
	}
	return nil
}

// conflict tells what another domain of the same link has that this one wants.
func (o *own) conflict(d *Domain, s *pvd.Static) error {
	for _, e := range o.all {
		if e == d || e.static.Interface != s.Interface {
			continue
		}
		if e.static.Name == s.Name {
			return fmt.Errorf("there is one of that name on the link")
		}
		for _, a := range s.Addresses {
			if slices.Contains(e.static.Addresses, a) {
				return fmt.Errorf("address %v is in domain %q", a, e.static.Name)
			}
		}
	}
	return nil
}

// wait returns a channel that is closed when the loop has published what follows from
// all that was changed until now; nil if it has ended.
func (o *own) wait() <-chan struct{} {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ended {
		return nil
	}
	done := make(chan struct{})
	o.waiting = append(o.waiting, done)
	return done
}

// known adds the program's domains to the facts about their links, and the facts about
// those links of which only they changed. It is the loop's.
func (o *own) known(old *pvd.Snapshot, links []*pvd.Facts) []*pvd.Facts {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.looked, o.waiting = append(o.looked, o.waiting...), nil
	if len(o.all) == 0 && len(o.touched) == 0 {
		return links
	}
	return joined(old, links, o.touched, o.with)
}

// joined adds to the facts about links by with, and takes those links in that were touched
// besides. Then none is touched.
func joined(old *pvd.Snapshot, links []*pvd.Facts, touched map[InterfaceID]bool, with func(*pvd.Facts) *pvd.Facts) []*pvd.Facts {
	for i, f := range links {
		links[i] = with(f)
		delete(touched, f.Interface.ID)
	}
	for id := range touched {
		if f := old.Facts(id); f != nil {
			links = append(links, with(f))
		}
	}
	clear(touched)
	return links
}

// with returns facts with the domains that were added to their link.
func (o *own) with(f *pvd.Facts) *pvd.Facts {
	var added []pvd.Added
	for _, d := range o.all {
		if d.static.Interface == f.Interface.ID {
			added = append(added, pvd.Added{Serial: d.serial, Static: d.static})
		}
	}
	if len(added) == 0 && len(f.Added) == 0 {
		return f
	}
	n := *f
	n.Added = added
	return &n
}

// published tells those who wait, and drops the domains whose link is gone. It is the
// loop's.
func (o *own) published(now *pvd.Snapshot) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.all = slices.DeleteFunc(o.all, func(d *Domain) bool { return now.Link(d.static.Interface) == nil })
	for _, done := range o.looked {
		close(done)
	}
	o.looked = nil
}

// end tells all who wait that the loop has ended.
func (o *own) end() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ended = true
	for _, done := range append(o.looked, o.waiting...) {
		close(done)
	}
	o.looked, o.waiting = nil, nil
}
