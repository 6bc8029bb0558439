package connect

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

const installEnv = "CONNECT_TEST_INSTALL"

// A helper is another process in the host's namespace that has installed the routes
// of both domains of oneLink.
type helper struct {
	cmd *exec.Cmd
	in  io.Closer
}

func (l *oneLink) helper(t *testing.T) *helper {
	t.Helper()
	h := &helper{cmd: exec.Command("/proc/self/exe", "-test.run", "^TestAsInstallingChild$")}
	h.cmd.Env = append(os.Environ(), installEnv+"=1")
	h.cmd.Stderr = os.Stderr
	out, err := h.cmd.StdoutPipe()
	l.host.must(err)
	h.in, err = h.cmd.StdinPipe()
	l.host.must(err)
	l.host.do(func() { err = h.cmd.Start() })
	l.host.must(err)
	t.Cleanup(func() { h.end() })
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "installed\n" {
		t.Fatalf("the other process says %q, %v", line, err)
	}
	return h
}

// end lets the process close its Installer; kill does not. Both wait for it.
func (h *helper) end() error { h.in.Close(); return h.cmd.Wait() }

func (h *helper) kill() { h.cmd.Process.Kill(); h.cmd.Wait() }

func TestAsInstallingChild(t *testing.T) {
	if os.Getenv(installEnv) == "" {
		t.Skip("run by the tests of Installer")
	}
	lan, err := net.InterfaceByName("lan")
	if err != nil {
		t.Fatal(err)
	}
	var domains []Domain
	for i := 1; i <= 2; i++ {
		domains = append(domains, Domain{Name: fmt.Sprint("lan/", i), Interface: lan.Index,
			Addresses: addresses(fmt.Sprintf("10.%d.0.2/24 2001:db8:%d::2/64", i, i)),
			Routers:   []netip.Addr{netip.MustParseAddr(fmt.Sprintf("10.%d.0.1", i)), netip.MustParseAddr(fmt.Sprintf("2001:db8:%d::1", i))}})
	}
	i := install(t, "", domains...)
	fmt.Println("installed")
	io.Copy(io.Discard, os.Stdin)
	if err := i.Close(); err != nil {
		t.Error(err)
	}
}

// What a killed process has left is removed by whoever comes next, and nothing of
// the host's own that looks similar.
func TestInstallerSweepsAfterKill(t *testing.T) {
	l := newOneLink(t)
	l.host.route("198.51.100.0/24", "10.1.0.1", "lan", table(77))
	l.host.ruleFrom("10.1.0.2/32", 77)
	l.host.rule("10.2.0.0/24", 77, InstallerPriority) // our number, but not our protocol
	l.host.route("198.51.101.0/24", "10.1.0.1", "lan", table(InstallerTable))
	before := l.host.state()
	l.helper(t).kill()
	rules, routes := l.host.ours()
	if rules == 0 || routes == 0 {
		t.Fatalf("the rig is broken: %d rules, %d routes left", rules, routes)
	}
	i, err := OpenInstaller(l.host.path())
	l.host.must(err)
	l.host.wantState("swept", before)
	l.host.must(i.Install(domainsOf(t, l.d1, l.d2)))
	l.host.must(i.Close())
	l.host.wantState("closed", before)
}

// Leftovers in another slot than one's own are swept as well.
func TestInstallerSweepsOtherSlots(t *testing.T) {
	l := newOneLink(t)
	before := l.host.state()
	first, second := l.helper(t), l.helper(t)
	second.kill()
	i, err := OpenInstaller(l.host.path())
	l.host.must(err)
	l.host.must(i.Close())
	if rules, _ := l.host.ours(); rules != 4 {
		t.Errorf("%d rules, want the 4 of the process that lives", rules)
	}
	wantReached(t, l.d2, "r2")
	third := l.helper(t)
	first.kill()
	third.kill()
	install(t, l.host.path()).Close()
	l.host.wantState("all gone", before)
}

// Two processes with the same domains: neither's coming or going is felt by the
// other.
func TestInstallerTwoProcesses(t *testing.T) {
	l := newOneLink(t)
	before := l.host.state()
	other := l.helper(t)
	alone := l.host.state()
	domains := domainsOf(t, l.d1, l.d2)
	i := install(t, l.host.path(), domains...)
	wantReached(t, l.d2, "r2")
	l.host.must(i.Close())
	l.host.wantState("the other is alone", alone)
	wantReached(t, l.d2, "r2")
	i = install(t, l.host.path(), domains...)
	l.host.must(other.end())
	wantReached(t, l.d1, "r1")
	wantReached(t, l.d2, "r2")
	if rules, _ := l.host.ours(); rules != 4 {
		t.Errorf("%d rules, want 4", rules)
	}
	l.host.must(i.Close())
	l.host.wantState("both gone", before)
}

func TestInstallerSlotsRunOut(t *testing.T) {
	l := newOneLink(t)
	for range slots {
		install(t, l.host.path())
	}
	if i, err := OpenInstaller(l.host.path()); !errors.Is(err, unix.EUSERS) {
		t.Errorf("one more: %v, %v", i, err)
	}
}

func TestInstallerNeedsPrivilege(t *testing.T) {
	u := newUplinks(t)
	var out []byte
	var err error
	u.host.do(func() { out, err = runWithoutCapabilities("^TestAsUnprivilegedInstaller$") })
	if err != nil || !strings.Contains(string(out), "--- PASS: TestAsUnprivilegedInstaller") {
		t.Fatalf("child: %v\n%s", err, out)
	}
}

func TestAsUnprivilegedInstaller(t *testing.T) {
	if os.Getenv(childEnv) == "" {
		t.Skip("run by TestInstallerNeedsPrivilege")
	}
	n := descriptors(t)
	if _, err := OpenInstaller(""); !errors.Is(err, unix.EPERM) || !strings.Contains(err.Error(), "CAP_NET_ADMIN") {
		t.Errorf("OpenInstaller: %v", err)
	}
	if m := descriptors(t); m != n {
		t.Errorf("%d descriptors before, %d after", n, m)
	}
}
