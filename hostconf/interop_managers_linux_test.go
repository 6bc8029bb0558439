package hostconf

import (
	"testing"

	"github.com/go-mif/mif/pvd"
)

const startBus = "dbus-daemon --system --fork --nopidfile\n"

const startNetworkd = `mkdir -p /run/systemd/netif/links /run/systemd/netif/leases /run/systemd/netif/lldp /run/systemd/network
chown -R systemd-network /run/systemd/netif
cat > /run/systemd/network/10-cl0.network <<X
[Match]
Name=cl0
[Network]
DHCP=yes
IPv6AcceptRA=yes
Domains=~vpn.example
DNS=192.0.2.99
[DHCPv4]
UseDomains=yes
[DHCPv6]
UseDomains=yes
[IPv6AcceptRA]
UseDomains=yes
X
manage() { /lib/systemd/systemd-networkd & pid=$!; }
manage
`

func TestInteropNetworkd(t *testing.T) {
	l := newHostLab(t, "dbus-daemon", "networkctl", "/lib/systemd/systemd-networkd")
	l.open()
	l.run(startBus + startNetworkd)
	s := l.wait("all elements", func(s *State) bool {
		return four(s) && six(s) && advertised(s) && gave(s, pvd.ElementStatic, "192.0.2.99", "")
	})
	for _, c := range link(s) {
		for _, d := range c.DNSServers {
			if d.Element == pvd.ElementDHCPv4 && (d.Source != networkdSource || d.Expiry.IsZero()) {
				t.Errorf("got %+v", d)
			}
		}
		for _, d := range c.RoutingDomains {
			if d.Value != "vpn.example" || d.Element != pvd.ElementStatic {
				t.Errorf("got %+v", d)
			}
		}
	}
	l.run("serve 192.0.2.55; networkctl renew cl0")
	l.wait("another server", changed)
	l.run("kill -9 $pid")
	l.wait("the lease file", func(s *State) bool { return changed(s) && !advertised(s) && !six(s) })
	l.run("manage")
	l.wait("it again", func(s *State) bool { return changed(s) && advertised(s) && six(s) })
}

const startNM = `mkdir -p /etc/NetworkManager/system-connections
cat > /run/nm.conf <<X
[main]
plugins=keyfile
dns=none
rc-manager=unmanaged
[connectivity]
enabled=false
X
cat > /etc/NetworkManager/system-connections/cl0.nmconnection <<X
[connection]
id=cl0
uuid=11111111-2222-3333-4444-555555555555
type=ethernet
interface-name=cl0
[ipv4]
method=auto
dns=192.0.2.99
[ipv6]
method=auto
X
chmod 600 /etc/NetworkManager/system-connections/*
manage() { NetworkManager --no-daemon --config /run/nm.conf --config-dir /run/none --system-config-dir /run/none & pid=$!; }
manage
`

func TestInteropNetworkManager(t *testing.T) {
	l := newHostLab(t, "dbus-daemon", "NetworkManager", "nmcli")
	l.open()
	l.run(startBus + startNM)
	l.wait("all elements", func(s *State) bool {
		return four(s) && six(s) && gave(s, pvd.ElementStatic, "192.0.2.99", "") && len(link(s)) == 4
	})
	l.run("serve 192.0.2.55; nmcli connection up cl0")
	l.wait("another server", changed)
	l.run("kill -9 $pid")
	l.wait("nothing of the dead", func(s *State) bool { return len(link(s)) == 0 })
	l.run("manage")
	l.wait("it again", func(s *State) bool { return changed(s) && six(s) })
}

const startResolved = `echo 'systemd-resolve:x:991:991::/:/usr/sbin/nologin' >> /etc/passwd
echo 'systemd-resolve:x:991:' >> /etc/group
mkdir -p /run/systemd/resolve /etc/dbus-1/system.d
chown systemd-resolve:systemd-resolve /run/systemd/resolve
cat > /etc/dbus-1/system.d/resolve.conf <<X
<busconfig>
<policy user="systemd-resolve"><allow own="org.freedesktop.resolve1"/></policy>
<policy context="default"><allow send_destination="org.freedesktop.resolve1"/><allow receive_sender="org.freedesktop.resolve1"/></policy>
</busconfig>
X
index=$(cat /sys/class/net/cl0/ifindex)
manage() { systemd-resolved & pid=$!; }
ask() { busctl call org.freedesktop.resolve1 /org/freedesktop/resolve1 org.freedesktop.resolve1.Manager "$@"; }
`

// systemd-resolved is run from where PATH has it: its package must not be
// installed where something else takes care of resolv.conf.
func TestInteropResolved(t *testing.T) {
	l := newHostLab(t, "dbus-daemon", "busctl", "systemd-resolved")
	l.open()
	l.run(startResolved + startBus + "manage\nuntil busctl call org.freedesktop.resolve1 / org.freedesktop.DBus.Peer Ping >/dev/null 2>&1; do sleep 0.1; done")
	l.run("ask SetLinkDNS 'ia(iay)' $index 1 2 4 192 0 2 53; ask SetLinkDomains 'ia(sb)' $index 2 lab.example false vpn.example true")
	s := l.wait("a server and a domain", func(s *State) bool { return gave(s, pvd.ElementHost, "192.0.2.53", "lab.example") })
	if c := link(s)[0]; len(c.RoutingDomains) != 1 || c.RoutingDomains[0].Value != "vpn.example" || c.DNSServers[0].Source != resolvedSource {
		t.Errorf("got %+v", c)
	}
	l.run("ask SetLinkDNS 'ia(iay)' $index 1 2 4 192 0 2 54")
	l.wait("another server", func(s *State) bool { return gave(s, pvd.ElementHost, "192.0.2.54", "lab.example") })
	l.run("kill -9 $pid")
	l.wait("nothing of the dead", func(s *State) bool { return len(link(s)) == 0 })
}
