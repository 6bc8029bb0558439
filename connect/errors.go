package connect

import (
	"errors"
	"net/netip"
	"strings"
)

// The reasons for which nothing was sent. They are wrapped in an [Error], often
// beside the kernel's own errno, so both errors.Is(err, ErrNoRoute) and
// errors.Is(err, syscall.ENETUNREACH) can hold.
var (
	// ErrNoRoute: the host has no route to the destination by the domain's
	// interface, or one that rejects, or the interface is without carrier.
	ErrNoRoute = errors.New("no route in the domain")
	// ErrNoSource: no address of the domain can be the source: none of the family,
	// none of sufficient scope, or still tentative (RFC 4862, section 5.4).
	ErrNoSource = errors.New("no usable source address in the domain")
	// ErrForeignSource: the source asked for is not an address of the domain.
	ErrForeignSource = errors.New("source address not of the domain")
	// ErrForeignNextHop: the kernel would use a router that is not the domain's.
	ErrForeignNextHop = errors.New("next hop not of the domain")
	// ErrRepliesDropped: this host would drop every reply, since the reverse path
	// filter is strict on the interface and the host prefers another one for the
	// peer (RFC 3704, section 2.2). IPv4 only.
	ErrRepliesDropped = errors.New("replies would be dropped")
	// ErrSourceGone: the domain has lost the source while the dial was under way.
	// Unlike with the others, packets may have been sent.
	ErrSourceGone = errors.New("source address gone while connecting")
	// ErrBadDestination: an address no connection can be made to: a name, port 0,
	// unspecified, loopback, multicast or broadcast for TCP, of another family than
	// the network, or in the zone of another interface.
	ErrBadDestination = errors.New("bad destination")
)

// Error is what every method of a [Dialer] returns when it fails. It is a
// [net.Error].
type Error struct {
	Op      string         // "dial", "listen" or "explain"
	Domain  string         // the domain's name; empty if it could not be had
	Network string         // as given, e.g. "tcp"
	Source  netip.Addr     // zero if none was chosen
	To      netip.AddrPort // zero for "listen" and if it could not be read
	Err     error          // never nil

	// Origin is who sent the ICMP error that ended a TCP dial; zero if none did, as
	// for a refusal by TCP itself.
	Origin netip.Addr
	// Soft: that ICMP error tells of a condition that may pass, such as a lost route
	// beyond, and not of a refusal (RFC 1122, section 4.2.3.9; RFC 5461).
	Soft bool
}

// Error names the domain, the addresses and the reason.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("connect: ")
	if e.Domain != "" {
		b.WriteString(e.Domain + ": ")
	}
	b.WriteString(e.Op)
	if e.Network != "" {
		b.WriteString(" " + e.Network)
	}
	if e.Source.IsValid() {
		b.WriteString(" from " + e.Source.String())
	}
	if e.To.IsValid() {
		b.WriteString(" to " + e.To.String())
	}
	b.WriteString(": " + e.Err.Error())
	if e.Origin.IsValid() {
		b.WriteString(", says " + e.Origin.String())
	}
	return b.String()
}

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// Timeout reports whether the attempt ended for want of time: a deadline, the
// Dialer's Timeout, or the kernel's own ETIMEDOUT.
func (e *Error) Timeout() bool {
	var t interface{ Timeout() bool }
	return errors.As(e.Err, &t) && t.Timeout()
}

// Temporary is there for [net.Error] alone and says the same as Timeout.
func (e *Error) Temporary() bool { return e.Timeout() }
