package netlink

import (
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// dump writes tables down so that they can be compared: a line for each thing.
func (t *tables) dump() []string {
	var s []string
	for i, l := range t.links {
		if l.id.IsValid() {
			s = append(s, fmt.Sprintf("link %d %s %q %x mtu %d %d flags %x oper %d master %d ra %x ipv4 %d", i, l.name, l.kind, l.hardware, l.mtu, l.mtu6, l.flags, l.operState, l.master, l.raFlags, l.ipv4))
		}
	}
	for k, a := range t.addresses {
		if k.family == afINET6 && !a.link.ready() {
			continue // the kernel does not tell of all of them
		}
		s = append(s, fmt.Sprintf("address %d %v peer %x flags %x scope %d proto %d end %v forever %v %v", k.index, a.prefix, k.peer, a.flags, a.scope, a.proto, a.end, a.preferred.IsZero(), a.valid.IsZero()))
	}
	for _, g := range t.groups {
		s = append(s, g.dump()...)
	}
	for id, o := range t.objects {
		if o.present {
			s = append(s, fmt.Sprintf("object %d %v %v %v", id, o.hop, o.reject, o.members))
		}
	}
	for r, n := range t.rules {
		s = append(s, fmt.Sprintf("rule %x %d", r, n))
	}
	slices.Sort(s)
	return s
}

func (l *link) ready() bool {
	const running = iffRunning | iffLowerUp
	return l.flags&running == running && carrier(l.flags, l.operState)
}

func (g group) dump() (s []string) {
	for r, i := g.first, 0; r != nil; r, i = r.behind, i+1 {
		if r.kind != typeUnicast {
			i-- // not all are known
			continue
		}
		if r.key.inet == afINET6 && g.sharing() > 1 && !r.shares() {
			continue // lists leave it out where it stands between those that share
		}
		at := i
		if r.key.inet == afINET6 {
			at = 0
		}
		hops := make([]string, len(r.hops))
		for i, h := range r.hops {
			if hops[i] = fmt.Sprint(h.nexthop); r.key.inet == afINET6 {
				hops[i] = fmt.Sprint(h.index, h.gateway, h.extra)
			}
		}
		slices.Sort(hops)
		// A second request for an IPv6 route is refused, but changes its lifetime,
		// and nothing is said of it: only a list before its end will tell.
		forever := r.expiry.IsZero() || r.proto != protocolKernel
		s = append(s, fmt.Sprintf("route %v from %v table %d metric %d tos %d #%d kind %d scope %d proto %d pref %d src %v object %d extra %x forever %v hops %v",
			r.key.prefix(), r.key.from(), r.key.table, r.key.metric, r.key.tos, at, r.kind, r.scope, r.proto, r.preference, r.source, r.object, r.extra, forever, hops))
	}
	return s
}

// checkPicture compares what was told of every link with what would be told of it
// now from the start.
func (o *oracle) checkPicture(t testing.TB) {
	t.Helper()
	n := 0
	for _, l := range o.tables.links {
		if !l.id.IsValid() {
			continue
		}
		n++
		told := l.told
		l.told = nil
		now := o.tables.facts(l, dirtyAll)
		l.told = told
		if p := o.picture[l.id]; p != told || !reflect.DeepEqual(p, now) {
			t.Fatalf("link %d was told as\n%+v\nand is\n%+v", l.index, p, now)
		}
	}
	if n != len(o.picture) {
		t.Fatalf("%d links told, there are %d", len(o.picture), n)
	}
}

// An oracle compares what a Watcher folded with what a fresh one lists.
type oracle struct {
	*Watcher
	space   *space
	picture picture
	resyncs int
}

func newOracle(t testing.TB, s *space, c *Config) *oracle {
	o := &oracle{Watcher: s.watch(t, c), space: s, picture: picture{}}
	o.take(t, time.Unix(1, 0))
	return o
}

// take receives once and tells whether there was anything.
func (o *oracle) take(t testing.TB, until time.Time) bool {
	t.Helper()
	c, err := o.Receive(until)
	must(t, err)
	o.picture.apply(c)
	if c.Resynced {
		o.resyncs++
	}
	return c.any()
}

// settle receives until there is no more, and no list owed.
func (o *oracle) settle(t testing.TB) {
	t.Helper()
	for end := time.Now().Add(patience); ; {
		more := o.take(t, time.Unix(1, 0))
		wait := o.soon()
		if wait.IsZero() && !more && !o.behind {
			return
		}
		if !wait.IsZero() {
			o.take(t, wait)
		}
		if time.Now().After(end) {
			t.Fatalf("does not settle: lost %v, owed %v", o.behind, o.tables.owed)
		}
	}
}

// soon is when the next list is due that is owed for what has happened, not for
// what will.
func (o *oracle) soon() (first time.Time) {
	for _, at := range o.tables.owed {
		if at.Before(time.Now().Add(2*longPause)) && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	return first
}

// check is the oracle's question. What changes while it looks is looked at again.
func (o *oracle) check(t testing.TB) {
	t.Helper()
	for range 20 {
		o.settle(t)
		before := o.tables.clock
		fresh := newOracle(t, o.space, &Config{thorough: true})
		fresh.settle(t)
		fresh.Close()
		o.take(t, time.Unix(1, 0))
		if o.tables.clock != before || !o.soon().IsZero() {
			continue
		}
		have, want := o.tables.dump(), fresh.tables.dump()
		if slices.Equal(have, want) {
			o.checkPicture(t)
			return
		}
		if o.take(t, time.Now().Add(1500*time.Millisecond)); o.tables.clock == before { // the kernel tells of carrier with delay
			t.Fatalf("differs from a fresh list (+ folded, - listed):%s", difference(have, want))
		}
	}
	t.Fatal("the kernel does not come to rest")
}

// difference tells what only one of two pictures has.
func difference(have, want []string) string {
	count := map[string]int{}
	for _, s := range have {
		count[s]++
	}
	for _, s := range want {
		count[s]--
	}
	var diff strings.Builder
	for _, s := range slices.Sorted(maps.Keys(count)) {
		if n := count[s]; n != 0 {
			fmt.Fprintf(&diff, "\n  %+d %s", n, s)
		}
	}
	return diff.String()
}

// seed is a new one each day, or what NETLINK_TEST_SEED says.
func seed(t testing.TB) uint64 {
	n, err := strconv.ParseUint(os.Getenv("NETLINK_TEST_SEED"), 10, 64)
	if err != nil {
		n = uint64(time.Now().Unix() / 86400)
	}
	t.Logf("NETLINK_TEST_SEED=%d", n)
	return n
}

func operations(n int) int {
	if testing.Short() {
		return n / 10
	}
	return n
}

func TestOracleQuiet(t *testing.T) {
	s := newSpace(t)
	s.still(t)
	o, c := newOracle(t, s, nil), newChurner(t, s, seed(t))
	for n := operations(10000); n > 0; {
		batch := 1 + c.IntN(40)
		c.trace = c.trace[:0]
		for range batch {
			c.step()
		}
		n -= batch
		o.check(c)
	}
	t.Logf("%d operations carried out, %d resyncs", c.done, o.resyncs)
	if c.done < operations(10000)/5 {
		t.Error("too few operations were carried out to mean anything")
	}
}

// storm lets Receive run while another thread makes changes, and asks when it is
// over.
func storm(t *testing.T, config *Config, ops int) *oracle {
	s := newSpace(t)
	s.still(t)
	o, c := newOracle(t, s, config), newChurner(t, s, seed(t))
	for ops = operations(ops); ops > 0; ops -= 1000 {
		done := make(chan struct{})
		go func() {
			for range min(ops, 1000) {
				c.step()
			}
			close(done)
			o.Interrupt()
		}()
		for running := true; running; {
			o.take(t, time.Time{})
			select {
			case <-done:
				running = false
			default:
			}
		}
		o.check(t)
	}
	t.Logf("%d operations carried out, %d resyncs", c.done, o.resyncs)
	return o
}

func TestOracleStorm(t *testing.T) { storm(t, nil, 10000) }

func TestOracleOverrun(t *testing.T) {
	if o := storm(t, &Config{ReceiveBuffer: 1}, 10000); o.resyncs == 0 {
		t.Error("nothing was lost, so nothing was proved")
	}
}

// still turns off what the kernel does later by itself.
func (s *space) still(t testing.TB) {
	t.Helper()
	s.sysctl(t, "ipv6/conf/default/accept_dad", "0")
	s.sysctl(t, "ipv6/conf/default/router_solicitations", "0")
}

func (s *space) sysctl(t testing.TB, name, value string) {
	t.Helper()
	s.do(t, func() error { return os.WriteFile("/proc/sys/net/"+name, []byte(value), 0) })
}
