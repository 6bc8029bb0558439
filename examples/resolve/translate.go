package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/go-mif/mif"
	"github.com/go-mif/mif/pvd"
)

// A question is what is asked of each domain: a name, or a service if it has a scheme.
type question struct {
	name   string
	family mif.Family
	scheme string
	port   uint16
}

// ask makes a question of what was given. A service may have a port.
func ask(name string, f mif.Family, scheme string) (question, error) {
	q := question{name, f, scheme, 0}
	host, port, found := strings.Cut(name, ":")
	if scheme == "" || !found {
		return q, nil
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 {
		return q, fmt.Errorf("%s: %q is no port", name, port)
	}
	q.name, q.port = host, uint16(n)
	return q, nil
}

// request puts the question to a domain.
func (q question) request(id mif.TranslationID, p mif.PvDID) mif.Request {
	if q.scheme != "" {
		return mif.TranslateService{ID: id, PvD: p, Scheme: q.scheme, Name: q.name, Port: q.port}
	}
	return mif.TranslateName{ID: id, PvD: p, Name: q.name, Family: q.family}
}

// A view shows the translation.
type view interface {
	Posted(r mif.Request, now time.Time)
	Event(e mif.Event) error
}

// translate asks every domain at once, shows what comes, and tells how many things
// that was. When the time is up what still runs is stopped, and its end shown.
func translate(ctx context.Context, h *mif.Host, domains []*pvd.Domain, q question, v view) (found int, err error) {
	s := h.NewSession()
	defer s.Close()
	running := map[mif.TranslationID]bool{}
	for i, d := range domains {
		id := mif.TranslationID(i + 1)
		r := q.request(id, d.ID())
		v.Posted(r, time.Now())
		if err := s.Post(r); err != nil {
			return 0, err
		}
		running[id] = true
	}
	for len(running) > 0 {
		e, err := next(ctx, s, running)
		if err != nil {
			return found, err
		}
		switch e := e.(type) {
		case mif.NameTranslation, mif.ServiceTranslation:
			found++
		case mif.TranslationDone:
			delete(running, e.ID)
		case mif.Rejected:
			id, _ := about(e.Request)
			delete(running, id)
		}
		if err := v.Event(e); err != nil {
			return found, err
		}
	}
	return found, nil
}

// about tells which translation a request is for, and in which domain.
func about(r mif.Request) (mif.TranslationID, mif.PvDID) {
	switch r := r.(type) {
	case mif.TranslateName:
		return r.ID, r.PvD
	case mif.TranslateService:
		return r.ID, r.PvD
	}
	return 0, mif.PvDID{}
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
