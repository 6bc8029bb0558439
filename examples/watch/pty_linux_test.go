package main

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/go-mif/mif/examples/internal/exampletest"
	"github.com/go-mif/mif/miftest"
)

// A seat is someone at a terminal in which the example runs.
type seat struct {
	t        *testing.T
	keys     *os.File // the side of the keyboard and the screen
	terminal *os.File // the side of the program
	cmd      *miftest.Cmd
	was      unix.Termios
	shown    string // all that was written
	output   chan string
	ended    chan error
}

func sit(t *testing.T, h *miftest.Host, environment []string, args ...string) *seat {
	t.Helper()
	s := &seat{t: t, output: make(chan string, 1000), ended: make(chan error, 1)}
	s.keys, s.terminal = exampletest.Terminal(t, 100, 40)
	was, err := unix.IoctlGetTermios(int(s.terminal.Fd()), unix.TCGETS)
	must(t, err)
	s.was = *was
	s.cmd = exampletest.In(h, args...)
	s.cmd.Stdin, s.cmd.Stdout, s.cmd.Stderr = s.terminal, s.terminal, s.terminal
	s.cmd.Env = append(s.cmd.Env, append([]string{"TERM=xterm", "NO_COLOR=", "LC_ALL=C.UTF-8"}, environment...)...)
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	must(t, s.cmd.Start())
	t.Cleanup(func() { s.cmd.Process.Kill() })
	go func() { s.ended <- s.cmd.Wait() }()
	go s.read()
	return s
}

func (s *seat) read() {
	b := make([]byte, 1<<16)
	for {
		n, err := s.keys.Read(b)
		if err != nil {
			return
		}
		s.output <- string(b[:n])
	}
}

func (s *seat) press(keys string) {
	s.t.Helper()
	_, err := s.keys.WriteString(keys)
	must(s.t, err)
}

// await reads until something is so.
func (s *seat) await(what string, so func() bool) {
	s.t.Helper()
	timeout := time.After(20 * time.Second)
	look := time.NewTicker(10 * time.Millisecond) // at what is not output
	defer look.Stop()
	for !so() {
		select {
		case o := <-s.output:
			s.shown += o
		case <-look.C:
		case <-timeout:
			s.t.Fatalf("no %s: %q", what, s.shown[max(0, len(s.shown)-2000):])
		}
	}
}

// awaitText waits until the program has written something.
func (s *seat) awaitText(text string) {
	s.t.Helper()
	s.await(text, func() bool { return strings.Contains(s.shown, text) })
}

// end waits until the program has ended, and wants the terminal to be as it was.
func (s *seat) end() {
	s.t.Helper()
	s.await("end", func() bool { return len(s.ended) > 0 })
	if err := <-s.ended; err != nil {
		s.t.Errorf("it ended with %v: %q", err, s.shown)
	}
	s.checkRestored()
}

// What xterm is told: another screen, and the cursor (private modes 1049 and 25).
const (
	otherScreen, usualScreen = "\x1b[?1049h", "\x1b[?1049l"
	noCursor, cursor         = "\x1b[?25l", "\x1b[?25h"
)

func (s *seat) checkRestored() {
	s.t.Helper()
	s.await("restored screen", func() bool {
		return strings.LastIndex(s.shown, usualScreen) > strings.LastIndex(s.shown, otherScreen) &&
			strings.LastIndex(s.shown, cursor) > strings.LastIndex(s.shown, noCursor)
	})
	is, err := unix.IoctlGetTermios(int(s.terminal.Fd()), unix.TCGETS)
	must(s.t, err)
	if *is != s.was {
		s.t.Errorf("the terminal's mode is %+v, was %+v", *is, s.was)
	}
}

// stopped tells whether the program's process is, as Ctrl-Z leaves it.
func (s *seat) stopped() bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.cmd.Process.Pid))
	must(s.t, err)
	_, state, _ := strings.Cut(string(b), ") ")
	return strings.HasPrefix(state, "T")
}
