package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/go-mif/mif/examples/internal/exampletest"
)

// part is the first argument of a process that is a command for run.
const part = "play-the-command"

func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == part {
		os.Exit(command(os.Args[2:]))
	}
	exampletest.Main(m, main)
}

// command is a program that knows nothing of domains.
func command(args []string) int {
	switch args[0] {
	case "get":
		r, err := http.Get(args[1])
		if err != nil {
			fmt.Println(err)
			return 1
		}
		io.Copy(os.Stdout, r.Body)
		return 0
	case "wait":
		c := make(chan os.Signal, 1)
		signal.Notify(c, syscall.SIGTERM)
		fmt.Println("waiting")
		fmt.Println(<-c)
		return 42
	case "die":
		if p, err := os.FindProcess(os.Getpid()); err == nil {
			p.Kill()
		}
		select {}
	}
	fmt.Println(strings.Join(os.Environ(), "\n"))
	return 0
}

const self = "/proc/self/exe"

func TestManners(t *testing.T) {
	t.Parallel()
	exampletest.Manners(t, "run", map[string][]string{
		"not defined: -x":    {"-x", "true"},
		"COMMAND is missing": {"-pvd", "eth0", "--"},
	})
}

// A command that heeds the variables gets to the target by the domain, whose name it
// could not translate by itself.
func TestDomain(t *testing.T) {
	t.Parallel()
	n, all := exampletest.Sites(t)
	for _, u := range all {
		r := exampletest.RunIn(t, n.Host(), "-v", "-pvd", u.PvD, "--", self, part, "get", "http://"+exampletest.Name)
		exampletest.Came(t, u, u.PvD, r.Out)
		if r.Status != 0 || strings.Count(r.Err, "\n") != 1 || !strings.Contains(r.Err, "pvd="+u.PvD) {
			t.Errorf("status %d, the log is %q", r.Status, r.Err)
		}
	}
}

// On a host with one plain uplink nothing has to be said of domains.
func TestPlainUplink(t *testing.T) {
	t.Parallel()
	n, u := exampletest.Plain(t)
	r := exampletest.RunIn(t, n.Host(), self, part, "get", "http://"+exampletest.Name)
	exampletest.Came(t, u, r.Err, r.Out)
}

// Programs as they are.
func TestPrograms(t *testing.T) {
	t.Parallel()
	for _, command := range [][]string{{"curl", "-sS", "-m", "30"}, {"wget", "-q", "-T", "30", "-t", "1", "-O", "-"}} {
		t.Run(command[0], func(t *testing.T) {
			t.Parallel()
			exampletest.Needs(t, command[0])
			n, all := exampletest.Sites(t)
			r := exampletest.RunIn(t, n.Host(), append(append([]string{"-pvd", "eth1", "--"}, command...), "http://"+exampletest.Name)...)
			exampletest.Came(t, all[1], command[0]+" "+r.Err, r.Out)
		})
	}
}

func TestVariables(t *testing.T) {
	t.Parallel()
	n, _ := exampletest.Sites(t)
	c := exampletest.In(n.Host(), "--", self, part, "print")
	c.Env = append(c.Env, "FTP_Proxy=elsewhere", "no_proxy=.example.com", "kept=yes")
	r := exampletest.Run(t, c, &c.Stdout, &c.Stderr)
	lines := strings.Split(r.Out, "\n")
	i := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, "http_proxy=http://127.0.0.1:") })
	if r.Status != 0 || i < 0 {
		t.Fatalf("status %d\n%s%s", r.Status, r.Out, r.Err)
	}
	address := strings.TrimPrefix(lines[i], "http_proxy=http://")
	for _, want := range []string{"https_proxy=http://" + address, "ALL_PROXY=socks5h://" + address, "NO_PROXY=localhost,127.0.0.1,::1", "kept=yes"} {
		if !slices.Contains(lines, want) {
			t.Errorf("there is no %s", want)
		}
	}
	for _, l := range lines {
		if strings.Contains(l, "elsewhere") || strings.Contains(l, ".example.com") {
			t.Errorf("%s is left", l)
		}
	}
	if _, err := exampletest.Dial(n.Host(), address); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("the proxy is left: %v", err)
	}
}

func TestStatus(t *testing.T) {
	t.Parallel()
	n, _ := exampletest.Sites(t)
	for _, c := range []struct {
		args   []string
		status int
		says   string
	}{
		{[]string{"--", self, part, "print"}, 0, ""},
		{[]string{self, part, "get", "http://127.0.0.1:9/"}, 1, ""},
		{[]string{"--", self, part, "die"}, 128 + int(syscall.SIGKILL), ""},
		{[]string{"--", "/nowhere/command"}, 127, "/nowhere/command"},
		{[]string{"--", "no-such-command"}, 127, "no-such-command"},
		{[]string{"--", n.Host().Root()}, 126, "permission denied"},
		{[]string{"-pvd", "eth9", "--", "true"}, 1, `no provisioning domain "eth9"`},
	} {
		r := exampletest.RunIn(t, n.Host(), c.args...)
		if r.Status != c.status || !strings.Contains(r.Err, c.says) || c.says == "" && r.Err != "" {
			t.Errorf("%q: status %d %q, want %d %q", c.args, r.Status, r.Err, c.status, c.says)
		}
	}
}

// A signal is passed on, and what the command makes of it is its own.
func TestSignal(t *testing.T) {
	t.Parallel()
	n, _ := exampletest.Sites(t)
	c := exampletest.In(n.Host(), "--", self, part, "wait")
	out, err := c.StdoutPipe()
	must(t, err)
	must(t, c.Start())
	t.Cleanup(func() { c.Process.Kill() })
	lines := bufio.NewReader(out)
	_, err = lines.ReadString('\n')
	must(t, err)
	must(t, c.Process.Signal(syscall.SIGTERM))
	if l, err := lines.ReadString('\n'); err != nil || l != "terminated\n" {
		t.Errorf("%q %v", l, err)
	}
	var exit *exec.ExitError
	if err := c.Wait(); !errors.As(err, &exit) || exit.ExitCode() != 42 {
		t.Error(err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
