package additional

import (
	"fmt"
	"testing"
	"time"
)

// What cannot be reached is tried again some times, less and less often: that is not
// among the failures that the RFC counts. Then it is.
func TestUnreachable(t *testing.T) {
	r := newRig(t, 0)
	n := r.attach("eth0", "a.example")
	r.step()
	for i, at := range []time.Duration{0, 20 * time.Second, 60 * time.Second} {
		r.until(at)
		r.did(at.String() + " fetch a.example")
		r.answer("a.example", 0, fmt.Errorf("%w: silence", ErrUnreachable))
		if i < 2 {
			r.did()
		}
	}
	r.did("1m0s failed eth0/a.example")
	n.Domains[0].Option.Sequence++
	r.step()
	r.until(time.Hour)
	r.did()
}

// Once a server was heard, it may be silent as often again, whatever its number; but a
// number or a domain that comes anew does not begin anew.
func TestUnreachableOnEnd(t *testing.T) {
	r := newRig(t, 1)
	n := r.attach("eth0", "a.example")
	r.step()
	r.answer("a.example", 0, ErrUnreachable)
	r.until(20 * time.Second)
	r.answer("a.example", time.Hour, nil)
	r.until(30*time.Minute + 20*time.Second)
	r.answer("a.example", 0, ErrUnreachable)
	n.Domains[0].Option.Sequence++
	r.step()
	r.until(31 * time.Minute)
	r.answer("a.example", 0, ErrUnreachable)
	r.log = nil
	n.Domains[0].ID = identities(n.ID, "a.example")[0]
	r.step()
	r.until(time.Hour)
	r.answer("a.example", 0, ErrUnreachable)
	r.did("31m0s fetch a.example", "1h0m0s failed eth0/a.example")
}

// An attacker who changes names quickly is stopped as well (section 6), though each of
// them is tried once only, and some are withdrawn before their end.
func TestUnreachableNames(t *testing.T) {
	r := newRig(t, 0)
	n := r.attach("eth0", "n0.example")
	fetches := 0
	for i := range 100 {
		r.until(time.Duration(i) * 10 * time.Second)
		name := fmt.Sprintf("n%d.example", i)
		n.Domains[0].ID, n.Domains[0].Option.FQDN = identities(n.ID, name)[0], name
		r.step()
		fetches += len(r.begun)
		if len(r.begun) > 0 && i%2 == 0 {
			r.answer(name, 0, ErrUnreachable)
		}
	}
	if fetches != 30 || len(r.s.networks[n.ID].vain) != 30 {
		t.Errorf("%d fetches: %q", fetches, r.log)
	}
}

// What waits for the longest time is fetched first: nothing waits for ever.
func TestFairness(t *testing.T) {
	r := newRig(t, 0)
	n := r.attach("eth0", "a.example", "b.example", "c.example", "d.example", "e.example", "f.example")
	r.step()
	r.until(5 * time.Second)
	for i := range 5 {
		n.Domains[i].Option.Sequence++
	}
	r.step()
	r.log = nil
	r.until(15 * time.Second)
	r.did("10s fetch f.example", "10s fetch a.example", "10s fetch b.example", "10s fetch c.example", "10s fetch d.example")
}

// While a server cannot be reached, what it said before holds.
func TestUnreachableKeepsTheOld(t *testing.T) {
	r := newRig(t, 1)
	n := r.attach("eth0", "a.example")
	r.step()
	r.answer("a.example", 2*time.Hour, nil)
	r.until(time.Hour)
	for i := range 3 {
		r.until(time.Hour + time.Duration(i)*time.Minute)
		r.answer("a.example", 0, ErrUnreachable)
	}
	if !r.has(n, "a.example") {
		t.Error("it is gone")
	}
	r.until(2 * time.Hour)
	if r.has(n, "a.example") {
		t.Error("it outlives its end")
	}
}

// A domain that goes, and a network that is left, end what is under way and leave nothing.
func TestGone(t *testing.T) {
	r := newRig(t, 0)
	n := r.attach("eth0", "a.example", "b.example")
	r.step()
	r.answer("a.example", time.Hour, nil)
	id := n.ID
	n.Domains = n.Domains[:0]
	before := r.changed
	r.step()
	r.did("0s fetch a.example", "0s fetch b.example", "0s end b.example")
	if r.changed != before+1 || len(r.s.Fetched(id)) != 0 || !r.next.IsZero() {
		t.Errorf("%d changes, %v, next %v", r.changed-before, r.s.Fetched(id), r.next)
	}
	r.networks = nil
	r.step()
	r.until(10 * time.Second)
	r.step()
	if len(r.s.networks) != 0 || !r.next.IsZero() {
		t.Errorf("%v is kept, next %v", r.s.networks, r.next)
	}
}

// A network that is left and there again at once is no other to the servers: the limits of
// section 4.1 hold, while failures are forgotten.
func TestFlap(t *testing.T) {
	r := newRig(t, 0)
	r.attach("eth0", "a.example", "b.example")
	r.step()
	r.answer("a.example", 0, errHTTP)
	there := r.networks
	for i := range 50 {
		r.now = start.Add(time.Duration(i) * 100 * time.Millisecond)
		r.networks = nil
		r.step()
		r.networks = there
		r.step()
	}
	r.until(time.Minute)
	r.did("0s fetch a.example", "0s fetch b.example", "0s failed eth0/a.example", "0s end b.example", "10s fetch a.example", "10s fetch b.example")
}
