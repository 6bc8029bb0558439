package resolver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
)

// What an [*Error] can wrap, besides the error of [Resolver.Config], of
// [Resolver.Dial] or of a socket (a system call's, such as
// syscall.ECONNREFUSED), and the end of a context.
var (
	// ErrNoSuchName says that the name does not exist: NXDOMAIN (RFC 2308 §2.1),
	// or a name that never exists in the DNS (RFC 6761, RFC 7686).
	ErrNoSuchName = errors.New("no such name")

	// ErrNoData says that the name exists and has no address of the family
	// (RFC 2308 §2.2).
	ErrNoData = errors.New("no address of that family")

	// ErrRefused says that the servers refuse to answer: REFUSED.
	ErrRefused = errors.New("refused by the server")

	// ErrServerFailure says that the servers answer and their answers are of
	// no use: SERVFAIL and other codes, a broken message, a bad alias chain.
	ErrServerFailure = errors.New("server failure")

	// ErrNoServers says that the domain has no server that could be asked for
	// this name. Names under .local are asked by mDNS only (RFC 6762 §3).
	ErrNoServers = errors.New("no name server")

	// ErrInvalidName says that the name cannot be one of a host.
	ErrInvalidName = errors.New("invalid name")
)

var (
	errLeft      = errors.New("the consumer has left")
	errMalformed = fmt.Errorf("%w: malformed reply", ErrServerFailure)
	errSpoofed   = fmt.Errorf("%w: too many forged replies", ErrServerFailure)
	errAliases   = fmt.Errorf("%w: bad alias chain", ErrServerFailure)
)

// An Error says what ended a look-up. It is a [net.Error].
//
// If the look-up's context was cancelled, Err wraps [context.Canceled] and
// the context's cause. If a time ran out, the context's or the look-up's own,
// it wraps [context.DeadlineExceeded] and [os.ErrDeadlineExceeded].
type Error struct {
	Name   string         // the name as it was asked for
	Server netip.AddrPort // the server the error is about; zero if none
	Err    error          // what happened

	// Extended is what the server has to say about it, if anything (RFC 8914).
	Extended []ExtendedError
}

// Error gives one line for people.
func (e *Error) Error() string {
	s := "resolver: "
	if e.Name != "" {
		s += fmt.Sprintf("%+q: ", e.Name)
	}
	if e.Server.IsValid() {
		s += e.Server.String() + ": "
	}
	return s + e.text()
}

// text says what happened, without the name and the server.
func (e *Error) text() string {
	s := e.Err.Error()
	for _, x := range e.Extended {
		s += "; " + x.String()
	}
	return s
}

// Unwrap gives Err.
func (e *Error) Unwrap() error { return e.Err }

// Timeout tells whether a time ran out.
func (e *Error) Timeout() bool {
	var t interface{ Timeout() bool }
	return errors.Is(e.Err, os.ErrDeadlineExceeded) || errors.As(e.Err, &t) && t.Timeout()
}

// Temporary tells whether the same look-up may well succeed later: after a
// time-out or a server's failure.
func (e *Error) Temporary() bool { return e.Timeout() || errors.Is(e.Err, ErrServerFailure) }

// naming completes an error with the name that was asked for.
func naming(name string, err error) *Error {
	if e, ok := err.(*Error); ok {
		return &Error{Name: name, Server: e.Server, Err: e.Err, Extended: e.Extended}
	}
	return &Error{Name: name, Err: err}
}

// empty tells whether the error says that there is nothing to be found, as
// opposed to nothing being found out.
func empty(err error) bool {
	return errors.Is(err, ErrNoSuchName) || errors.Is(err, ErrNoData)
}

// graver gives the error that says more of the two, the first of equals: a
// failure, then that a name exists without addresses.
func graver(a, b error) error {
	rank := func(err error) int {
		switch {
		case err == nil:
			return 0
		case err == errLeft:
			return 4
		case errors.Is(err, ErrNoSuchName):
			return 1
		case errors.Is(err, ErrNoData):
			return 2
		}
		return 3
	}
	if rank(b) > rank(a) {
		return b
	}
	return a
}

// ended gives the error of a context that has ended. The note says what else
// is known, or nothing.
func ended(ctx context.Context, note string) error {
	err := ctx.Err()
	if cause := context.Cause(ctx); !errors.Is(cause, err) {
		err = fmt.Errorf("%w: %w", err, cause)
	}
	if note != "" {
		err = fmt.Errorf("%w (%s)", err, note)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return timeout{err}
	}
	return err
}

// A timeout is an error of a deadline, in the terms of contexts and of files.
type timeout struct{ error }

func (t timeout) Unwrap() []error { return []error{t.error, os.ErrDeadlineExceeded} }

// dnsError says an error of Lookup in the terms of package net.
func dnsError(host string, err error) *net.DNSError {
	d := &net.DNSError{UnwrapErr: err, Err: err.Error(), Name: host, IsNotFound: empty(err)}
	var e *Error
	if errors.As(err, &e) {
		d.Err, d.IsTimeout, d.IsTemporary = e.Err.Error(), e.Timeout(), e.Temporary()
		if e.Server.IsValid() {
			d.Server = e.Server.String()
		}
	}
	return d
}
