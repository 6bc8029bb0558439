package hostconf

import (
	"fmt"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/godbus/dbus/v5"

	"github.com/go-mif/mif/pvd"
)

// A fakeNetworkd answers for systemd-networkd on a bus.
type fakeNetworkd struct {
	*fakeBus
	servers map[int32]string // by link, the last octet of one
	asked   atomic.Int32
}

func (r *rig) networkd() *fakeNetworkd {
	r.mkdir("/run/systemd/netif/links")
	n := &fakeNetworkd{fakeBus: r.bus(), servers: map[int32]string{7: "1", 12: "12"}}
	type link struct {
		Index int32
		Name  string
		Path  dbus.ObjectPath
	}
	n.answer(networkdName+" ListLinks", func([]any) []any {
		var all []link
		for i := range n.servers {
			all = append(all, link{i, "x", networkdPath})
		}
		return []any{all}
	})
	n.answer(networkdName+" DescribeLink", func(args []any) []any {
		n.asked.Add(1)
		return []any{fmt.Sprintf(`{"DNS":[{"Address":[192,0,2,%s],"ConfigSource":"DHCPv4"}]}`, n.servers[args[0].(int32)])}
	})
	return n
}

func (n *fakeNetworkd) set(link int32, server string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.servers[link] = server; server == "" {
		delete(n.servers, link)
	}
}

func TestNetworkd(t *testing.T) {
	r := newRig(t)
	n := r.networkd()
	r.open()
	s := r.receive()
	if !seven(s, "192.0.2.1") || len(s.ByIndex[12]) != 1 {
		t.Fatalf("at first: %+v", s)
	}
	if d := s.ByIndex[7][0].DNSServers[0]; d.Element != pvd.ElementDHCPv4 || d.Source != networkdSource {
		t.Errorf("got %+v", d)
	}
	n.set(7, "2")
	n.changed("/org/freedesktop/network1/link/_37", networkdName+".Link")
	r.until(func(s *State) bool { return seven(s, "192.0.2.2") })
	if got := n.asked.Load(); got != 3 { // two, and the one that changed
		t.Errorf("asked %d times", got)
	}
	n.set(12, "13")
	n.changed("/org/freedesktop/network1/link/_312", networkdName+".Link")
	r.until(func(s *State) bool { return s.ByIndex[12][0].DNSServers[0].Value.Addr().String() == "192.0.2.13" })
	n.set(12, "")
	n.changed("/org/freedesktop/network1", networkdName+".Manager")
	r.until(func(s *State) bool { return len(s.ByIndex) == 1 })
}

// A lease can change without a signal, but not without a file.
func TestNetworkdFiles(t *testing.T) {
	r := newRig(t)
	r.write("/run/systemd/netif/links/7", "ADMIN_STATE=configured\n")
	n := r.networkd()
	r.open()
	r.receive()
	n.set(7, "2")
	r.write("/run/systemd/netif/links/7", "ADMIN_STATE=configured\nDNS=192.0.2.2\n")
	r.until(func(s *State) bool { return seven(s, "192.0.2.2") })
}

// What networkd says itself counts more than its lease files, which count as long
// as it says nothing.
func TestNetworkdFallsBack(t *testing.T) {
	r := newRig(t)
	r.write("/run/systemd/netif/leases/7", networkdLease)
	r.open()
	lease := func(s *State) bool {
		return len(s.ByIndex[7]) == 1 && s.ByIndex[7][0].DNSServers[0].Source == "/run/systemd/netif/leases/7"
	}
	if s := r.receive(); !lease(s) {
		t.Fatalf("at first: %+v", s)
	}
	n := r.networkd()
	r.until(func(s *State) bool { return seven(s, "192.0.2.1") })
	n.die()
	r.until(lease)
}

// The one that manages a link counts, by whatever name the link goes.
func TestPrecedence(t *testing.T) {
	r := newRig(t)
	r.write("/sys/class/net/eth0/ifindex", "7\n")
	r.write(leasesFile, leaseWith("192.0.2.77"))
	r.write("/run/systemd/netif/leases/7", networkdLease)
	d := r.dhcpcd(bound("eth0", "192.0.2.3"))
	r.open()
	if s := r.receive(); !server4(s, "192.0.2.3") || len(s.ByIndex) != 0 || len(s.Links["eth0"]) != 1 {
		t.Fatalf("dhcpcd over leases: %+v", s)
	}
	n := r.networkd()
	if s := r.until(func(s *State) bool { return seven(s, "192.0.2.1") }); len(s.Links) != 0 {
		t.Errorf("networkd over dhcpcd: %+v", s)
	}
	n.leave()
	d.leave()
	s := r.until(func(s *State) bool { return server4(s, "192.0.2.77") })
	if !slices.ContainsFunc(s.ByIndex[7], func(c pvd.Configuration) bool { return len(c.DNSServers) > 0 }) {
		t.Errorf("leases: %+v", s)
	}
}
