package netlink

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-mif/mif/pvd"
)

// A street is a link on which anybody can say anything, in a time of its own.
type street struct {
	t *testing.T
	*tables
}

func newStreet(t *testing.T) *street { return &street{t, wholeTables(slog.New(slog.DiscardHandler))} }

// say has a router advertise what does not end.
func (s *street) say(router, name string, options ...[]byte) {
	s.t.Helper()
	options = append(options, servers(forever, "2001:db8::53"))
	if name != "" {
		options = [][]byte{pvdOption(0, 0, name, options...)}
	}
	p, a := heard(raBytes(0, 0, options...)), advertisement{}
	p.source = netip.MustParseAddr(router)
	if !a.decode(p) || !s.advertEvent(&a) {
		s.t.Fatal("discarded")
	}
}

// sorts are a router and a domain: there is a crowd of either.
var sorts = []struct{ prefix, name string }{{"fe80::1:", ""}, {"fe80::2:", "n%d.example"}}

// forge has more forged routers and domains advertise than are kept.
func (s *street) forge(n int) {
	for i := range n {
		for _, sort := range sorts {
			name := sort.name
			if name != "" {
				name = fmt.Sprintf(name, i)
			}
			s.say(fmt.Sprintf("%s%x", sort.prefix, i+1), name)
		}
	}
}

func (s *street) pass(d time.Duration) { s.now = s.now.Add(d) }

// knows tells whether a router is known in its role for a domain.
func (s *street) knows(router, name string) bool {
	return slices.ContainsFunc(s.links[1].raFacts(), func(r pvd.RA) bool { return r.Router.String() == router && r.FQDN == name })
}

func (s *street) expect(what, router, name string, want bool) {
	s.t.Helper()
	if s.knows(router, name) != want {
		s.t.Errorf("%s: %s %q is known: %v", what, router, name, !want)
	}
}

// TestAfterAFlood: who was there before a flood of what does not end stays, and who
// comes when it is over finds a place.
func TestAfterAFlood(t *testing.T) {
	s := newStreet(t)
	s.say("fe80::a", "")
	s.say("fe80::a", "old.example")
	s.pass(time.Second)
	s.forge(200)
	for range forgedPatience / time.Second {
		s.say("fe80::b", "")
		s.say("fe80::b", "new.example")
		s.expect("during the flood", "fe80::b", "", false)
		s.expect("during the flood", "fe80::b", "new.example", false)
		s.pass(time.Second)
	}
	s.say("fe80::b", "")
	s.say("fe80::b", "new.example")
	for _, r := range []string{"fe80::a", "fe80::b"} {
		s.expect("when it is over", r, "", true)
	}
	s.expect("when it is over", "fe80::a", "old.example", true)
	s.expect("when it is over", "fe80::b", "new.example", true)
	if n := len(s.links[1].ras); n != maxRouters+maxDomains {
		t.Errorf("%d are kept", n)
	}
}

// TestSlowFlood: one that goes on takes its own places, not those of who was there
// before.
func TestSlowFlood(t *testing.T) {
	s := newStreet(t)
	s.say("fe80::a", "")
	s.say("fe80::a", "old.example")
	s.pass(time.Second)
	for i := range 300 {
		s.say(fmt.Sprintf("fe80::1:%x", i+1), "")
		s.say(fmt.Sprintf("fe80::1:%x", i+1), fmt.Sprintf("n%d.example", i))
		s.pass(forgedPatience)
	}
	s.expect("after it", "fe80::a", "", true)
	s.expect("after it", "fe80::a", "old.example", true)
	s.expect("the last", "fe80::1:12c", "", true)
}

// TestForgedAgain: those that were forged twice hold out longer, but not for ever.
func TestForgedAgain(t *testing.T) {
	s := newStreet(t)
	s.forge(maxRouters)
	s.pass(twice)
	s.forge(maxRouters)
	s.pass(routerPatience - time.Second)
	s.say("fe80::1:1", "") // one is still there
	s.say("fe80::b", "")
	s.expect("not yet", "fe80::b", "", false)
	s.pass(time.Second)
	s.say("fe80::b", "")
	s.expect("at last", "fe80::b", "", true)
	s.expect("still there", "fe80::1:1", "", true)
}

// TestAddressHoldsThePlace: the network that the host has an address of is not taken
// for forged, be it heard but once.
func TestAddressHoldsThePlace(t *testing.T) {
	for _, has := range []bool{true, false} {
		s := newStreet(t)
		for range 2 {
			for i := range maxRouters - 1 {
				s.say(fmt.Sprintf("fe80::1:%x", i+1), "")
			}
			s.pass(twice)
		}
		s.say("fe80::a", "", pio("2001:db8:1::/64", 0xc0, 3600, 1800))
		if has {
			s.setAddress(addressKey{index: 1, family: afINET6}, &addressMessage{local: netip.MustParseAddr("2001:db8:1::5"), bits: 64, index: 1})
		}
		s.pass(forgedPatience)
		s.say("fe80::b", "")
		s.expect(fmt.Sprint("with an address: ", has), "fe80::a", "", has)
		s.expect(fmt.Sprint("with an address: ", has), "fe80::b", "", !has)
	}
}

// TestSoftRoutesBounded: of the routes that routers make the kernel install so many are
// kept; the first ones stay, and when one goes, those that were not kept are looked for.
// Others have no such limit.
func TestSoftRoutesBounded(t *testing.T) {
	var log bytes.Buffer
	s := wholeTables(slog.New(slog.NewTextHandler(&log, nil)))
	way := func(n int) *routeMessage {
		return &routeMessage{key: groupKey{inet: afINET6, table: 254, metric: 1024}, kind: typeUnicast, proto: protocolRA,
			hops: []nexthop{{index: 1, gateway: netip.MustParseAddr(fmt.Sprintf("fe80::%x", n+1))}}}
	}
	prefix := func(n int) *routeMessage {
		m := way(n)
		m.key.dst = netip.MustParseAddr(fmt.Sprintf("2001:db8:%x::", n+1)).As16()
		m.key.dstBits, m.proto, m.expires, m.hops[0].gateway = 64, protocolKernel, 100, netip.Addr{}
		return m
	}
	for n := range 10_000 {
		s.routeEvent(way(n), false, 0)
		s.routeEvent(prefix(n), false, 0)
	}
	if n := len(s.changes().Links[0].Routes); n != maxSoft {
		t.Errorf("%d are kept", n)
	}
	if n := strings.Count(log.String(), "more routes"); n != 1 {
		t.Errorf("it was said %d times", n)
	}
	clear(s.owed)
	s.routeEvent(way(9_999), true, 0)
	if len(s.owed) != 0 {
		t.Error("they are looked for, and there is no room")
	}
	s.routeEvent(way(0), true, 0)
	if _, owed := s.owed[target{listRoutes6, 1}]; !owed || len(s.changes().Links[0].Routes) != maxSoft-1 {
		t.Error("they are not looked for")
	}
	for n := range 1000 {
		m := prefix(n)
		if m.expires = 0; n%2 == 0 {
			m.proto = 4
		}
		s.routeEvent(m, false, 0)
	}
	if n := len(s.changes().Links[0].Routes); n < 1000 {
		t.Errorf("of others %d are kept", n)
	}
}
