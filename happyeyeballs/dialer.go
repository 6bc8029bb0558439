package happyeyeballs

import (
	"cmp"
	"context"
	"crypto/tls"
	"math/rand/v2"
	"net"
	"strings"
	"time"

	"github.com/go-mif/mif"
)

// A Dialer makes connections by Happy Eyeballs over the domains of a Host. Only
// Host has to be set. Fields must not be changed, nor the Dialer copied, once it
// is used.
type Dialer struct {
	Host *mif.Host

	// Require and Exclude are hard rules. A domain takes part if it fits any of
	// Require, if there are any, and none of Exclude. If none takes part, none is used.
	Require, Exclude []Rule

	// Prefer are soft rules: a domain that fits an earlier one is better, one that
	// fits none is worst.
	Prefer []Rule

	// ResolutionDelay is how long IPv4 addresses wait for IPv6 ones (RFC 8305, section
	// 3). 0 is 50 ms; a negative one is none.
	ResolutionDelay time.Duration

	// AttemptDelay is the time from the start of an attempt to the start of the next
	// where no round-trip time is known (RFC 8305, section 5). 0 is 250 ms; less
	// than 10 ms is 10 ms and more than 2 s is 2 s. Less than 100 ms is not recommended.
	AttemptDelay time.Duration

	// DomainDelay is the head start of an uplink over the next best. 0 is 250 ms; a
	// negative one is none.
	DomainDelay time.Duration

	// FirstFamilyCount is how many addresses of the first family are tried before one
	// of the other (RFC 8305, section 4). Less than 1 is 1.
	FirstFamilyCount int

	// Service is the scheme of the service that is dialled, such as https: its HTTPS or
	// SVCB records (RFC 9460) are asked for beside addresses, and say which hosts and
	// ports to connect to, in which order. Empty is https for DialTLS to port 443, and
	// else none; NoService is none.
	Service string

	// Timeout bounds a whole race; 0 leaves that to the context. Without either, a
	// race lasts as long as the kernel tries: some minutes.
	Timeout time.Duration

	// Validate, if not nil, judges each connection before it wins, while the others
	// go on; the race goes on if it fails. It may be called by several goroutines at once.
	// When its context is done, as when another connection has won, its connection is
	// closed under it, and it has to return.
	Validate func(ctx context.Context, conn net.Conn) error

	// History is where the Dialer keeps and finds what races have learnt; nil is one
	// of its own. A program that makes a Dialer for each connection gives all of
	// them one History. What must not learn of each other, such as two users, must
	// not share one (version 3, section 5.3).
	History *History

	// Trace, if not nil, is told what happens.
	Trace *Trace

	own History // if History is nil
}

// NoService in Dialer.Service says that no service is looked for.
const NoService = "-"

// DialContext connects to an address such as "www.example.com:443". The network is
// tcp, or tcp4 or tcp6 to use connections of one family alone. A port may be
// the name of a service. An IPv6 literal with a zone is sought on that interface
// only.
//
// An error is of type *Error. The connection is not tied to ctx. DialContext fits
// net/http.Transport and the like.
func (d *Dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	return d.dial(ctx, network, address, nil)
}

// DialTLS is DialContext with a TLS handshake before a connection wins (version 3,
// section 6.1): a peer that accepts and then stays silent does not win.
// Validate is called after it with the *tls.Conn. A nil Config is the zero one; if
// it has no ServerName, the host of the address is used. The connection is a *tls.Conn.
func (d *Dialer) DialTLS(ctx context.Context, network, address string, c *tls.Config) (net.Conn, error) {
	if c = c.Clone(); c == nil {
		c = &tls.Config{}
	}
	if c.ServerName == "" {
		c.ServerName, _, _ = net.SplitHostPort(address) // dial tells what is wrong with it
	}
	return d.dial(ctx, network, address, c)
}

func (d *Dialer) dial(ctx context.Context, network, address string, c *tls.Config) (net.Conn, error) {
	if d.Timeout > 0 {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeout(ctx, d.Timeout)
		defer stop()
	}
	t, err := parse(ctx, network, address)
	if err != nil {
		return nil, &Error{Network: network, Address: address, Err: err}
	}
	r := newRace(d, t, c)
	defer r.close()
	conn, end := r.run(ctx)
	if conn != nil {
		return conn, nil
	}
	return nil, &Error{network, address, end.failures, end.err}
}

// memory is the History to use.
func (d *Dialer) memory() *History {
	if d.History != nil {
		return d.History
	}
	return &d.own
}

// serving is what the race wants to know of services.
func (d *Dialer) serving(c *tls.Config, t target) serving {
	w := serving{scheme: d.Service, ech: encrypts(c), seed: rand.Uint64()}
	switch {
	case w.scheme == NoService:
		w.scheme = ""
	case w.scheme == "" && c != nil && t.port == 443:
		w.scheme = "https"
	}
	if c != nil {
		w.alpn = c.NextProtos
	}
	if len(w.alpn) == 0 && strings.EqualFold(w.scheme, "https") {
		w.alpn = []string{"http/1.1"}
		if c == nil {
			w.alpn = append(w.alpn, "h2") // who makes TLS of the connection may speak it
		}
	}
	return w
}

// A finisher makes a TCP connection fit for use.
type finisher func(ctx context.Context, conn net.Conn, ech []byte) (net.Conn, error)

// finisher is nil if there is nothing to do.
func (d *Dialer) finisher(c *tls.Config) finisher {
	if c == nil && d.Validate == nil {
		return nil
	}
	return func(ctx context.Context, conn net.Conn, ech []byte) (net.Conn, error) {
		if c != nil {
			secure := tls.Client(conn, encrypting(c, ech))
			if err := secure.HandshakeContext(ctx); err != nil {
				return nil, err
			}
			conn = secure
		}
		if d.Validate != nil {
			if err := d.Validate(ctx, conn); err != nil {
				return nil, err
			}
		}
		return conn, nil
	}
}

// timing is what the fields say, within bounds.
func (d *Dialer) timing() timing {
	return timing{
		resolution: max(0, cmp.Or(d.ResolutionDelay, defaultTiming.resolution)),
		attempt:    min(max(floor, cmp.Or(d.AttemptDelay, defaultTiming.attempt)), maximum),
		domain:     max(0, cmp.Or(d.DomainDelay, defaultTiming.domain)),
		resort:     defaultTiming.resort,
		count:      max(1, d.FirstFamilyCount),
	}
}
