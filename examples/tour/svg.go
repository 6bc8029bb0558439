package main

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"regexp"
	"strings"
)

// An svg is a picture that is being drawn from top to bottom.
type svg struct {
	body strings.Builder
	y    float64 // of the next line's foot
}

// style has a light look, and a dark one for viewers that prefer it. Not all know the
// variables of CSS, so it has none.
const style = `<style>
text { font: 13px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; fill: #1f2328; white-space: pre; }
.page { fill: #ffffff; stroke: #d0d7de; } .box { fill: #f6f8fa; stroke: #8c959f; } .ground { fill: #fff4d6; }
.life { stroke: #afb8c1; stroke-dasharray: 4 4; } .rule { stroke: #d0d7de; }
line.posted, line.got { stroke-width: 1.5; }
line.posted { stroke: #0969da; } polygon.posted { fill: #0969da; }
line.got { stroke: #1a7f37; } polygon.got { fill: #1a7f37; }
text.name { font-weight: bold; text-anchor: middle; } text.domain, text.best, tspan { font-weight: bold; }
text.time { text-anchor: end; } text.time, text.small { fill: #59636e; } text.best { fill: #1a7f37; }
.d1 { fill: #bc4c00; } .d2 { fill: #8250df; } .d3 { fill: #0a7585; } .d4 { fill: #bf3989; } .d5 { fill: #7d6000; } .d0 { fill: #57606a; }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3; }
.page { fill: #0d1117; stroke: #30363d; } .box { fill: #161b22; stroke: #6e7681; } .ground { fill: #2e2610; }
.life { stroke: #57606a; } .rule { stroke: #30363d; }
line.posted { stroke: #58a6ff; } polygon.posted { fill: #58a6ff; }
line.got { stroke: #56d364; } polygon.got { fill: #56d364; }
text.time, text.small { fill: #9198a1; } text.best { fill: #56d364; }
.d1 { fill: #ffa657; } .d2 { fill: #d2a8ff; } .d3 { fill: #56d4dd; } .d4 { fill: #ff9bce; } .d5 { fill: #e3b341; } .d0 { fill: #b1bac4; }
}
</style>
`

// document is the whole picture: ground, lines of life down to the foot, their heads,
// and what was drawn.
func (p *svg) document(foot, bottom float64) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %g %g" width="%g" height="%g" role="img" xml:space="preserve">`+"\n", across, bottom, across, bottom)
	fmt.Fprintf(&b, "<title>Figure 2 of draft-ietf-mif-api-extension-00, as it came about</title>\n%s", style)
	frame := &svg{}
	frame.rect("page", 0.5, 0.5, across-1, bottom-1, 8)
	for _, life := range []struct {
		name string
		x    float64
	}{{"APP", lifeAPP}, {"API", lifeAPI}} {
		frame.line("life", life.x, margin+boxTall, life.x, foot)
		frame.rect("box", life.x-boxWidth/2, margin, boxWidth, boxTall, 6)
		frame.put(`<text class="name" x="%g" y="%g">%s</text>`, life.x, margin+boxTall/2+4.5, life.name)
	}
	frame.y = margin + boxTall/2 + 4.5
	frame.time("ms")
	frame.line("rule", margin, foot+3, across-margin, foot+3)
	b.WriteString(frame.body.String())
	b.WriteString(p.body.String())
	b.WriteString("</svg>\n")
	return b.Bytes()
}

func (p *svg) put(format string, args ...any) { fmt.Fprintf(&p.body, format+"\n", args...) }

func (p *svg) line(class string, x1, y1, x2, y2 float64) {
	p.put(`<line class="%s" x1="%g" y1="%g" x2="%g" y2="%g"/>`, class, x1, y1, x2, y2)
}

func (p *svg) rect(class string, x, y, wide, tall, round float64) {
	p.put(`<rect class="%s" x="%g" y="%g" width="%g" height="%g" rx="%g"/>`, class, x, y, wide, tall, round)
}

// text writes a line, and each domain in it in that domain's colour.
func (p *svg) text(x float64, class, s string) {
	var b strings.Builder
	end := 0
	for _, at := range domainName.FindAllStringIndex(s, -1) {
		fmt.Fprintf(&b, `%s<tspan class="d%c">%s</tspan>`, escape(s[end:at[0]]), '0'+(s[at[1]-1]-'0')%6, s[at[0]:at[1]])
		end = at[1]
	}
	b.WriteString(escape(s[end:]))
	p.put(`<text class="%s" x="%g" y="%g">%s</text>`, class, x, p.y, b.String())
}

var domainName = regexp.MustCompile(`\bPD [0-9]+\b`)

// escape is text as XML may have it; what XML cannot say at all is replaced.
func escape(s string) string {
	var b strings.Builder
	xml.EscapeText(&b, []byte(s)) // a Builder takes everything
	return b.String()
}
