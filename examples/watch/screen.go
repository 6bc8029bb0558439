package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rivo/uniseg"

	"github.com/go-mif/mif/examples/internal/show"
)

// A style is how a text looks where there are colours.
type style string

// The styles, as the parameters of the terminal's command for them (ECMA-48, SGR).
const (
	usual  style = ""
	strong style = "1"
	faint  style = "2"
	good   style = "32"
	bad    style = "31"
	warned style = "33"
	named  style = "1;36"
)

// A span is a text in one style; a line is those beside each other.
type span struct {
	text  string
	style style
}

type line []span

// A size is that of a screen, in characters.
type size struct{ width, height int }

// minimum is the part of the screen that is kept for events, if there are any.
const minimum = 3

// screen is what a terminal of a size is to show at an instant: the table from a line
// on, and below it the latest of the events as there is room. It is never more than the
// size. If the table has room from an earlier line on, that is the one it tells.
func screen(s state, events []string, top int, z size, now time.Time) (lines []line, at int) {
	lines = []line{title(s, z, now)}
	room := max(0, z.height-len(lines))
	if len(events) > 0 {
		kept := min(len(events), max(minimum, room/3)) + 1
		room = max(0, room-kept)
	}
	shown, at := clip(table(s, z.width, now), top, z.width, room)
	lines = append(lines, shown...)
	if free := z.height - len(lines) - 1; len(events) > 0 && free > 0 {
		lines = append(lines, line{rule(z.width)})
		for _, e := range events[max(0, len(events)-free):] {
			lines = append(lines, event(cut(show.Printable(e), z.width)))
		}
	}
	return lines[:min(len(lines), max(0, z.height))], at
}

// clip is as much of a table as there is room for below its head, from a line of the
// rest on. The last line then tells how many are not there.
func clip(table []line, top, width, room int) (shown []line, at int) {
	if len(table) <= room || room < 3 {
		return table[:min(len(table), room)], 0
	}
	rows, fit := table[1:], room-2
	at = min(max(top, 0), len(rows)-fit)
	rest := fmt.Sprintf("… %d lines above, %d below: arrows, PgUp, PgDn", at, len(rows)-fit-at)
	shown = slices.Concat(table[:1], rows[at:at+fit], []line{{{cut(rest, width), warned}}})
	return shown, at
}

func title(s state, z size, now time.Time) line {
	domains, addresses := 0, 0
	for _, l := range s {
		domains += len(l.domains)
		for _, d := range l.domains {
			addresses += len(d.addresses)
		}
	}
	left := cut(strings.Join([]string{count(len(s), "interface"), count(domains, "domain"), count(addresses, "address")}, ", "), z.width)
	right := "q ends   " + now.Format("15:04:05")
	gap := z.width - len([]rune(left)) - len(right)
	if gap < 1 {
		return line{{left, strong}}
	}
	return line{{left, strong}, {strings.Repeat(" ", gap) + right, faint}}
}

func count(n int, of string) string {
	switch {
	case n == 1:
		return "1 " + of
	case strings.HasSuffix(of, "s"):
		return fmt.Sprintf("%d %ses", n, of)
	}
	return fmt.Sprintf("%d %ss", n, of)
}

func rule(width int) span {
	const name = "── events "
	return span{cut(name+strings.Repeat("─", max(0, width-len([]rune(name)))), width), faint}
}

// event is a line of the plain view, which begins with the time and a sign.
func event(s string) line {
	const stamp = len("15:04:05.000 ")
	if len(s) <= stamp {
		return line{{s, usual}}
	}
	look := map[byte]style{'+': good, '-': bad, '~': warned, '!': bad, '=': faint}[s[stamp]]
	return line{{s[:stamp], faint}, {s[stamp:], look}}
}

// cut is as much of a text as n columns hold, with a sign of what is left out.
func cut(s string, n int) string {
	switch {
	case uniseg.StringWidth(s) <= n:
		return s
	case n <= 0:
		return ""
	}
	var b strings.Builder
	for {
		one, rest, wide, _ := uniseg.FirstGraphemeClusterInString(s, -1)
		if n -= wide; n < 1 {
			return b.String() + "…"
		}
		b.WriteString(one)
		s = rest
	}
}

// fill is a text that fills so many columns, or more.
func fill(s string, columns int) string {
	return s + strings.Repeat(" ", max(0, columns-uniseg.StringWidth(s)))
}

// paint is a line as a terminal takes it, with colours or without.
func (l line) paint(colours bool) string {
	var b strings.Builder
	for _, s := range l {
		if s.style == usual || !colours {
			b.WriteString(s.text)
			continue
		}
		text := strings.TrimRight(s.text, " ")
		if text != "" {
			b.WriteString("\x1b[" + string(s.style) + "m" + text + "\x1b[0m")
		}
		b.WriteString(s.text[len(text):])
	}
	return strings.TrimRight(b.String(), " ")
}
