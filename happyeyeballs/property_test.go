package happyeyeballs

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/netip"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-mif/mif"
	"github.com/go-mif/mif/pvd"
	"github.com/go-mif/mif/resolver"
)

// randomWorld is a text for newSim: up to three uplinks of one or both families that
// come and go, DNS that is late, empty, short-lived or silent, and hosts that are too.
func randomWorld(r *rand.Rand) string {
	var b strings.Builder
	line := func(words ...string) { b.WriteString(strings.Join(words, " ") + "\n") }
	n := func(limit int) string { return strconv.Itoa(r.IntN(limit)) }
	for i := range 1 + r.IntN(3) {
		x := strconv.Itoa(i)
		for _, f := range [][3]string{{"/ipv4", "192.0." + x + ".2/24", "A"}, {"/ipv6", "2001:db8:" + x + "::2/64", "AAAA"}} {
			if r.IntN(4) == 0 {
				continue
			}
			id := "eth" + x + f[0]
			life := []string{"domain", id, f[1]}
			if r.IntN(3) == 0 {
				life = append(life, "join="+n(1500))
			}
			if r.IntN(3) == 0 {
				life = append(life, "leave="+strconv.Itoa(1500+r.IntN(1500)))
			}
			if f[2] == "AAAA" && r.IntN(3) == 0 {
				life = append(life, "pref64=64:ff9b::/96")
			}
			line(life...)
			randomAnswers(r, line, n, id, f[2])
		}
	}
	if r.IntN(2) == 0 {
		line("ech")
	}
	if r.IntN(4) == 0 {
		line("abort", strconv.Itoa(1+r.IntN(1000)))
	}
	line("patience", "5000")
	return b.String()
}

// randomServices are up to three services of a domain, with hints and keys.
func randomServices(r *rand.Rand, line func(...string), n func(int) string, id string) {
	words := []string{"svc", id, n(200)}
	for range r.IntN(4) {
		words = append(words, n(3), []string{"www.example", "alt.example", "none.example"}[r.IntN(3)])
		for _, w := range []string{"port=8443", "ech=old", "six=2001:db8:f::" + n(9), "four=198.51.100." + n(9)} {
			if r.IntN(2) == 0 {
				words = append(words, w)
			}
		}
	}
	if len(words) == 3 {
		words = append(words, []string{"none", "error"}[r.IntN(2)])
	}
	line(words...)
}

func randomAnswers(r *rand.Rand, line func(...string), n func(int) string, id, kind string) {
	if r.IntN(8) == 0 {
		return // silence
	}
	if r.IntN(2) == 0 {
		randomServices(r, line, n, id)
	}
	kinds := []string{kind, "alt.example/" + kind}
	if kind == "AAAA" {
		kinds = append(kinds, "A", "ipv4only.arpa.")
	}
	for _, k := range kinds {
		words := []string{"dns", id, k, n(300)}
		if r.IntN(3) == 0 {
			words = append(words, "ttl="+strconv.Itoa(1+r.IntN(700)))
		}
		for range r.IntN(6) {
			a := map[string]string{"A": "198.51.100." + n(9), "AAAA": "2001:db8:f::" + n(9), "ipv4only.arpa.": "64:ff9b::c000:aa"}[strings.TrimPrefix(k, "alt.example/")]
			words = append(words, a)
		}
		line(words...)
	}
	for i := range 9 {
		x := strconv.Itoa(i)
		for _, a := range []string{"198.51.100." + x, "2001:db8:f::" + x, "64:ff9b::c633:640" + x, "198.51.100." + x + ":8443", "[2001:db8:f::" + x + "]:8443"} {
			if r.IntN(5) < 2 {
				line("host", id, a, n(600), []string{"ok", "refused", "unreachable", "refused"}[r.IntN(4)])
				if r.IntN(3) == 0 {
					line("valid", id, a, n(300), []string{"ok", "bad"}[r.IntN(2)])
					line("valid", id, a+"+old", n(300), []string{"ok", "rejected", "disabled"}[r.IntN(3)])
					line("valid", id, a+"+new", n(300), []string{"ok", "rejected"}[r.IntN(2)])
				}
			}
		}
	}
}

// A referee checks what must hold in every race, whatever happens in it.
type referee struct {
	t       testing.TB
	sim     *sim
	last    time.Time
	given   map[mif.PvDID]map[netip.Addr]bool // addresses by the domain that gave them
	present map[mif.PvDID]bool
	tried   map[Attempt]int
	running map[mif.ConnectionID]bool
	starts  int
	won     int
}

func (r *referee) watch() {
	t := r.sim.m.trace
	t.Joined = func(_ time.Time, d Domain) { r.present[d.PvD] = true }
	t.Left = func(_ time.Time, d Domain) { delete(r.present, d.PvD) }
	t.Answered = func(_ time.Time, l Lookup, addrs []netip.Addr, _ error) { r.gave(l.PvD, addrs) }
	ended := t.Ended
	t.Ended = func(now time.Time, a Attempt, err error) {
		ended(now, a, err)
		if err == nil {
			r.won++
		}
	}
}

// served tells whether a domain has told of a service at a port.
func (r *referee) served(id mif.PvDID, port uint16) bool {
	for _, s := range r.sim.svc[id.String()].all {
		if s.Port == port {
			return true
		}
	}
	return false
}

// gave notes an answer, and what a NAT64 makes of it.
func (r *referee) gave(id mif.PvDID, addrs []netip.Addr) {
	if r.given[id] == nil {
		r.given[id] = map[netip.Addr]bool{}
	}
	for _, a := range addrs {
		r.given[id][a] = true
		if six, ok := synthesize(wellKnown, a); ok {
			r.given[id][six] = true
		}
	}
}

// action checks one action at the time of the sim.
func (r *referee) action(a action) {
	switch a := a.(type) {
	case start:
		if !r.last.IsZero() && r.sim.now.Sub(r.last) < floor {
			r.t.Errorf("an attempt %v after the last", r.sim.now.Sub(r.last))
		}
		if !r.given[a.pvd][a.to.Addr()] || !r.present[a.pvd] {
			r.t.Errorf("%v dialled in %v, which did not give it or is gone", a.to, a.pvd)
		}
		if port := a.to.Port(); port != 80 && !r.served(a.pvd, port) {
			r.t.Errorf("%v dialled in %v, which has no such service", a.to, a.pvd)
		}
		if r.tried[Attempt{a.pvd, a.to}]++; r.tried[Attempt{a.pvd, a.to}] > 2 {
			r.t.Errorf("%v is tried again and again", a.to)
		}
		r.last = r.sim.now
		r.starts++
		r.running[a.id] = true
	case cancel:
		if !r.running[a.id] {
			r.t.Errorf("%d is cancelled and does not run", a.id)
		}
		delete(r.running, a.id)
	case wait:
		if !a.until.IsZero() && !a.until.After(r.sim.now) {
			r.t.Errorf("wait until %v at %v", a.until, r.sim.now)
		}
	}
}

func TestProperties(t *testing.T) {
	worlds := 3000
	if testing.Short() {
		worlds = 300
	}
	outcomes := map[string]int{}
	for seed := range worlds {
		world := randomWorld(rand.New(rand.NewPCG(6, uint64(seed))))
		s := newSim(t, "www.example:80", world)
		r := &referee{t: t, sim: s, given: map[mif.PvDID]map[netip.Addr]bool{}, present: map[mif.PvDID]bool{}, tried: map[Attempt]int{}, running: map[mif.ConnectionID]bool{}}
		r.watch()
		s.referee = r.action
		trace := s.run(t)
		r.verdict(trace)
		switch {
		case s.end.winner != 0:
			outcomes["won"]++
		case errors.Is(s.end.err, context.Canceled):
			outcomes["aborted"]++
		default:
			outcomes["lost"]++
		}
		for a, times := range r.tried {
			if a.To.Port() != 80 {
				outcomes["by a service's port"]++
			}
			if times > 1 {
				outcomes["with other keys"]++
			}
		}
		if t.Failed() {
			t.Fatalf("seed %d\n%s\n%s", seed, world, trace)
		}
	}
	for o, share := range map[string]int{"won": 20, "aborted": 20, "lost": 20, "by a service's port": 20, "with other keys": 200} {
		if outcomes[o] < worlds/share {
			t.Errorf("only %d of %d races were %s", outcomes[o], worlds, o)
		}
	}
}

// verdict checks the whole race.
func (r *referee) verdict(trace string) {
	ends := 0
	for l := range strings.Lines(trace + "\n") {
		switch strings.Fields(l + " x x")[1] {
		case "win", "drop", "gone", "fail":
			ends++
		}
	}
	if ends != r.starts {
		r.t.Errorf("%d attempts and %d ends", r.starts, ends)
	}
	if candidates := r.candidates(); r.starts > candidates {
		r.t.Errorf("%d attempts for %d candidates", r.starts, candidates)
	}
	if (r.sim.end.winner != 0) != (r.won == 1) || r.won > 1 {
		r.t.Errorf("%d winners, and in the end %d", r.won, r.sim.end.winner)
	}
	if r.sim.end.winner == 0 && r.sim.end.err == nil && len(r.sim.end.failures) == 0 {
		r.t.Error("lost without a reason")
	}
	if len(r.sim.m.attempts)+len(r.sim.m.lookups) > 0 {
		r.t.Error("something was left running")
	}
}

func (r *referee) candidates() (n int) {
	for _, given := range r.given {
		n += len(given)
	}
	for _, times := range r.tried { // at another port, or with other keys
		n += times - 1
	}
	for a := range r.tried {
		if a.To.Port() != 80 {
			n++
		}
	}
	return n
}

// Nothing is kept of a race that ended: whatever is told later changes nothing.
func TestAfterTheEnd(t *testing.T) {
	s := newSim(t, "www.example:80", plain+"host eth0/ipv6 2001:db8:f::1 5 ok")
	s.run(t)
	d := s.domains[0]
	s.m.leave(s.now, d.PvD)
	s.m.connected(s.now, s.end.winner)
	s.m.failed(s.now, s.end.winner, syscall.ECONNRESET)
	s.m.answer(s.now, 1, netip.IPv6Loopback(), "", time.Time{})
	s.m.service(1, resolver.Service{})
	s.m.answered(s.now, 1, nil)
	s.m.address(d.PvD, pvd.Address{})
	s.m.abort(s.now, context.Canceled)
	if s.m.join(s.now, Domain{PvD: s.domains[1].PvD}) {
		t.Error("a domain joins a race that is over")
	}
	if a := s.m.step(s.now.Add(time.Hour)); len(a) != 0 {
		t.Errorf("actions after the end: %v", a)
	}
}
