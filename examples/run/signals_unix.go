//go:build unix

package main

import (
	"os"
	"syscall"
)

// passed are the signals that are passed on.
var passed = []os.Signal{
	syscall.SIGHUP, os.Interrupt, syscall.SIGQUIT, syscall.SIGTERM, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGCONT,
}
