package connect

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
)

// A guard ends an attempt whose source the domain loses meanwhile. The kernel does
// not: it goes on sending from an address it no longer has.
type guard struct {
	ask    func() (Domain, error)
	iface  int
	source netip.Addr
	end    context.CancelCauseFunc

	mu   sync.Mutex
	over bool
	stop func() bool
}

// guard returns the context of an attempt, and what tells the reason if it was the
// guard who ended it and in any case dismisses the guard.
func (p *path) guard(ctx context.Context, source netip.Addr) (context.Context, func() error) {
	if p.domain.Changed == nil {
		return ctx, func() error { return nil }
	}
	guarded, end := context.WithCancelCause(ctx)
	g := &guard{ask: p.ask, iface: p.domain.Interface, source: source, end: end}
	g.watch(p.domain.Changed)
	return guarded, func() error {
		g.dismiss()
		err := context.Cause(guarded)
		end(nil)
		if errors.Is(err, ErrSourceGone) {
			return err
		}
		return nil
	}
}

func (g *guard) watch(changed context.Context) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.over {
		g.stop = context.AfterFunc(changed, func() { g.look(changed) })
	}
}

func (g *guard) dismiss() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.over = true
	g.stop()
}

// look sees what has become of the domain. A value that is out of date as it is
// handed out says nothing of what comes next.
func (g *guard) look(last context.Context) {
	d, err := g.ask()
	if err == nil {
		err = d.lacks(g.iface, g.source)
	}
	switch {
	case err != nil:
		g.end(fmt.Errorf("%w: %w", ErrSourceGone, err))
	case d.Changed != nil && d.Changed != last:
		g.watch(d.Changed)
	}
}

// lacks says why the domain can no longer be left from an address.
func (d *Domain) lacks(iface int, source netip.Addr) error {
	if d.Interface != iface {
		return fmt.Errorf("the domain has moved to interface %d", d.Interface)
	}
	i := slices.IndexFunc(d.Addresses, func(a Address) bool { return a.Prefix.Addr() == source })
	if i < 0 || d.Addresses[i].Tentative {
		return fmt.Errorf("%v is no usable address of the domain any more", source)
	}
	return nil
}
