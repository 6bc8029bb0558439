package hostlab

// StartBus starts the message bus.
const StartBus = "dbus-daemon --system --fork --nopidfile\n"

// StartNetworkd starts systemd-networkd on the link, with what $extra has for its
// section Network, and sets $pid. It defines manage to do so again. It needs the bus.
const StartNetworkd = `mkdir -p /run/systemd/netif/links /run/systemd/netif/leases /run/systemd/netif/lldp /run/systemd/network
chown -R systemd-network /run/systemd/netif
cat > /run/systemd/network/10-cl0.network <<X
[Match]
Name=cl0
[Network]
DHCP=yes
IPv6AcceptRA=yes
$extra
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

// StartNetworkManager does the same with NetworkManager; $extra is for section ipv4.
const StartNetworkManager = `mkdir -p /etc/NetworkManager/system-connections
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
$extra
[ipv6]
method=auto
X
chmod 600 /etc/NetworkManager/system-connections/*
manage() { NetworkManager --no-daemon --config /run/nm.conf --config-dir /run/none --system-config-dir /run/none & pid=$!; }
manage
`

// PrepareResolved prepares for systemd-resolved; manage starts it, and ask calls it on
// the bus, which is to be started in between.
const PrepareResolved = `echo 'systemd-resolve:x:991:991::/:/usr/sbin/nologin' >> /etc/passwd
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

// Dhcpcd defines dhcp, which starts dhcpcd with more arguments.
const Dhcpcd = `cat > /run/dhcpcd.conf <<X
option domain_name_servers, domain_search, ntp_servers, interface_mtu, classless_static_routes
option dhcp6_name_servers, dhcp6_domain_search
nodelay
noarp
nodev
X
dhcp() { dhcpcd -d -B -c /bin/true -f /run/dhcpcd.conf "$@" >/run/log 2>&1 & pid=$!; }
`
