package main

import (
	"regexp"
	"strconv"
	"strings"
)

// An emulator is what a terminal shows after what it was told, as far as the table
// makes use of one.
type emulator struct {
	modes    map[string]bool // private modes that were set or reset
	screen   [][]rune        // the other screen
	main     string          // what was written to the usual one
	row, col int
	coloured bool
	strange  []string // commands it does not know
	rest     string
}

var command = regexp.MustCompile(`^\x1b\[(\??)([0-9;]*)([A-Za-z])`)

// take takes what is written, which may end in the middle of anything.
func (e *emulator) take(s string) {
	for s = e.rest + s; s != ""; {
		if s[0] == '\x1b' {
			m := command.FindStringSubmatch(s)
			if m == nil {
				break
			}
			e.obey(m[1] == "?", m[2], m[3])
			s = s[len(m[0]):]
			continue
		}
		n := strings.IndexByte(s, '\x1b')
		if n < 0 {
			n = len(s)
		}
		if !strings.HasSuffix(s[:n], "\n") && n == len(s) && len(s) < 4 {
			break // perhaps a part of a character
		}
		e.print(s[:n])
		s = s[n:]
	}
	e.rest = s
}

func (e *emulator) obey(private bool, n, command string) {
	switch {
	case private && (command == "h" || command == "l"):
		e.modes[n] = command == "h"
	case command == "m":
		e.coloured = true
	case command == "H" && n == "":
		e.row, e.col = 0, 0
	case command == "H":
		row, _, _ := strings.Cut(n, ";")
		e.row, _ = strconv.Atoi(row)
		e.row, e.col = e.row-1, 0
	case command == "J" && n == "2":
		e.screen = nil
	case command == "K" && e.row < len(e.screen):
		e.screen[e.row] = e.screen[e.row][:min(e.col, len(e.screen[e.row]))]
	case command != "K":
		e.strange = append(e.strange, n+command)
	}
}

func (e *emulator) print(s string) {
	if !e.modes["1049"] {
		e.main += s
		return
	}
	for len(e.screen) <= e.row {
		e.screen = append(e.screen, nil)
	}
	for _, r := range s {
		for len(e.screen[e.row]) <= e.col {
			e.screen[e.row] = append(e.screen[e.row], ' ')
		}
		e.screen[e.row][e.col] = r
		e.col++
	}
}

// lines are what the other screen shows: the table, and the events below it.
func (e *emulator) lines() (table, events []string) {
	for i, l := range e.screen {
		if strings.HasPrefix(string(l), "── events ") {
			for _, l := range e.screen[i+1:] {
				events = append(events, string(l))
			}
			break
		}
		table = append(table, string(l))
	}
	return table, events
}
