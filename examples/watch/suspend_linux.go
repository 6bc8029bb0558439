package main

import (
	"os"
	"os/signal"
	"runtime"

	"golang.org/x/sys/unix"
)

// suspensions are the signals that ask the program to stop for a while.
func suspensions() (<-chan os.Signal, func()) {
	c := make(chan os.Signal, 1)
	signal.Notify(c, unix.SIGTSTP)
	return c, func() { signal.Stop(c) }
}

// suspendAll asks the program and those that were started with it, such as go run, to
// stop, as the terminal does for Ctrl-Z where a program leaves that to it.
func suspendAll() error { return unix.Kill(0, unix.SIGTSTP) }

// halt stops the program until the shell's fg lets it go on. The signal is for the
// thread that sends it, so that this goroutine does not go on while another thread is
// about to take it.
func halt() error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	return unix.Tgkill(os.Getpid(), unix.Gettid(), unix.SIGSTOP)
}
