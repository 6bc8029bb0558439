package happyeyeballs

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"github.com/go-mif/mif/miftest"
)

// certificate makes one for www.example, and who trusts it.
func certificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	a, err := miftest.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	c, err := a.Certify("www.example")
	if err != nil {
		t.Fatal(err)
	}
	return c, a.Roots()
}

// webServer serves HTTP, over TLS if there is a certificate, until the test ends.
func (u *uplink) webServer(at string, c *tls.Config, says string) {
	u.rig.t.Helper()
	l, err := u.Listen(netip.MustParseAddrPort(at))
	if err != nil {
		u.rig.t.Fatal(err)
	}
	if c != nil {
		l = tls.NewListener(l, c)
	}
	s := &http.Server{ErrorLog: log.New(io.Discard, "", 0), Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, says) })}
	ended := make(chan struct{})
	go func() { s.Serve(l); close(ended) }()
	u.rig.t.(*testing.T).Cleanup(func() { s.Close(); <-ended })
}

// In an http.Transport, plain and with TLS: a middlebox that completes the handshake
// of TCP alone does not win, a certificate for another name neither.
func TestHTTP(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	u := r.uplink("eth0", 1, "46", miftest.Zone{"www.example": name(good6, good4), "other.example": name(good4)}, nil)
	cert, pool := certificate(t)
	mute := func(c net.Conn) { io.Copy(io.Discard, c) }
	if _, err := u.Serve(netip.MustParseAddrPort("["+good6+"]:443"), mute); err != nil {
		t.Fatal(err)
	}
	u.webServer(good4+":443", &tls.Config{Certificates: []tls.Certificate{cert}}, "secure")
	u.webServer("["+good6+"]:80", nil, "plain")
	d := &Dialer{Host: r.host, AttemptDelay: ms(50)}
	transport := &http.Transport{
		DialContext: d.DialContext,
		DialTLSContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			return d.DialTLS(ctx, network, address, &tls.Config{RootCAs: pool})
		},
	}
	client := &http.Client{Transport: transport, Timeout: generous}
	defer transport.CloseIdleConnections()
	for url, want := range map[string]string{"http://www.example/": "plain", "https://www.example/": "secure"} {
		res, err := client.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || string(body) != want {
			t.Errorf("%s: %q, %v", url, body, err)
		}
	}
	var wrong x509.HostnameError
	if _, err := client.Get("https://other.example/"); !errors.As(err, &wrong) {
		t.Errorf("a certificate for another name: %v", err)
	}
	conn, err := d.DialTLS(t.Context(), "tcp", "www.example:https", &tls.Config{RootCAs: pool, ServerName: "www.example"})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if c, ok := conn.(*tls.Conn); !ok || !c.ConnectionState().HandshakeComplete {
		t.Errorf("DialTLS gives %T", conn)
	}
}

// Under what makes TLS itself: tls.Client, and an HTTP/2 client that dials by a function
// of a context and an address, as gRPC does.
func TestUnderTLS(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	u := r.uplink("eth0", 1, "46", miftest.Zone{"www.example": name(good6, good4)}, nil)
	cert, pool := certificate(t)
	u.webServer("["+good6+"]:443", &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"h2"}}, "secure")
	d := &Dialer{Host: r.host, Timeout: generous}
	conn, err := d.DialContext(t.Context(), "tcp", "www.example:443")
	if err != nil {
		t.Fatal(err)
	}
	secure := tls.Client(conn, &tls.Config{RootCAs: pool, ServerName: "www.example"})
	if err := secure.HandshakeContext(t.Context()); err != nil {
		t.Error(err)
	}
	secure.Close()
	transport := &http.Transport{DialContext: d.DialContext, TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	res, err := (&http.Client{Transport: transport, Timeout: generous}).Get("https://www.example/")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if body, err := io.ReadAll(res.Body); string(body) != "secure" || err != nil || res.ProtoMajor != 2 {
		t.Errorf("%s says %q, %v", res.Proto, body, err)
	}
}

// One Dialer, many goroutines: each gets a connection, and nothing is left.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	u := r.uplink("eth0", 1, "46", miftest.Zone{"www.example": name(good6, good4), "bad.example": name(refuses6)}, nil)
	u.serve(good6, good4)
	u.refuse(refuses6)
	d := &Dialer{Host: r.host, Timeout: generous}
	var all sync.WaitGroup
	for i := range 60 {
		all.Go(func() {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			address := []string{"www.example:80", "bad.example:80", "www.example:80"}[i%3]
			if i%3 == 2 {
				cancel()
			}
			conn, err := d.DialContext(ctx, "tcp", address)
			if ok := err == nil; ok != (i%3 == 0) {
				t.Errorf("%s: %v", address, err)
			}
			if conn != nil {
				conn.Close()
			}
		})
	}
	all.Wait()
}

// A real race makes a picture.
func TestTimelineOfNetwork(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	eth0 := r.uplink("eth0", 1, "46", miftest.Zone{"www.example": late(name(silent6, "198.51.100.10"), 30, 10)}, nil)
	eth0.silence(silent6, "198.51.100.10")
	r.uplink("wlan0", 2, "46", miftest.Zone{"www.example": late(name(good6, good4), 5, 60)}, nil).serve(good6)
	var line Timeline
	d := &Dialer{Host: r.host, Trace: line.Trace(), Timeout: generous}
	conn, err := d.DialContext(t.Context(), "tcp", "www.example:80")
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	if *withPeers != "" {
		t.Logf("\n%v", &line)
	}
	for _, want := range []string{"eth0/ipv6 ", "  AAAA www.example  =", "  " + silent6, "cancelled", "won after ", "wlan0/ipv4 "} {
		if !strings.Contains(line.String(), want) {
			t.Errorf("no %q in\n%v", want, &line)
		}
	}
}
