package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/go-mif/mif/examples/internal/exampletest"
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

// A terminal emulator that others wrote shows the table, and follows its size.
func TestTmux(t *testing.T) {
	t.Parallel()
	exampletest.Needs(t, "tmux")
	n := miftest.New(t)
	_, err := n.Figure2()
	must(t, err)
	socket := filepath.Join(t.TempDir(), "tmux")
	tmux := func(args ...string) string {
		t.Helper()
		c := n.Host().Command("tmux", append([]string{"-u", "-f", "/dev/null", "-S", socket}, args...)...)
		c.Env = append(exampletest.In(n.Host()).Env, "LC_ALL=C.UTF-8", "NO_COLOR=")
		out, err := c.CombinedOutput()
		if err != nil {
			t.Fatalf("%q: %v %s", args, err, out)
		}
		return string(bytes.TrimRight(out, "\n"))
	}
	self, err := os.Executable()
	must(t, err)
	tmux("new-session", "-d", "-x", "100", "-y", "40", self, "-root", n.Host().Root(), ";", "set", "remain-on-exit", "on")
	defer tmux("kill-server")
	await := func(pattern string) {
		t.Helper()
		for end := time.Now().Add(20 * time.Second); ; {
			screen := tmux("capture-pane", "-p")
			if regexp.MustCompile(pattern).MatchString(screen) {
				return
			}
			if time.Now().After(end) {
				t.Fatalf("no %q in\n%s", pattern, screen)
			}
		}
	}
	await(`(?ms)^INTERFACE .* VALID$.*^eth0 +up, veth.*^  wlan0/ipv6 +ipv6$.*^── events ─+$.*2001:db8:2::/64$`)
	tmux("resize-window", "-x", "70", "-y", "12")
	await(`(?ms)^3 interfaces.*^… 0 lines above, \d+ below: arrows, PgUp, PgDn$`)
	tmux("send-keys", "End")
	await(`(?m)^… \d+ lines above, 0 below`)
	tmux("send-keys", "q")
	await(`(?ms)^lo .*Pane is dead`)
}
