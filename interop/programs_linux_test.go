package interop

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// An advertised is what radvd is to advertise.
type advertised struct {
	prefixes []prefix
	lifetime int // of the router, in seconds
}

type prefix struct {
	text             string
	preferred, valid int // seconds
}

// often has radvd advertise several times a second, as it is allowed to do for the sake
// of mobile hosts.
const often = "AdvIntervalOpt on; MinDelayBetweenRAs 0.1; MinRtrAdvInterval 0.3; MaxRtrAdvInterval 0.5;"

func (a advertised) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "interface lan {\nAdvSendAdvert on;\n%s\nAdvDefaultLifetime %d;\nAdvLinkMTU 1480;\n", often, a.lifetime)
	for _, p := range a.prefixes {
		fmt.Fprintf(&b, "prefix %s { AdvPreferredLifetime %d; AdvValidLifetime %d; };\n", p.text, p.preferred, p.valid)
	}
	fmt.Fprintf(&b, "RDNSS %s { AdvRDNSSLifetime 1200; };\nDNSSL six.example.com { AdvDNSSLLifetime 1200; };\n};\n", dns6)
	return b.String()
}

// radvd starts radvd on the router.
func (l *lab) radvd(a advertised) *daemon {
	l.t.Helper()
	config := l.advertise(a)
	return l.onRouter("radvd", "-n", "-m", "stderr", "-C", config, "-p", filepath.Join(l.dir, "radvd.pid"))
}

// advertise writes radvd's configuration, which it reads at its start and by SIGHUP.
func (l *lab) advertise(a advertised) string {
	l.t.Helper()
	return l.write("radvd.conf", a.String(), 0o600)
}

// dnsmasq starts dnsmasq on the router and waits until it serves.
func (l *lab) dnsmasq() *daemon {
	l.t.Helper()
	d := l.onRouter("dnsmasq", "--no-daemon", "--user=root", "--group=", "--conf-file=/dev/null",
		"--pid-file="+filepath.Join(l.dir, "dnsmasq.pid"), "--dhcp-leasefile="+filepath.Join(l.dir, "dnsmasq.leases"),
		"--no-resolv", "--no-hosts", "--no-ping", "--dhcp-authoritative",
		"--bind-interfaces", "--listen-address="+gateway, "--listen-address="+dns6,
		"--dhcp-range="+leased+","+leased+",1h",
		"--dhcp-option=option:dns-server,"+gateway,
		"--dhcp-option=option:domain-search,four.example.com,example.net",
		"--dhcp-option=option:ntp-server,"+timeserver,
		"--log-queries",
		"--address=/www.example.com/"+target4, "--address=/www.example.com/"+target6,
		"--address=/intra.four.example.com/"+target4)
	d.await("cleared cache")
	return d
}

const dhclientConf = `
request subnet-mask, broadcast-address, routers, domain-name-servers, domain-search, ntp-servers;
timeout 30;
retry 1;
initial-interval 1;
`

// script is what a dhclient-script does, less everything that is about files of the host.
const script = `#!/bin/sh -e
ip=%s
case $reason in
PREINIT)
	$ip link set dev $interface up ;;
BOUND|RENEW|REBIND|REBOOT)
	if [ -n "$old_ip_address" ] && [ "$old_ip_address" != "$new_ip_address" ]; then
		$ip -4 address flush dev $interface
	fi
	$ip -4 address replace $new_ip_address/$new_subnet_mask broadcast $new_broadcast_address dev $interface \
		valid_lft $new_dhcp_lease_time preferred_lft $new_dhcp_lease_time
	$ip -4 route replace default via $new_routers dev $interface ;;
EXPIRE|FAIL|RELEASE|STOP)
	$ip -4 address flush dev $interface ;;
esac
`

// dhclient starts ISC dhclient on the host, with its leases where Debian has them.
func (l *lab) dhclient(more ...string) *daemon {
	l.t.Helper()
	leases := filepath.Join(l.host.Root(), "var/lib/dhcp")
	l.must(os.MkdirAll(leases, 0o755))
	return l.onHost("dhclient", append(more, "-4", "-d",
		"-cf", l.write("dhclient.conf", dhclientConf, 0o644),
		"-sf", l.write("dhclient-script", fmt.Sprintf(script, l.ip), 0o755),
		"-lf", filepath.Join(leases, "dhclient.eth0.leases"),
		"-pf", filepath.Join(l.dir, "dhclient.pid"), "eth0")...)
}
