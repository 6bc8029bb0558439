package hosts

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-mif/mif/internal/hostlab"
)

// patience bounds every wait: dhcpcd is not asked before it has run for ten seconds.
const patience = 60 * time.Second

// hosts are what makes a lab's host one of each kind, and what that takes.
var hosts = [kinds]struct {
	programs []string
	kernel   bool // heeds Router Advertisements; managers switch that off and do it themselves
	script   string
}{
	laptop: {programs: []string{"dbus-daemon", "NetworkManager"}, script: hostlab.StartBus + hostlab.StartNetworkManager},
	server: {programs: []string{"dbus-daemon", "/lib/systemd/systemd-networkd"}, script: hostlab.StartBus + hostlab.StartNetworkd},
	gateway: {programs: []string{"dhcpcd"}, script: hostlab.Dhcpcd + `
echo option dhcp6_ntp_server >> /run/dhcpcd.conf
dhcp -M cl0`},
	box:  {programs: []string{"dhclient"}, kernel: true, script: dhclient},
	stub: {programs: []string{"dbus-daemon", "busctl", "systemd-resolved", "busybox"}, kernel: true, script: hostlab.PrepareResolved + hostlab.StartBus + udhcpc},
	container: {script: `ip address add 192.0.2.100/24 dev cl0
ip address add 2001:db8:1::100/64 dev cl0 nodad
ip route add default via 192.0.2.1
ip -6 route add default via 2001:db8:1::1
printf 'nameserver 192.0.2.53\nnameserver 2001:db8:1::54\nsearch lab.example corp.example\n' > /etc/resolv.conf`},
}

// dhclient runs once for each family; its script does what Debian's does, resolv.conf
// included: that says nothing that the leases do not.
const dhclient = `cat > /run/dhclient.conf <<'X'
option rfc3442-classless-static-routes code 121 = array of unsigned integer 8;
request subnet-mask, routers, domain-name, domain-name-servers, domain-search, ntp-servers, interface-mtu,
	rfc3442-classless-static-routes, dhcp6.name-servers, dhcp6.domain-search;
initial-interval 1;
X
cat > /run/dhclient-script <<'X'
#!/bin/sh
case $reason in
BOUND|RENEW)
	ip -4 address replace $new_ip_address/$new_subnet_mask dev $interface valid_lft $new_dhcp_lease_time preferred_lft $new_dhcp_lease_time
	ip -4 route replace default via 192.0.2.1 dev $interface
	{ echo "search $new_domain_search"; for s in $new_domain_name_servers; do echo "nameserver $s"; done; } > /run/resolv4 ;;
BOUND6|RENEW6)
	ip -6 address replace $new_ip6_address/128 dev $interface valid_lft $new_max_life preferred_lft $new_preferred_life
	for s in $new_dhcp6_name_servers; do echo "nameserver $s"; done > /run/resolv6 ;;
esac
cat /run/resolv[46] > /run/resolv.$$ && mv /run/resolv.$$ /etc/resolv.conf
X
chmod +x /run/dhclient-script
for family in 4 6; do
	dhclient -$family -d -cf /run/dhclient.conf -sf /run/dhclient-script -lf /var/lib/dhcp/dhclient$family.cl0.leases -pf /run/dhclient$family.pid cl0 >> /run/log 2>&1 &
done`

// udhcpc leaves no file, and its script hands systemd-resolved what it was given.
const udhcpc = `cat > /run/udhcpc <<'X'
#!/bin/sh
[ "$1" = bound ] || [ "$1" = renew ] || exit 0
tell() { busctl call org.freedesktop.resolve1 /org/freedesktop/resolve1 org.freedesktop.resolve1.Manager "$@"; }
ip -4 address replace $ip/$mask dev $interface valid_lft $lease preferred_lft $lease
ip -4 route replace default via $router dev $interface
index=$(cat /sys/class/net/$interface/ifindex)
tell SetLinkDNS 'ia(iay)' $index 1 2 4 $(echo $dns | tr . ' ')
n=0; domains=; for d in $search; do n=$((n+1)); domains="$domains $d false"; done
tell SetLinkDomains 'ia(sb)' $index $n $domains
X
chmod +x /run/udhcpc
` + ready + `
busybox udhcpc -q -n -i cl0 -O search -s /run/udhcpc`

// One and the same network is told of in the same way by all kinds of host, as far as
// each knows it, to a program without any privilege and to one with CAP_NET_RAW.
func TestSixHosts(t *testing.T) {
	var table [kinds][2]told // unprivileged, privileged
	t.Run("hosts", func(t *testing.T) {
		for kind, h := range hosts {
			t.Run(kindNames[kind], func(t *testing.T) {
				t.Parallel()
				l := hostlab.New(t, offers, append(h.programs, "setpriv", "go")...)
				table[kind] = newHost(t, l, h.kernel).settle(kind, h.script)
			})
		}
	})
	t.Logf("measured:\n%s", measured(&table))
}

// Where systemd-resolved is beside a manager, as on most laptops and many servers, it
// has from that what it knows, and nothing is told twice.
func TestBesideResolved(t *testing.T) {
	for kind, script := range map[int]string{
		laptop: strings.Replace(hostlab.StartNetworkManager, "dns=none", "dns=systemd-resolved", 1),
		server: hostlab.StartNetworkd,
	} {
		t.Run(kindNames[kind], func(t *testing.T) {
			t.Parallel()
			l := hostlab.New(t, offers, append(hosts[kind].programs, "setpriv", "go", "busctl", "systemd-resolved")...)
			h := newHost(t, l, false)
			h.Run("echo nameserver 127.0.0.53 > /etc/resolv.conf\n" + hostlab.PrepareResolved + hostlab.StartBus + ready + script + knowing)
			h.Await("it was told")
			h.settle(kind, "")
		})
	}
}

// ready starts systemd-resolved and waits for it.
const ready = `manage
until busctl call org.freedesktop.resolve1 / org.freedesktop.DBus.Peer Ping >/dev/null 2>&1; do sleep 0.1; done
`

// knowing waits until a manager has told systemd-resolved of its three servers.
const knowing = `until busctl get-property org.freedesktop.resolve1 /org/freedesktop/resolve1 org.freedesktop.resolve1.Manager DNS | grep -q '^a(iiay) 3 '; do sleep 0.1; done
echo it was told`

// A host is a lab with two watches.
type host struct {
	*hostlab.Lab
	t *testing.T
}

const (
	counted    = "/run/advertisements"
	nobody     = "setpriv --reuid=65534 --regid=65534 --clear-groups"
	everything = "--bounding-set=-all --inh-caps=-all --ambient-caps=-all"
	only       = "--bounding-set=-all,+net_raw --inh-caps=-all,+net_raw --ambient-caps=-all,+net_raw"
)

var streams = [2]string{"/run/unprivileged.json", "/run/privileged.json"}

func newHost(t *testing.T, l *hostlab.Lab, kernel bool) *host {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	watch := buildWatch(t)
	if !kernel {
		l.Run("echo 0 > /proc/sys/net/ipv6/conf/cl0/accept_ra; ip -6 address flush dev cl0 scope global; ip -6 route flush proto ra")
	}
	l.Run(fmt.Sprintf("HOSTS_ADVERTISE='r0 %s' ip netns exec r %s &", counted, self))
	for i, capabilities := range []string{everything, only} {
		l.Run(fmt.Sprintf("%s %s %s -json > %s 2>> /run/log &", nobody, capabilities, watch, streams[i]))
	}
	return &host{Lab: l, t: t}
}

// settle starts what manages the host, waits until the watches tell what they should,
// and then until more advertisements have come: what is told must stay so.
func (h *host) settle(kind int, script string) (all [2]told) {
	h.t.Helper()
	h.Run(script)
	for i, stream := range streams {
		all[i] = h.until(func() (told, string) { return h.compare(stream, kind, i == 1) })
	}
	before := h.advertised()
	h.until(func() (told, string) { return nil, strings.Repeat("wait", max(0, before+5-h.advertised())) })
	for i, stream := range streams {
		if _, wrong := h.compare(stream, kind, i == 1); wrong != "" {
			h.t.Errorf("%s did not stay:\n%s", stream, wrong)
		}
	}
	return all
}

func (h *host) compare(stream string, kind int, privileged bool) (told, string) {
	b, _ := os.ReadFile(h.Root + stream)
	t, err := listen(b)
	if err != nil {
		h.t.Fatal(err)
	}
	return t, t.differ(kind, privileged)
}

// advertised is how many advertisements were sent.
func (h *host) advertised() int {
	info, err := os.Stat(h.Root + counted)
	if err != nil {
		return 0
	}
	return int(info.Size())
}

// until asks again and again until nothing is wrong.
func (h *host) until(ask func() (told, string)) told {
	h.t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		t, wrong := ask()
		if wrong == "" {
			return t
		}
		if time.Now().After(end) {
			h.t.Fatal(wrong)
		}
	}
}

// built is the program under test, built once.
var built struct {
	sync.Once
	dir string
	err error
}

func buildWatch(t *testing.T) string {
	t.Helper()
	built.Do(func() {
		if built.dir, built.err = os.MkdirTemp("", "hosts"); built.err != nil {
			return
		}
		os.Chmod(built.dir, 0o755) // for whom it runs as
		out, err := exec.Command("go", "build", "-buildvcs=false", "-o", built.dir, "github.com/go-mif/mif/examples/watch").CombinedOutput()
		if err != nil {
			built.err = fmt.Errorf("building watch: %w\n%s", err, out)
		}
	})
	if built.err != nil {
		t.Fatal(built.err)
	}
	return filepath.Join(built.dir, "watch")
}

// measured is the table of what was told.
func measured(table *[kinds][2]told) string {
	var b strings.Builder
	b.WriteString("| | " + strings.Join(kindNames[:], " | ") + " |\n|---" + strings.Repeat("|---", kinds) + "|\n")
	for _, row := range truths {
		b.WriteString("| " + row.fact)
		for kind := range table {
			cell := strings.Join(table[kind][1][row.fact], " ")
			if cell != "" && len(table[kind][0][row.fact]) == 0 {
				cell += "\\*"
			}
			b.WriteString(" | " + cell)
		}
		b.WriteString(" |\n")
	}
	return b.String()
}
