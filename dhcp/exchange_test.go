package dhcp

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// times are when the next messages are sent, after the start.
func (r *rig) times(n int) (all []string) {
	for range n {
		t, _ := r.sent()
		all = append(all, t.String())
	}
	return all
}

// The wait doubles from 4 s (RFC 2131 section 4.1); after four messages it is given
// up (section 4.4.3), until the hour is over.
func TestInformTimes(t *testing.T) {
	r := newRig(t, ours4)
	if got, want := r.times(6), []string{"500ms", "4.5s", "12.5s", "28.5s", "1h0m29s", "1h0m33s"}; !slices.Equal(got, want) {
		t.Errorf("sent at %v, want %v", got, want)
	}
}

// The wait doubles from 1 s up to 1 h (RFC 8415 section 15).
func TestInformationRequestTimes(t *testing.T) {
	r := newRig(t, ours6)
	if got, want := r.times(14)[:5], []string{"500ms", "1.5s", "3.5s", "7.5s", "15.5s"}; !slices.Equal(got, want) {
		t.Errorf("sent at %v, want %v", got, want)
	}
	before := r.now
	if r.sent(); r.now.Sub(before) != time.Hour {
		t.Errorf("sent again after %v", r.now.Sub(before))
	}
}

// Waits are random: by 10 % around what they would be, by 1 s in DHCPv4, and the
// first message up to 1 s late (RFC 8415 sections 15 and 18.2.6, RFC 2131 section 4.1).
func TestTimesAreRandom(t *testing.T) {
	for random, want := range map[float64][2]string{
		0:         {"[0s 3s 10s]", "[0s 900ms 2.61s]"},
		1 - 1e-16: {"[1s 6s 15s]", "[1s 2.1s 4.41s]"},
	} {
		four, six := newRig(t, ours4), newRig(t, ours6)
		for i, r := range []*rig{four, six} {
			r.machine.random = func() float64 { return random }
			r.ask(nil, r.now)
			r.ask([]Question{r.Question}, r.now)
			var got []time.Duration
			for range 3 {
				at, _ := r.sent()
				got = append(got, at.Round(time.Microsecond))
			}
			if fmt.Sprint(got) != want[i] {
				t.Errorf("random %v: sent at %v, want %s", random, got, want[i])
			}
		}
	}
}

// A message of a transaction repeats its number; the next transaction has another.
func TestTransactions(t *testing.T) {
	for _, from := range []struct {
		name string
		*rig
		number func(datagram) string
	}{
		{"DHCPv4", newRig(t, ours4), func(d datagram) string { return string(d.payload[4:8]) }},
		{"DHCPv6", newRig(t, ours6), func(d datagram) string { return string(d.payload[1:4]) }},
	} {
		_, one := from.sent()
		_, two := from.sent()
		d := answer(two, dns4)
		if from.From.Is6() {
			d = answer(two, dns6)
		}
		from.hear(7, &d, from.now)
		_, three := from.sent()
		if a, b, c := from.number(one), from.number(two), from.number(three); a != b || b == c {
			t.Errorf("%s: %x, %x, answered, %x", from.name, a, b, c)
		}
	}
}

// An answer to a DHCPINFORM has no lifetime: it is asked anew after the hour, and
// believed for a day.
func TestInformLifetime(t *testing.T) {
	r := newRig(t, ours4)
	_, q := r.sent()
	d := answer(q, dns4)
	r.hear(7, &d, r.now)
	heard := r.now
	if !r.news || !r.is("192.0.2.53") {
		t.Fatalf("%+v", r.answers())
	}
	if r.sent(); r.now.Sub(heard) != time.Hour+maxDelay/2 {
		t.Errorf("asked anew after %v", r.now.Sub(heard))
	}
	r.until(heard.Add(24*time.Hour-1), "192.0.2.53")
	r.until(heard.Add(24*time.Hour), "")
}

// until goes on until then, when there is to be just this server.
func (r *rig) until(then time.Time, server string) {
	r.Helper()
	for next := r.wake(r.now); !next.After(then); next = r.wake(next) {
		r.now = next
		r.due(next)
	}
	r.now = then
	if r.due(then); !r.is(server) {
		r.Errorf("%v later there is %+v", then.Sub(r.start), r.answers())
	}
}

// RFC 8415 section 21.23: a default, a minimum, and the maximum that it allows. It is
// asked anew a little before.
func TestRefreshTime(t *testing.T) {
	for _, c := range []struct {
		option string
		want   time.Duration
	}{
		{"", 24 * time.Hour},
		{"0020 0004 00000000", 10 * time.Minute},
		{"0020 0004 00000257", 10 * time.Minute},
		{"0020 0004 00000e10", time.Hour},
		{"0020 0004 ffffffff", 24 * time.Hour},
		{"0020 0003 000e10", 24 * time.Hour},
	} {
		r := newRig(t, ours6)
		_, q := r.sent()
		d := answer(q, dns6, c.option)
		r.hear(7, &d, r.now)
		heard := r.now
		if got := r.answers()[0].Configuration.DNSServers[0].Expiry.Sub(heard); got != c.want {
			t.Errorf("%s: believed for %v, want %v", c.option, got, c.want)
		}
		if r.sent(); r.now.Sub(heard) != c.want/8*7+maxDelay/2 {
			t.Errorf("%s: asked anew after %v", c.option, r.now.Sub(heard))
		}
		r.until(heard.Add(c.want-1), "2001:db8::53")
		r.until(heard.Add(c.want), "")
	}
}

// INF_MAX_RT is heeded, also of a server that has nothing to say (RFC 8415 section
// 18.2.10), within its bounds (section 21.25).
func TestInfMaxRT(t *testing.T) {
	for option, want := range map[string]time.Duration{
		"0053 0004 00000078": 2 * time.Minute,
		"0053 0004 0000003b": time.Hour,
		"0053 0004 00015181": time.Hour,
		"0053 0003 000078":   time.Hour,
	} {
		r := newRig(t, ours6)
		_, q := r.sent()
		d := answer(q, option, "000d 0002 0001", dns6)
		r.hear(7, &d, r.now)
		if len(r.answers()) > 0 {
			t.Errorf("%s: refused, and yet an answer", option)
		}
		r.times(14)
		before := r.now
		if r.sent(); r.now.Sub(before) != want {
			t.Errorf("%s: sent again after %v", option, r.now.Sub(before))
		}
	}
}

// An answer is waited for until a minute after a message, and one only.
func TestEars(t *testing.T) {
	r := newRig(t, ours4)
	if r.waits(r.now) {
		t.Error("ears before a word")
	}
	_, q := r.sent()
	late, first, second := answer(q, "0604c0000201"), answer(q, dns4), answer(q, "0604c0000202")
	if r.hear(7, &late, r.now.Add(patience)); r.news || r.waits(r.now.Add(patience)) {
		t.Error("an answer came too late, and was heard")
	}
	r.hear(7, &first, r.now.Add(patience-1))
	r.hear(7, &second, r.now.Add(patience-1))
	if !r.is("192.0.2.53") || r.waits(r.now) {
		t.Errorf("%+v", r.answers())
	}
}

// What is asked about no more is forgotten, and asked anew when it is back.
func TestAskAnew(t *testing.T) {
	r := newRig(t, ours4)
	_, q := r.sent()
	d := answer(q, dns4)
	r.hear(7, &d, r.now)
	r.answers()
	if r.ask([]Question{r.Question}, r.now); r.news || !r.is("192.0.2.53") {
		t.Error("the same question took the answer away")
	}
	if r.ask(nil, r.now); !r.news || !r.is("") {
		t.Error("the answer outlives the question")
	}
	if r.ask([]Question{r.Question}, r.now); !r.is("") {
		t.Error("an answer before a question")
	}
	if r.hear(7, &d, r.now); r.news {
		t.Error("an answer to an old question")
	}
	if at, _ := r.sent(); at != time.Second {
		t.Errorf("asked anew at %v", at)
	}
	another := question(t, ours4) // the same link after it was down
	if r.ask([]Question{another}, r.now); r.exchanges[another.place()].sent != 0 {
		t.Error("not asked anew about another domain of the link")
	}
}
