package main

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/go-mif/mif/miftest"
)

// Whichever way it ends, the terminal is as it was, but for the last table.
func TestTerminal(t *testing.T) {
	t.Parallel()
	n := miftest.New(t)
	for name, end := range map[string]func(s *seat){
		"q":       func(s *seat) { s.press("typed q") },
		"Ctrl-C":  func(s *seat) { s.press("\x03") },
		"SIGTERM": func(s *seat) { must(s.t, s.cmd.Process.Signal(unix.SIGTERM)) },
		"SIGHUP":  func(s *seat) { must(s.t, s.cmd.Process.Signal(unix.SIGHUP)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := sit(t, n.Host(), nil)
			s.awaitText("65536,")
			end(s)
			s.end()
			_, last, _ := strings.Cut(s.shown, usualScreen)
			if !strings.Contains(last, "INTERFACE") || strings.Contains(s.shown, "typed") || !coloured(s.shown) {
				t.Errorf("it leaves behind %q", last)
			}
		})
	}
}

var colour = regexp.MustCompile(`\x1b\[([0-9;]*;)?[34][0-7]m`)

func coloured(s string) bool { return colour.MatchString(s) }

// Ctrl-Z gives the terminal back until the program goes on.
func TestSuspended(t *testing.T) {
	t.Parallel()
	n := miftest.New(t)
	s := sit(t, n.Host(), []string{"NO_COLOR=1"})
	s.awaitText("65536,")
	s.press("\x1a")
	s.await("stop", func() bool { return s.stopped() })
	s.checkRestored()
	s.shown = ""
	must(t, s.cmd.Process.Signal(unix.SIGCONT))
	s.awaitText(otherScreen)
	s.awaitText("65536,")
	s.press("q")
	s.end()
	if coloured(s.shown) {
		t.Error("there are colours in spite of NO_COLOR")
	}
}

// Lines are what one gets that asks for them, or has a terminal that can do no more.
func TestLinesOnTerminal(t *testing.T) {
	t.Parallel()
	n := miftest.New(t)
	for _, c := range []struct {
		environment, args []string
		want              string
	}{
		{nil, []string{"-plain"}, " + lo "},
		{nil, []string{"-json"}, `"message":"InterfaceAnnouncement"`},
		{[]string{"TERM=dumb"}, nil, " + lo "},
		{[]string{"TERM="}, nil, " + lo "},
		{[]string{"TERM=no-such-terminal"}, nil, " + lo "},
		{[]string{"LC_ALL=ja_JP.no-such-characters"}, nil, " + lo "},
	} {
		t.Run(fmt.Sprint(c.environment, c.args), func(t *testing.T) {
			t.Parallel()
			s := sit(t, n.Host(), c.environment, c.args...)
			s.awaitText(c.want)
			s.press("\x03")
			s.await("end", func() bool { return len(s.ended) > 0 })
			if strings.Contains(s.shown, "\x1b") {
				t.Errorf("a terminal is told %q", s.shown)
			}
		})
	}
}
