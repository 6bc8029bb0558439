package main

import (
	"errors"
	"io"
	"os"
)

// What a terminal is told (ECMA-48, and the private modes of xterm that all have).
const (
	enterScreen = "\x1b[?1049h\x1b[?25l\x1b[?7l" // another screen, no cursor, long lines are cut
	leaveScreen = "\x1b[?7h\x1b[?25h\x1b[?1049l"
	clearScreen = "\x1b[H\x1b[2J"
	lineStart   = "\x1b[%d;1H"
	lineEnd     = "\x1b[K"
)

// A terminal is the one that the standard output is. Its size can be asked for at any
// time; what it is told goes to a screen of its own from enter to leave.
type terminal struct {
	file *os.File
	mode mode
}

// newTerminal returns the terminal that something is written to, nil if it is none
// that can show a table.
func newTerminal(w io.Writer) *terminal {
	f, ok := w.(*os.File)
	if term := os.Getenv("TERM"); !ok || !isTerminal(f) || term == "" || term == "dumb" {
		return nil
	}
	return &terminal{file: f}
}

// enter takes the terminal over: what is typed does not show.
func (t *terminal) enter() error {
	if err := t.mode.hush(t.file); err != nil {
		return err
	}
	return t.write(enterScreen)
}

// leave gives the terminal back as it was.
func (t *terminal) leave() error {
	return errors.Join(t.write(leaveScreen), t.mode.restore(t.file))
}

func (t *terminal) write(s string) error {
	if s == "" {
		return nil
	}
	_, err := t.file.WriteString(s)
	return err
}

// size is the terminal's present size, the usual one if it does not know.
func (t *terminal) size() size {
	z := measure(t.file)
	if z.width <= 0 {
		z.width = 80
	}
	if z.height <= 0 {
		z.height = 24
	}
	return z
}
