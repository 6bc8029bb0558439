package happyeyeballs

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/go-mif/mif"
	"github.com/go-mif/mif/miftest"
	"github.com/go-mif/mif/pvd"
)

// generous is what a race may take at most in a test that wants it over at once.
const generous = 8 * time.Second

// never is a head start that no test waits for.
const never = time.Minute

// Two uplinks whose DNS answers the same name differently.
func TestTwoUplinks(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	drop := miftest.Fault{Drop: true}
	eth0 := r.uplink("eth0", 1, "4", miftest.Zone{
		"both.example":   name("198.51.100.1"),
		"dead.example":   name("198.51.100.1"),
		"silent.example": name("198.51.100.10"),
		"mute.example":   {Fault: drop},
		"only.example":   {Fault: miftest.Fault{Code: 3}},
		"refuse.example": name("198.51.100.11"),
	}, nil)
	eth0.serve("198.51.100.1")
	eth0.silence("198.51.100.10")
	eth0.refuse("198.51.100.11")
	zone := miftest.Zone{}
	for _, n := range []string{"both", "dead", "silent", "mute", "only", "refuse"} {
		zone[n+".example"] = name("203.0.113.1")
	}
	eth1 := r.uplink("eth1", 2, "4", zone, nil)
	eth1.serve("203.0.113.1", "198.51.100.1")
	const first, second = "eth0/ipv4 198.51.100.", "eth1/ipv4 203.0.113.1"
	for _, c := range []struct {
		id, what, must, name string
		remote               string
		tries                []string
	}{
		{"m03", "both domains work", "0", "both", "198.51.100.1", []string{first + "1"}},
		{"m02", "first domain: DNS answers, data black hole", "250", "silent", "203.0.113.1", []string{first + "10", second}},
		{"m05", "first domain: DNS silent", "250", "mute", "203.0.113.1", []string{second}},
		{"m07", "the name exists in the second domain only", "0", "only", "203.0.113.1", []string{second}},
		{"m08", "first domain: target refuses", "10", "refuse", "203.0.113.1", []string{first + "11", second}},
	} {
		o := r.dial(&Dialer{}, "tcp", c.name+".example:80")
		r.expect(c.id, o, c.remote, c.tries...)
		r.report(c.id, c.what, c.must, o)
		if c.remote == "203.0.113.1" && !netip.MustParsePrefix("192.168.2.0/24").Contains(o.local) {
			t.Errorf("%s: connected from %v", c.id, o.local)
		}
	}
	// Soft rules sort: the second uplink is the first now.
	o := r.dial(&Dialer{Prefer: []Rule{{Interface: "eth1"}}}, "tcp", "both.example:80")
	r.expect("prefer", o, "203.0.113.1", second)
	// A literal can be tried in both; the better one has a route too.
	o = r.dial(&Dialer{Require: []Rule{{Interface: "eth1"}}}, "tcp", "198.51.100.1:80")
	r.expect("literal", o, "198.51.100.1", "eth1/ipv4 198.51.100.1")
	t.Run("dead", func(t *testing.T) {
		if err := eth0.Die(); err != nil {
			t.Fatal(err)
		}
		o := r.dial(&Dialer{}, "tcp", "dead.example:80") // not asked for before: nothing is cached
		r.expect("m01", o, "203.0.113.1", second)
		r.report("m01", "first domain dead, DNS and data", "250", o)
	})
}

// Each address is dialled only in the domain that gave it, and an excluded domain
// gets no packet, also when all else fails: the links tell.
func TestNothingLeaks(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	eth0 := r.uplink("eth0", 1, "46", miftest.Zone{"www.example": name("198.51.100.10", "2001:db8:f::a")}, nil)
	eth1 := r.uplink("eth1", 2, "46", miftest.Zone{"www.example": name("203.0.113.10", "2001:db8:e::a")}, nil)
	eth0.silence("198.51.100.10", "2001:db8:f::a")
	eth1.silence("203.0.113.10", "2001:db8:e::a")
	for _, c := range []struct {
		d     *Dialer
		tries int
	}{
		{&Dialer{AttemptDelay: ms(20), DomainDelay: -1, Timeout: ms(400)}, 4},
		{&Dialer{AttemptDelay: ms(20), Timeout: ms(400), Exclude: []Rule{{Interface: "eth1"}}}, 2},
	} {
		one, two := r.capture(eth0), r.capture(eth1)
		o := r.dial(c.d, "tcp", "www.example:80")
		if e := (*Error)(nil); !errors.As(o.err, &e) || !e.Timeout() || len(o.log.started) != c.tries {
			t.Errorf("%v after %q", o.err, o.log.tries())
		}
		r.never(one, "203.0.113.10", "2001:db8:e::a")
		if c.d.Exclude == nil {
			r.never(two, "198.51.100.10", "2001:db8:f::a")
			continue
		}
		for _, p := range two.Packets() {
			if !p.FromRouter && (p.SYN || p.Destination.Port() == 53) {
				t.Errorf("on the excluded link: %v -> %v", p.Source, p.Destination)
			}
		}
	}
}

func (r *rig) capture(u *uplink) *miftest.Capture {
	r.t.Helper()
	c, err := u.Capture()
	if err != nil {
		r.t.Fatal(err)
	}
	return c
}

// awaitSYN waits until an attempt is really under way, and ends the capture.
func (r *rig) awaitSYN(c *miftest.Capture) {
	r.t.Helper()
	if _, err := c.Wait(generous, func(p miftest.Packet) bool { return p.SYN && !p.FromRouter }); err != nil {
		r.t.Fatal(err)
	}
	if err := c.Stop(); err != nil {
		r.t.Fatal(err)
	}
}

// never checks that nothing was sent to some addresses on a link.
func (r *rig) never(c *miftest.Capture, addrs ...string) {
	r.t.Helper()
	if err := c.Stop(); err != nil || c.Lost() > 0 {
		r.t.Fatal(err, c.Lost())
	}
	for _, p := range c.Packets() {
		for _, a := range addrs {
			if p.Destination.Addr().String() == a {
				r.t.Errorf("%v is sent what was for another domain", a)
			}
		}
	}
}

// race dials in the background and waits for a line of its log.
func (r *rig) race(ctx context.Context, d *Dialer, address, line string) (result chan outcome, log *raceLog) {
	r.t.Helper()
	log = &raceLog{events: make(chan string, 1000)}
	d.Host, d.Trace, d.Timeout = r.host, log.trace(), 2*generous
	result = make(chan outcome, 1)
	go func() {
		began := time.Now()
		conn, err := d.DialContext(ctx, "tcp", address)
		o := outcome{took: time.Since(began), err: err, log: log}
		if err == nil {
			o.remote = conn.RemoteAddr().(*net.TCPAddr).AddrPort().Addr().String()
			conn.Close()
		}
		result <- o
	}()
	for {
		select {
		case l := <-log.events:
			if l == line {
				return result, log
			}
		case <-time.After(generous):
			r.t.Fatalf("waited in vain for %q; %q", line, log.lines)
		}
	}
}

// A cable pulled during a race ends the attempts of its domain, and the race goes on.
func TestCablePulled(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	eth0 := r.uplink("eth0", 1, "4", miftest.Zone{"www.example": name("198.51.100.10")}, nil)
	eth0.silence("198.51.100.10")
	r.uplink("eth1", 2, "4", miftest.Zone{"www.example": name("203.0.113.1")}, nil).serve("203.0.113.1")
	wire := r.capture(eth0)
	result, log := r.race(t.Context(), &Dialer{DomainDelay: never}, "www.example:80", "try eth0/ipv4 198.51.100.10")
	r.awaitSYN(wire)
	pulled := time.Now()
	if err := eth0.CablePull(); err != nil {
		t.Fatal(err)
	}
	o := <-result
	took := time.Since(pulled)
	r.expect("cable", o, "203.0.113.1", "eth0/ipv4 198.51.100.10", "eth1/ipv4 203.0.113.1")
	if !strings.Contains(strings.Join(log.lines, "\n"), "left eth0/ipv4") || took > generous {
		t.Errorf("%v after the cable was pulled: %q", took, log.lines)
	}
	r.report("m11", "cable of the first pulled during the race; from then on", "0", outcome{took: took})
}

// With nothing left, losing the domain is the error.
func TestOnlyCablePulled(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	eth0 := r.uplink("eth0", 1, "4", miftest.Zone{"www.example": name("198.51.100.10")}, nil)
	eth0.silence("198.51.100.10")
	wire := r.capture(eth0)
	result, _ := r.race(t.Context(), &Dialer{}, "www.example:80", "try eth0/ipv4 198.51.100.10")
	r.awaitSYN(wire)
	if err := eth0.CablePull(); err != nil {
		t.Fatal(err)
	}
	o := <-result
	if !errors.Is(o.err, mif.ErrUnknownPvD) || o.took > generous {
		t.Errorf("%v after %v", o.err, o.took)
	}
}

// A domain that appears joins the race.
func TestDomainAppears(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	eth0 := r.uplink("eth0", 1, "4", miftest.Zone{"www.example": name("198.51.100.10")}, nil)
	eth0.silence("198.51.100.10")
	result, _ := r.race(t.Context(), &Dialer{}, "www.example:80", "try eth0/ipv4 198.51.100.10")
	r.prepare = func(u *uplink) { u.serve("203.0.113.1") }
	r.uplink("eth1", 2, "4", miftest.Zone{"www.example": name("203.0.113.1")}, nil)
	o := <-result
	r.expect("appears", o, "203.0.113.1", "eth0/ipv4 198.51.100.10", "eth1/ipv4 203.0.113.1")
}

// Cancelled, it returns at once and leaves nothing; the same if the Host is closed.
func TestEndsFromOutside(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	eth0 := r.uplink("eth0", 1, "46", miftest.Zone{"www.example": name("198.51.100.10", "2001:db8:f::a")}, nil)
	eth0.silence("198.51.100.10", "2001:db8:f::a")
	ctx, cancel := context.WithCancelCause(t.Context())
	result, log := r.race(ctx, &Dialer{}, "www.example:80", "try eth0/ipv6 2001:db8:f::a")
	began, why := time.Now(), errors.New("bored")
	cancel(why)
	o := <-result
	r.report("f09", "the caller cancels; from then on", "1", outcome{took: time.Since(began)})
	if !errors.Is(o.err, context.Canceled) || !errors.Is(o.err, why) || o.took > generous {
		t.Errorf("cancelled: %v", o.err)
	}
	for a, n := range log.open {
		if n != 0 {
			t.Errorf("%v is open", a)
		}
	}
	result, _ = r.race(t.Context(), &Dialer{}, "www.example:80", "try eth0/ipv6 2001:db8:f::a")
	r.host.Close()
	if o = <-result; !errors.Is(o.err, net.ErrClosed) || o.took > generous {
		t.Errorf("host closed: %v", o.err)
	}
	if o = r.dial(&Dialer{}, "tcp", "www.example:80"); !errors.Is(o.err, net.ErrClosed) {
		t.Errorf("closed before: %v", o.err)
	}
}

func TestNoDomain(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	if o := r.dial(&Dialer{}, "tcp", "www.example:80"); !errors.Is(o.err, ErrNoDomain) {
		t.Errorf("without a link: %v", o.err)
	}
	r.uplink("eth0", 1, "4", miftest.Zone{}, nil)
	for _, address := range []string{"[2001:db8::1]:80", "[fe80::1%wlan9]:80"} {
		if o := r.dial(&Dialer{}, "tcp", address); !errors.Is(o.err, ErrNoDomain) {
			t.Errorf("%s: %v", address, o.err)
		}
	}
	long := strings.Repeat("a.", 200) + "b"
	if o := r.dial(&Dialer{}, "tcp", long+":80"); o.err == nil || !strings.Contains(o.err.Error(), "253 octets") {
		t.Errorf("a name too long: %v", o.err)
	}
}

// An IPv6-only uplink with a NAT64.
func TestNAT64Uplink(t *testing.T) {
	t.Parallel()
	const behind = "64:ff9b::c633:6401" // 198.51.100.1
	for _, c := range []struct {
		id, what, must string
		pref64         string
		zone           miftest.Zone
		to             string
		tries          []string
	}{
		{"f05", "PREF64 of the router, the name has only A", "0", "64:ff9b::/96",
			miftest.Zone{"www.example": name("198.51.100.1")}, "www.example:80", []string{"eth0/ipv6 " + behind}},
		{"f06", "PREF64 of the router, IPv4 literal", "0", "64:ff9b::/96", nil, "198.51.100.1:80", []string{"eth0/ipv6 " + behind}},
		{"f07", "IPv4 literal, RFC 7050 answer after 40 ms", "40", "",
			miftest.Zone{"ipv4only.arpa": late(name("64:ff9b::c000:aa", "192.0.0.170"), 0, 40)}, "198.51.100.1:80", []string{"eth0/ipv6 " + behind}},
		{"f11", "a DNS64 gives a synthesised AAAA, the prefix is not known", "0", "",
			miftest.Zone{"www.example": name(behind)}, "www.example:80", []string{"eth0/ipv6 " + behind}},
		{"f10", "IPv6 address refuses, A behind NAT64, RFC 7050", "10", "",
			miftest.Zone{"ipv4only.arpa": name("64:ff9b::c000:aa"), "www.example": name(refuses6, "198.51.100.1")},
			"www.example:80", []string{"eth0/ipv6 " + refuses6, "eth0/ipv6 " + behind}},
	} {
		r := newRig(t)
		u := r.uplink("eth0", 1, "6", c.zone, func(rc *miftest.RouterConfig) {
			if c.pref64 != "" {
				rc.RA.PREF64 = netip.MustParsePrefix(c.pref64)
			}
		})
		if c.pref64 != "" {
			r.await("eth0/ipv6", pvd.ItemPREF64)
		}
		u.serve(behind, "2001:db8:f::9")
		u.refuse(refuses6)
		if o := r.dial(&Dialer{}, "tcp", "[2001:db8:f::9]:80"); o.err != nil { // the neighbour becomes known
			t.Fatal(o.err)
		}
		o := r.dial(&Dialer{}, "tcp", c.to)
		r.expect(c.id, o, behind, c.tries...)
		r.report(c.id, c.what, c.must, o)
	}
}

// The first of two name servers is dead (cases b13 and b14).
func TestDeadNameServer(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		id, what, must string
		silent         bool
	}{{"b13", "first DNS server silent (IPv6 only)", "250", true}, {"b14", "first DNS server's port unreachable (IPv6 only)", "0", false}} {
		r := newRig(t)
		u := r.uplink("eth0", 1, "6", miftest.Zone{"www.example": name(good6)}, func(rc *miftest.RouterConfig) {
			rc.RA.RDNSS = append([]netip.Addr{netip.MustParseAddr("2001:db8:d::53")}, rc.RA.RDNSS...)
		})
		u.serve(good6)
		if c.silent {
			u.silence("2001:db8:d::53")
		} else {
			u.refuse("2001:db8:d::53")
		}
		if o := r.dial(&Dialer{}, "tcp", "["+good6+"]:80"); o.err != nil {
			t.Fatal(o.err)
		}
		o := r.dial(&Dialer{}, "tcp", "www.example:80")
		r.expect(c.id, o, good6, "eth0/ipv6 "+good6)
		r.report(c.id, c.what, c.must, o)
	}
}

// A server that accepts and stays mute does not win if Validate wants to hear it,
// and its connection is closed when another wins.
func TestValidate(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	u := r.uplink("eth0", 1, "46", miftest.Zone{"www.example": name(silent6, good4), "bad.example": name("2001:db8:f::d", good4)}, nil)
	closed := make(chan error, 1)
	if _, err := u.Serve(netip.MustParseAddrPort("["+silent6+"]:80"), func(c net.Conn) {
		_, err := c.Read(make([]byte, 1))
		closed <- err
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := u.ServeLine(netip.MustParseAddrPort("[2001:db8:f::d]:80"), "wrong", 0); err != nil {
		t.Fatal(err)
	}
	u.serve(good4)
	d := &Dialer{Validate: func(ctx context.Context, conn net.Conn) error {
		b := make([]byte, 5)
		if _, err := io.ReadFull(conn, b); err != nil {
			return err
		}
		if string(b) != "eth0\n" {
			return errors.New("wrong greeting")
		}
		return nil
	}}
	o := r.dial(d, "tcp", "www.example:80")
	r.expect("mute", o, good4, "eth0/ipv6 "+silent6, "eth0/ipv4 "+good4)
	r.report("h01", "IPv6 accepts and stays mute, Validate listens", "250", o)
	select {
	case err := <-closed:
		if err == nil {
			t.Error("the loser is written to")
		}
	case <-time.After(generous):
		t.Error("the loser is not closed")
	}
	o = r.dial(d, "tcp", "bad.example:80")
	r.expect("bad", o, good4, "eth0/ipv6 2001:db8:f::d", "eth0/ipv4 "+good4)
	d = &Dialer{Validate: func(context.Context, net.Conn) error { return errors.New("never good") }}
	if o = r.dial(d, "tcp", "bad.example:80"); o.err == nil || strings.Count(o.err.Error(), "never good") != 2 {
		t.Errorf("%v", o.err)
	}
}
