package main

import (
	"errors"
	"fmt"

	"github.com/go-mif/mif"
	"github.com/go-mif/mif/examples/internal/show"
)

// end draws the ends of the lines and tells what was proved.
func (f *figure) end(best *attempt) {
	f.arrow()
	f.ended = true
	f.caption("\n")
	f.caption("What came of %s port %d in each domain:\n", f.app.stage.name, f.app.stage.port)
	for _, d := range f.app.domains {
		f.proof(d, best)
	}
	f.caption(`
Arrows to the right were posted by the application, arrows to the left are what it got: one Session,
by Post, Check and Get. PD is a provisioning domain, @ the interface that packets leave by, ms the
time since the first Post. Readable tells that a peer has said something (section 3.4.2).
Figure 2 is in section 4 of draft-ietf-mif-api-extension-00.
`)
}

// proof tells what came of one domain.
func (f *figure) proof(d *domain, best *attempt) {
	f.caption("\n  %-6v %v\n", d, d.id)
	f.fact("name", f.answer(d))
	for _, t := range f.app.attempts {
		if t.domain == d {
			f.outcome(t, t == best)
		}
	}
}

// answer tells who translated the name in a domain.
func (f *figure) answer(d *domain) string {
	switch {
	case d.server.IsValid():
		return "translated by " + server(d.server)
	case len(d.found) > 0:
		return "translated without asking a server"
	case d.gone:
		return "not translated: the domain was withdrawn"
	case !d.asked:
		return "not translated: no DNS server is known"
	}
	return "not translated: no address was found"
}

func (f *figure) fact(what, is string) {
	for i, l := range wrap(is, width) {
		if i > 0 {
			what = ""
		}
		f.caption("         %-9s %s\n", what, l)
	}
}

// outcome tells what came of one connection.
func (f *figure) outcome(t *attempt, best bool) {
	if t.conn == nil {
		f.fact("failed", fmt.Sprintf("%v: %s", t.to.Addr(), failure(t)))
		return
	}
	f.fact("reached", fmt.Sprintf("%v by %s from %v", t.to.Addr(), f.app.link(t.domain), t.local().Addr()))
	if f.app.stage.reached != nil {
		f.fact("", "where the connection came in as "+f.app.stage.reached(t.local()))
	}
	if t.answered > 0 {
		f.fact("answered", show.Milliseconds(t.answered)+" after the SYN"+mark(best))
		return
	}
	f.fact("answered", "nothing"+mark(best))
}

// bestMark stands behind the connection that was used.
const bestMark = "<== the best, used"

func mark(best bool) string {
	if best {
		return "   " + bestMark
	}
	return ""
}

func failure(t *attempt) string {
	if t.err == nil {
		return "it was not decided"
	}
	if errors.Is(t.err, mif.ErrStopped) {
		return fmt.Sprintf("it did not answer in %s and was stopped", show.Milliseconds(t.took))
	}
	return show.Reason(t.err)
}
