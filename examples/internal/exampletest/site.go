package exampletest

import (
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Asker is an HTTP handler that tells the address of who asks, and what was posted. By
// which name a proxy knows who asks must not get to it.
func Asker(t testing.TB) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Proxy-Authorization") != "" {
			t.Error("the target was told the user")
		}
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s", r.RemoteAddr, body)
	})
}

// Site serves an Asker by HTTP behind an uplink, as Name.
func Site(t testing.TB, u *Uplink) {
	t.Helper()
	site(t, u, Asker(t), 80).Start()
}

// SecureSite serves by HTTP with TLS. It returns the file of the certificate to trust.
func SecureSite(t testing.TB, u *Uplink, h http.Handler) (certificate string) {
	t.Helper()
	s := site(t, u, h, 443)
	s.StartTLS()
	certificate = filepath.Join(t.TempDir(), "certificate.pem")
	b := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	if err := os.WriteFile(certificate, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return certificate
}

func site(t testing.TB, u *Uplink, h http.Handler, port uint16) *httptest.Server {
	t.Helper()
	l, err := u.Listen(netip.AddrPortFrom(Target, port))
	if err != nil {
		t.Fatal(err)
	}
	s := &httptest.Server{Listener: l, Config: &http.Server{Handler: h}}
	t.Cleanup(s.Close)
	return s
}

// Came checks that an answer of Asker tells that the request came by an uplink.
func Came(t testing.TB, by *Uplink, what, answer string) {
	t.Helper()
	words := strings.Fields(answer + " -")
	if peer, err := netip.ParseAddrPort(words[0]); err != nil || !by.Peer.Contains(peer.Addr()) {
		t.Errorf("%s: came from %q, want %v", what, answer, by.Peer)
	}
}
