package main

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"github.com/go-mif/mif"
)

// patience is how long the others may take once the first has answered.
const patience = time.Second

// An app is the application of the figure: a subscriber with one Session.
type app struct {
	model
	ctx     context.Context
	stage   *stage
	session *mif.Session
	view    view
	next    []mif.Request // to be posted when there is nothing more to get
	open    int           // requests that were not answered yet
	limit   time.Time     // of what is waited for; zero: that of the tour
	ending  bool          // the rest is stopped
	late    bool          // names are translated: connect to whatever is still found
}

// A view shows what goes on.
type view interface {
	posted(mif.Request)
	got(mif.Event)
	note(format string, args ...any)          // of the application by itself
	reply(t *attempt, said string, err error) // of the peer on the best connection
	end(best *attempt)
}

func newApp(ctx context.Context, s *stage) *app {
	return &app{
		model:   model{interfaces: map[mif.InterfaceID]mif.InterfaceAnnouncement{}},
		ctx:     ctx,
		stage:   s,
		session: s.host.NewSession(),
	}
}

// run is the figure from top to bottom.
func (a *app) run() error {
	a.next = append(a.next, mif.AnnounceInterfaces{})
	for _, step := range []struct {
		begin func()
		done  func() bool
	}{
		{func() {}, a.known},
		{a.translate, a.translated},
		{a.connect, a.answered},
	} {
		step.begin()
		if err := a.until(step.done); err != nil {
			return err
		}
	}
	return a.use(a.best())
}

// until gets events, and posts what they call for, until it is done or the time is up.
func (a *app) until(done func() bool) error {
	a.limit = time.Time{}
	for {
		if err := a.post(); err != nil {
			return err
		}
		if done() {
			return nil
		}
		if err := a.check(); err != nil {
			return a.patient(err)
		}
		if err := a.get(); err != nil {
			return err
		}
	}
}

// check waits for an event. Once the tour's time is up, only the ends of what it has
// stopped are of interest.
func (a *app) check() error {
	if err := a.ctx.Err(); err != nil && !a.ending {
		return err
	}
	if a.limit.IsZero() {
		return a.session.Check(a.ctx)
	}
	ctx, cancel := context.WithDeadline(a.ctx, a.limit)
	defer cancel()
	return a.session.Check(ctx)
}

// patient makes nothing of an error that only says that time is up.
func (a *app) patient(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	return err
}

// get gets what there is.
func (a *app) get() error {
	for {
		e, err := a.session.Get()
		if errors.Is(err, mif.ErrNoMessage) {
			return nil
		}
		if err != nil {
			return err
		}
		a.handle(e)
		a.view.got(e)
	}
}

// post posts what is to be posted.
func (a *app) post() error {
	for _, r := range a.next {
		a.expect(r)
		a.view.posted(r)
		if err := a.session.Post(r); err != nil {
			return err
		}
	}
	a.next = nil
	return nil
}

// translate asks every domain for the name.
func (a *app) translate() {
	for _, d := range a.domains {
		switch {
		case d.gone:
		case len(d.known()) == 0 && !literal(a.stage.name):
			a.view.note("%v, %v: no DNS server is known, so the name is not translated in it", d, d.id)
		default:
			d.asked = true
			a.next = append(a.next, mif.TranslateName{ID: mif.TranslationID(d.number), PvD: d.id, Name: a.stage.name})
		}
	}
}

func literal(name string) bool {
	_, err := netip.ParseAddr(name)
	return err == nil
}

// connect connects to every address that a domain gave, inside that domain.
func (a *app) connect() {
	a.late = true
	for _, d := range a.domains {
		for _, to := range d.found {
			a.dial(d, to)
		}
	}
}

func (a *app) dial(d *domain, to netip.Addr) {
	t := &attempt{id: mif.ConnectionID(len(a.attempts) + 1), domain: d, to: netip.AddrPortFrom(to, a.stage.port)}
	a.attempts = append(a.attempts, t)
	a.next = append(a.next, mif.ConnectToAddress{ID: t.id, PvD: d.id, To: t.to})
}
