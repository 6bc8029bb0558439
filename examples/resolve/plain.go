package main

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/go-mif/mif"
	"github.com/go-mif/mif/examples/internal/program"
	"github.com/go-mif/mif/examples/internal/show"
	"github.com/go-mif/mif/pvd"
)

// plain is the view for people: a line for each address or service, the domain first.
type plain struct {
	w       io.Writer
	width   int
	domains map[mif.TranslationID]mif.PvDID
	found   map[mif.PvDID]int
}

func newView(p *program.Program, domains []*pvd.Domain) view {
	if p.JSON {
		return show.NewLines(p.Out)
	}
	v := &plain{w: p.Out, domains: map[mif.TranslationID]mif.PvDID{}, found: map[mif.PvDID]int{}}
	for _, d := range domains {
		v.width = max(v.width, len(d.ID().String()))
	}
	return v
}

func (v *plain) Posted(r mif.Request, _ time.Time) {
	id, p := about(r)
	v.domains[id] = p
}

func (v *plain) Event(e mif.Event) error {
	switch e := e.(type) {
	case mif.NameTranslation:
		v.found[e.PvD]++
		return v.line(e.PvD, "%-28v %s", e.Addr, how(e))
	case mif.ServiceTranslation:
		v.found[e.PvD]++
		return v.line(e.PvD, "%s", service(e))
	case mif.TranslationDone:
		return v.end(v.domains[e.ID], e.Err)
	case mif.Rejected:
		_, p := about(e.Request)
		return v.line(p, "%v", e.Err)
	}
	return nil
}

func (v *plain) end(id mif.PvDID, err error) error {
	switch {
	case errors.Is(err, mif.ErrStopped):
		return v.line(id, "no further answer in time")
	case err != nil:
		return v.line(id, "%s", show.Reason(err))
	case v.found[id] == 0:
		return v.line(id, "nothing")
	}
	return nil
}

func (v *plain) line(id mif.PvDID, format string, args ...any) error {
	_, err := fmt.Fprintf(v.w, "%-*v  %s\n", v.width, id, show.Printable(fmt.Sprintf(format, args...)))
	return err
}

// how tells where an address comes from and how long it holds.
func how(t mif.NameTranslation) string {
	s := t.Origin.String()
	if t.Server.IsValid() {
		s += " " + t.Server.String()
	}
	if !t.Expiry.IsZero() {
		s += ", for " + show.Left(t.Expiry, time.Now())
	}
	return s + ", " + t.CanonicalName
}
