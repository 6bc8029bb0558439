package main

import (
	"io"

	"github.com/go-mif/mif"
	"github.com/go-mif/mif/examples/internal/show"
)

// messages is the view for scripts: every request and event, one a line.
type messages struct{ lines *show.Lines }

func newMessages(w io.Writer) messages { return messages{show.NewLines(w)} }

func (m messages) posted(r mif.Request) { m.lines.Request(r) }

func (m messages) got(e mif.Event) { m.lines.Event(e) }

func (m messages) note(string, ...any) {}

func (m messages) reply(t *attempt, said string, err error) { m.lines.Reply(t.id, said, err) }

func (m messages) end(*attempt) {}

// both shows what goes on to two views.
type both struct{ one, other view }

func (b both) posted(r mif.Request) {
	b.one.posted(r)
	b.other.posted(r)
}

func (b both) got(e mif.Event) {
	b.one.got(e)
	b.other.got(e)
}

func (b both) note(format string, args ...any) {
	b.one.note(format, args...)
	b.other.note(format, args...)
}

func (b both) reply(t *attempt, said string, err error) {
	b.one.reply(t, said, err)
	b.other.reply(t, said, err)
}

func (b both) end(best *attempt) {
	b.one.end(best)
	b.other.end(best)
}
