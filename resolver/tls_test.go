package resolver

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"

	"github.com/go-mif/mif/miftest"
)

// certify makes a certificate for a name, and who trusts it.
func certify(t testing.TB, name string) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	a, err := miftest.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	c, err := a.Certify(name)
	if err != nil {
		t.Fatal(err)
	}
	return c, a.Roots()
}

// encrypt lets servers on port 853 of a fake network speak TLS.
func encrypt(r *Resolver, f fakeNet, cert tls.Certificate, script func(query), streams *atomic.Int32) {
	dial := r.Dial
	r.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		at := netip.MustParseAddrPort(address)
		if at.Port() != tlsPort {
			return dial(ctx, network, address)
		}
		if network != "tcp" {
			return nil, errors.New("an encrypted server was asked by " + network)
		}
		streams.Add(1)
		ours, theirs := net.Pipe()
		server := tls.Server(theirs, &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"dot"}})
		go f.serve(server, true, script)
		return ours, nil
	}
}

// TestEncrypted gives encrypted servers and what comes of a look-up.
func TestEncrypted(t *testing.T) {
	secret := func(q query) { q.send(answer(q, q.qname()+" 60 IN A 192.0.2.99")) }
	cases := []struct {
		name   string
		server string // the name in the configuration
		script func(query)
		strict bool
		want   string
		took   time.Duration
	}{
		{"used first", "dns.example.", secret, false, "192.0.2.99", 0},
		{"strict", "DNS.example", secret, true, "192.0.2.99", 0},
		{"other name, strict", "other.example", secret, true, "", 0},
		{"other name, plain then", "other.example", secret, false, "192.0.2.1", 0},
		{"no name, strict", "", secret, true, "", 0},
		{"silent, plain then", "dns.example", silent, false, "192.0.2.1", 2 * time.Second},
		{"silent, strict", "dns.example", silent, true, "", 5 * time.Second},
		{"slow, not overtaken", "dns.example", func(q query) {
			q.after(time.Second, answer(q, q.qname()+" 60 IN A 192.0.2.99"))
		}, false, "192.0.2.99", time.Second},
		{"failing, strict", "dns.example", func(q query) { q.send(failing(q, 2)) }, true, "", 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var plain, streams atomic.Int32
				r := fakeResolver(t, []func(query){func(q query) {
					plain.Add(1)
					q.send(truth(q))
				}})
				cert, roots := certify(t, "dns.example")
				r.Roots = roots
				encrypt(r, fakeNet{}, cert, c.script, &streams)
				cfg, _ := r.Config()
				cfg.EncryptedOnly = c.strict
				cfg.Encrypted = []EncryptedServer{{Name: c.server, Addrs: []netip.Addr{netip.MustParseAddr("192.0.2.53")}}}
				r.Config = func() (Config, error) { return cfg, nil }
				start := time.Now()
				got, err := collect(t.Context(), r, "www.example.com", IPv4)
				if d := time.Since(start); d != c.took {
					t.Errorf("took %v, want %v", d, c.took)
				}
				if c.want == "" && err == nil || c.want != "" && !slices.Equal(got, []string{c.want}) {
					t.Errorf("%v, %v; want %q", got, err, c.want)
				}
				if n := plain.Load(); n > 0 && c.want != "192.0.2.1" {
					t.Errorf("%d queries in the clear", n)
				}
			})
		})
	}
}

// TestEncryptedShared: one connection carries all queries.
func TestEncryptedShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var streams atomic.Int32
		r := uncached(t)
		cert, roots := certify(t, "dns.example")
		r.Roots = roots
		encrypt(r, fakeNet{}, cert, good, &streams)
		cfg := Config{EncryptedOnly: true, Encrypted: []EncryptedServer{{Name: "dns.example", Addrs: []netip.Addr{netip.MustParseAddr("192.0.2.53")}}}}
		r.Config = func() (Config, error) { return cfg, nil }
		for range 10 {
			got, err := collect(t.Context(), r, "www.example.com", Both)
			if err != nil || !slices.Equal(got, both) {
				t.Fatalf("%v, %v", got, err)
			}
		}
		if n := streams.Load(); n != 1 {
			t.Errorf("%d connections", n)
		}
	})
}

// TestPadding: encrypted queries are of 128 octets or a multiple.
func TestPadding(t *testing.T) {
	for _, name := range []string{"a.", "www.example.com.", strings.Repeat("abcdefghi.", 7), strings.Repeat("abcdefghi.", 24)} {
		q, err := newQuestion(name, dns.TypeA, true)
		if err != nil {
			t.Fatal(err)
		}
		q.pad()
		m := new(dns.Msg)
		if err := m.Unpack(q.wire); err != nil || len(q.wire)%padding != 0 || m.IsEdns0() == nil {
			t.Errorf("%s: %d octets, %v", name, len(q.wire), err)
		}
	}
}

// TestUntrusted: the host's certificates do not know the server's.
func TestUntrusted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var streams atomic.Int32
		r := uncached(t)
		cert, _ := certify(t, "dns.example")
		r.Roots = x509.NewCertPool()
		encrypt(r, fakeNet{}, cert, good, &streams)
		cfg := Config{EncryptedOnly: true, Encrypted: []EncryptedServer{{Name: "dns.example", Addrs: []netip.Addr{netip.MustParseAddr("192.0.2.53")}}}}
		r.Config = func() (Config, error) { return cfg, nil }
		_, err := collect(t.Context(), r, "www.example.com", IPv4)
		var unknown x509.UnknownAuthorityError
		if !errors.As(err, &unknown) || !errors.Is(err, ErrServerFailure) {
			t.Errorf("%v", err)
		}
	})
}
