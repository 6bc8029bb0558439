package mif

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/go-mif/mif/additional"
	"github.com/go-mif/mif/pvd"
)

// maxTold is how many failures to get Additional Information are told of.
const maxTold = 10

// information is the Additional Information of explicit domains (RFC 8801 section 4), if
// it is to be fetched.
type information struct {
	kick     chan struct{} // tells that there is a new Snapshot; nil: nothing is fetched
	ended    chan additional.Result
	schedule additional.Schedule           // the goroutine's own
	begun    map[uint64]context.CancelFunc // likewise

	mu      sync.Mutex
	found   map[InterfaceID][]pvd.Fetched
	touched map[InterfaceID]bool // links of which some changed, for the loop to look at
	failed  []additional.Result  // the last ones
}

// openInformation begins to fetch, if that is wanted.
func (h *Host) openInformation() {
	if !h.config.FetchAdditionalInfo {
		return
	}
	i := &h.information
	i.ended, i.begun = make(chan additional.Result), map[uint64]context.CancelFunc{}
	i.found, i.touched = map[InterfaceID][]pvd.Fetched{}, map[InterfaceID]bool{}
	i.kick = make(chan struct{}, 1)
	i.kick <- struct{}{}
	h.running.Go(h.fetchInformation)
}

// fetchInformation is the goroutine that has fetched what the newest Snapshot asks for, and
// leaves it to the loop.
func (h *Host) fetchInformation() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		var results []additional.Result
		select {
		case <-h.information.kick:
		case <-timer.C:
		case r := <-h.information.ended:
			results = append(results, r)
		case <-h.end.Done():
			return
		}
		now := time.Now()
		a := h.information.schedule.Step(now, networks(h.whole.Load(), now), results)
		h.act(a, results)
		timer.Stop()
		if !a.Next.IsZero() {
			timer.Reset(time.Until(a.Next))
		}
	}
}

// act does what the schedule says.
func (h *Host) act(a additional.Actions, results []additional.Result) {
	i := &h.information
	for _, r := range results {
		i.end(r.Serial)
	}
	for _, serial := range a.End {
		i.end(serial)
	}
	for _, f := range a.Begin {
		ctx, cancel := context.WithCancel(h.end)
		i.begun[f.Serial] = cancel
		h.running.Go(func() { h.fetch(ctx, f) })
	}
	if h.config.Log != nil {
		for _, r := range a.Failed {
			h.config.Log.Warn("additional information is not asked for again on this network", "pvd", r.Domain, "err", r.Err)
		}
	}
	if i.learn(a) {
		h.kernel.Interrupt()
	}
}

// end releases a fetch, which ends if it has not.
func (i *information) end(serial uint64) {
	if cancel := i.begun[serial]; cancel != nil {
		cancel()
		delete(i.begun, serial)
	}
}

// learn keeps what has changed for the loop, and tells whether anything has.
func (i *information) learn(a additional.Actions) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, id := range a.Changed {
		i.touched[id] = true
		i.found[id] = i.schedule.Fetched(id)
		if len(i.found[id]) == 0 {
			delete(i.found, id)
		}
	}
	i.failed = append(i.failed, a.Failed...)
	i.failed = i.failed[max(0, len(i.failed)-maxTold):]
	return len(a.Changed) > 0
}

// fetch fetches for one domain.
func (h *Host) fetch(ctx context.Context, f additional.Fetch) {
	r := additional.Result{Domain: f.Domain.ID, Serial: f.Serial}
	r.Information, r.Err = h.fetchIn(ctx, f.Domain)
	select {
	case h.information.ended <- r:
	case <-h.end.Done():
	}
}

// fetchIn fetches inside a domain: by its resolver and its dialer alone.
func (h *Host) fetchIn(ctx context.Context, of additional.Domain) (*pvd.Information, error) {
	d, err := h.domain(of.ID)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", additional.ErrUnreachable, err)
	}
	c := additional.Client{Lookup: d.translate, Dial: d.connectTo, Roots: h.config.AdditionalInfoRoots}
	return c.Fetch(ctx, of.Option.FQDN)
}

// translate translates a name as it stands, without the search list.
func (d *domain) translate(ctx context.Context, host string) ([]netip.Addr, error) {
	return d.resolver.LookupNetIP(ctx, "ip", host+".")
}

func (d *domain) connectTo(ctx context.Context, network, address string) (net.Conn, error) {
	d.host.routes.await(ctx, d.host.Snapshot())
	return d.dialer.DialContext(ctx, network, address)
}

// networks are the links that the host is attached to, with their explicit domains.
func networks(s *pvd.Snapshot, now time.Time) (all []additional.Network) {
	for l := range s.Links() {
		i := l.Interface()
		if !i.Up || !i.Carrier {
			continue
		}
		n := additional.Network{ID: i.ID}
		for d := range l.Domains() {
			if o, ok := s.Option(d.ID(), now); ok {
				n.Domains = append(n.Domains, explicitDomain(d, o))
			}
		}
		all = append(all, n)
	}
	return all
}

// explicitDomain is a domain in the terms of package additional. That it is in a Snapshot
// means that it has an address to use.
func explicitDomain(d *pvd.Domain, o pvd.Option) additional.Domain {
	a := additional.Domain{ID: d.ID(), Option: o}
	prefixes, _ := d.Data(pvd.ElementRA, pvd.ItemPrefixes).(pvd.Prefixes)
	for _, p := range prefixes {
		a.Prefixes = append(a.Prefixes, p.Value.Prefix)
	}
	a.Ready = d.Data(pvd.ElementAny, pvd.ItemDNSServers) != nil || d.Data(pvd.ElementAny, pvd.ItemEncryptedResolvers) != nil
	return a
}

// known adds what was fetched to the facts about their links, and the facts about those
// links of which only that changed. It is the loop's.
func (i *information) known(old *pvd.Snapshot, links []*pvd.Facts) []*pvd.Facts {
	if i.kick == nil {
		return links
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	return joined(old, links, i.touched, i.with)
}

// with returns facts with what was fetched on their link.
func (i *information) with(f *pvd.Facts) *pvd.Facts {
	found := i.found[f.Interface.ID]
	if len(found) == 0 && len(f.Information) == 0 {
		return f
	}
	n := *f
	n.Information = found
	return &n
}

// changed tells the goroutine that there is a new Snapshot. It does not wait.
func (i *information) changed() {
	select {
	case i.kick <- struct{}{}:
	default:
	}
}

// informationSource tells how the fetching goes, if it is wanted: what failed last in
// domains on links that are there.
func (h *Host) informationSource() []Source {
	i := &h.information
	if !h.config.FetchAdditionalInfo {
		return nil
	}
	i.mu.Lock()
	failed := slices.Clone(i.failed)
	i.mu.Unlock()
	var errs []error
	for _, r := range failed {
		if h.Snapshot().Link(r.Domain.Interface()) != nil {
			errs = append(errs, fmt.Errorf("mif: %v: %w", r.Domain, r.Err))
		}
	}
	return []Source{{Name: "additional information", Err: errors.Join(errs...)}}
}
