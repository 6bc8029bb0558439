package netlink

import (
	"errors"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/go-mif/mif/pvd"
)

// An asking is solicitations with a clock of its own, and when they were sent.
type asking struct {
	*solicitations
	now  time.Time
	sent []time.Duration // since the beginning
	err  error           // what comes of sending
}

func newAsking() *asking {
	a := &asking{solicitations: newSolicitations(), now: time.Unix(0, 0)}
	a.random = func() float64 { return 0.5 } // nothing is added
	return a
}

// run goes on for a while.
func (a *asking) run(d time.Duration) {
	end := a.now.Add(d)
	for {
		a.ask(a.now, func(int32) error {
			a.sent = append(a.sent, a.now.Sub(time.Unix(0, 0)))
			return a.err
		})
		if a.next.IsZero() || a.next.After(end) {
			a.now = end
			return
		}
		a.now = a.next
	}
}

func (a *asking) link(up bool) {
	f := &pvd.Facts{Interface: pvd.Interface{ID: pvd.NewInterfaceID(1, "v0"), Index: 1, Up: up, Carrier: true, Flags: net.FlagMulticast}}
	f.Addresses = []pvd.AddressFact{{Address: pvd.Address{Prefix: netip.MustParsePrefix("fe80::1/64"), LinkLocal: true}}}
	a.see(&Changes{Links: []*pvd.Facts{f}}, a.now)
}

func (a *asking) hear(lifetime uint16) {
	a.heard(&advertisement{index: 1, header: raHeader{lifetime: lifetime}})
}

func (a *asking) expect(t *testing.T, seconds ...int) {
	t.Helper()
	want := make([]time.Duration, len(seconds))
	for i, s := range seconds {
		want[i] = time.Duration(s) * time.Second
	}
	if !slices.Equal(a.sent, want) {
		t.Errorf("asked after %v, want %v", a.sent, want)
	}
}

// TestSolicitsEverMoreSeldom, up to an hour (RFC 7559 section 2).
func TestSolicitsEverMoreSeldom(t *testing.T) {
	a := newAsking()
	a.link(true)
	a.run(4 * time.Hour)
	a.expect(t, 0, 4, 12, 28, 60, 124, 252, 508, 1020, 2044, 4092, 7692, 11292)
}

// TestSolicitsAtRandom: hosts do not ask all at once.
func TestSolicitsAtRandom(t *testing.T) {
	for _, random := range []float64{0, 0.999999} {
		a := newAsking()
		a.random = func() float64 { return random }
		a.link(true)
		a.run(2 * time.Hour)
		for i := 1; i < len(a.sent); i++ {
			least, most := 4*time.Second, time.Hour
			if i > 1 {
				least = min(2*(a.sent[i-1]-a.sent[i-2]), most)
			}
			if d := (a.sent[i] - a.sent[i-1] - least).Abs(); d > least/10 || d < least/30 {
				t.Errorf("%v: %v between %d and %d", random, a.sent[i]-a.sent[i-1], i-1, i)
			}
		}
	}
}

// TestSolicitsUntilAnswered by a default router, and anew when the link was down (RFC
// 4861 section 6.3.7).
func TestSolicitsUntilAnswered(t *testing.T) {
	a := newAsking()
	a.link(true)
	a.hear(1800) // before anybody asked
	a.run(5 * time.Second)
	a.hear(0) // not from a default router
	a.link(true)
	a.run(8 * time.Second)
	a.hear(1800)
	a.run(time.Hour)
	a.expect(t, 0, 4, 12)
	a.link(false)
	a.link(true)
	a.run(time.Second)
	a.see(&Changes{Gone: []pvd.InterfaceID{pvd.NewInterfaceID(1, "v0")}}, a.now)
	a.run(time.Hour)
	a.expect(t, 0, 4, 12, 3613)
	if len(a.links) != 0 {
		t.Errorf("%v", a.links)
	}
}

// TestSolicitsWhenItCan: what could not be sent is tried again, and was not sent.
func TestSolicitsWhenItCan(t *testing.T) {
	a := newAsking()
	a.err = errors.New("no room")
	a.link(true)
	a.run(2 * time.Second)
	a.hear(1800)
	a.err = nil
	a.run(5 * time.Second)
	a.expect(t, 0, 1, 2, 3, 7)
}
