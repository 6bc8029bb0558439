package main

import (
	"fmt"
	"os"
	"os/signal"
	"runtime"

	"golang.org/x/sys/unix"
)

// A mode is how a terminal treats what is typed, from hush to restore.
type mode struct{ was unix.Termios }

func isTerminal(f *os.File) bool {
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}

func measure(f *os.File) size {
	w, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return size{}
	}
	return size{int(w.Col), int(w.Row)}
}

// hush ends the echo of what is typed. Ctrl-C still interrupts.
func (m *mode) hush(f *os.File) error {
	was, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	if err != nil {
		return fmt.Errorf("the terminal's mode: %w", err)
	}
	m.was = *was
	was.Lflag &^= unix.ECHO
	return m.set(f, unix.TCSETS, was)
}

// restore undoes hush, and forgets what was typed meanwhile: it was not meant for
// whoever reads next.
func (m *mode) restore(f *os.File) error { return m.set(f, unix.TCSETSF, &m.was) }

func (*mode) set(f *os.File, request uint, to *unix.Termios) error {
	if err := unix.IoctlSetTermios(int(f.Fd()), request, to); err != nil {
		return fmt.Errorf("the terminal's mode: %w", err)
	}
	return nil
}

// signals are those by which a terminal tells of another size, and of Ctrl-Z.
func (t *terminal) signals() (<-chan os.Signal, func()) {
	c := make(chan os.Signal, 4)
	signal.Notify(c, unix.SIGWINCH, unix.SIGTSTP)
	return c, func() { signal.Stop(c) }
}

// obey stops the program, as Ctrl-Z asks, with the terminal as it was; the shell's fg
// lets it go on.
func (t *terminal) obey(s os.Signal) error {
	if s != unix.SIGTSTP {
		return nil
	}
	if err := t.leave(); err != nil {
		return err
	}
	if err := halt(); err != nil {
		return err
	}
	return t.enter()
}

// halt stops the program. The signal is for the thread that sends it, so that this
// goroutine does not go on while another thread is about to take it.
func halt() error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	return unix.Tgkill(os.Getpid(), unix.Gettid(), unix.SIGSTOP)
}
