package hostconf

import (
	"slices"
	"testing"

	"github.com/go-mif/mif/internal/hostlab"
	"github.com/go-mif/mif/pvd"
)

func TestInteropDhcpcd(t *testing.T) {
	for name, start := range map[string]string{"one link": "dhcp cl0", "host": "dhcp -M cl0"} {
		t.Run(name, func(t *testing.T) {
			l := newHostLab(t, "dhcpcd")
			l.open()
			l.Run(hostlab.Dhcpcd + start)
			s := l.wait("all elements", func(s *State) bool { return four(s) && six(s) && advertised(s) })
			for _, c := range s.Links["cl0"] {
				for _, d := range c.DNSServers {
					if d.Element != pvd.ElementRA && d.Expiry.IsZero() {
						t.Errorf("without an end: %+v", d)
					}
				}
				for _, d := range c.Prefixes {
					if d.Value.Prefix.String() != "2001:db8:1::/64" {
						t.Errorf("prefix: %+v", d)
					}
				}
			}
			if err := l.source(dhcpcdSockets); err != nil {
				t.Error(err)
			}
			l.Run("ip -n r link set r0 down")
			l.wait("nothing without a cable", func(s *State) bool { return len(link(s)) == 0 })
			l.Run("serve 192.0.2.55; ip -n r link set r0 up; ip -n r address replace 2001:db8:1::1/64 dev r0")
			l.wait("another server", changed)
			l.Run("kill -9 $pid")
			l.wait("nothing of the dead", func(s *State) bool { return len(link(s)) == 0 })
			l.Run("rm /run/dhcpcd/*.pid; " + start)
			l.wait("it again", changed)
		})
	}
}

// udhcpc leaves nothing but what its script does; Debian's writes resolv.conf.
func TestInteropUdhcpc(t *testing.T) {
	l := newHostLab(t, "busybox")
	l.open()
	l.Run(`cat > /run/udhcpc <<'X'
#!/bin/sh
[ "$1" = bound ] || [ "$1" = renew ] || exit 0
{ for s in $dns; do echo "nameserver $s"; done; echo "search $search"; } > /etc/resolv.conf.new
mv /etc/resolv.conf.new /etc/resolv.conf
X
chmod +x /run/udhcpc
busybox udhcpc -q -n -i cl0 -O search -s /run/udhcpc`)
	s := l.wait("resolv.conf", func(s *State) bool { return resolver(s) == "192.0.2.53" })
	if !slices.Equal(values(s.Resolver.SearchDomains), []string{"lab.example", "corp.example"}) || len(link(s)) != 0 {
		t.Errorf("got %+v", s)
	}
}
