package main

import (
	"fmt"
	"strings"
	"time"

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

// screen is what a terminal of a size is to show at an instant: the table, and below
// it the latest of the events as there is room. It is never more than the size.
func screen(s state, events []string, z size, now time.Time) []line {
	lines := []line{title(s, z, now)}
	table := table(s, z.width, now)
	room := max(0, z.height-len(lines))
	if len(events) > 0 {
		kept := min(len(events), max(minimum, room/3)) + 1
		room = max(0, room-kept)
	}
	lines = append(lines, clip(table, z.width, room)...)
	if free := z.height - len(lines) - 1; len(events) > 0 && free > 0 {
		lines = append(lines, line{rule(z.width)})
		for _, e := range events[max(0, len(events)-free):] {
			lines = append(lines, event(cut(show.Printable(e), z.width)))
		}
	}
	return lines[:min(len(lines), max(0, z.height))]
}

// clip is as much of a table as there is room for; its last line then tells of the rest.
func clip(table []line, width, room int) []line {
	if len(table) <= room || room == 0 {
		return table[:min(len(table), room)]
	}
	rest := fmt.Sprintf("… %d lines more than there is room for", len(table)-room+1)
	return append(table[:room-1:room-1], line{{cut(rest, width), warned}})
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
	right := "Ctrl-C ends   " + now.Format("15:04:05")
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

// cut is as much of a text as n characters hold, with a sign of what is left out.
func cut(s string, n int) string {
	r := []rune(s)
	switch {
	case len(r) <= n:
		return s
	case n <= 0:
		return ""
	}
	return string(r[:n-1]) + "…"
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
