package additional

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

var errHTTP = errors.New("status 404")

// "When the H-flag of the PvD Option is set, hosts MAY attempt"; "hosts MUST NOT do so
// whenever the H-flag is not set."
func TestSection4_1HFlag(t *testing.T) {
	r := newRig(t, 0)
	n := r.attach("eth0", "a.example")
	n.Domains[0].Option.HTTP = false
	r.step()
	r.until(time.Hour)
	r.did()
	n.Domains[0].Option.HTTP = true
	r.step()
	r.until(time.Hour)
	r.did("1h0m0s fetch a.example")
	r.answer("a.example", 24*time.Hour, nil)
	n.Domains[0].Option.HTTP = false
	r.step()
	r.until(100 * time.Hour)
	r.did()
	if r.has(n, "a.example") {
		t.Error("it is kept")
	}
}

// "it may therefore be necessary to wait for an address to be available for use": and for
// a name server of the domain.
func TestSection4_1WaitsForAddress(t *testing.T) {
	r := newRig(t, 0)
	n := r.attach("eth0", "a.example")
	n.Domains[0].Ready = false
	r.step()
	r.until(time.Minute)
	r.did()
	n.Domains[0].Ready = true
	r.step()
	r.did("1m0s fetch a.example")
}

// What is no name of a host is not asked for.
func TestNotEligible(t *testing.T) {
	r := newRig(t, 0)
	r.attach("eth0", "localhost", "192.0.2.1", "a_b.example", "a.example")
	r.step()
	r.did("0s fetch a.example")
}

// "hosts MUST remember the last Sequence Number value"; "Whenever a new RA for the same
// PvD is received with a different Sequence Number value [...] hosts MUST deprecate the
// Additional Information and stop using it."
func TestSection4_1SequenceNumber(t *testing.T) {
	r := newRig(t, 1)
	n := r.attach("eth0", "a.example", "b.example")
	r.step()
	r.answer("a.example", 24*time.Hour, nil)
	r.answer("b.example", 24*time.Hour, nil)
	r.did("0s fetch a.example", "0s fetch b.example")
	r.until(time.Minute)
	n.Domains[0].Option.Sequence = 0 // another is another, not a greater
	r.step()
	if r.has(n, "a.example") || !r.has(n, "b.example") {
		t.Error("the wrong one is kept")
	}
	r.until(time.Hour)
	r.did("1m1.024s fetch a.example")
	r.answer("a.example", 24*time.Hour, nil)
	if f := r.s.Fetched(n.ID); len(f) != 2 || f[0].Sequence+f[1].Sequence != 1 || f[0].Source == "" {
		t.Errorf("%+v", f)
	}
	r.step() // the same number again
	r.until(2 * time.Hour)
	r.did()
}

// What a fetch brings that began before the number changed is not of the new number.
func TestSection4_1SequenceNumberMeanwhile(t *testing.T) {
	r := newRig(t, 1)
	n := r.attach("eth0", "a.example")
	r.step()
	late := r.begun[1]
	n.Domains[0].Option.Sequence = 2
	r.step()
	r.did("0s fetch a.example", "0s end a.example")
	r.step(Result{Domain: late.Domain.ID, Serial: late.Serial, Err: errHTTP})
	r.until(time.Minute)
	r.did("10s fetch a.example") // and its end is no failure
	r.answer("a.example", time.Hour, nil)
	if !r.has(n, "a.example") {
		t.Error("there is none")
	}
}

// "or whenever the expiry date for the additional information is reached, hosts MUST
// deprecate the Additional Information and stop using it."
func TestSection4_1Expiry(t *testing.T) {
	r := newRig(t, 0) // refreshed at the last moment
	n := r.attach("eth0", "a.example")
	r.step()
	r.answer("a.example", time.Hour, nil)
	r.until(time.Hour - 1)
	if !r.has(n, "a.example") {
		t.Error("it is gone too early")
	}
	r.until(time.Hour)
	if r.has(n, "a.example") {
		t.Error("it is kept")
	}
	r.did("0s fetch a.example", "1h0m0s fetch a.example")
}

// "A retrieved object including an expiration time that is already past or missing a
// mandatory element MUST be ignored", and is a failure.
func TestSection4_1ExpiredAtOnce(t *testing.T) {
	r := newRig(t, 0)
	n := r.attach("eth0", "a.example")
	r.step()
	r.answer("a.example", 0, nil)
	r.until(time.Hour)
	r.did("0s fetch a.example", "0s failed eth0/a.example")
	if r.has(n, "a.example") {
		t.Error("it is kept")
	}
}

// "it MUST add a delay before sending the query": "a random time between zero and
// 2^((10 + Delay)) milliseconds, where 'Delay' corresponds to the 4-bit unsigned integer in
// the last received PvD Option."
func TestSection4_1DelayAfterSequenceNumber(t *testing.T) {
	for delay, want := range map[uint8]time.Duration{0: 1024 * time.Millisecond, 1: 2048 * time.Millisecond, 4: 16384 * time.Millisecond, 15: 33554432 * time.Millisecond} {
		for _, part := range []float64{0, 0.25, 1} {
			r := newRig(t, part)
			n := r.attach("eth0", "a.example")
			r.step()
			r.answer("a.example", 10000*time.Hour, nil)
			r.until(time.Minute)
			r.did("0s fetch a.example")
			n.Domains[0].Option.Sequence, n.Domains[0].Option.Delay = 2, delay
			r.step()
			r.until(100 * time.Hour)
			r.did(fmt.Sprintf("%v fetch a.example", time.Minute+time.Duration(float64(want)*part)))
		}
	}
}

// The delays of a Schedule that is given no others are spread over all that is allowed.
func TestSection4_1DelayIsRandom(t *testing.T) {
	var low, high int
	for range 200 {
		switch d := new(Schedule).random(1000); {
		case d < 0 || d > 1000:
			t.Fatal(d)
		case d < 300:
			low++
		case d > 700:
			high++
		}
	}
	if low < 10 || high < 10 {
		t.Errorf("%d are low, %d high", low, high)
	}
}

// "The target time for fetching the updated object is calculated as a uniformly random
// time in the interval [(B-A)/2,B]": between the middle of its life and its end.
func TestSection4_1Refresh(t *testing.T) {
	for part, want := range map[float64]string{0: "10h0m0s", 0.5: "7h30m0s", 1: "5h0m0s"} {
		r := newRig(t, part)
		n := r.attach("eth0", "a.example")
		r.step()
		r.answer("a.example", 10*time.Hour, nil)
		r.until(10*time.Hour + 1)
		r.did("0s fetch a.example", want+" fetch a.example")
		r.answer("a.example", time.Hour, nil)
		if f := r.s.Fetched(n.ID); len(f) != 1 || f[0].Information.Expires != r.now.Add(time.Hour) {
			t.Errorf("%+v", f)
		}
	}
}

// "hosts MUST enforce a minimum time between requesting Additional Information for a given
// PvD on the same network. This minimum time is RECOMMENDED to be 10 seconds"; section 6:
// "limit the rate at which they fetch a particular PvD's Additional Information".
func TestSection4_1MinimumTime(t *testing.T) {
	r := newRig(t, 0)
	n := r.attach("eth0", "a.example")
	r.step()
	r.answer("a.example", time.Hour, nil)
	for i := range 5 {
		r.until(time.Duration(i+1) * time.Second)
		n.Domains[0].Option.Sequence++
		r.step()
	}
	r.until(time.Minute)
	r.did("0s fetch a.example", "10s fetch a.example")
	r.answer("a.example", 2*time.Second, nil) // expires soon, again and again
	r.until(62 * time.Second)
	r.answer("a.example", 2*time.Second, nil)
	r.until(2 * time.Minute)
	r.did("1m2s fetch a.example", "1m12s fetch a.example")
}

// The minimum time is of the name: a domain that goes and comes back is the same PvD.
func TestSection4_1MinimumTimeOfTheName(t *testing.T) {
	r := newRig(t, 0)
	n := r.attach("eth0", "a.example")
	r.step()
	n.Domains[0].ID = identities(n.ID, "a.example")[0]
	n.Domains[0].Option.FQDN = "A.Example"
	r.step()
	r.until(time.Minute)
	r.did("0s fetch a.example", "0s end a.example", "10s fetch A.Example")
}

// "Hosts also MUST limit the number of requests that are made to different PvD Additional
// Information servers on the same network": "no more than five [...] within 10 seconds";
// section 6: "limit the rate at which they fetch any PvD Additional Information on a given
// local network".
func TestSection4_1FiveInTenSeconds(t *testing.T) {
	r := newRig(t, 0)
	r.attach("eth0", "a.example", "b.example", "c.example", "d.example", "e.example", "f.example", "g.example")
	r.attach("eth1", "a.example")
	r.step()
	r.did("0s fetch a.example", "0s fetch b.example", "0s fetch c.example", "0s fetch d.example", "0s fetch e.example", "0s fetch a.example")
	r.until(10*time.Second - 1)
	r.did()
	r.until(time.Minute)
	r.did("10s fetch f.example", "10s fetch g.example")
}

// "If any of the prefixes included in any associated PIO is not covered by at least one
// of the listed prefixes, the PvD Additional Information [...] MUST NOT be used"; section
// 4.3: "the retrieved object SHOULD be ignored"; section 4.4: "Hosts MUST verify that all
// prefixes in all the RA PIOs are covered".
func TestSection4_1Prefixes(t *testing.T) {
	r := newRig(t, 0)
	n := r.attach("eth0", "a.example")
	n.Domains[0].Prefixes = prefixes("2001:db8:1::/64", "2001:db9:1::/64")
	r.step()
	r.answer("a.example", time.Hour, nil)
	r.until(2 * time.Hour)
	r.did("0s fetch a.example", "0s failed eth0/a.example")
	if r.has(n, "a.example") {
		t.Error("it is used")
	}
}

// "If the request for PvD Additional Information fails due to a TLS certificate validation
// error, an HTTP error, or because the retrieved file does not contain valid PvD JSON, hosts
// [...] MUST NOT request the information for that PvD ID again for the duration of the local
// network attachment"; section 6: "stop making requests for a PvD ID that does not respond
// with valid JSON".
func TestSection4_1FailureIsFinal(t *testing.T) {
	r := newRig(t, 0)
	n := r.attach("eth0", "a.example", "b.example")
	r.attach("eth1", "a.example")
	r.step()
	r.did("0s fetch a.example", "0s fetch b.example", "0s fetch a.example")
	first := r.begun[1]
	r.step(Result{Domain: first.Domain.ID, Serial: 1, Err: errHTTP})
	r.did("0s failed eth0/a.example")
	r.until(time.Hour)
	n.Domains[0].Option.Sequence = 2
	r.step()
	r.until(2 * time.Hour)
	n.Domains[0].ID, n.Domains[0].Option.FQDN = identities(n.ID, "a.example")[0], "A.EXAMPLE."
	r.step()
	r.until(3 * time.Hour)
	r.did()
	if len(r.failed) != 1 || r.failed[0].Err != errHTTP {
		t.Errorf("%v", r.failed)
	}
	away := r.networks
	r.networks = r.networks[1:]
	r.step()
	r.did("3h0m0s end b.example")
	r.networks = away
	r.step()
	r.did("3h0m0s fetch A.EXAMPLE.", "3h0m0s fetch b.example")
}

// "the host MUST close its connection and consider that there is no PvD Additional
// Information": what was fetched before is dropped when a server says so.
func TestSection4_1FailureDropsTheOld(t *testing.T) {
	r := newRig(t, 1)
	n := r.attach("eth0", "a.example")
	r.step()
	r.answer("a.example", time.Hour, nil)
	r.until(30 * time.Minute)
	r.answer("a.example", 0, errHTTP)
	if r.has(n, "a.example") {
		t.Error("it is kept")
	}
}

// "If a host detects 10 or more such failures [...] the host MUST NOT make any further
// requests for any PvD Additional Information, belonging to any PvD ID, for the duration of
// the local network attachment"; section 6: "stop making requests for all PvD IDs once a
// certain number of failures is reached on a particular network".
func TestSection4_1TenFailures(t *testing.T) {
	r := newRig(t, 0)
	names := []string{"ok.example"}
	for i := range 12 {
		names = append(names, fmt.Sprintf("n%d.example", i))
	}
	n := r.attach("eth0", names...)
	other := r.attach("eth1", "b.example")
	r.step()
	r.answer("ok.example", 100*time.Hour, nil)
	r.answer("b.example", 2*time.Hour, nil)
	for i := range 10 {
		r.until(time.Duration(i+1) * time.Minute)
		r.log = nil
		if i == 9 {
			r.networks[0].Domains[0].Option.Sequence++
			r.step()
			r.did("10m0s fetch ok.example") // nine are not ten
		}
		r.answer(names[i+1], 0, errHTTP)
	}
	r.until(time.Hour)
	r.answer("ok.example", 100*time.Hour, nil)
	r.log = nil
	r.networks[0].Domains[0].Option.Sequence++
	r.step()
	r.until(200 * time.Hour)
	r.did("2h0m0s fetch b.example")
	if len(r.failed) != 10 || len(r.s.Fetched(n.ID)) != 0 || r.s.Fetched(other.ID) != nil {
		t.Errorf("%d failed", len(r.failed))
	}
}
