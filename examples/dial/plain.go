package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/go-mif/mif"
	"github.com/go-mif/mif/connect"
	"github.com/go-mif/mif/examples/internal/program"
	"github.com/go-mif/mif/examples/internal/show"
	"github.com/go-mif/mif/pvd"
)

// plain is the view for people: a line for each domain.
type plain struct {
	w       io.Writer
	width   int
	domains map[mif.ConnectionID]mif.PvDID
	began   time.Time
}

func newView(p *program.Program, domains []*pvd.Domain) view {
	if p.JSON {
		return show.NewLines(p.Out)
	}
	v := &plain{w: p.Out, domains: map[mif.ConnectionID]mif.PvDID{}}
	for _, d := range domains {
		v.width = max(v.width, len(d.ID().String()))
	}
	return v
}

func (v *plain) Posted(r mif.Request, now time.Time) {
	if v.began.IsZero() {
		v.began = now
	}
	switch r := r.(type) {
	case mif.ConnectToAddress:
		v.domains[r.ID] = r.PvD
	case mif.ConnectToAddressFromAddress:
		v.domains[r.ID] = r.PvD
	}
}

func (v *plain) Event(e mif.Event) error {
	switch e := e.(type) {
	case mif.Connected:
		return v.line(e.PvD, "connected     %v -> %v in %s", e.Conn.LocalAddr(), e.Conn.RemoteAddr(), v.took())
	case mif.NotConnected:
		return v.line(v.domains[e.ID], "not connected %s (%s)", show.Reason(e.Err), v.took())
	case mif.PathLost:
		return v.line(v.domains[e.ID], "path lost     %v", e.Err)
	case mif.Rejected:
		return v.line(requested(e.Request), "not connected %v", e.Err)
	}
	return nil
}

func requested(r mif.Request) mif.PvDID {
	switch r := r.(type) {
	case mif.ConnectToAddress:
		return r.PvD
	case mif.ConnectToAddressFromAddress:
		return r.PvD
	}
	return mif.PvDID{}
}

func (v *plain) Reply(id mif.ConnectionID, reply string, err error) error {
	for l := range strings.Lines(reply) {
		if err := v.line(v.domains[id], "reply         %s", strings.TrimRight(l, "\r\n")); err != nil {
			return err
		}
	}
	if err != nil {
		return v.line(v.domains[id], "reply ended   %v", err)
	}
	return nil
}

func (v *plain) Explanation(_ mif.PvDID, e connect.Explanation) error {
	_, err := fmt.Fprintln(v.w, e)
	return err
}

func (v *plain) line(id mif.PvDID, format string, args ...any) error {
	_, err := fmt.Fprintf(v.w, "%-*v  %s\n", v.width, id, show.Printable(fmt.Sprintf(format, args...)))
	return err
}

func (v *plain) took() string {
	return show.Milliseconds(time.Since(v.began))
}
