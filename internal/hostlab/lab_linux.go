package hostlab

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience bounds every wait. It is reached only when something is broken.
const patience = 30 * time.Second

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
ip -n r address add fe80::1/64 dev r0
serve() {
	[ ! -f /run/dnsmasq.pid ] || kill $(cat /run/dnsmasq.pid)
	while [ -f /run/dnsmasq.pid ]; do :; done
	ip netns exec r dnsmasq -C /dev/null -p 0 -i r0 -z -9 -u root -g root -x /run/dnsmasq.pid --no-ping \
		--leasefile-ro --dhcp-authoritative \
		-F 192.0.2.100,192.0.2.200,3600 -F 2001:db8:1::100,2001:db8:1::1ff,64,3600 \
		-O option:dns-server,$1 -O option:domain-search,lab.example,corp.example -O option:ntp-server,192.0.2.123 $offer
}
serve 192.0.2.53
ip link set cl0 up
until [ "$(cat /sys/class/net/cl0/carrier)" = 1 ]; do :; done
set +e
echo prepared
`

// A Lab is a host, and a shell in it that is root there. It is for one goroutine.
type Lab struct {
	Root string // a directory that stands for / of the host

	t     *testing.T
	shell io.WriteCloser
	out   output
}

// New builds a lab, which ends with the test. The router runs dnsmasq, which gives
// addresses of both families, 192.0.2.53 as the name server of IPv4, its search
// domains and its NTP server, and what else the arguments in offer say. Have shell
// function serve give another name server: serve 192.0.2.54.
//
// New skips the test where one of the programs is missing, or root, or namespaces.
func New(t *testing.T, offer string, programs ...string) *Lab {
	t.Helper()
	for _, p := range append(programs, "sh", "ip", "mount", "dnsmasq") {
		if _, err := exec.LookPath(p); err != nil {
			t.Skipf("needs %s: %v", p, err)
		}
	}
	if os.Geteuid() != 0 {
		t.Skip("needs root, to run what runs as root")
	}
	l := &Lab{t: t, out: output{more: make(chan struct{}, 1)}}
	l.start()
	l.Run("offer='" + offer + "'\n" + prepare)
	l.Await("prepared")
	return l
}

func (l *Lab) start() {
	cmd := exec.Command("sh")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS | syscall.CLONE_NEWPID, Pdeathsig: syscall.SIGKILL}
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = &l.out, &l.out, time.Second
	shell, err := cmd.StdinPipe()
	if err != nil {
		l.t.Fatal(err)
	}
	if err := cmd.Start(); errors.Is(err, syscall.EPERM) {
		l.t.Skipf("needs namespaces: %v", err)
	} else if err != nil {
		l.t.Fatal(err)
	}
	l.shell, l.Root = shell, fmt.Sprintf("/proc/%d/root", cmd.Process.Pid)
	l.t.Cleanup(func() {
		log, _ := os.ReadFile(l.Root + "/run/log")
		shell.Close() // it is the first of its processes, so that all end with it
		cmd.Process.Kill()
		cmd.Wait()
		if l.t.Failed() {
			l.t.Logf("the lab said:\n%s%s", l.out.String(), log)
		}
	})
}

// Run has the shell run commands, and does not wait for them.
func (l *Lab) Run(script string) {
	l.t.Helper()
	if _, err := io.WriteString(l.shell, script+"\n"); err != nil {
		l.t.Fatal(err)
	}
}

// Await waits until commands have written some text.
func (l *Lab) Await(text string) {
	l.t.Helper()
	for late := time.After(patience); !strings.Contains(l.out.String(), text); {
		select {
		case <-l.out.more:
		case <-late:
			l.t.Fatalf("the lab does not say %q", text)
		}
	}
}

// output is what the shell and its children wrote.
type output struct {
	more chan struct{} // holds a token when there is more than was looked at
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	select {
	case o.more <- struct{}{}:
	default:
	}
	return o.text.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}
