package happyeyeballs

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"

	"github.com/go-mif/mif"
)

// ErrNoDomain tells that there was nothing to try: no domain is there, the rules
// allow none of those, or none can reach addresses of the family asked for.
var ErrNoDomain = errors.New("no domain can be used")

// A Failure is what went wrong with one look-up or one attempt.
type Failure struct {
	PvD     mif.PvDID
	Family  mif.Family     // of a look-up of addresses, pvd.IPv4 or pvd.IPv6
	Service string         // of a look-up of a service, the scheme
	To      netip.AddrPort // of an attempt; zero for a look-up
	Err     error          // of mif.TranslationDone or mif.NotConnected, or of Validate
}

// Error names the domain, the address or the family, and the reason.
func (f *Failure) Error() string {
	text, where := f.Err.Error(), f.PvD.String()
	if f.Service != "" {
		return where + ": look-up of " + f.Service + ": " + text
	}
	if !f.To.IsValid() {
		return where + ": look-up of " + f.Family.String() + ": " + text
	}
	if strings.Contains(text, where) && strings.Contains(text, f.To.String()) {
		return text
	}
	return where + ": to " + f.To.String() + ": " + text
}

// Unwrap returns Err.
func (f *Failure) Unwrap() error { return f.Err }

// An Error is what DialContext returns when it fails. It is a net.Error. By
// errors.Is and errors.As it reaches Err and every Failure.
type Error struct {
	Network, Address string
	Failures         []*Failure // in the order in which they happened
	Err              error      // what ended the race from outside, such as the context's error; nil if all was tried
}

// Error gives one line.
func (e *Error) Error() string {
	parts := make([]string, 0, len(e.Failures)+1)
	if e.Err != nil {
		parts = append(parts, e.Err.Error())
	}
	for _, f := range e.Failures {
		parts = append(parts, f.Error())
	}
	return "happyeyeballs: dial " + e.Network + " " + e.Address + ": " + strings.Join(parts, "; ")
}

// Unwrap returns Err, if there is one, and the Failures.
func (e *Error) Unwrap() []error {
	var all []error
	if e.Err != nil {
		all = append(all, e.Err)
	}
	for _, f := range e.Failures {
		all = append(all, f)
	}
	return all
}

// Timeout tells whether the race ended for want of time, or, if all was tried,
// whether that was the end of every attempt and look-up.
func (e *Error) Timeout() bool {
	if e.Err != nil {
		return timedOut(e.Err)
	}
	for _, f := range e.Failures {
		if !timedOut(f.Err) {
			return false
		}
	}
	return len(e.Failures) > 0
}

// Temporary is there for net.Error alone and says the same as Timeout.
func (e *Error) Temporary() bool { return e.Timeout() }

func timedOut(err error) bool {
	var t net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &t) && t.Timeout()
}
