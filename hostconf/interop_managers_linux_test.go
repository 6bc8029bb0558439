package hostconf

import (
	"slices"
	"testing"

	"github.com/go-mif/mif/internal/hostlab"
	"github.com/go-mif/mif/pvd"
)

func TestInteropNetworkd(t *testing.T) {
	l := newHostLab(t, "dbus-daemon", "networkctl", "/lib/systemd/systemd-networkd")
	l.open()
	l.Run("extra='Domains=~vpn.example\nDNS=192.0.2.99'\n" + hostlab.StartBus + hostlab.StartNetworkd)
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
	l.Run("serve 192.0.2.55; networkctl renew cl0")
	l.wait("another server", changed)
	l.Run("kill -9 $pid")
	l.wait("the lease file", func(s *State) bool { return changed(s) && !advertised(s) && !six(s) })
	l.Run("manage")
	l.wait("it again", func(s *State) bool { return changed(s) && advertised(s) && six(s) })
}

func TestInteropNetworkManager(t *testing.T) {
	l := newHostLab(t, "dbus-daemon", "NetworkManager", "nmcli")
	l.open()
	l.Run("extra=dns=192.0.2.99\n" + hostlab.StartBus + hostlab.StartNetworkManager)
	l.wait("all elements", func(s *State) bool {
		return four(s) && six(s) && gave(s, pvd.ElementStatic, "192.0.2.99", "") && len(link(s)) == 4
	})
	l.Run("serve 192.0.2.55; nmcli connection up cl0")
	l.wait("another server", changed)
	l.Run("kill -9 $pid")
	l.wait("nothing of the dead", func(s *State) bool { return len(link(s)) == 0 })
	l.Run("manage")
	l.wait("it again", func(s *State) bool { return changed(s) && six(s) })
}

// systemd-resolved is run from where PATH has it: its package must not be
// installed where something else takes care of resolv.conf.
func TestInteropResolved(t *testing.T) {
	l := newHostLab(t, "dbus-daemon", "busctl", "systemd-resolved")
	l.open()
	l.Run(hostlab.PrepareResolved + hostlab.StartBus + "manage\nuntil busctl call org.freedesktop.resolve1 / org.freedesktop.DBus.Peer Ping >/dev/null 2>&1; do sleep 0.1; done")
	l.Run("ask SetLinkDNS 'ia(iay)' $index 1 2 4 192 0 2 53; ask SetLinkDomains 'ia(sb)' $index 2 lab.example false vpn.example true")
	s := l.wait("a server and a domain", func(s *State) bool { return gave(s, pvd.ElementHost, "192.0.2.53", "lab.example") })
	if c := link(s)[0]; len(c.RoutingDomains) != 1 || c.RoutingDomains[0].Value != "vpn.example" || c.DNSServers[0].Source != resolvedSource {
		t.Errorf("got %+v", c)
	}
	l.Run("ask SetLinkDNS 'ia(iay)' $index 1 2 4 192 0 2 54")
	l.wait("another server", func(s *State) bool { return gave(s, pvd.ElementHost, "192.0.2.54", "lab.example") })
	l.Run("kill -9 $pid")
	l.wait("nothing of the dead", func(s *State) bool { return len(link(s)) == 0 })
}

// Without a bus systemd-resolved tells programs without privilege nothing but by its
// file: the socket that it would tell more at is root's.
func TestInteropResolvedWithoutBus(t *testing.T) {
	l := newHostLab(t, "systemd-resolved")
	l.open()
	l.Run(hostlab.PrepareResolved + `
printf '[Resolve]\nDNS=192.0.2.53\nDomains=lab.example\n' > /etc/systemd/resolved.conf
echo nameserver 127.0.0.53 > /etc/resolv.conf
manage`)
	s := l.wait("its servers", func(s *State) bool { return resolver(s) == "192.0.2.53" })
	if !slices.Equal(values(s.Resolver.SearchDomains), []string{"lab.example"}) || s.Resolver.DNSServers[0].Source != resolvedFile {
		t.Errorf("got %+v", s.Resolver)
	}
}
