package additional

import (
	"bufio"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"time"
)

const (
	maxAddresses = 8               // of a host, that are tried
	minDial      = 2 * time.Second // for one of several addresses
	maxGoodbye   = time.Second
)

// exchange asks for a URL on a connection of its own. An http.Transport would go on dialing
// in the background when it is not wanted any more.
func (c *Client) exchange(ctx context.Context, name string, u *url.URL) (r response, err error) {
	conn, err := c.dial(ctx, u.Hostname(), cmp.Or(u.Port(), "443"))
	if err != nil {
		return r, err
	}
	defer context.AfterFunc(ctx, func() { conn.SetDeadline(time.Now()) })()
	defer hangUp(ctx, conn)
	s := tls.Client(conn, c.config(name, u.Hostname()))
	if err := s.HandshakeContext(ctx); err != nil {
		return r, err
	}
	q, err := request(ctx, u)
	if err != nil {
		return r, err
	}
	if err := q.Write(s); err != nil {
		return r, err
	}
	in := bufio.NewReader(io.LimitReader(s, maxHeader+2*maxOctets)) // chunks cost as much again
	for range maxInterim {
		if r.Response, err = http.ReadResponse(in, q); err != nil {
			return r, err
		}
		if r.StatusCode > 199 {
			return r, r.read()
		}
	}
	return r, fmt.Errorf("status %s, again and again", r.Status)
}

// hangUp closes a connection after its other end, if that is not long in coming. If something
// unread was left, the kernel would forget the connection at once, and would reset by its own
// choice of route, which may be another network, whatever comes after that.
func hangUp(ctx context.Context, conn net.Conn) {
	defer conn.Close()
	half, is := conn.(interface{ CloseWrite() error })
	if !is || half.CloseWrite() != nil {
		return
	}
	conn.SetDeadline(time.Now().Add(maxGoodbye))
	if ctx.Err() == nil {
		io.CopyN(io.Discard, conn, maxHeader)
	}
}

// config has a server prove its name, and that of the domain that it is that very name.
func (c *Client) config(name, host string) *tls.Config {
	return &tls.Config{
		RootCAs: c.Roots, ServerName: host, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"},
		VerifyConnection: func(s tls.ConnectionState) error {
			if canonical(host) != name {
				return nil
			}
			return exact(s.PeerCertificates[0].DNSNames, name)
		},
	}
}

// exact tells if a certificate is not of the name itself (RFC 8801 section 4.1).
func exact(names []string, name string) error {
	if slices.ContainsFunc(names, func(n string) bool { return canonical(n) == name }) {
		return nil
	}
	return fmt.Errorf("no DNS name of the certificate is equal to %s, but it has %q", name, names)
}

// dial connects to a host, trying one address after the other.
func (c *Client) dial(ctx context.Context, host, port string) (net.Conn, error) {
	addrs, err := c.addresses(ctx, host)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	for i, a := range addrs {
		conn, e := c.dialOne(ctx, net.JoinHostPort(a.String(), port), len(addrs)-i)
		if e == nil {
			return conn, nil
		}
		err = errors.Join(err, e)
	}
	return nil, fmt.Errorf("%w: %w", ErrUnreachable, err)
}

func (c *Client) addresses(ctx context.Context, host string) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{a}, nil
	}
	addrs, err := c.Lookup(ctx, host)
	if err == nil && len(addrs) == 0 {
		err = fmt.Errorf("%s has no address", host)
	}
	return addrs[:min(len(addrs), maxAddresses)], err
}

// dialOne connects to an address and leaves time for those that are left.
func (c *Client) dialOne(ctx context.Context, address string, left int) (net.Conn, error) {
	if end, ok := ctx.Deadline(); ok && left > 1 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, max(time.Until(end)/time.Duration(left), minDial))
		defer cancel()
	}
	return c.Dial(ctx, "tcp", address)
}
