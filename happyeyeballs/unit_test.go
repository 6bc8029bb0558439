package happyeyeballs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-mif/mif"
	"github.com/go-mif/mif/pvd"
)

// domains gives real identities for names such as eth0/ipv4.
func domains(t *testing.T, names ...string) []Domain {
	t.Helper()
	var world strings.Builder
	for i, n := range names {
		a := fmt.Sprintf("192.0.%d.2/24", i)
		if strings.HasSuffix(n, "ipv6") {
			a = fmt.Sprintf("2001:db8:%d::2/64", i)
		}
		world.WriteString("domain " + n + " " + a + "\n")
	}
	var all []Domain
	for _, d := range newSim(t, "x:1", world.String()).domains {
		all = append(all, d.Domain)
	}
	return all
}

func TestRules(t *testing.T) {
	d := domains(t, "eth0/ipv4", "eth0/ipv6", "wlan0/ipv6")
	d[2].FQDN = "corp.example"
	for _, c := range []struct {
		rules rules
		allow [3]bool
		rank  [3]int
	}{
		{rules{}, [3]bool{true, true, true}, [3]int{}},
		{rules{require: []Rule{{Interface: "eth0"}}}, [3]bool{true, true, false}, [3]int{}},
		{rules{require: []Rule{{Interface: "eth0", Family: pvd.IPv6}, {FQDN: "CORP.example."}}}, [3]bool{false, true, true}, [3]int{}},
		{rules{exclude: []Rule{{PvD: "eth0/ipv6"}}}, [3]bool{true, false, true}, [3]int{}},
		{rules{require: []Rule{{}}, exclude: []Rule{{Family: pvd.IPv4}}}, [3]bool{false, true, true}, [3]int{}},
		{rules{prefer: []Rule{{Interface: "wlan0"}, {Family: pvd.IPv6}}}, [3]bool{true, true, true}, [3]int{2, 1, 0}},
	} {
		for i := range d {
			if c.rules.allow(d[i]) != c.allow[i] {
				t.Errorf("%+v: allow(%v) is %v", c.rules, d[i].PvD, !c.allow[i])
			}
			if r := c.rules.rank(d[i]); r != c.rank[i] {
				t.Errorf("%+v: rank(%v) is %d, want %d", c.rules, d[i].PvD, r, c.rank[i])
			}
		}
	}
	if both := (Domain{PvD: d[0].PvD, Family: pvd.Both}); !(Rule{Family: pvd.IPv4}).fits(both) || !(Rule{Family: pvd.IPv6}).fits(both) {
		t.Error("a domain of both families does not fit either")
	}
}

// Rules in a race: hard ones filter even if all else fails, soft ones sort.
func TestRulesInRace(t *testing.T) {
	world := two + "host wlan0/ipv4 198.51.100.2 2 ok\nhost eth0/ipv4 198.51.100.1 2 refused"
	for _, c := range []struct {
		rules rules
		want  string
	}{
		{rules{exclude: []Rule{{Interface: "wlan0"}}}, "0 try eth0/ipv4 198.51.100.1\n2 fail eth0/ipv4 198.51.100.1"},
		{rules{prefer: []Rule{{Interface: "wlan0"}}}, "0 try wlan0/ipv4 198.51.100.2\n2 win wlan0/ipv4 198.51.100.2"},
		{rules{require: []Rule{{Interface: "eth9"}}}, ""},
	} {
		s := newSim(t, "www.example:80", world)
		s.m.rules = c.rules
		if got := s.run(t); got != c.want {
			t.Errorf("%+v: got\n%s\nwant\n%s", c.rules, got, c.want)
		}
		if c.want == "" && s.end.err != ErrNoDomain {
			t.Errorf("no domain: %v", s.end.err)
		}
	}
}

// A race can be of one family, and a literal's zone is an interface.
func TestTargets(t *testing.T) {
	world := plain + `domain wlan0/ipv6 2001:db8:2::2/64
		domain wlan0/ipv4 192.0.3.2/24
		host eth0/ipv6 2001:db8:f::1 1 ok
		host eth0/ipv4 198.51.100.1 1 ok
		host wlan0/ipv6 fe80::9 1 ok
		domain lte0/ipv6 2001:db8:3::2/64 pref64=64:ff9b::/96
		host lte0/ipv6 64:ff9b::c633:6407 1 ok`
	for to, want := range map[string]string{
		"tcp6 www.example:80":         "0 try eth0/ipv6 2001:db8:f::1\n1 win eth0/ipv6 2001:db8:f::1",
		"tcp4 www.example:80":         "0 try eth0/ipv4 198.51.100.1\n1 win eth0/ipv4 198.51.100.1",
		"tcp [2001:db8:f::1]:80":      "0 try eth0/ipv6 2001:db8:f::1\n1 win eth0/ipv6 2001:db8:f::1",
		"tcp [fe80::9%wlan0]:80":      "0 try wlan0/ipv6 fe80::9\n1 win wlan0/ipv6 fe80::9",
		"tcp [::ffff:198.51.100.1]:1": "0 try eth0/ipv4 198.51.100.1\n1 win eth0/ipv4 198.51.100.1",
		"tcp [fe80::9%eth7]:80":       "",
	} {
		s := newSim(t, to, world)
		if got := s.run(t); got != want {
			t.Errorf("%s: got\n%s\nwant\n%s", to, got, want)
		}
	}
	// RFC 6052 connections are of IPv6: there are none with tcp4.
	for _, to := range []string{"tcp4 198.51.100.7:80", "tcp4 www.example:80"} {
		s := newSim(t, to, "domain lte0/ipv6 2001:db8:3::2/64 pref64=64:ff9b::/96\ndns lte0/ipv6 A 0 198.51.100.7")
		if got := s.run(t); got != "" || s.end.err != ErrNoDomain {
			t.Errorf("%s: %v\n%s", to, s.end.err, got)
		}
	}
}

// A server that gives very many addresses gets no more than some attempts.
func TestAtMost(t *testing.T) {
	world := "domain eth0/ipv4 192.0.2.2/24\ndns eth0/ipv4 A 0"
	var hosts strings.Builder
	for i := range 200 {
		world += fmt.Sprintf(" 198.51.100.%d", i)
		fmt.Fprintf(&hosts, "host eth0/ipv4 198.51.100.%d 1 refused\n", i)
	}
	if got := newSim(t, "www.example:80", world+"\n"+hosts.String()).run(t); strings.Count(got, "try") != atMost {
		t.Errorf("%d attempts", strings.Count(got, "try"))
	}
}

// The attempts of a domain that goes are cancelled, each once.
func TestLeaveCancels(t *testing.T) {
	s := newSim(t, "www.example:80", two+"domain eth0/ipv4 192.0.2.2/24 leave=20\ndomain wlan0/ipv4 192.0.3.2/24 leave=600")
	s.domains = s.domains[2:]
	started, cancelled := 0, 0
	s.referee = func(a action) {
		switch a.(type) {
		case start:
			started++
		case cancel:
			cancelled++
		}
	}
	s.run(t)
	if started != 2 || cancelled != 2 {
		t.Errorf("%d started, %d cancelled", started, cancelled)
	}
}

// A connection that comes when its attempt is out of the race is closed.
func TestLateConnection(t *testing.T) {
	here, there := net.Pipe()
	r := &race{machine: newMachine(target{}), conns: map[mif.ConnectionID]net.Conn{}}
	r.tell(mif.Connected{ID: 9, Conn: here}, epoch)
	if _, err := there.Read(make([]byte, 1)); err != io.EOF || len(r.conns) != 0 {
		t.Errorf("%v, %d kept", err, len(r.conns))
	}
}

func TestParse(t *testing.T) {
	for _, c := range []struct{ network, address, says string }{
		{"udp", "a:1", "unknown network"}, {"tcp", "a", "missing port"}, {"tcp", ":80", "missing host"},
		{"tcp", "a:0", "port 0"}, {"tcp", "a:70000", "invalid port"}, {"tcp4", "[2001:db8::1]:1", "other family"},
		{"tcp6", "192.0.2.1:1", "other family"}, {"tcp", "0.0.0.0:1", "unicast"}, {"tcp", "[ff02::1]:1", "unicast"},
		{"tcp", "255.255.255.255:1", "unicast"},
	} {
		d := &Dialer{}
		_, err := d.DialContext(t.Context(), c.network, c.address)
		if e := (*Error)(nil); !errors.As(err, &e) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s %s: %v, want %q", c.network, c.address, err, c.says)
		}
	}
	got, err := parse(t.Context(), "tcp", "[fe80::1%eth0]:http")
	if err != nil || got.port != 80 || got.zone != "eth0" || got.literal.Zone() != "" || !got.four || !got.six {
		t.Errorf("%+v, %v", got, err)
	}
}

// RFC 6724, section 10.2, gives most of these; the rest are rules 2, 3, 5 to 9 one by one.
func TestDestinations(t *testing.T) {
	own := func(addrs ...string) (all []pvd.Address) {
		for _, a := range addrs {
			text, deprecated := strings.CutSuffix(a, " deprecated")
			all = append(all, pvd.Address{Prefix: netip.MustParsePrefix(text), Deprecated: deprecated})
		}
		return all
	}
	for _, c := range []struct {
		rule string
		own  []pvd.Address
		want string // destinations, best first
	}{
		{"1, no source", own("2001:db8:1::2/64"), "2001:db8:2::1 198.51.100.121"},
		{"2, matching scope", own("fe80::1/64", "198.51.100.117/24", "2001:db8:1::2/64"), "2001:db8:1::1 198.51.100.121"},
		{"2, link-local IPv4 source for a far destination is none", own("2001:db8:1::2/64", "169.254.13.78/16"), "2001:db8:1::1 198.51.100.121"},
		{"1, link-local IPv4 source is none for a far destination", own("fd00::2/64", "169.254.13.78/16"), "fd00:1::1 198.51.100.121"},
		{"3, deprecated source", own("2001:db8:1::2/64 deprecated", "192.0.2.2/24"), "198.51.100.121 2001:db8:1::1"},
		{"5, matching label", own("2002:c633:6401::2/64", "fe80::1/64"), "2002:c633:6401::1 2001:db8:1::1"},
		{"6, precedence", own("2001:db8:1::2/64", "10.1.2.4/24"), "2001:db8:1::1 10.1.2.3"},
		{"6, unique local after IPv4", own("fd00::2/64", "192.0.2.2/24"), "198.51.100.121 fd00:1::1"},
		{"8, smaller scope", own("2001:db8:1::2/64", "fe80::1/64"), "fe80::2 2001:db8:1::1"},
		{"9, longest prefix", own("2001:db8:1::2/64", "2001:db8:3f44::2/64"), "2001:db8:1::1 2001:db8:3ffe::1"},
		{"9, not for IPv4", own("192.0.2.2/24"), "198.51.100.121 192.0.2.7"},
	} {
		m := &member{addrs: c.own, group: &group{}}
		m.group.members = []*member{m}
		var want []string
		for _, w := range strings.Fields(c.want) {
			want = append(want, w)
			a := netip.MustParseAddr(w)
			m.candidates = append(m.candidates, &candidate{member: m, endpoint: endpoint{a, a}})
		}
		check := func(order string) {
			var got []string
			for _, x := range m.group.sorted(&History{}, epoch) {
				got = append(got, x.dial.String())
			}
			if !slices.Equal(got, want) {
				t.Errorf("rule %s, %s: %v, want %v", c.rule, order, got, want)
			}
		}
		check("in order")
		if c.rule != "9, not for IPv4" {
			slices.Reverse(m.candidates)
			check("reversed")
		}
	}
}

// RFC 6052, section 2.4, and what must not be translated.
func TestNAT64(t *testing.T) {
	for prefix, want := range map[string]string{
		"2001:db8::/32":            "2001:db8:c000:221::",
		"2001:db8:100::/40":        "2001:db8:1c0:2:21::",
		"2001:db8:122::/48":        "2001:db8:122:c000:2:2100::",
		"2001:db8:122:300::/56":    "2001:db8:122:3c0:0:221::",
		"2001:db8:122:344::/64":    "2001:db8:122:344:c0:2:2100::",
		"2001:db8:122:344::/96":    "2001:db8:122:344::192.0.2.33",
		"64:ff9b::/96":             "64:ff9b::192.0.2.33",
		"2001:db8:122:344::1/96":   "2001:db8:122:344::192.0.2.33",
		"2001:db8:122:344:1::/104": "",
	} {
		p, v4 := netip.MustParsePrefix(prefix), netip.MustParseAddr("192.0.2.33")
		got, ok := synthesize(p, v4)
		if ok != (want != "") || ok && got != netip.MustParseAddr(want) {
			t.Errorf("%s: %v, want %s", prefix, got, want)
		}
		if back, ok := extract(p, got); ok && back != v4 || ok != (want != "") {
			t.Errorf("%s: back comes %v, %v", prefix, back, ok)
		}
	}
	for _, a := range []string{"0.1.2.3", "127.0.0.1", "169.254.1.1", "255.255.255.255", "10.1.2.3"} {
		if six, ok := synthesize(wellKnown, netip.MustParseAddr(a)); ok {
			t.Errorf("%s becomes %v", a, six)
		}
	}
	for _, p := range []string{"64:ff9b::/96", "2001:db8:1:2::/64", "2001:db8::/32", "2001:db8:ab00::/40"} {
		six, _ := synthesize(netip.MustParsePrefix(p), discoveryAddrs[1])
		if got, ok := discovered(six); !ok || got != netip.MustParsePrefix(p) {
			t.Errorf("RFC 7050: %v gives %v, want %s", six, got, p)
		}
	}
	if p, ok := discovered(netip.MustParseAddr("2001:db8::1")); ok {
		t.Errorf("RFC 7050: %v is found in an answer without one", p)
	}
}

func TestErrors(t *testing.T) {
	id := domains(t, "eth0/ipv6")[0].PvD
	to := netip.MustParseAddrPort("[2001:db8::1]:80")
	e := &Error{Network: "tcp", Address: "a:80", Failures: []*Failure{
		{PvD: id, Family: pvd.IPv6, Err: errors.New("resolver: no such name")},
		{PvD: id, To: to, Err: fmt.Errorf("connect: %v: dial %v: %w", id, to, syscall.ECONNREFUSED)},
		{PvD: id, To: to, Err: syscall.ETIMEDOUT},
	}}
	want := "happyeyeballs: dial tcp a:80: eth0/ipv6: look-up of ipv6: resolver: no such name; " +
		"connect: eth0/ipv6: dial [2001:db8::1]:80: connection refused; eth0/ipv6: to [2001:db8::1]:80: connection timed out"
	if e.Error() != want {
		t.Errorf("got %s", e)
	}
	var f *Failure
	var n net.Error = e
	if !errors.Is(e, syscall.ECONNREFUSED) || !errors.As(e, &f) || errors.Is(e, mif.ErrStopped) || n.Timeout() {
		t.Errorf("%v", e)
	}
	for _, e := range []*Error{{Err: context.DeadlineExceeded}, {Failures: []*Failure{{Err: syscall.ETIMEDOUT}}}} {
		if !e.Timeout() || e.Err != nil && !errors.Is(e, context.DeadlineExceeded) {
			t.Errorf("%v is no time-out", e)
		}
	}
	if (&Error{}).Timeout() || (&Error{Err: context.Canceled, Failures: []*Failure{{Err: syscall.ETIMEDOUT}}}).Timeout() {
		t.Error("no time-out is one")
	}
}

func TestTiming(t *testing.T) {
	for _, c := range []struct {
		d    *Dialer
		want timing
	}{
		{&Dialer{}, timing{ms(50), ms(250), ms(250), 2 * time.Second, 1}},
		{&Dialer{ResolutionDelay: -1, AttemptDelay: 1, DomainDelay: -1, FirstFamilyCount: -3}, timing{0, ms(10), 0, 2 * time.Second, 1}},
		{&Dialer{ResolutionDelay: 5, AttemptDelay: time.Hour, DomainDelay: time.Hour, FirstFamilyCount: 2}, timing{5, 2 * time.Second, time.Hour, 2 * time.Second, 2}},
	} {
		if got := c.d.timing(); got != c.want {
			t.Errorf("%+v", got)
		}
	}
}
