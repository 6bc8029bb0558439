package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/go-mif/mif"
	"github.com/go-mif/mif/examples/internal/show"
)

// width is that of the space between the two lines of life.
const width = 82

// A direction is where messages go.
type direction int

const (
	nowhere direction = iota
	toAPI
	toApp
)

// A figure is the view for people: the draft's sequence diagram, as it comes about.
// Messages of one direction that follow each other have one arrow.
type figure struct {
	w     io.Writer
	app   *app
	began time.Time
	open  direction // of messages that have no arrow yet
	rows  []row     // what was drawn so far
	ended bool      // nothing is to be drawn any more
}

// A row is one line of the figure, for a picture of it.
type row struct {
	kind kind
	to   direction // where the message goes, or points the arrow
	text string
	when string
}

// A kind is what a row is.
type kind int

const (
	aMessage kind = iota
	aNote         // of the application by itself, or what a peer said
	anArrow
	aCaption // under the figure
)

func newFigure(w io.Writer, a *app) *figure {
	gap := strings.Repeat(" ", width-8)
	box := "+-------+" + gap + "+-------+\n"
	fmt.Fprint(w, box, "|  APP  |"+gap+"|  API  |      ms\n", box)
	return &figure{w: w, app: a, began: time.Now()}
}

func (f *figure) posted(r mif.Request) {
	if s := f.request(r); s != "" {
		f.say(toAPI, s)
	}
}

func (f *figure) got(e mif.Event) {
	if s := f.event(e); s != "" {
		f.say(toApp, s)
	}
}

func (f *figure) note(format string, args ...any) {
	f.arrow()
	f.text(aNote, "("+fmt.Sprintf(format, args...)+")", "")
}

func (f *figure) reply(t *attempt, said string, err error) {
	f.arrow()
	first, _, _ := strings.Cut(said, "\n")
	switch {
	case first != "":
		f.text(aNote, fmt.Sprintf("%v: its peer says %q", t.to.Addr(), strings.TrimSpace(first)), f.now())
	case err != nil:
		f.text(aNote, fmt.Sprintf("%v: its peer says nothing: %v", t.to.Addr(), err), f.now())
	default:
		f.text(aNote, fmt.Sprintf("%v: its peer says nothing and ends the connection", t.to.Addr()), f.now())
	}
	f.open = toApp
	f.arrow()
}

// say draws a message, and leaves its arrow to what comes next.
func (f *figure) say(d direction, s string) {
	if f.open != d {
		f.arrow()
	}
	f.open = d
	f.text(aMessage, s, f.now())
}

func (f *figure) now() string {
	return fmt.Sprintf("%8.1f", time.Since(f.began).Seconds()*1000)
}

// arrow draws the arrow under the messages that have none.
func (f *figure) arrow() {
	switch f.open {
	case toAPI:
		fmt.Fprintf(f.w, "    |%s>|\n", strings.Repeat("-", width-1))
	case toApp:
		fmt.Fprintf(f.w, "    |<%s|\n", strings.Repeat("-", width-1))
	}
	if f.open != nowhere {
		f.rows = append(f.rows, row{kind: anArrow, to: f.open})
	}
	f.open = nowhere
}

// text draws what a message says, on as many lines as it takes.
func (f *figure) text(k kind, s, when string) {
	for i, l := range wrap(show.Printable(s), width-2) {
		if i > 0 {
			when = ""
		}
		fmt.Fprintln(f.w, strings.TrimRight(fmt.Sprintf("    | %-*s |%s", width-2, l, when), " "))
		f.rows = append(f.rows, row{k, f.open, l, strings.TrimSpace(when)})
	}
}

// caption writes under the figure.
func (f *figure) caption(format string, args ...any) {
	s := fmt.Sprintf(format, args...)
	fmt.Fprint(f.w, s)
	for l := range strings.Lines(s) {
		f.rows = append(f.rows, row{kind: aCaption, text: strings.TrimSuffix(l, "\n")})
	}
}

// wrap breaks a text between words, so that no line is longer than n if words allow.
func wrap(s string, n int) []string {
	var all []string
	line := ""
	for _, w := range strings.Fields(s) {
		if line != "" && len(line)+1+len(w) > n {
			all, line = append(all, line), "   "
		}
		if line != "" {
			line += " "
		}
		line += w
	}
	return append(all, line)
}
