package main

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/go-mif/mif/examples/internal/program"
	"github.com/go-mif/mif/examples/internal/proxy"
)

// What a command that could not be started ends with, as of env and the shells.
const (
	notStarted = 126
	notFound   = 127
	signalled  = 128 // and its number
)

// during serves while a command runs, and returns how that ended.
func during(s *proxy.Server, l net.Listener, command []string) (status int, err error) {
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx, l) }()
	status, err = execute(command, environment(os.Environ(), l.Addr().String()))
	stop()
	return status, errors.Join(err, <-served)
}

// execute runs a command, passes signals on, and returns its status.
func execute(command, environment []string) (int, error) {
	c := exec.Command(command[0], command[1:]...)
	c.Env = environment
	c.Stdin, c.Stdout, c.Stderr = os.Stdin, os.Stdout, os.Stderr
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, passed...)
	defer signal.Stop(signals)
	if err := c.Start(); err != nil {
		if errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
			return notFound, err
		}
		return notStarted, err
	}
	ended := make(chan struct{})
	defer close(ended)
	go pass(signals, c.Process, ended)
	return status(c.Wait())
}

// pass passes signals to a process until it has ended. On a terminal the command is in
// the same group of processes, and has got what the keys send already.
func pass(signals <-chan os.Signal, to *os.Process, ended <-chan struct{}) {
	there := terminal()
	for {
		select {
		case s := <-signals:
			if !there || s != os.Interrupt && s != syscall.SIGQUIT {
				to.Signal(s) // if it fails, the process has ended
			}
		case <-ended:
			return
		}
	}
}

// terminal tells whether there is a terminal that sends signals.
func terminal() bool {
	f, err := os.Open("/dev/tty")
	if err != nil {
		return false
	}
	f.Close()
	return true
}

// status is what a command ended with, from the error of waiting for it.
func status(err error) (int, error) {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return program.Done, nil
	case !errors.As(err, &exit):
		return program.Failed, err
	}
	if w, ok := exit.Sys().(syscall.WaitStatus); ok && w.Signaled() {
		return signalled + int(w.Signal()), nil
	}
	return exit.ExitCode(), nil
}

// environment is one in which programs use the proxy, for all but this host.
func environment(old []string, address string) []string {
	web, socks := "http://"+address, "socks5h://"+address
	var all []string
	for _, v := range [][2]string{
		{"http_proxy", web}, {"https_proxy", web}, {"all_proxy", socks}, {"no_proxy", "localhost,127.0.0.1,::1"},
	} {
		all = append(all, v[0]+"="+v[1], strings.ToUpper(v[0])+"="+v[1])
	}
	kept := slices.DeleteFunc(slices.Clone(old), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return strings.HasSuffix(strings.ToLower(name), "_proxy")
	})
	return append(kept, all...)
}
