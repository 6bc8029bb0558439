package resolver

import (
	"context"
	"errors"
	"net/netip"
	"time"
)

// A lookup is the work of one range over Lookup.
type lookup struct {
	r        *Resolver
	view     *view
	cfg      Config
	family   Family
	yield    func([]Answer, error) bool
	patience patience
	room     [1]string
	whole    bool // nothing is delivered before all is there
}

// lookup yields the answers for a name. It gives errLeft if the consumer has
// left, else what Lookup is to yield last, or nil.
func (r *Resolver) lookup(ctx context.Context, name string, f Family, yield func([]Answer, error) bool) error {
	l, err := r.begin(ctx)
	if err != nil {
		return err
	}
	defer l.end()
	l.family, l.yield = f, yield
	return l.run(name)
}

// run makes the look-up.
func (l *lookup) run(name string) error {
	t, err := parseTarget(name)
	if err != nil {
		return err
	}
	if t.addr.IsValid() {
		return l.literal(Answer{Addr: t.addr, CanonicalName: t.addr.String(), Origin: Literal})
	}
	if answers := l.r.known(t); answers != nil {
		return l.deliver(answers)
	}
	l.view = l.r.look(&l.cfg)
	return l.search(t)
}

// begin begins a look-up, by the domain's present configuration.
func (r *Resolver) begin(ctx context.Context) (*lookup, error) {
	cfg, err := r.configure()
	if err != nil {
		return nil, err
	}
	l, ok := r.lookups.Get().(*lookup)
	if !ok {
		l = new(lookup)
	}
	l.r, l.cfg = r, cfg
	now := time.Now()
	l.patience = patience{ctx: ctx, until: now.Add(cfg.Timeout), life: r.life.context().Done()}
	if l.patience.over(now) {
		defer l.end()
		return nil, l.patience.err("")
	}
	return l, nil
}

// end gives a look-up's room back. Nothing of it is running any more.
func (l *lookup) end() {
	r := l.r
	*l = lookup{}
	r.lookups.Put(l)
}

// known gives the answers that need no server.
func (r *Resolver) known(t target) []Answer {
	if isLocalhost(t.name) {
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
		if err = nil; !l.yield(group, nil) {
			return errLeft
		}
	}
	return err
}

// search asks for each candidate name until one has addresses.
func (l *lookup) search(t target) error {
	var worst error
	for _, name := range t.candidates(&l.cfg, l.room[:0]) {
		found, err := l.attempt(name)
		if found {
			return err
		}
		worst = graver(worst, err)
		if l.patience.over(time.Now()) || !goesOn(err) {
			break
		}
	}
	return worst
}

// attempt asks for one name in the way that is right for it.
func (l *lookup) attempt(name string) (found bool, err error) {
	if ofLink(name) && l.r.Multicast != nil {
		return l.local(name)
	}
	if err := unasked(name); err != nil {
		return false, err
	}
	return l.candidate(name)
}

// goesOn tells whether the search goes on after an error: a server spoke. If
// none did, the next name has no better chance.
func goesOn(err error) bool {
	return empty(err) || errors.Is(err, ErrServerFailure) || errors.Is(err, ErrRefused)
}
