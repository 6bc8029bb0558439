package main

import (
	"errors"

	"github.com/gdamore/tcell/v2"
)

// errEnough tells that whoever is at the terminal has seen enough.
var errEnough = errors.New("enough")

// far is more lines than a table has.
const far = 1 << 30

// obey does what the terminal tells. Another size needs no more than drawing.
func (l *live) obey(e tcell.Event) error {
	switch e := e.(type) {
	case *tcell.EventKey:
		return l.key(e)
	case *tcell.EventError: // such as the end of it
		return e
	}
	return nil
}

func (l *live) key(k *tcell.EventKey) error {
	switch k.Key() {
	case tcell.KeyCtrlC, tcell.KeyCtrlBackslash:
		return errEnough
	case tcell.KeyCtrlZ:
		return suspendAll()
	case tcell.KeyCtrlL:
		l.screen.Sync()
	case tcell.KeyRune:
		if k.Rune() == 'q' {
			return errEnough
		}
	}
	l.scroll(k)
	return nil
}

// scroll moves the table, as far as it is too long; drawing sees to that.
func (l *live) scroll(k *tcell.EventKey) {
	page := max(1, l.size().height/2)
	by := map[tcell.Key]int{
		tcell.KeyUp: -1, tcell.KeyDown: 1, tcell.KeyPgUp: -page, tcell.KeyPgDn: page, tcell.KeyHome: -far, tcell.KeyEnd: far,
	}[k.Key()]
	if k.Key() == tcell.KeyRune {
		by = map[rune]int{'k': -1, 'j': 1, 'b': -page, ' ': page, 'g': -far, 'G': far}[k.Rune()]
	}
	l.top += by
}
