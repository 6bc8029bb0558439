package happyeyeballs

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/go-mif/mif/miftest"
)

// Addresses by how far away they are, in ms.
const (
	away20        = "2001:db8:e::20" // and there no route leads to it
	away150       = "2001:db8:f::150"
	away400       = "2001:db8:f::400"
	away400four   = "198.51.100.40"
	sweepFrom     = "2001:db8:f:1::f"
	sweepFromPath = "2001:db8:f:2::"
)

// far makes the way to an address longer, or loses what takes it. It skips a test where
// that cannot be made.
func (u *uplink) far(a string, p miftest.Path) {
	u.rig.t.Helper()
	addr := netip.MustParseAddr(a)
	err := u.SetPath(netip.PrefixFrom(addr, addr.BitLen()), p)
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, os.ErrPermission) {
		u.rig.t.Skip(err)
	}
	if err != nil {
		u.rig.t.Fatal(err)
	}
}

// Cases in which the round trip takes its time.
func TestFar(t *testing.T) {
	t.Parallel()
	cases := []networkCase{
		{"a04", "IPv6 is unreachable (ICMPv6), 20 ms away", 20, name(away20, good4), good4, []string{away20, good4}},
		{"d01", "IPv6 150 ms away, IPv4 0", 150, name(away150, good4), away150, []string{away150}},
		{"d03", "IPv6 400 ms away, IPv4 0", 250, name(away400, good4), good4, []string{away400, good4}},
		{"d04", "both 400 ms away", 400, name(away400, away400four), away400, []string{away400, away400four}},
	}
	r := newRig(t)
	u := r.uplink("eth0", 1, "46", zoneOf(cases), nil)
	u.serve(good6, good4, away150, away400, away400four)
	for a, n := range map[string]int{away20: 20, away150: 150, away400: 400, away400four: 400} {
		u.far(a, miftest.Path{Delay: ms(n)})
	}
	r.play(u, cases)
}

// IPv4 is tried when IPv6 has taken the Connection Attempt Delay, and not before (f01).
func TestAttemptDelaySweep(t *testing.T) {
	t.Parallel()
	sweep := []int{0, 100, 400}
	if *withPeers != "" {
		sweep = nil
		for n := range 41 {
			sweep = append(sweep, 10*n)
		}
	}
	zone := miftest.Zone{"warm.example": name(good6)}
	for _, n := range sweep {
		zone[fmt.Sprintf("f%d.example", n)] = name(fmt.Sprint(sweepFrom, n), good4)
	}
	r := newRig(t)
	u := r.uplink("eth0", 1, "46", zone, nil)
	u.serve(good6, good4)
	if o := r.dial(&Dialer{}, "tcp", "warm.example:80"); o.err != nil {
		t.Fatal(o.err)
	}
	least, most := -1, -1 // with an attempt by IPv4, without one
	for _, n := range sweep {
		a := fmt.Sprint(sweepFrom, n)
		u.serve(a)
		u.far(a, miftest.Path{Delay: ms(n)})
		o := r.dial(&Dialer{}, "tcp", fmt.Sprintf("f%d.example:80", n))
		switch tries := len(o.log.tries()); {
		case tries == 1:
			most = n
		case least < 0:
			least = n
		}
		if n <= 100 && o.remote != a || n >= 300 && o.remote != good4 {
			t.Errorf("%d ms away: connected to %s after %q", n, o.remote, o.log.tries())
		}
	}
	if *withPeers != "" {
		t.Logf("| f01 | IPv6 0, 10, ... 400 ms away: IPv4 is tried from | 250 | %d, up to %d it is not |", least, most)
	}
}

// IPv6 wins if its addresses come within the Resolution Delay, and not later (f02).
func TestResolutionDelaySweep(t *testing.T) {
	t.Parallel()
	sweep := []int{0, 150}
	if *withPeers != "" {
		sweep = nil
		for n := range 31 {
			sweep = append(sweep, 5*n)
		}
	}
	zone := miftest.Zone{"warm.example": name(good6)}
	for _, n := range sweep {
		zone[fmt.Sprintf("f%d.example", n)] = late(name(good6, good4), 0, n)
	}
	r := newRig(t)
	u := r.uplink("eth0", 1, "46", zone, nil)
	u.serve(good6, good4)
	if o := r.dial(&Dialer{}, "tcp", "warm.example:80"); o.err != nil {
		t.Fatal(o.err)
	}
	least, most := -1, -1 // by IPv4, by IPv6
	for _, n := range sweep {
		o := r.dial(&Dialer{}, "tcp", fmt.Sprintf("f%d.example:80", n))
		switch {
		case o.remote == good6:
			most = n
		case least < 0:
			least = n
		}
		if n == 0 && o.remote != good6 || n >= 100 && o.remote != good4 {
			t.Errorf("%d ms late: connected to %s", n, o.remote)
		}
	}
	if *withPeers != "" {
		t.Logf("| f02 | AAAA 0, 5, ... 150 ms late: IPv4 wins from | 50 | %d, up to %d IPv6 does |", least, most)
	}
}

// What is known of a round trip shortens the Connection Attempt Delay, to 100 ms at
// least (f03).
func TestKnownRoundTrip(t *testing.T) {
	t.Parallel()
	const dies = sweepFromPath + "20"
	r := newRig(t)
	u := r.uplink("eth0", 1, "46", miftest.Zone{"www.example": name(dies, good4)}, nil)
	u.serve(dies, good4)
	var h History
	if o := r.dial(&Dialer{}, "tcp", "www.example:80"); o.err != nil { // the neighbour becomes known
		t.Fatal(o.err)
	}
	u.far(dies, miftest.Path{Delay: ms(20)})
	o := r.dial(&Dialer{History: &h}, "tcp", "www.example:80")
	r.expect("near", o, dies, "eth0/ipv6 "+dies)
	u.far(dies, miftest.Path{Loss: 1})
	o = r.dial(&Dialer{History: &h}, "tcp", "www.example:80")
	r.expect("f03", o, good4, "eth0/ipv6 "+dies, "eth0/ipv4 "+good4)
	r.report("f03", "known to be 20 ms away, IPv6 dies", "100", o)
}

// What has expired untried is asked for again, and what runs goes on (f08).
func TestExpiry(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	zone := name(silent6, good6)
	zone.TTL = time.Second
	u := r.uplink("eth0", 1, "46", miftest.Zone{"www.example": zone}, nil)
	u.silence(silent6)
	u.serve(good6)
	o := r.dial(&Dialer{AttemptDelay: ms(1500)}, "tcp", "www.example:80")
	r.expect("f08", o, good6, "eth0/ipv6 "+silent6, "eth0/ipv6 "+good6)
	asked := 0
	for _, q := range u.dns6.Queries() {
		if q.Type == "AAAA" {
			asked++
		}
	}
	if asked != 2 {
		t.Errorf("AAAA was asked for %d times", asked)
	}
	r.report("f08", "TTL 1 s, attempts 1.5 s apart: asked again, the second wins", "1500", o)
}

// One server, reached by both uplinks, by the better one slowly (m10).
func TestSlowerUplink(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	zone := miftest.Zone{"www.example": name("198.51.100.1")}
	eth0 := r.uplink("eth0", 1, "4", zone, nil)
	eth0.serve("198.51.100.1")
	r.uplink("eth1", 2, "4", zone, nil).serve("198.51.100.1")
	eth0.far("198.51.100.1", miftest.Path{Delay: ms(400)})
	o := r.dial(&Dialer{}, "tcp", "www.example:80")
	r.expect("m10", o, "198.51.100.1", "eth0/ipv4 198.51.100.1", "eth1/ipv4 198.51.100.1")
	if !netip.MustParsePrefix("192.168.2.0/24").Contains(o.local) {
		t.Errorf("connected from %v", o.local)
	}
	r.report("m10", "the same server, 400 ms away by the first domain", "250", o)
}
