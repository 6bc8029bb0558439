package happyeyeballs

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-mif/mif/pvd"
)

// A race teaches what worked, in the domain where it did, and forgets what did not.
func TestHistoryLearns(t *testing.T) {
	s := newSim(t, "www.example:80", plain+"host eth0/ipv6 2001:db8:f::1 5 refused\nhost eth0/ipv4 198.51.100.1 30 ok")
	v4, v6 := s.domains[0].PvD, s.domains[1].PvD
	six, four := netip.MustParseAddr("2001:db8:f::1"), netip.MustParseAddr("198.51.100.1")
	s.m.history.worked(v6, six, ms(5), epoch)
	s.run(t)
	if _, ok := s.m.history.recall(v6, six, s.now); ok {
		t.Error("what was refused is remembered as good")
	}
	if e, ok := s.m.history.recall(v4, four, s.now); !ok || e.rtt != ms(30) {
		t.Errorf("what worked: %v, %v", e, ok)
	}
	if _, ok := s.m.history.recall(v6, four, s.now); ok {
		t.Error("it is remembered in another domain")
	}
}

// R4: lower round-trip times come first, then used addresses, before rule 9, and
// what is known of one domain does not count in another.
func TestHistorySorts(t *testing.T) {
	d := domains(t, "eth0/ipv6", "eth1/ipv6")
	h := &History{}
	a, b, c := netip.MustParseAddr("2001:db8:0:1::1"), netip.MustParseAddr("2001:db8:f::1"), netip.MustParseAddr("2001:db8:f::2")
	h.worked(d[0].PvD, b, ms(80), epoch)
	h.worked(d[0].PvD, c, ms(20), epoch)
	for i, want := range [][]netip.Addr{{c, b, a}, {a, b, c}} {
		m := &member{domain: d[i], addrs: []pvd.Address{{Prefix: netip.MustParsePrefix("2001:db8::2/64")}}, group: &group{}}
		m.group.members = []*member{m}
		for _, x := range []netip.Addr{a, b, c} {
			m.candidates = append(m.candidates, &candidate{member: m, endpoint: endpoint{x, x}})
		}
		var got []netip.Addr
		for _, x := range m.group.sorted(h, epoch.Add(time.Minute)) {
			got = append(got, x.dial)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%v: %v, want %v", d[i].PvD, got, want)
		}
	}
}

// R5: known round-trip times make the Connection Attempt Delay, in the domain where
// they were seen, within 100 ms and 2 s; they are forgotten in time.
func TestHistoryDelays(t *testing.T) {
	for _, c := range []struct {
		rtt  int
		at   time.Duration // the second race
		want int
	}{
		{20, 0, 100}, {60, 0, 240}, {200, 0, 800}, {900, 0, 2000}, {20, historyAge, 250},
	} {
		s := newSim(t, "www.example:80", plain+"abort 2001")
		v6 := s.domains[1].PvD
		s.m.history.worked(v6, netip.MustParseAddr("2001:db8:f::1"), ms(c.rtt), epoch.Add(-c.at))
		want := fmt.Sprintf("0 try eth0/ipv6 2001:db8:f::1\n%d try eth0/ipv4 198.51.100.1\n", c.want)
		if got := s.run(t); !strings.HasPrefix(got, want) {
			t.Errorf("%d ms: got\n%s\nwant\n%s", c.rtt, got, want)
		}
	}
}

// What fails is forgotten; what works is smoothed; the rest is bounded.
func TestHistoryKeeps(t *testing.T) {
	h, id := &History{}, domains(t, "eth0/ipv4")[0].PvD
	addr := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{198, 51, byte(i >> 8), byte(i)}) }
	for i := range 3 * historyAddrs {
		h.worked(id, addr(i), ms(10), epoch.Add(ms(i)))
	}
	if n := len(h.domains[id]); n != historyAddrs {
		t.Errorf("%d addresses are kept", n)
	}
	if _, ok := h.recall(id, addr(3*historyAddrs-1), epoch); !ok {
		t.Error("the latest is not kept")
	}
	for range 3 * historyDomains {
		h.worked(domains(t, "eth0/ipv4")[0].PvD, addr(0), ms(10), epoch.Add(-time.Minute))
	}
	if n := len(h.domains); n != historyDomains || h.domains[id] == nil {
		t.Errorf("%d domains are kept, the latest: %v", n, h.domains[id] != nil)
	}
	last := addr(3*historyAddrs - 1)
	h.worked(id, last, ms(90), epoch)
	if e, _ := h.recall(id, last, epoch); e.rtt != ms(20) || e.variance != ms(5)+ms(75)/4 {
		t.Errorf("after 10 and 90 ms: %v ± %v", e.rtt, e.variance)
	}
	h.failed(id, last)
	if _, ok := h.recall(id, last, epoch); ok {
		t.Error("what failed is kept")
	}
}

// Dialers that share a History learn from each other; others keep to themselves.
func TestHistoryShared(t *testing.T) {
	h := &History{}
	a, b, alone := &Dialer{History: h}, &Dialer{History: h}, &Dialer{}
	id, addr := domains(t, "eth0/ipv4")[0].PvD, netip.MustParseAddr("198.51.100.1")
	a.memory().worked(id, addr, ms(20), epoch)
	if e, ok := b.memory().recall(id, addr, epoch); !ok || e.rtt != ms(20) {
		t.Error("what the one has learnt the other does not know")
	}
	if _, ok := alone.memory().recall(id, addr, epoch); ok {
		t.Error("what is shared is everybody's")
	}
	alone.memory().worked(id, addr, ms(20), epoch)
	if _, ok := alone.memory().recall(id, addr, epoch); !ok {
		t.Error("a Dialer without one learns nothing")
	}
}
