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
