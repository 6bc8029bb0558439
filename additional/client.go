package additional

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
	"time"

	"github.com/go-mif/mif/pvd"
)

// mediaType is that of Additional Information (RFC 8801 section 8.5).
const mediaType = "application/pvd+json"

// Bounds of a fetch, which its context may bound further.
const (
	maxTime      = 30 * time.Second
	maxRedirects = 5
	maxHeader    = 32 << 10 // octets
	maxInterim   = 5        // responses before the real one
)

// A Client fetches Additional Information inside one domain. It sends nothing but by
// its two functions, and asks nobody else about certificates.
type Client struct {
	// Lookup translates the name of a host in the domain.
	Lookup func(ctx context.Context, host string) ([]netip.Addr, error)

	// Dial connects in the domain, to a literal address and port.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)

	// Roots are the certificate authorities that are believed; nil: the host's.
	Roots *x509.CertPool
}

// Fetch gets the Additional Information of a domain by its name, by one GET request
// over TLS and what redirections that leads to (RFC 8801 section 4.1). It takes 30 s at
// most and leaves nothing behind. The request says nothing of the host: no user agent,
// no cookies, no credentials (section 7). The server's certificate must have the name
// itself among its DNS names, one with a wildcard will not do; those of hosts that it
// redirects to must be valid for these. An error that nobody answered wraps
// [ErrUnreachable]. What came is not verified against what is announced, see [Verify].
func (c *Client) Fetch(ctx context.Context, fqdn string) (*pvd.Information, error) {
	if !eligible(fqdn) {
		return nil, fmt.Errorf("additional: %q is not the name of a host", fqdn)
	}
	ctx, cancel := context.WithTimeout(ctx, maxTime)
	defer cancel()
	b, err := c.get(ctx, fqdn)
	if err != nil {
		return nil, fmt.Errorf("additional: %s: %w", wellKnown(fqdn), unreachable(ctx, err))
	}
	return Parse(b)
}

// unreachable tells of an error that somebody who was silent, or the network, is the cause,
// if that is so.
func unreachable(ctx context.Context, err error) error {
	var slow net.Error
	var broken syscall.Errno
	silent := errors.As(err, &slow) && slow.Timeout() || errors.As(err, &broken) || ctx.Err() != nil
	if silent && !errors.Is(err, ErrUnreachable) {
		return fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	return err
}

// get asks for the URL of a domain, and for what it is redirected to.
func (c *Client) get(ctx context.Context, fqdn string) ([]byte, error) {
	u, err := url.Parse(wellKnown(fqdn))
	for range maxRedirects + 1 {
		if err != nil {
			return nil, err
		}
		var r response
		if r, err = c.exchange(ctx, canonical(fqdn), u); err != nil {
			return nil, err
		}
		if r.StatusCode < 300 || r.StatusCode > 399 {
			return r.content()
		}
		u, err = r.redirection(u)
	}
	return nil, fmt.Errorf("more than %d redirections", maxRedirects)
}

// request is what is sent: not a word more than the RFC's example has (section 5.4).
func request(ctx context.Context, u *url.URL) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	r.Close = true
	r.Header["Accept"] = []string{mediaType}
	r.Header["User-Agent"] = []string{""} // none is sent
	return r, nil
}

// A response is one with its body, if that is wanted, read.
type response struct {
	*http.Response
	body []byte
}

// read reads the body. What the connection gives is bounded already.
func (r *response) read() (err error) {
	defer r.Body.Close()
	if r.good() {
		r.body, err = io.ReadAll(r.Body)
	}
	return err
}

func (r *response) good() bool { return r.StatusCode >= 200 && r.StatusCode <= 299 }

// content is what a response holds, if it is what was asked for.
func (r *response) content() ([]byte, error) {
	if !r.good() {
		return nil, fmt.Errorf("status %s", r.Status)
	}
	if typ, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || typ != mediaType {
		return nil, fmt.Errorf("content of type %q", r.Header.Get("Content-Type"))
	}
	return r.body, nil
}

// redirection is where a response sends the client, which must be over TLS as well.
func (r *response) redirection(from *url.URL) (*url.URL, error) {
	to, err := from.Parse(r.Header.Get("Location"))
	if err != nil || r.Header.Get("Location") == "" {
		return nil, fmt.Errorf("status %s without a place to go", r.Status)
	}
	if to.Scheme != "https" || to.User != nil || to.Hostname() == "" {
		return nil, fmt.Errorf("redirected to %s, which is not HTTPS", to.Redacted())
	}
	return to, nil
}
