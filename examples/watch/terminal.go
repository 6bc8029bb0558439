package main

import (
	"io"
	"os"

	"github.com/gdamore/tcell/v2"
	"golang.org/x/term"
)

// newScreen takes over the terminal that something is written to. It is nil if that is
// none which can show a table.
func newScreen(w io.Writer) tcell.Screen {
	f, ok := w.(*os.File)
	if kind := os.Getenv("TERM"); !ok || !term.IsTerminal(int(f.Fd())) || kind == "" || kind == "dumb" {
		return nil
	}
	s, err := tcell.NewTerminfoScreen()
	if err != nil || s.Init() != nil {
		return nil
	}
	return s
}

// looks are the styles as the screen takes them.
var looks = map[style]tcell.Style{
	usual:  tcell.StyleDefault,
	strong: tcell.StyleDefault.Bold(true),
	faint:  tcell.StyleDefault.Dim(true),
	good:   tcell.StyleDefault.Foreground(tcell.PaletteColor(2)),
	bad:    tcell.StyleDefault.Foreground(tcell.PaletteColor(1)),
	warned: tcell.StyleDefault.Foreground(tcell.PaletteColor(3)),
	named:  tcell.StyleDefault.Foreground(tcell.PaletteColor(6)).Bold(true),
}

// put shows a line in a row of the screen, and nothing behind it. The screen may have
// become smaller meanwhile; what it has no place for takes no width.
func (l line) put(s tcell.Screen, row int, colours bool) {
	width, _ := s.Size()
	column := 0
	for _, part := range l {
		look := tcell.StyleDefault
		if colours {
			look = looks[part.style]
		}
		for rest, wide := part.text, 1; rest != "" && wide > 0 && column < width; column += wide {
			rest, wide = s.Put(column, row, rest, look)
		}
	}
	for ; column < width; column++ {
		s.Put(column, row, " ", tcell.StyleDefault)
	}
}
