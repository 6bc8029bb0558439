package resolver

import (
	"context"
	"errors"
	"net/netip"
	"sync/atomic"
)

// A lookup is the work of one range over Lookup.
type lookup struct {
	r      *Resolver
	cfg    Config
	family Family
	yield  func([]Answer) bool

	preferred atomic.Pointer[netip.AddrPort] // the server that answered last
}

// lookup yields the answers for a name. It gives errLeft if the consumer has
// left, else what Lookup is to yield last, or nil.
func (r *Resolver) lookup(ctx context.Context, name string, f Family, yield func([]Answer) bool) error {
	cfg, err := r.configure()
	if err != nil {
		return err
	}
	t, err := parseTarget(name)
	if err != nil {
		return err
	}
	ctx, unbind := r.life.bind(ctx)
	defer unbind()
	ctx, cancel := context.WithTimeout(ctx, cfg.Timeout)
	defer cancel()
	if ctx.Err() != nil {
		return ended(ctx, "")
	}
	l := &lookup{r: r, cfg: cfg, family: f, yield: yield}
	if answers := r.known(t); answers != nil {
		return l.deliver(answers)
	}
	return l.search(ctx, t)
}

// known gives the answers that need no server.
func (r *Resolver) known(t target) []Answer {
	switch {
	case t.addr.IsValid():
		return []Answer{{Addr: t.addr, CanonicalName: t.addr.String(), Origin: Literal}}
	case isLocalhost(t.name):
		return []Answer{
			{Addr: netip.IPv6Loopback(), CanonicalName: t.name, Origin: Special},
			{Addr: netip.AddrFrom4([4]byte{127, 0, 0, 1}), CanonicalName: t.name, Origin: Special},
		}
	}
	return r.hosts.find(t.name)
}

// deliver yields answers as groups of a family, those of the families wanted.
func (l *lookup) deliver(answers []Answer) error {
	err := ErrNoData
	for _, f := range []Family{IPv6, IPv4} {
		var group []Answer
		for _, a := range answers {
			if f.has(a.Addr) && l.family.has(a.Addr) {
				group = append(group, a)
			}
		}
		if len(group) == 0 {
			continue
		}
		if err = nil; !l.yield(group) {
			return errLeft
		}
	}
	return err
}

// search asks for each candidate name until one has addresses.
func (l *lookup) search(ctx context.Context, t target) error {
	var worst error
	for _, name := range t.candidates(l.cfg) {
		err := unasked(name)
		if err == nil {
			var found bool
			if found, err = l.candidate(ctx, name); found {
				return err
			}
		}
		worst = graver(worst, err)
		if ctx.Err() != nil || !goesOn(err) {
			break
		}
	}
	return worst
}

// goesOn tells whether the search goes on after an error: a server spoke. If
// none did, the next name has no better chance.
func goesOn(err error) bool {
	return empty(err) || errors.Is(err, ErrServerFailure) || errors.Is(err, ErrRefused)
}
