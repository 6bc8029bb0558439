package main

import (
	"fmt"
	"os"
	"strings"
)

// The measures of a picture, in its own units: about a screen's pixels.
const (
	column   = 8.0 // wider than a character of any usual font of that size
	pitch    = 19.0
	margin   = 28.0
	boxWidth = 76.0
	boxTall  = 34.0
	lifeAPP  = margin + boxWidth/2
	lifeAPI  = lifeAPP + (width+1)*column
	clock    = lifeAPI + boxWidth/2 + 7*column // where the times end
	across   = clock + margin
)

// draw writes the picture of a figure to a file.
func draw(file string, rows []row) error {
	if err := os.WriteFile(file, picture(rows), 0o644); err != nil {
		return fmt.Errorf("the picture: %w", err)
	}
	return nil
}

// picture is a figure as SVG: two lines of life, the messages between them, and below
// them what came of it.
func picture(rows []row) []byte {
	p := &svg{y: margin + boxTall + 28}
	figure := rows
	for i, r := range rows {
		if r.kind == aCaption {
			figure = rows[:i]
			break
		}
	}
	for i, r := range figure {
		p.row(r, i > 0 && figure[i-1].kind == r.kind)
	}
	foot := p.y + 2
	p.y += 26
	for _, r := range rows[len(figure):] {
		p.caption(r.text)
	}
	return p.document(foot, p.y+margin/2)
}

// row draws a line of the figure; again tells that the one before was of its kind.
func (p *svg) row(r row, again bool) {
	switch r.kind {
	case anArrow:
		p.arrow(r.to)
	case aNote:
		p.note(r, again)
	default:
		p.message(r)
	}
}

func (p *svg) message(r row) {
	class := "posted"
	if r.to == toApp {
		class = "got"
	}
	p.text(lifeAPP+column*1.5, class, r.text)
	p.time(r.when)
	p.y += pitch
}

// note draws what is no message, on a ground of its own.
func (p *svg) note(r row, again bool) {
	if !again {
		p.y += 3
	}
	p.rect("ground", lifeAPP+column/2, p.y-14, width*column, pitch, 0)
	p.text(lifeAPP+column*1.5, "note", r.text)
	p.time(r.when)
	p.y += pitch
}

// arrow draws an arrow under the messages that it is of.
func (p *svg) arrow(to direction) {
	class, from, tip, back := "posted", lifeAPP, lifeAPI-1, -11.0
	if to == toApp {
		class, from, tip, back = "got", lifeAPI, lifeAPP+1, 11.0
	}
	y := p.y - 7
	p.line(class, from, y, tip+back, y)
	p.put(`<polygon class="%s" points="%g,%g %g,%g %g,%g"/>`, class, tip, y, tip+back, y-5, tip+back, y+5)
	p.y += 21
}

func (p *svg) time(when string) {
	if when != "" {
		p.put(`<text class="time" x="%g" y="%g">%s</text>`, clock, p.y, escape(when))
	}
}

// caption draws a line under the figure. An empty one is less than a line.
func (p *svg) caption(s string) {
	if s == "" {
		p.y += pitch / 2
		return
	}
	text := strings.TrimLeft(s, " ")
	indent := len(s) - len(text)
	class := "small"
	switch {
	case indent == 2:
		class = "domain"
	case strings.HasSuffix(text, bestMark):
		class = "best"
	}
	p.text(margin+float64(indent)*column, class, text)
	p.y += pitch
}
