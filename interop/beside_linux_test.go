package interop

import (
	"context"
	"fmt"
	"net/netip"
	"path/filepath"
	"testing"

	"github.com/go-mif/mif/dhcp"
	"github.com/go-mif/mif/miftest"
)

// A beside is a host with a real client that renews every other second, beside which
// servers are asked as often as it goes.
type beside struct {
	*lab
	capture *miftest.Capture
	asker   *dhcp.Asker
	answers int
}

// newBeside has a host with Kea's servers on its link, and an asker that has been
// asked nothing.
func newBeside(t *testing.T) *beside {
	t.Helper()
	look(t, "kea-dhcp4")
	l := &beside{lab: newLab(t, 1)}
	l.routerIP("address", "add", "2001:db8:1::1/64", "dev", "lan", "nodad")
	l.kea("kea-dhcp4", kea4)
	l.kea("kea-dhcp6", kea6)
	l.must(l.router.SetRA(ra(true)))
	var err error
	l.capture, err = l.router.Capture()
	l.must(err)
	l.asker, err = dhcp.Open(&dhcp.Config{NetNS: l.host.NetNS()})
	l.must(err)
	t.Cleanup(func() { l.asker.Close() })
	return l
}

// question is one from an address in a prefix, once the host has one.
func (l *beside) question(domain, within string) dhcp.Question {
	l.t.Helper()
	h := l.asking()
	var q dhcp.Question
	l.when(h, func() bool {
		for k := range h.Snapshot().Links() {
			for d := range k.Domains() {
				for a := range d.Addresses() {
					if d.ID().String() == domain && netip.MustParsePrefix(within).Contains(a.Prefix.Addr()) {
						q = dhcp.Question{PvD: d.ID(), From: a.Prefix.Addr(), HardwareAddr: [6]byte(k.Interface().HardwareAddr), MTU: 1500}
						return true
					}
				}
			}
		}
		return false
	}, func() string { return fmt.Sprintf("%s has no address in %s", domain, within) })
	return q
}

// ask asks a question over and over, each time anew, until it is enough.
func (l *beside) ask(q dhcp.Question, enough func() bool) {
	l.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	defer cancel()
	for !enough() {
		l.asker.Ask([]dhcp.Question{q})
		got, err := l.asker.Receive(ctx)
		l.must(err)
		if len(got) != 1 || len(got[0].Configuration.DNSServers) == 0 {
			l.t.Fatalf("answered %+v", got)
		}
		l.answers++
		l.asker.Ask(nil)
		_, err = l.asker.Receive(ctx)
		l.must(err)
	}
}

// renewals are how often a client asked for its lease again and was given it, by what
// passed the router: how long a transaction's number is, and what is a request and
// what the grant of one, is the protocol's.
func (l *beside) renewals(request, grant func(p miftest.Packet) (number string, ok bool)) (asked, granted int) {
	open := map[string]bool{}
	for _, p := range l.capture.Packets() {
		if n, ok := request(p); ok && !open[n] {
			open[n] = true
			asked++
		}
		if n, ok := grant(p); ok && open[n] {
			delete(open, n)
			granted++
		}
	}
	return asked, granted
}

// dhcp4 takes messages of one type; a request names the address that is held.
func dhcp4(kind byte, port uint16) func(miftest.Packet) (string, bool) {
	return func(p miftest.Packet) (string, bool) {
		b := p.Payload
		ok := p.Destination.Port() == port && len(b) > 242 && b[242] == kind && (kind != 3 || [4]byte(b[12:16]) != [4]byte{}) && (kind != 5 || [4]byte(b[16:20]) != [4]byte{})
		if !ok {
			return "", false
		}
		return string(b[4:8]), true
	}
}

func dhcp6(kind byte, port uint16) func(miftest.Packet) (string, bool) {
	return func(p miftest.Packet) (string, bool) {
		if p.Destination.Port() != port || len(p.Payload) < 4 || p.Payload[0] != kind {
			return "", false
		}
		return string(p.Payload[1:4]), true
	}
}

// holds: while servers are asked the client renews so often, and is answered.
func (l *beside) holds(q dhcp.Question, enough int, request, grant func(miftest.Packet) (string, bool)) {
	l.t.Helper()
	l.ask(q, func() bool { _, granted := l.renewals(request, grant); return granted >= enough && l.answers >= enough })
	asked, granted := l.renewals(request, grant)
	if asked > granted+1 { // the last may still be under way
		l.t.Errorf("the client renewed %d times and was answered %d times", asked, granted)
	}
	if lost := l.capture.Lost(); lost > 0 {
		l.t.Errorf("%d packets were not captured", lost)
	}
	l.t.Logf("%d answers to questions beside %d renewals", l.answers, granted)
}

// ISC dhclient, by DHCPv4: that each renewal reached it shows in that it asks for the
// next in a transaction of its own, and by unicast still, and in what it says.
func TestBesideDhclient(t *testing.T) {
	t.Parallel()
	l := newBeside(t)
	client := l.dhclient()
	l.holds(l.question("eth0/ipv4", "192.0.2.0/24"), 3, dhcp4(3, 67), dhcp4(5, 68))
	client.count("bound to "+leased, 4)
}

// ISC dhclient, by DHCPv6.
func TestBesideDhclient6(t *testing.T) {
	t.Parallel()
	l := newBeside(t)
	client := l.onHost("dhclient", "-6", "-d", "-cf", l.write("dhclient6.conf", "request dhcp6.name-servers;\n", 0o644),
		"-sf", l.write("dhclient6-script", fmt.Sprintf(script6, l.ip), 0o755),
		"-lf", filepath.Join(l.dir, "dhclient6.leases"), "-pf", filepath.Join(l.dir, "dhclient6.pid"), "eth0")
	client.await("Renew")
	l.holds(l.question("eth0/ipv6", "fe80::/10"), 3, dhcp6(5, 547), dhcp6(7, 546))
	client.count("RCV: Reply message", 4)
}

const script6 = `#!/bin/sh -e
case $reason in
PREINIT6) %[1]s link set dev $interface up ;;
BOUND6|RENEW6) %[1]s -6 address replace $new_ip6_address/128 dev $interface valid_lft $new_max_life preferred_lft $new_preferred_life ;;
esac
`

// busybox udhcpc, which hears renewals at a UDP socket, every fifteen seconds.
func TestBesideUdhcpc(t *testing.T) {
	t.Parallel()
	l := newBeside(t)
	client := l.onHost("busybox", "udhcpc", "-f", "-i", "eth0", "-s", l.write("udhcpc-script", fmt.Sprintf(udhcpcScript, l.ip), 0o755))
	l.holds(l.question("eth0/ipv4", "192.0.2.0/24"), 1, dhcp4(3, 67), dhcp4(5, 68))
	client.count("lease of "+leased+" obtained", 2)
}

const udhcpcScript = `#!/bin/sh -e
case $1 in
bound|renew) %s -4 address replace $ip/$mask dev $interface valid_lft $lease preferred_lft $lease ;;
esac
`

// dhcpcd, which holds its sockets in a process of its own.
func TestBesideDhcpcd(t *testing.T) {
	t.Parallel()
	l := newBeside(t)
	look(t, "dhcpcd")
	client := l.onHost("unshare", "-m", "sh", "-ec", fmt.Sprintf(dhcpcdScript, l.write("dhcpcd.conf", "nodelay\nnoarp\nnodev\n", 0o644)))
	l.holds(l.question("eth0/ipv4", "192.0.2.0/24"), 3, dhcp4(3, 67), dhcp4(5, 68))
	client.count("acknowledged "+leased, 4)
}

// dhcpcdScript gives dhcpcd files of its own, and no user to become.
const dhcpcdScript = `mount --make-rprivate /
mount -t tmpfs run /run
mkdir -p /run/dhcpcd
mount -t tmpfs lib /var/lib/dhcpcd
grep -v dhcpcd /etc/passwd >/run/passwd
mount --bind /run/passwd /etc/passwd
exec dhcpcd -4 -d -B -c /bin/true -f %s eth0
`
