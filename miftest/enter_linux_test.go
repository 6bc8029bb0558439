package miftest_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/go-mif/mif/miftest"
)

// noWait keeps the race detector from resting for a second at exit.
const noWait = "GORACE=atexit_sleep_ms=0"

// outside is the command that runs one test of this binary as if it were not
// inside yet, so that it makes namespaces within these.
func outside(name, step string) *exec.Cmd {
	c := exec.Command("/proc/self/exe", "-test.run=^"+name+"$", "-test.v")
	c.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "MIFTEST_") })
	c.Env = append(c.Env, stepVariable+"="+step, noWait)
	return c
}

func TestEnterStatus(t *testing.T) {
	t.Parallel()
	if os.Getenv(stepVariable) == "status" {
		if miftest.Inside() && miftest.Enter() == nil && os.Getpid() == 1 {
			os.Exit(7)
		}
		os.Exit(8)
	}
	miftest.New(t)
	c := outside("TestEnterStatus", "status")
	if err := c.Run(); c.ProcessState == nil || c.ProcessState.ExitCode() != 7 {
		t.Errorf("%v, want exit status 7", err)
	}
}

func TestEnterSignal(t *testing.T) {
	t.Parallel()
	if os.Getenv(stepVariable) == "signal" {
		got := make(chan os.Signal, 1)
		signal.Notify(got, syscall.SIGTERM)
		fmt.Println("ready")
		<-got
		os.Exit(9)
	}
	miftest.New(t)
	c := outside("TestEnterSignal", "signal")
	out, err := c.StdoutPipe()
	must(t, err)
	must(t, c.Start())
	for s := bufio.NewScanner(out); s.Scan() && s.Text() != "ready"; {
	}
	must(t, c.Process.Signal(syscall.SIGTERM))
	if err := c.Wait(); c.ProcessState.ExitCode() != 9 {
		t.Errorf("%v, want exit status 9", err)
	}
}

// Where no namespace can be made, tests are skipped and the reason is told. The
// limit is set in a user namespace of its own and does no harm outside.
func TestEnterForbidden(t *testing.T) {
	t.Parallel()
	switch os.Getenv(stepVariable) {
	case "forbid":
		must(t, os.WriteFile("/proc/sys/user/max_user_namespaces", []byte("0"), 0o644))
		must(t, os.WriteFile("/proc/sys/user/max_net_namespaces", []byte("0"), 0o644))
		out, err := outside("TestEnterForbidden", "forbidden").CombinedOutput()
		must(t, err)
		fmt.Printf("%s", out)
		return
	case "forbidden":
		if err := miftest.Enter(); err == nil || miftest.Inside() {
			t.Fatal("inside")
		}
		miftest.New(t)
		t.Fatal("not skipped")
	}
	miftest.New(t)
	out, err := outside("TestEnterForbidden", "forbid").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- SKIP: TestEnterForbidden") || !strings.Contains(string(out), "sysctl -w user.max_user_namespaces") {
		t.Errorf("%v\n%s", err, out)
	}
}

// Root needs no user namespace.
func TestEnterByRootAlone(t *testing.T) {
	t.Parallel()
	switch os.Getenv(stepVariable) {
	case "forbid":
		must(t, os.WriteFile("/proc/sys/user/max_user_namespaces", []byte("0"), 0o644))
		c := outside("TestEnterByRootAlone", "enter")
		if out, err := c.CombinedOutput(); c.ProcessState == nil || c.ProcessState.ExitCode() != 5 {
			t.Errorf("%v\n%s", err, out)
		}
		return
	case "enter":
		t.Run("figure 2", func(t *testing.T) { // to its end: os.Exit runs no clean-up
			_, err := miftest.New(t).Figure2()
			must(t, err)
		})
		if t.Failed() || !miftest.Inside() {
			t.FailNow()
		}
		os.Exit(5) // which no skip does
	}
	miftest.New(t)
	if out, err := outside("TestEnterByRootAlone", "forbid").CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
