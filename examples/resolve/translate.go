package main

import (
	"context"
	"errors"
	"time"

	"github.com/go-mif/mif"
	"github.com/go-mif/mif/pvd"
)

// A question is what is asked of each domain.
type question struct {
	name   string
	family mif.Family
}

// A view shows the translation.
type view interface {
	Posted(r mif.Request, now time.Time)
	Event(e mif.Event) error
}

// translate asks every domain at once, shows what comes, and tells how many addresses
// that was. When the time is up what still runs is stopped, and its end shown.
func translate(ctx context.Context, h *mif.Host, domains []*pvd.Domain, q question, v view) (found int, err error) {
	s := h.NewSession()
	defer s.Close()
	running := map[mif.TranslationID]bool{}
	for i, d := range domains {
		r := mif.TranslateName{ID: mif.TranslationID(i + 1), PvD: d.ID(), Name: q.name, Family: q.family}
		v.Posted(r, time.Now())
		if err := s.Post(r); err != nil {
			return 0, err
		}
		running[r.ID] = true
	}
	for len(running) > 0 {
		e, err := next(ctx, s, running)
		if err != nil {
			return found, err
		}
		switch e := e.(type) {
		case mif.NameTranslation:
			found++
		case mif.TranslationDone:
			delete(running, e.ID)
		case mif.Rejected:
			delete(running, e.Request.(mif.TranslateName).ID)
		}
		if err := v.Event(e); err != nil {
			return found, err
		}
	}
	return found, nil
}

// next waits for the next event, and stops what runs when the context is done: its end
// is an event then.
func next(ctx context.Context, s *mif.Session, running map[mif.TranslationID]bool) (mif.Event, error) {
	if err := s.Check(ctx); err != nil {
		if !errors.Is(err, context.DeadlineExceeded) {
			return nil, err
		}
		for id := range running {
			s.Post(mif.StopTranslatingName{ID: id})
		}
	}
	return s.Get()
}
