package mif

import (
	"context"
	"fmt"
	"iter"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/go-mif/mif/connect"
	"github.com/go-mif/mif/pvd"
	"github.com/go-mif/mif/resolver"
)

// A domain is what is kept of a provisioning domain while it is used.
type domain struct {
	host     *Host
	id       PvDID
	life     context.Context // done, with a cause, when the domain is gone
	end      context.CancelCauseFunc
	change   atomic.Pointer[change]
	dialer   connect.Dialer
	resolver *resolver.Resolver

	lookup   func(ctx context.Context, name string, f resolver.Family) iter.Seq2[[]resolver.Answer, error]
	services func(ctx context.Context, r TranslateService) ([]resolver.Service, error)
	dial     func(ctx context.Context, r ConnectToAddressFromAddress) (net.Conn, error)
}

// A change is done when something of a domain has changed.
type change struct {
	context.Context
	done context.CancelFunc
}

// domain returns what is kept of a domain, making it if need be.
func (h *Host) domain(id PvDID) (*domain, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, errClosed
	}
	if d := h.domains[id]; d != nil {
		return d, nil
	}
	// The loop publishes a Snapshot first and then looks for domains that are not
	// in it: either it is not in this one, or the loop will find it.
	if h.Snapshot().Domain(id) == nil {
		return nil, unknownPvD(id)
	}
	d := h.newDomain(id)
	h.domains[id] = d
	return d, nil
}

func unknownInterface(id InterfaceID) error { return fmt.Errorf("%w: %v", ErrUnknownInterface, id) }

func unknownPvD(id PvDID) error { return fmt.Errorf("%w: %v", ErrUnknownPvD, id) }

func (h *Host) newDomain(id PvDID) *domain {
	d := &domain{host: h, id: id}
	d.life, d.end = context.WithCancelCause(context.Background())
	d.changed()
	d.dialer = connect.Dialer{
		Domain:  d.connectDomain,
		Context: d.life,
		NetNS:   h.config.NetNS,
		Policy:  h.config.Policy,
		Cache:   new(connect.RouteCache),
	}
	query := d.dialer
	query.ReportUnreachable = true
	d.resolver = &resolver.Resolver{Config: d.resolverConfig, Dial: query.DialContext, Multicast: d.multicast}
	d.dialer.Lookup = d.resolver.LookupNetIP
	context.AfterFunc(d.life, func() { d.resolver.Close() })
	d.lookup, d.services, d.dial = d.resolver.Lookup, d.lookupServices, d.connect
	if h.fake != nil {
		h.fake(id, d)
	}
	return d
}

// connect connects inside a domain. The zero From leaves the choice to the domain.
func (d *domain) connect(ctx context.Context, r ConnectToAddressFromAddress) (net.Conn, error) {
	d.host.routes.await(ctx, d.host.Snapshot())
	dialer := d.dialer
	dialer.Timeout, dialer.UserTimeout, dialer.Multipath = r.Timeout, r.UserTimeout, r.Multipath
	if r.From.IsValid() {
		return dialer.DialFrom(ctx, "tcp", r.From, r.To)
	}
	return dialer.Dial(ctx, "tcp", r.To)
}

// lookupServices asks for the records of a service.
func (d *domain) lookupServices(ctx context.Context, r TranslateService) ([]resolver.Service, error) {
	if strings.EqualFold(r.Scheme, "https") {
		return d.resolver.LookupHTTPS(ctx, r.Name, r.Port)
	}
	return d.resolver.LookupService(ctx, r.Scheme, r.Name, r.Port)
}

// changed tells the work under way that something of the domain has changed.
func (d *domain) changed() {
	var c change
	c.Context, c.done = context.WithCancel(d.life)
	if old := d.change.Swap(&c); old != nil {
		old.done()
	}
}

// follow tells the work in domains that have changed so, and ends that in domains
// that are no more.
func (h *Host) follow(old, now *pvd.Snapshot) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for id, d := range h.domains {
		was, is := old.Domain(id), now.Domain(id)
		switch {
		case is == nil:
			delete(h.domains, id)
			d.end(unknownPvD(id))
		case was != nil && was != is: // else it was made meanwhile, of what is
			d.changed()
			if !sameAddresses(was, is) {
				h.running.Go(d.resolver.Forget)
			}
		}
	}
}

// sameAddresses tells whether sockets of a domain can stay bound to what they are.
func sameAddresses(a, b *pvd.Domain) bool {
	return slices.EqualFunc(slices.Collect(a.Addresses()), slices.Collect(b.Addresses()), func(a, b pvd.Address) bool {
		return a.Prefix == b.Prefix && a.Usable() == b.Usable()
	})
}

// multicast makes a socket for names that hosts on the link are asked for.
func (d *domain) multicast(ctx context.Context, network string) (net.PacketConn, error) {
	return d.dialer.ListenPacket(ctx, network, ":0")
}

// connectDomain is the domain as package connect wants to know it. What announces
// a change of it is taken first: a change that the Snapshot lacks is announced.
func (d *domain) connectDomain() (connect.Domain, error) {
	changed, generation := d.change.Load(), d.host.kernel.Generation()
	now := d.host.Snapshot().Domain(d.id)
	if now == nil {
		return connect.Domain{}, unknownPvD(d.id)
	}
	c := asConnect(now)
	c.Changed, c.Generation = changed, generation
	return c, nil
}

// asConnect is a domain in the terms of package connect.
func asConnect(d *pvd.Domain) connect.Domain {
	c := connect.Domain{Name: d.ID().String(), Interface: d.Interface().Index()}
	routers, _ := d.Data(pvd.ElementAny, pvd.ItemRouters).(pvd.Routers)
	for _, r := range routers {
		c.Routers = append(c.Routers, r.Value.Addr)
	}
	prefixes, _ := d.Data(pvd.ElementAny, pvd.ItemPrefixes).(pvd.Prefixes)
	for a := range d.Addresses() {
		c.Addresses = append(c.Addresses, connect.Address{
			Prefix: a.Prefix, Tentative: !a.Usable(), Deprecated: a.Deprecated, Temporary: a.Temporary,
			Router: announcer(prefixes, a.Prefix.Addr()),
		})
	}
	return c
}

// announcer is the router that announced the prefix of an address, if it is known.
func announcer(prefixes pvd.Prefixes, a netip.Addr) (router netip.Addr) {
	for _, p := range prefixes {
		if p.Value.Prefix.Contains(a) {
			router, _ = netip.ParseAddr(p.Source)
		}
	}
	return router
}

// resolverConfig is the domain as package resolver wants to know it.
func (d *domain) resolverConfig() (c resolver.Config, err error) {
	now := d.host.Snapshot().Domain(d.id)
	if now == nil {
		return c, unknownPvD(d.id)
	}
	c.Link, c.IPv6Only = d.id.Interface().Index(), now.Family() == pvd.IPv6
	servers, _ := now.Data(pvd.ElementAny, pvd.ItemDNSServers).(pvd.DNSServers)
	c.Servers = values(servers)
	search, _ := now.Data(pvd.ElementAny, pvd.ItemSearchDomains).(pvd.SearchDomains)
	c.Search = values(search)
	nat64, _ := now.Data(pvd.ElementAny, pvd.ItemPREF64).(pvd.PREF64)
	c.PREF64 = values(nat64)
	encrypted, _ := now.Data(pvd.ElementAny, pvd.ItemEncryptedResolvers).(pvd.EncryptedResolvers)
	for _, e := range encrypted {
		if !slices.Contains(e.Value.ALPN, "dot") {
			continue // it does not say that it speaks DNS over TLS (RFC 9461 section 4.1)
		}
		c.Encrypted = append(c.Encrypted, resolver.EncryptedServer{Name: e.Value.Name, Addrs: e.Value.Addresses, Port: e.Value.Port})
	}
	for a := range now.Addresses() {
		if a.Usable() {
			c.Addresses = append(c.Addresses, resolver.Address{Prefix: a.Prefix, Deprecated: a.Deprecated, Temporary: a.Temporary})
		}
		if !a.Prefix.IsSingleIP() {
			c.OnLink = append(c.OnLink, a.Prefix.Masked())
		}
	}
	return c, nil
}

// values are data without their provenance.
func values[T any](data []pvd.Datum[T]) (all []T) {
	for _, d := range data {
		all = append(all, d.Value)
	}
	return all
}
