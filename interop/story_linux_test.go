package interop

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
)

const (
	prefix1 = "2001:db8:1::/64"
	prefix2 = "2001:db8:2::/64"
)

// A host's day: it starts, is renumbered, loses its cable, loses its interface and gets
// another one of the same name and index; each with few and with many interfaces.
func TestStory(t *testing.T) {
	for _, interfaces := range []int{1, 100, 1000} {
		t.Run(fmt.Sprint(interfaces), func(t *testing.T) {
			if interfaces > 100 && testing.Short() {
				t.Skip("1,000 interfaces take a while")
			}
			t.Parallel()
			newStory(t, interfaces).play(interfaces)
		})
	}
}

// A story is a lab, the programs in it, and who watches.
type story struct {
	*lab
	*watch
	index    int
	programs []*daemon
	radvd    *daemon
}

func newStory(t *testing.T, interfaces int) *story {
	s := &story{lab: newLab(t, interfaces)}
	s.watch = s.lab.watch()
	return s
}

func (s *story) play(interfaces int) {
	s.listing(interfaces)
	s.start()
	s.renumbering()
	s.quiet()
	s.secondWatcher()
	s.cable()
	s.removal()
	s.recreation()
	s.exchange()
}

// listing: the interfaces that are there are told at once.
func (s *story) listing(interfaces int) {
	s.until("first listing", func(l line) bool { return l.Message == "Synced" && l.Request == "AnnounceInterfaces" })
	if got := len(s.model.interfaces); got != interfaces+1 {
		s.lab.t.Errorf("%d interfaces were listed, want %d and the loopback", got, interfaces)
	}
	index, err := s.host.Index("eth0")
	s.must(err)
	s.index = index
}

// run starts the router's programs and the host's client.
func (s *story) run(a advertised) {
	s.radvd = s.lab.radvd(a)
	s.programs = []*daemon{s.radvd, s.dnsmasq(), s.dhclient()}
}

// quit ends them.
func (s *story) quit() {
	for _, d := range s.programs {
		d.end(syscall.SIGTERM)
	}
}

// start: both domains come, with all that the programs give.
func (s *story) start() {
	s.run(advertised{prefixes: []prefix{{prefix1, 1800, 3600}}, lifetime: 1800})
	s.settle("start", s.addresses(prefix1), wanted(byDHCP(), s.byRA([]string{prefix1}, nil)))
	s.ends()
}

// addresses are those that the host has once all works.
func (s *story) addresses(current string) facts {
	f := facts{}
	f.addAddress("eth0", "ipv4", leased+"/24", false)
	f.addAddress("eth0", "ipv6", s.slaac(current), false)
	return f
}

// ends: the servers are told to be good for as long as the lease, and as the router says.
func (s *story) ends() {
	is := s.truth()
	i := s.model.interfaces[s.index]
	for _, c := range []struct {
		pvd, element string
		end          uint32
	}{
		{"eth0/ipv4", "DHCPv4", is.lease()},
		{"eth0/ipv6", "RA", 1200},
	} {
		l := i.domains[c.pvd].elements[c.element].items["DNSServers"]
		if err := believable(l.Data[0].Expires.end(l.Time), is.end(c.end), is.at); err != nil {
			s.lab.t.Errorf("server of %s: %v", c.pvd, err)
		}
	}
}

// renumbering: radvd gives up a prefix for another. The old address is deprecated, the
// new one comes, and the domain is the same all the while.
func (s *story) renumbering() {
	s.advertise(advertised{prefixes: []prefix{{prefix2, 1800, 3600}, {prefix1, 0, 3600}}, lifetime: 1800})
	s.radvd.signal(syscall.SIGHUP)
	so := s.addresses(prefix2)
	so.addAddress("eth0", "ipv6", s.slaac(prefix1), true)
	s.settle("renumbering", so, s.renumbered())
	if n := len(s.model.died); n > 0 {
		s.lab.t.Errorf("domains went by renumbering: %v", s.model.died)
	}
}

func (s *story) renumbered() facts {
	return wanted(byDHCP(), s.byRA([]string{prefix2}, []string{prefix1}))
}

// quiet: advertisements that say what was said before are no news.
func (s *story) quiet() {
	s.drain()
	before := s.model.seq
	l := s.lab
	c, err := l.router.Capture()
	l.must(err)
	l.advertisements(c, 8)
	l.must(c.Stop())
	s.drain()
	if n := s.model.seq - before; n > 0 {
		l.t.Errorf("%d lines about advertisements without news:\n%s", n, strings.Join(s.last[max(0, len(s.last)-int(n)):], "\n"))
	}
}

// secondWatcher: who comes later is told the same. Options that the kernel passes on but
// does not keep are known from the next advertisement on.
func (s *story) secondWatcher() {
	w := s.lab.watch()
	w.settle("second watcher", s.addresses(prefix2), s.renumbered())
}

// cable: without a carrier the interface has no domains; then they come anew.
func (s *story) cable() {
	s.must(s.router.CablePull())
	so := facts{}
	so.addInterface(s.index, "eth0", "02:00:00:00:00:01", 1500, true, false)
	s.settle("cable pulled", so, facts{})
	for _, pvd := range []string{"eth0/ipv4", "eth0/ipv6"} {
		if s.model.died[pvd] != 1 {
			s.lab.t.Errorf("%s went %d times by one pull", pvd, s.model.died[pvd])
		}
	}
	s.must(s.router.CablePlug())
	s.settle("cable plugged", s.addresses(prefix2), s.renumbered())
}
