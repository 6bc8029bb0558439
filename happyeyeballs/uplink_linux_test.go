package happyeyeballs

import (
	"strconv"
	"testing"
	"time"

	"github.com/go-mif/mif/miftest"
)

// A networkCase is a row of the table in docs/happyeyeballs.md on one plain uplink.
type networkCase struct {
	id, what string
	must     int // ms, as RFC 8305 has it; the test itself is generous
	zone     miftest.Name
	remote   string   // who wins; empty: nobody
	tries    []string // addresses, in order
}

const (
	good6, good4       = "2001:db8:f::1", "198.51.100.1"
	silent6, silent4   = "2001:db8:f::a", "198.51.100.10"
	refuses6, refuses4 = "2001:db8:f::b", "198.51.100.11"
	nowhere6           = "2001:db8:e::1" // no route at the router
)

func late(n miftest.Name, a, aaaa int) miftest.Name {
	n.A.Delay, n.AAAA.Delay = ms(a), ms(aaaa)
	return n
}

func faulty(n miftest.Name, a, aaaa miftest.Fault) miftest.Name {
	n.A, n.AAAA = a, aaaa
	return n
}

var none = miftest.Fault{}

// many are n silent IPv6 addresses.
func many() (all []string) {
	for _, c := range "123456789" {
		all = append(all, "2001:db8:f::a"+string(c))
	}
	return all
}

var networkCases = []networkCase{
	{"a01", "both families work", 0, name(good6, good4), good6, []string{good6}},
	{"a02", "IPv6 is a black hole", 250, name(silent6, good4), good4, []string{silent6, good4}},
	{"a03", "IPv6 refuses", 10, name(refuses6, good4), good4, []string{refuses6, good4}},
	{"a08", "IPv6 is unreachable, says the first router", 10, name(nowhere6, good4), good4, []string{nowhere6, good4}},
	{"a05", "AAAA is empty", 0, name(good4), good4, []string{good4}},
	{"a06", "A is empty", 0, name(good6), good6, []string{good6}},
	{"b01", "AAAA 20 ms late", 20, late(name(good6, good4), 0, 20), good6, []string{good6}},
	{"b02", "AAAA 200 ms late", 50, late(name(good6, good4), 0, 200), good4, []string{good4}},
	{"b03", "AAAA is never answered", 50, faulty(name(good6, good4), none, miftest.Fault{Drop: true}), good4, []string{good4}},
	{"b04", "A 500 ms late", 0, late(name(good6, good4), 500, 0), good6, []string{good6}},
	{"b05", "A is never answered", 0, faulty(name(good6, good4), miftest.Fault{Drop: true}, none), good6, []string{good6}},
	{"b06", "AAAA SERVFAIL", 0, faulty(name(good6, good4), none, miftest.Fault{Code: 2}), good4, []string{good4}},
	{"b07", "AAAA NXDOMAIN, A fine", 0, faulty(name(good6, good4), none, miftest.Fault{Code: 3}), good4, []string{good4}},
	{"b08", "IPv6 is a black hole, A 100 ms late", 250, late(name(silent6, good4), 100, 0), good4, []string{silent6, good4}},
	{"b12", "AAAA truncated, TCP stalls", 50, faulty(name(good6, good4), none, miftest.Fault{Truncate: true, Stall: true}), good4, []string{good4}},
	{"b11", "AAAA truncated, TCP fine", 0, faulty(name(good6, good4), none, miftest.Fault{Truncate: true}), good6, []string{good6}},
	{"c01", "9 silent IPv6, one good IPv4", 250, name(append(many(), good4)...), good4, []string{many()[0], good4}},
	{"c02", "silent IPv6, good IPv6, no IPv4", 250, name(silent6, good6), good6, []string{silent6, good6}},
	{"c03", "silent IPv4, good IPv4, no IPv6", 250, name(silent4, good4), good4, []string{silent4, good4}},
	{"c07", "two of each family refuse", 30, name(refuses6, "2001:db8:f::c", refuses4, "198.51.100.12"), "", []string{refuses6, refuses4, "2001:db8:f::c", "198.51.100.12"}},
	{"c08", "the name does not exist", 0, faulty(name(), miftest.Fault{Code: 3}, miftest.Fault{Code: 3}), "", nil},
}

// All cases of one plain uplink.
func TestOneUplink(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	u := r.uplink("eth0", 1, "46", zoneOf(networkCases), nil)
	u.serve(good6, good4)
	u.silence(append(many(), silent6, silent4)...)
	u.refuse("2001:db8:f::b", "2001:db8:f::c", "198.51.100.11", "198.51.100.12")
	r.play(u, networkCases)
}

// zoneOf is what a name server has for some cases.
func zoneOf(cases []networkCase) miftest.Zone {
	zone := miftest.Zone{"warm.example": name(good6), "warm4.example": name(good4)}
	for _, c := range cases {
		zone[c.id+".example"] = c.zone
	}
	return zone
}

// play runs cases, with -peers beside others in the same namespace.
func (r *rig) play(u *uplink, cases []networkCase) {
	r.t.Helper()
	for _, n := range []string{"warm.example:80", "warm4.example:80"} { // neighbours become known
		if o := r.dial(&Dialer{}, "tcp", n); o.err != nil {
			r.t.Fatal(o.err)
		}
	}
	for _, c := range cases {
		o := r.dial(&Dialer{}, "tcp", c.id+".example:80")
		var tries []string
		for _, a := range c.tries {
			tries = append(tries, domainOf("eth0", a)+" "+a)
		}
		r.expect(c.id, o, c.remote, tries...)
		if late := o.took - ms(c.must); late > 2*time.Second {
			r.t.Errorf("%s: took %v", c.id, o.took)
		}
		r.report(c.id, c.what, strconv.Itoa(c.must), o, u.peers(c.id+".example:80")...)
	}
}
