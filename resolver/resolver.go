// Package resolver is the stub resolver of one provisioning domain (RFC 7556):
// it turns names into addresses by asking the name servers of that domain,
// over sockets of that domain, and nobody else.
//
// A [Resolver] is told the domain's servers and search list by a function, and
// makes its sockets by another, so the package knows nothing of interfaces and
// routes. It is an RFC 1034 §5.3.1 stub: servers have to recurse. Literals,
// the names RFC 6761 reserves, and the host's hosts file are answered without
// a query.
//
// A reply counts only if it comes to a connected socket, with the ID, opcode
// and one question of the query, and if the message parses as a whole.
// Everything else is dropped and the wait for the true reply goes on (RFC 5452
// §9); after three such datagrams the server is asked over TCP instead, for a
// minute, and after one the letters of names have random case. Once a server
// has given a cookie, its replies need one (RFC 7873). A fitting reply that says
// nothing starts the next try at once, while earlier ones are still listened
// for. Addresses are taken from the end of the alias chain that starts at the
// question (RFC 1034 §3.6.2); records of other owners and of the additional
// section are never looked at.
//
// Queries share a few connected sockets to each server, picked by chance, those
// that go out together one; each serves a hundred queries or ten seconds. On Linux
// a reply that came in fragments is not believed, if the socket is a [*net.UDPConn]:
// the server is asked over TCP. Identical questions under way are asked once. Servers are asked in the order of their latency, by powers of two;
// one that is silent for three times that (50 to 250 ms, or 200 ms if nothing is
// known) is left for the next, and comes last until it answers a copy of a query.
// Streams are kept and pipelined (RFC 7766). What servers said is remembered as
// long as it holds, at most a day, an hour if it is that there is nothing, and a
// few seconds if it is a failure, in 4096 entries; a new list of servers begins a
// new memory.
//
// All methods may be called from any goroutine. A look-up ends its goroutines
// before it returns. Sockets, with a goroutine for each, stay open between
// look-ups for at most ten seconds; [Resolver.Close] ends them.
//
// Limits: no DNSSEC validation, no DNS over HTTPS or QUIC, multicast for addresses
// only. At most 16 servers and 32 search domains are used, 16 aliases
// followed, 8 queries made for one chain, and 64 addresses of a family delivered.
package resolver

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"iter"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/go-mif/mif/internal/rfc6724"
)

// A Resolver translates names inside one provisioning domain. Config and Dial
// have to be set before the first look-up and left alone after it. A Resolver
// must not be copied once used.
type Resolver struct {
	// Config tells the domain's present servers and search list. It is called
	// once for each look-up, from the look-up's goroutine; an error of its
	// ends the look-up with an [*Error] that wraps it.
	Config func() (Config, error)

	// Dial makes a socket of the domain, connected to a literal address and
	// port. The network is "udp" or "tcp"; an IPv6 zone is as it is in
	// Config.Servers, for example "[fe80::1%3]:53". A "udp" socket has to keep
	// message boundaries and to take datagrams from that peer only; a *net.UDPConn
	// is read and written by its descriptor, several datagrams at a time. Dial has
	// to return soon after its context ends, which must not end the socket. It
	// may be called concurrently.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)

	// Multicast makes an unconnected UDP socket on the domain's link, from which
	// a datagram to 224.0.0.251 or ff02::fb (the network is "udp4" or "udp6")
	// goes to that link only, with a port that is not 5353. It is what names
	// under .local are asked by (RFC 6762); without it they are not asked.
	Multicast func(ctx context.Context, network string) (net.PacketConn, error)

	// Roots are the certificates that those of encrypted servers are verified
	// by; nil means the host's.
	Roots *x509.CertPool

	hosts   hostsFile
	memory  memory
	links   links
	entropy entropy
	buffers sync.Pool    // of *[maxMessage]byte
	alarms  sync.Pool    // of *alarm
	lookups sync.Pool    // of *lookup
	flights sync.Pool    // of *flight
	batches sync.Pool    // of *batch
	asking  atomic.Int32 // questions that are being asked
	life    lifetime
}

// Lookup translates a name into the addresses of a family, or of both. It
// yields groups of answers as they come: a group holds all addresses of one
// DNS answer, which are of one family, and is never empty. With [Both], AAAA
// and A are asked at the same time, AAAA first, and each is delivered without
// waiting for the other.
//
// The name is UTF-8, converted by IDNA (RFC 5891 §5) if it is not ASCII; a
// dot at its end makes it absolute. Otherwise the domain's search list applies
// as in resolv.conf(5): a candidate that does not exist or has no addresses
// leads to the next, so does a server's failure or refusal, which is
// remembered and reported if no candidate has an address.
//
// An error is the last thing yielded and is an [*Error]. No address at all is
// always an error. After addresses, an error tells that the other family
// failed; that it is merely empty is none.
//
// Each range over the result is a new look-up, made in the caller's
// goroutine. Leaving the loop early, or the end of ctx, ends the look-up
// promptly. It takes no longer than [Config.Timeout].
func (r *Resolver) Lookup(ctx context.Context, name string, f Family) iter.Seq2[[]Answer, error] {
	return func(yield func([]Answer, error) bool) {
		err := r.lookup(ctx, name, f, yield)
		if err != nil && err != errLeft {
			yield(nil, naming(name, err))
		}
	}
}

// LookupNetIP is [net.Resolver.LookupNetIP] inside the domain. The network is
// "ip", "ip4" or "ip6". The addresses are in the order of RFC 6724 §6 for the
// domain's own ones, [Config.Addresses], equal ones in that of their DNS answer.
// An error is a [*net.DNSError] that wraps the [*Error] of [Resolver.Lookup]; there is none
// if any address was found.
func (r *Resolver) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	f, err := familyOf(network)
	if err != nil {
		return nil, err
	}
	all, err := r.gather(ctx, host, f)
	if len(all) == 0 {
		return nil, dnsError(host, naming(host, err))
	}
	return all, nil
}

// gather gives all addresses that a look-up finds, in the order in which they are to
// be tried.
func (r *Resolver) gather(ctx context.Context, host string, f Family) (all []netip.Addr, err error) {
	l, err := r.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer l.end()
	l.family, l.yield = f, func(group []Answer, _ error) bool {
		for _, a := range group {
			all = append(all, a.Addr)
		}
		return true
	}
	l.whole = !l.translates()
	err = l.run(host)
	arrange(all, l.cfg.Addresses)
	return all, err
}

func arrange(all []netip.Addr, own []Address) {
	if len(own) == 0 {
		slices.SortStableFunc(all, func(a, b netip.Addr) int { return cmp.Compare(b.BitLen(), a.BitLen()) })
		return
	}
	sources := make([]rfc6724.Address, len(own))
	for i, a := range own {
		sources[i] = rfc6724.Address(a)
	}
	rfc6724.Sort(all, sources)
}

// LookupHost is [net.Resolver.LookupHost] inside the domain: the addresses of
// [Resolver.LookupNetIP] for "ip", in text.
func (r *Resolver) LookupHost(ctx context.Context, host string) ([]string, error) {
	addrs, err := r.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, err
	}
	hosts := make([]string, len(addrs))
	for i, a := range addrs {
		hosts[i] = a.String()
	}
	return hosts, nil
}

// Forget gives up what is remembered, answers and what is known of servers, and
// lets new queries have new sockets. It is for when the domain's addresses or
// its link are not what they were; look-ups under way go on.
func (r *Resolver) Forget() {
	r.memory.forget()
	r.links.retire()
}

// Close ends the look-ups under way, with an error that wraps [net.ErrClosed];
// later ones end so at once. It closes all sockets, does not wait for look-ups,
// never fails, and may be called again.
func (r *Resolver) Close() error {
	r.life.close()
	r.links.close()
	return nil
}

func familyOf(network string) (Family, error) {
	switch network {
	case "ip":
		return Both, nil
	case "ip4":
		return IPv4, nil
	case "ip6":
		return IPv6, nil
	}
	return Both, net.UnknownNetworkError(network)
}

// configure asks for the configuration and puts its defaults in.
func (r *Resolver) configure() (Config, error) {
	if r.Config == nil || r.Dial == nil {
		return Config{}, errors.New("Config and Dial have to be set")
	}
	cfg, err := r.Config()
	if err != nil {
		return Config{}, err
	}
	return cfg.complete(), nil
}

// A lifetime ends once, and look-ups with it. The zero value is alive.
type lifetime struct {
	once sync.Once
	ctx  context.Context
	end  context.CancelCauseFunc
}

func (l *lifetime) start() {
	l.once.Do(func() { l.ctx, l.end = context.WithCancelCause(context.Background()) })
}

func (l *lifetime) close() {
	l.start()
	l.end(net.ErrClosed)
}

// context gives a context that ends with the lifetime.
func (l *lifetime) context() context.Context {
	l.start()
	return l.ctx
}
