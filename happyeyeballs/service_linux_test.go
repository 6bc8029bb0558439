package happyeyeballs

import (
	"crypto/ecdh"
	"crypto/rand"
	"crypto/tls"
	"encoding/base64"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-mif/mif/miftest"
)

// echKey is a key to encrypt hellos with, and its ECHConfigList (RFC 9849, section 4).
func echKey(t *testing.T, id byte) (key tls.EncryptedClientHelloKey, list []byte) {
	t.Helper()
	private, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	public, name := private.PublicKey().Bytes(), "www.example"
	body := []byte{id, 0, 0x20} // DHKEM(X25519, HKDF-SHA256)
	body = append(binary.BigEndian.AppendUint16(body, uint16(len(public))), public...)
	body = append(body, 0, 4, 0, 1, 0, 1, 0) // HKDF-SHA256, AES-128-GCM
	body = append(append(body, byte(len(name))), name...)
	body = append(body, 0, 0)
	config := append(binary.BigEndian.AppendUint16([]byte{0xfe, 0x0d}, uint16(len(body))), body...)
	list = append(binary.BigEndian.AppendUint16(nil, uint16(len(config))), config...)
	return tls.EncryptedClientHelloKey{Config: config, PrivateKey: private.Bytes(), SendAsRetry: true}, list
}

// tlsServer completes handshakes until the test ends.
func (u *uplink) tlsServer(at string, c *tls.Config) {
	u.rig.t.Helper()
	if _, err := u.Serve(netip.MustParseAddrPort(at), func(c0 net.Conn) {
		s := tls.Server(c0, c)
		if s.Handshake() == nil {
			io.WriteString(s, at)
			s.CloseWrite()
		}
	}); err != nil {
		u.rig.t.Fatal(err)
	}
}

// https is a name with addresses and HTTPS records.
func https(name string, n miftest.Name, records ...string) miftest.Name {
	for _, r := range records {
		n.Records = append(n.Records, name+". 60 IN HTTPS "+r)
	}
	return n
}

// HTTPS records say where to, and with which keys; what they say is used in DialTLS to
// port 443 alone, unless the program says otherwise.
func TestHTTPSRecords(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	right, rightList := echKey(t, 1)
	_, wrongList := echKey(t, 2)
	text := base64.StdEncoding.EncodeToString
	unknown := slices.Clone(rightList)
	unknown[2], unknown[3] = 0xfe, 0x0c // a version that nobody knows
	u := r.uplink("eth0", 1, "46", miftest.Zone{
		"warm.example":     name(good6),
		"port.example":     https("port.example", name(good6, good4), "1 . port=8443"),
		"unasked.example":  https("unasked.example", name(good6, good4), "1 . port=8443"),
		"target.example":   https("target.example", name(good4), "1 other.example."),
		"other.example":    name(good6),
		"hint.example":     https("hint.example", late(name(good6, good4), 300, 300), "1 . ipv6hint="+good6+" ipv4hint="+good4),
		"right.example":    https("right.example", name(good6), "1 . ech="+text(rightList)),
		"wrong.example":    https("wrong.example", name(good6), "1 . ech="+text(wrongList)),
		"disabled.example": https("disabled.example", name(good6), "1 . port=8443 ech="+text(wrongList)),
		"unknown.example":  https("unknown.example", name(good6), "1 . ech="+text(unknown)),
		"quic.example":     https("quic.example", name(good6), "1 . port=8443 alpn=h3 no-default-alpn", "2 . port=8444 alpn=h2"),
	}, nil)
	cert, pool := certificate(t)
	plain := &tls.Config{Certificates: []tls.Certificate{cert}}
	encrypted := plain.Clone()
	encrypted.EncryptedClientHelloKeys = []tls.EncryptedClientHelloKey{right}
	u.tlsServer("["+good6+"]:443", encrypted)
	u.tlsServer("["+good6+"]:8443", plain)
	u.tlsServer("["+good6+"]:8444", plain)
	u.serve(good6)
	if o := r.dial(&Dialer{}, "tcp", "warm.example:80"); o.err != nil {
		t.Fatal(o.err)
	}
	for _, c := range []struct {
		name, to string
		ech      bool
		tries    int
		alpn     []string
	}{
		{"port", "8443", false, 1, nil},
		{"target", "443", false, 1, nil},
		{"hint", "443", false, 1, nil},
		{"right", "443", true, 1, nil},
		{"wrong", "443", true, 2, nil},
		{"disabled", "8443", false, 2, nil},
		{"unknown", "443", false, 1, nil},
		{"quic", "8444", false, 1, []string{"h2", "http/1.1"}},
	} {
		began, log := time.Now(), &raceLog{}
		d := &Dialer{Host: r.host, Timeout: generous, ResolutionDelay: generous, Trace: log.trace()}
		conn, err := d.DialTLS(t.Context(), "tcp", c.name+".example:443", &tls.Config{RootCAs: pool, ServerName: "www.example", NextProtos: c.alpn})
		took := time.Since(began)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		state := conn.(*tls.Conn).ConnectionState()
		if got := conn.RemoteAddr().String(); got != "["+good6+"]:"+c.to || state.ECHAccepted != c.ech || len(log.started) != c.tries {
			t.Errorf("%s: connected to %s, ECH %v, tried %v", c.name, got, state.ECHAccepted, log.started)
		}
		conn.Close()
		if c.name == "hint" {
			r.report("e01", "HTTPS hints at once, A and AAAA 300 ms late (DialTLS)", "0", outcome{took: took, remote: good6}, u.peers("hint.example:443")...)
		}
	}
	count := func() (n int) {
		for _, q := range append(u.dns4.Queries(), u.dns6.Queries()...) {
			if q.Type == "HTTPS" && q.Name == "unasked.example" {
				n++
			}
		}
		return n
	}
	for _, d := range []*Dialer{{Service: NoService}, {Service: "-", History: &History{}}} {
		d.Host = r.host
		conn, err := d.DialTLS(t.Context(), "tcp", "unasked.example:443", &tls.Config{RootCAs: pool, ServerName: "www.example"})
		if err != nil {
			t.Fatal(err)
		}
		if got := conn.RemoteAddr().String(); got != "["+good6+"]:443" {
			t.Errorf("connected to %s", got)
		}
		conn.Close()
	}
	if o := r.dial(&Dialer{}, "tcp", "unasked.example:80"); o.err != nil || count() != 0 {
		t.Errorf("%v, %d queries for HTTPS records", o.err, count())
	}
	if o := r.dial(&Dialer{Service: "https", ResolutionDelay: generous}, "tcp", "port.example:443"); o.err != nil || o.log.started[0].To.Port() != 8443 {
		t.Errorf("%v, %v", o.err, o.log.started)
	}
	if o := r.dial(&Dialer{Service: "no_scheme"}, "tcp", "nobody.example:80"); o.err == nil || !strings.Contains(o.err.Error(), "Scheme") {
		t.Errorf("%v", o.err)
	}
}
