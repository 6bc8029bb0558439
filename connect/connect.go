package connect

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"syscall"
	"time"
)

// A Domain is what a [Dialer] needs to know of its provisioning domain at one
// instant. It is read, never changed.
type Domain struct {
	Name      string       // for errors, e.g. "eth0/ipv4"
	Interface int          // kernel index of the interface to leave by, in the Dialer's namespace
	Addresses []Address    // a connection may start from these, and from no others
	Routers   []netip.Addr // the domain's next hops; if empty any next hop will do

	// Generation numbers the state of the host's links, addresses, routes and rules
	// that this value was made of; it grows when any of them changes, be it of
	// another domain. 0: not known, and nothing is cached. See [RouteCache].
	Generation uint64

	// Changed, if not nil, is done when this value is out of date. A dial that is
	// under way then asks for the domain again and ends with [ErrSourceGone] if that
	// lacks its source.
	Changed context.Context
}

// An Address is an address of a domain with what RFC 6724, section 5, wants to
// know of it.
type Address struct {
	Prefix     netip.Prefix // the address itself with its prefix length, e.g. 2001:db8::5/64; no zone
	Tentative  bool         // not yet past duplicate address detection: never used
	Deprecated bool         // preferred lifetime over (RFC 4862, section 5.5.4): used if nothing else serves
	Temporary  bool         // of RFC 8981: preferred for dialing, avoided for listening
	Router     netip.Addr   // that advertised the prefix; zero: not known. For rule 5.5
}

// A Dialer connects and listens inside one domain. Its zero value lacks only
// Domain. Fields must not change while a method runs.
type Dialer struct {
	// Domain tells the domain as it is now. It is called once by each method, on the
	// caller's goroutine; its error, such as that the domain is gone, is the method's.
	// While a dial is under way it is called again, on any goroutine, after Changed.
	Domain func() (Domain, error)

	// Lookup, if not nil, translates names in the domain for DialContext, such as the
	// domain's resolver does; the network is ip, ip4 or ip6. Without it names are refused.
	Lookup func(ctx context.Context, network, host string) ([]netip.Addr, error)

	// Context, if not nil, is the life of the domain. Once it is done, dials under way
	// end at once with its cause (see context.Cause) and new ones are not begun. What
	// is connected or listening by then stays its owner's.
	Context context.Context

	// Timeout bounds each dial, all its sources together; 0 leaves that to the context
	// given and to the kernel, which gives up on TCP after about two minutes.
	Timeout time.Duration

	// NetNS is the path of the network namespace to make sockets in, such as
	// /run/netns/x or /proc/self/fd/7; empty: the calling thread's own.
	NetNS string

	// ReportUnreachable makes UDP connections report every ICMP error, such as host
	// unreachable, and not just port unreachable. The kernel keeps each ICMP error
	// in the socket's receive buffer until the socket is closed, and some
	// hundreds of them leave no room for data. So it is for connections that are soon
	// closed, like a stub resolver's.
	ReportUnreachable bool

	// Policy replaces the table of RFC 6724, section 2.1, by which a source is chosen;
	// empty: that one. See [DefaultPolicy].
	Policy []PolicyEntry

	// PreferPublic prefers public addresses to temporary ones, the reverse of RFC
	// 6724's rule 7, as for a program that wants to be found again (RFC 5014).
	PreferPublic bool

	// Multipath makes TCP connections and listeners Multipath TCP (RFC 8684) where
	// kernel and peer can, else TCP; a dial that fails is repeated with TCP. The first
	// subflow is the domain's. Others are up to the host's path manager
	// (ip-mptcp(8)), which has none unless it is told to, and knows nothing of
	// domains.
	Multipath bool

	// UserTimeout is for how long a TCP connection may leave data or a SYN
	// unacknowledged until it fails with ETIMEDOUT (RFC 5482), in whole
	// milliseconds, rounded up; 0: the kernel's default, some 15 minutes for data.
	// Multipath TCP does not have it.
	UserTimeout time.Duration

	// Cache, if not nil, spares the kernel questions that it has answered in the
	// same Generation of the domain.
	Cache *RouteCache
}

// DialContext is Dial with the destination as text, the form [net/http.Transport]
// and others want: a literal, as in "192.0.2.1:80" or "[fe80::1%eth0]:80", or if there
// is a Lookup, a name. The addresses of a name are tried one after the other as Lookup has
// them, each for its share of the time there is, but two seconds at least; races are for
// package happyeyeballs. Without a Lookup a name is refused with [ErrBadDestination].
func (d *Dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	if host, port, ok := splitName(address); ok && d.Lookup != nil {
		return d.dialName(ctx, network, host, port)
	}
	to, err := parseDestination(address)
	if err != nil {
		return nil, &Error{Op: "dial", Network: network, Err: err}
	}
	return d.Dial(ctx, network, to)
}

// Dial connects to an address: draft section 3.5.19, "Connect to Address". The
// network is tcp, tcp4, tcp6, udp, udp4 or udp6; the connection is a *net.TCPConn or
// a *net.UDPConn. An IPv4-mapped IPv6 address counts as IPv4; the zone of a
// link-local one must be the domain's interface or absent.
//
// The domain's addresses are tried in the order of RFC 6724. The next one is tried
// if an address cannot be bound, has no route, has a foreign router, or would have
// its replies dropped, since then nothing has been sent, and if it goes while it is
// used. It is also tried if the network answers "unreachable" or "prohibited" and it
// has another prefix: routers may reject a source they do not know (RFC 8028, section
// 3). A refusal, a reset and a time-out are not retried.
//
// Errors are of type [*Error]. The end of ctx shows as ctx.Err() and as its cause,
// the end of the Dialer's Context as that one's cause alone, the Dialer's Timeout
// as [context.DeadlineExceeded].
func (d *Dialer) Dial(ctx context.Context, network string, to netip.AddrPort) (net.Conn, error) {
	return d.dial(ctx, network, to, (*path).sources)
}

// DialFrom connects to an address from an address: draft section 3.5.20, "Connect to
// Address From Address". The source is that address or the dial is refused: with
// [ErrForeignSource] if it is not the domain's, with [ErrNoSource] if it is
// tentative or of the other family. A deprecated or a link-local one will do.
func (d *Dialer) DialFrom(ctx context.Context, network string, from netip.Addr, to netip.AddrPort) (net.Conn, error) {
	return d.dial(ctx, network, to, func(p *path) ([]Address, error) { return p.only(from) })
}

// DialUDP is Dial for UDP with the type the result has, as protocols over UDP want it.
// The source and the route are settled here; the socket is connected, so that it hears
// of ICMP errors and of nobody but the peer. For a socket that sends to several
// peers, as most QUIC implementations want, see [Dialer.ListenPacket].
func (d *Dialer) DialUDP(ctx context.Context, to netip.AddrPort) (*net.UDPConn, error) {
	conn, err := d.Dial(ctx, "udp", to)
	if err != nil {
		return nil, err
	}
	return conn.(*net.UDPConn), nil
}

func (d *Dialer) dial(ctx context.Context, network string, to netip.AddrPort, choose func(*path) ([]Address, error)) (net.Conn, error) {
	refuse := func(name string, err error) (net.Conn, error) {
		return nil, &Error{Op: "dial", Domain: name, Network: network, To: to, Err: err}
	}
	b := d.begin(ctx)
	defer b.end()
	if err := b.err(); err != nil {
		return refuse("", err)
	}
	domain, err := d.domain()
	if err != nil {
		return refuse("", err)
	}
	p := d.path(domain, network)
	if err := p.aim(to); err != nil {
		return refuse(domain.Name, err)
	}
	sources, err := choose(p)
	if err != nil {
		return refuse(domain.Name, err)
	}
	return p.try(b, sources)
}

func (d *Dialer) path(domain Domain, network string) *path {
	return &path{
		domain: domain, network: network, ask: d.domain, kernel: kernel{netns: d.NetNS}, cache: d.Cache,
		options: d.options(), policy: d.Policy, public: d.PreferPublic,
	}
}

func (d *Dialer) options() options {
	return options{icmp: d.ReportUnreachable, multipath: d.Multipath, userTimeout: d.UserTimeout}
}

// domain asks for the domain and refuses what would unbind the socket.
func (d *Dialer) domain() (Domain, error) {
	if d.Domain == nil {
		return Domain{}, errors.New("the Dialer has no Domain")
	}
	domain, err := d.Domain()
	if err == nil && domain.Interface <= 0 {
		err = fmt.Errorf("interface index %d: %w", domain.Interface, syscall.ENODEV)
	}
	return domain, err
}

// try goes through the sources until one connects. Of several errors it returns the
// first, unless a later attempt got as far as the network.
func (p *path) try(b *bounds, sources []Address) (net.Conn, error) {
	var first error
	var rejected []netip.Prefix // by the network
	for _, s := range sources {
		if slices.Contains(rejected, s.Prefix.Masked()) {
			continue
		}
		conn, sent, err := p.attempt(b, s.Prefix.Addr())
		if err == nil {
			return conn, nil
		}
		if first == nil || sent {
			first = err
		}
		if b.ctx.Err() != nil || !anotherMayHelp(err) {
			break
		}
		if sent {
			rejected = append(rejected, s.Prefix.Masked())
		}
	}
	return nil, first
}

// sinceThen adds to a time-out what would be refused by now, in words alone: when it
// was sent it was all right.
func (p *path) sinceThen(source netip.Addr, err error) error {
	fresh := *p
	fresh.cache = nil
	if _, why := fresh.check(source); why != nil {
		return fmt.Errorf("%w (by now: %v)", err, why)
	}
	return err
}

// anotherMayHelp says whether an error can be due to the source address.
func anotherMayHelp(err error) bool {
	for _, e := range []error{
		ErrNoRoute, ErrNoSource, ErrForeignNextHop, ErrRepliesDropped, ErrSourceGone,
		syscall.EADDRNOTAVAIL, // no port left at this source
		syscall.ENETUNREACH, syscall.EHOSTUNREACH,
		syscall.EACCES, // ICMPv6: source address failed policy, or prohibited
	} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// attempt connects from one source. Sent tells whether the network had its say:
// neither a missing address nor one out of ports gets that far.
func (p *path) attempt(b *bounds, source netip.Addr) (conn net.Conn, sent bool, err error) {
	failed := func(err error) error {
		e := &Error{Op: "dial", Domain: p.domain.Name, Network: p.network, Source: source, To: p.to, Err: err}
		if m, ok := errors.AsType[*icmpError](err); ok {
			e.Origin, e.Soft = m.origin, m.soft()
		}
		return e
	}
	if _, err := p.check(source); err != nil {
		return nil, false, failed(err)
	}
	ctx, lost := p.guard(b.ctx, source)
	conn, err = p.connect(ctx, source)
	if ended := cmp.Or(b.over(err), lost()); ended != nil {
		if err == nil {
			conn.Close()
		}
		err = ended
	}
	if err == nil {
		return conn, true, nil
	}
	e := failed(err).(*Error)
	if e.Timeout() {
		e.Err = p.sinceThen(source, err)
	}
	return nil, !errors.Is(err, syscall.EADDRNOTAVAIL) && !errors.Is(err, ErrSourceGone), e
}
