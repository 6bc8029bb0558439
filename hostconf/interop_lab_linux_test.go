package hostconf

import (
	"slices"
	"strings"
	"testing"

	"github.com/go-mif/mif/internal/hostlab"
	"github.com/go-mif/mif/pvd"
)

// offers6 is what the router gives besides.
const offers6 = "--enable-ra -O option6:dns-server,[2001:db8:1::53] -O option6:domain-search,lab6.example"

// A hostLab is a lab, and a Watcher of what it sees.
type hostLab struct {
	*rig
	*hostlab.Lab
}

func newHostLab(t *testing.T, programs ...string) *hostLab {
	l := &hostLab{rig: newRig(t)}
	l.pace.young, l.pace.quiet = usual().young, usual().quiet
	l.Lab = hostlab.New(t, offers6, programs...)
	l.root = l.Root
	return l
}

// link is all that is known of cl0, whatever it goes by.
func link(s *State) []pvd.Configuration {
	all := slices.Clone(s.Links["cl0"])
	for _, c := range s.ByIndex {
		all = append(all, c...)
	}
	return all
}

// gave tells whether an element gave exactly these servers to cl0, and these domains.
func gave(s *State, element pvd.ElementType, server, search string) bool {
	var servers, domains []string
	for _, c := range link(s) {
		for _, d := range c.DNSServers {
			if d.Element == element {
				servers = append(servers, d.Value.Addr().String())
			}
		}
		for _, d := range c.SearchDomains {
			if d.Element == element {
				domains = append(domains, d.Value)
			}
		}
	}
	return strings.Join(servers, " ") == server && strings.Join(domains, " ") == search
}

// wait receives until a state is as wanted, and tells the last one if none is.
func (l *hostLab) wait(what string, wanted func(*State) bool) *State {
	l.t.Helper()
	last := &State{}
	defer func() {
		if l.t.Failed() {
			l.t.Logf("waiting for %s, last: %+v", what, last)
			for _, s := range l.w.Sources() {
				l.t.Logf("%s %s: %v", s.Name, s.Path, s.Err)
			}
		}
	}()
	return l.until(func(s *State) bool { last = s; return wanted(s) })
}

// four and six are what the router gives over DHCP.
func four(s *State) bool {
	return gave(s, pvd.ElementDHCPv4, "192.0.2.53", "lab.example corp.example")
}

func six(s *State) bool { return gave(s, pvd.ElementDHCPv6, "2001:db8:1::53", "lab6.example") }

func advertised(s *State) bool { return gave(s, pvd.ElementRA, "2001:db8:1::53", "lab6.example") }

// changed is the other server over DHCPv4.
func changed(s *State) bool {
	return gave(s, pvd.ElementDHCPv4, "192.0.2.55", "lab.example corp.example")
}
