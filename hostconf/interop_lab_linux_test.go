package hostconf

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-mif/mif/pvd"
)

// prepare builds a host with one link, cl0, to a router that runs dnsmasq. What is
// written to /etc, /run and the like is written to memory, and is gone with it.
const prepare = `set -e
exec 2>&1
mount --make-rprivate /
mount -t proc proc /proc
mount -t sysfs -o ro sysfs /sys
mount -t tmpfs run /run
mkdir -p /run/etc /run/work /run/netns /run/lock /run/dbus /run/dhcpcd
mount -t overlay -o lowerdir=/etc,upperdir=/run/etc,workdir=/run/work overlay /etc
for d in /var/lib/dhcp /var/lib/dhcpcd /var/lib/NetworkManager; do if [ -d $d ]; then mount -t tmpfs lib $d; fi; done
rm -f /etc/resolv.conf
echo 0 > /proc/sys/net/ipv6/conf/default/accept_dad
ip link set lo up
ip netns add r
ip netns exec r sh -c 'echo 0 > /proc/sys/net/ipv6/conf/default/accept_dad; echo 1 > /proc/sys/net/ipv6/conf/all/forwarding'
ip link add cl0 type veth peer name r0 netns r
ip -n r link set r0 up
ip -n r address add 192.0.2.1/24 dev r0
ip -n r address add 2001:db8:1::1/64 dev r0
serve() {
	[ ! -f /run/dnsmasq.pid ] || kill $(cat /run/dnsmasq.pid)
	while [ -f /run/dnsmasq.pid ]; do :; done
	ip netns exec r dnsmasq -C /dev/null -p 0 -i r0 -z -9 -u root -g root -x /run/dnsmasq.pid --no-ping --enable-ra \
		--leasefile-ro --dhcp-authoritative \
		-F 192.0.2.100,192.0.2.200,3600 -F 2001:db8:1::100,2001:db8:1::1ff,64,3600 \
		-O option:dns-server,$1 -O option:domain-search,lab.example,corp.example -O option:ntp-server,192.0.2.123 \
		-O option6:dns-server,[2001:db8:1::53] -O option6:domain-search,lab6.example
}
serve 192.0.2.53
ip link set cl0 up
until [ "$(cat /sys/class/net/cl0/carrier)" = 1 ]; do :; done
set +e
echo prepared
`

// A hostLab is a shell in namespaces of its own, and a Watcher of what it sees.
type hostLab struct {
	*rig
	shell io.WriteCloser
	out   logged
}

// newHostLab skips where a program is missing, or the privilege to build it.
func newHostLab(t *testing.T, programs ...string) *hostLab {
	for _, p := range append(programs, "sh", "ip", "mount", "dnsmasq") {
		if _, err := exec.LookPath(p); err != nil {
			t.Skipf("needs %s: %v", p, err)
		}
	}
	if os.Geteuid() != 0 {
		t.Skip("needs root, to run what runs as root")
	}
	l := &hostLab{rig: newRig(t)}
	l.pace.young, l.pace.quiet = usual().young, usual().quiet
	cmd := exec.Command("sh")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS | syscall.CLONE_NEWPID, Pdeathsig: syscall.SIGKILL}
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = &l.out, &l.out, time.Second
	shell, err := cmd.StdinPipe()
	l.must(err)
	l.shell = shell
	if err := cmd.Start(); errors.Is(err, syscall.EPERM) {
		t.Skipf("needs namespaces: %v", err)
	} else {
		l.must(err)
	}
	t.Cleanup(func() {
		log, _ := os.ReadFile(l.path("/run/log"))
		shell.Close() // it is the first of its processes, so that all end with it
		cmd.Process.Kill()
		cmd.Wait()
		if t.Failed() {
			t.Logf("the lab said:\n%s%s", l.out.String(), log)
		}
	})
	l.run(prepare)
	l.await("prepared")
	l.root = fmt.Sprintf("/proc/%d/root", cmd.Process.Pid)
	return l
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// run has the shell run commands.
func (l *hostLab) run(script string) {
	l.t.Helper()
	_, err := io.WriteString(l.shell, script+"\n")
	l.must(err)
}

func (l *hostLab) await(text string) {
	l.t.Helper()
	for end := time.Now().Add(30 * time.Second); l.out.count(text) == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			l.t.Fatalf("the lab does not say %q", text)
		}
	}
}

// link is all that is known of cl0, whatever it goes by.
func link(s *State) []pvd.Configuration {
	all := slices.Clone(s.Links["cl0"])
	for _, c := range s.ByIndex {
		all = append(all, c...)
	}
	return all
}

// gave tells whether an element gave exactly these servers to cl0, and these domains.
func gave(s *State, element pvd.ElementType, server, search string) bool {
	var servers, domains []string
	for _, c := range link(s) {
		for _, d := range c.DNSServers {
			if d.Element == element {
				servers = append(servers, d.Value.Addr().String())
			}
		}
		for _, d := range c.SearchDomains {
			if d.Element == element {
				domains = append(domains, d.Value)
			}
		}
	}
	return strings.Join(servers, " ") == server && strings.Join(domains, " ") == search
}

// wait receives until a state is as wanted, and tells the last one if none is.
func (l *hostLab) wait(what string, wanted func(*State) bool) *State {
	l.t.Helper()
	last := &State{}
	defer func() {
		if l.t.Failed() {
			l.t.Logf("waiting for %s, last: %+v", what, last)
			for _, s := range l.w.Sources() {
				l.t.Logf("%s %s: %v", s.Name, s.Path, s.Err)
			}
		}
	}()
	return l.until(func(s *State) bool { last = s; return wanted(s) })
}

// four and six are what the router gives over DHCP.
func four(s *State) bool {
	return gave(s, pvd.ElementDHCPv4, "192.0.2.53", "lab.example corp.example")
}

func six(s *State) bool { return gave(s, pvd.ElementDHCPv6, "2001:db8:1::53", "lab6.example") }

func advertised(s *State) bool { return gave(s, pvd.ElementRA, "2001:db8:1::53", "lab6.example") }

// changed is the other server over DHCPv4.
func changed(s *State) bool {
	return gave(s, pvd.ElementDHCPv4, "192.0.2.55", "lab.example corp.example")
}
