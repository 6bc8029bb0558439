// Package connect dials and listens inside one provisioning domain: the
// connection leaves by the domain's interface, from one of the domain's
// addresses and through one of the domain's routers, or it is refused with an
// error that says why. It is the connecting part of
// draft-ietf-mif-api-extension, sections 3.5.19 to 3.5.22, and may be used
// without the rest of it: a [Domain] is plain data.
//
// # How a connection is made
//
//  1. The destination is checked, and the domain's addresses are put in order by
//     RFC 6724, section 5. Only the domain's own addresses are candidates, as RFC
//     7556, section 5.2, asks.
//  2. The kernel is asked for the route it would take by that interface and from
//     that source. No route, the router of another domain, or a reverse path filter
//     that would drop the replies, is an error at once: nothing has been sent.
//  3. The socket is bound to the interface and to the source, then connected.
//     Neither binding is enough alone: a bound source does not choose the link,
//     and a bound link does not choose the source.
//
// Nothing of this needs a privilege since Linux 5.7; before, binding to an
// interface needs CAP_NET_RAW and its lack is reported as EPERM. A foreign
// network namespace ([Dialer].NetNS) needs CAP_SYS_ADMIN over it.
//
// # How it ends
//
// Every failure is an [*Error], and errors.Is tells them apart: what was refused
// before anything was sent by the sentinels of this package; a refusal by the peer as
// ECONNREFUSED; unreachable as ENETUNREACH, EHOSTUNREACH or EACCES, with who said so
// in Error.Origin and whether it may pass in Error.Soft; silence by Error.Timeout;
// a source that went as [ErrSourceGone], the domain's end as the cause of
// Dialer.Context, and the caller's as context.Canceled or DeadlineExceeded.
//
// # Concurrency
//
// A [Dialer] is configuration. Its methods may be called by any number of
// goroutines at once as long as no field is changed. No method leaves a goroutine
// or a descriptor behind. While a TCP dial is under way it holds one descriptor more
// than its socket, to hear who sent an ICMP error, but not once a quarter of the
// process's descriptors are in use.
//
// # Limits
//
// Two domains on one link share the kernel's routes. Where the kernel would use
// the other domain's router the dial is refused with [ErrForeignNextHop]; only
// source-specific routes can make it work, which an [Installer] keeps if it may.
// Over IPv6 those of others are overlooked where an earlier rule or a better
// metric prefers another interface, and the dial may then be refused without need.
//
// Routes may change between question and connect. An unconnected socket of
// ListenPacket is not checked for each datagram. Established connections are not
// watched: the kernel keeps silent for minutes when a link or an address goes, and
// UserTimeout is all there is here.
//
// Over IPv6, if the program closes first, the kernel acknowledges the peer's end
// without the socket and only prefers the socket's link (Linux 6.18): where the host
// has a better route by another one, that last packet leaves there, with the right
// source. No option of the socket changes that; an [Installer] does.
// What still comes for a connection that was closed with something unread is reset
// without the socket, by whatever link the host prefers: CloseWrite and reading to the
// end before Close avoids that.
//
// Off Linux every attempt ends in an error that wraps [errors.ErrUnsupported].
package connect
