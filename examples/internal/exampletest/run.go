// Package exampletest runs an example in its tests: as a process of its own, which is
// the test binary again, so that the race detector and the coverage see it.
package exampletest

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/go-mif/mif/miftest"
)

// variable is set in the processes that are the example.
const variable = "MIF_EXAMPLE"

// Main is what TestMain calls: it runs the tests in namespaces of their own, or is
// the example.
func Main(m *testing.M, main func()) {
	BeExample(main)
	miftest.Main(m)
}

// BeExample is the example, and does not return, in a process that is meant to be it.
func BeExample(main func()) {
	if os.Getenv(variable) == "1" {
		main()
		os.Exit(0)
	}
}

// self stands for the test binary wherever it is.
const self = "/proc/self/exe"

// In returns the command that runs the example in a host, with its files.
func In(h *miftest.Host, args ...string) *miftest.Cmd {
	c := h.Command(self, append([]string{"-root", h.Root()}, args...)...)
	c.Env = environment()
	return c
}

// environment makes a process the example. The race detector would have it wait a
// second before it ends.
func environment() []string { return append(os.Environ(), variable+"=1", "GORACE=atexit_sleep_ms=0") }

// Command returns the command that runs the example where the test is.
func Command(args ...string) *exec.Cmd {
	c := exec.Command(self, args...)
	c.Env = environment()
	return c
}

// Outside returns the command that runs the example as if it were in no namespaces of
// a test yet.
func Outside(args ...string) *exec.Cmd {
	c := Command(args...)
	c.Env = slices.DeleteFunc(c.Env, func(v string) bool { return strings.HasPrefix(v, "MIFTEST_") })
	return c
}

// A Result is how an example ended.
type Result struct {
	Out, Err string
	Status   int
}

// A Runner is a command.
type Runner interface{ Run() error }

// Run runs a command, whose standard output and error are given by their addresses.
// It may be called from any goroutine of a test.
func Run(t testing.TB, c Runner, out, errs *io.Writer) Result {
	t.Helper()
	var o, e bytes.Buffer
	*out, *errs = &o, &e
	r := Result{}
	var exit *exec.ExitError
	switch err := c.Run(); {
	case errors.As(err, &exit):
		r.Status = exit.ExitCode()
	case err != nil:
		t.Error(err)
		r.Status = -1
	}
	r.Out, r.Err = o.String(), e.String()
	if strings.Contains(r.Err, "DATA RACE") {
		t.Errorf("%s", r.Err)
	}
	return r
}

// RunIn runs the example in a host.
func RunIn(t testing.TB, h *miftest.Host, args ...string) Result {
	t.Helper()
	c := In(h, args...)
	return Run(t, c, &c.Stdout, &c.Stderr)
}

// RunHere runs the example where the test is.
func RunHere(t testing.TB, args ...string) Result {
	t.Helper()
	c := Command(args...)
	return Run(t, c, &c.Stdout, &c.Stderr)
}

// Needs skips a test where a program is not installed.
func Needs(t testing.TB, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		t.Skip(program + " is not installed")
	}
}
