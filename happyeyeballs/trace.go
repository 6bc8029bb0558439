package happyeyeballs

import (
	"net/netip"
	"time"

	"github.com/go-mif/mif"
)

// A Lookup is a question to one domain: for a name's addresses of a family, or for how a
// service is reached.
type Lookup struct {
	PvD     mif.PvDID
	Name    string
	Family  mif.Family // pvd.IPv4 or pvd.IPv6, of addresses
	Service string     // the scheme, such as https; empty for addresses
}

// An Attempt is an attempt to connect to one address in one domain. It is made once,
// and once more if the server asks for other keys to encrypt the hello with.
type Attempt struct {
	PvD mif.PvDID
	To  netip.AddrPort
}

// A Trace is told what happens in a race. Its hooks may be nil. They are called in
// the goroutine of DialContext, in the order of what happens, and hold the race up
// as long as they run; those of concurrent races are called concurrently.
type Trace struct {
	// Joined and Left tell which domains take part.
	Joined func(now time.Time, d Domain)
	Left   func(now time.Time, d Domain)

	// Asked is followed by one Answered, with the addresses if there are any and an
	// error if not all is well. Those of a service are its hints. If the race ended
	// first, the error wraps mif.ErrStopped.
	Asked    func(now time.Time, l Lookup)
	Answered func(now time.Time, l Lookup, addrs []netip.Addr, err error)

	// Started is followed by one Ended, with nil for the winner. The error of an
	// attempt that was cancelled, since another won, wraps mif.ErrStopped. Connected
	// comes between if the TCP handshake succeeded.
	Started   func(now time.Time, a Attempt)
	Connected func(now time.Time, a Attempt)
	Ended     func(now time.Time, a Attempt, err error)
}

func (t *Trace) joined(now time.Time, d Domain) {
	if t != nil && t.Joined != nil {
		t.Joined(now, d)
	}
}

func (t *Trace) left(now time.Time, d Domain) {
	if t != nil && t.Left != nil {
		t.Left(now, d)
	}
}

func (t *Trace) asked(now time.Time, l Lookup) {
	if t != nil && t.Asked != nil {
		t.Asked(now, l)
	}
}

func (t *Trace) answered(now time.Time, l Lookup, addrs []netip.Addr, err error) {
	if t != nil && t.Answered != nil {
		t.Answered(now, l, addrs, err)
	}
}

func (t *Trace) started(now time.Time, a Attempt) {
	if t != nil && t.Started != nil {
		t.Started(now, a)
	}
}

func (t *Trace) connected(now time.Time, a Attempt) {
	if t != nil && t.Connected != nil {
		t.Connected(now, a)
	}
}

func (t *Trace) ended(now time.Time, a Attempt, err error) {
	if t != nil && t.Ended != nil {
		t.Ended(now, a, err)
	}
}
