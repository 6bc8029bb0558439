package main

import (
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-mif/mif/examples/internal/exampletest"
	"github.com/go-mif/mif/miftest"
)

// With -info, watch shows what the server of an explicit domain tells of it.
func TestInfo(t *testing.T) {
	a, err := miftest.NewAuthority()
	must(t, err)
	file := filepath.Join(t.TempDir(), "roots.pem")
	must(t, os.WriteFile(file, a.PEM(), 0o644))
	t.Setenv("SSL_CERT_FILE", file)
	n := miftest.New(t)
	w := start(t, n.Host(), "-info")
	w.await("synced", func(m exampletest.Message) bool { return m.Message == "Synced" && m.Request == "AnnounceInterfaces" })
	serveInfo(t, n, a)
	m := w.await("information", func(m exampletest.Message) bool {
		return message("ConfigurationData", "eth0/corp.example")(m) && m.Element == "AdditionalInfo" && m.Item == "AdditionalInfo"
	})
	v, _ := m.Data[0].Value.(map[string]any)
	if v["identifier"] != "corp.example" || v["noInternet"] != true || m.Data[0].Source != "https://corp.example/.well-known/pvd" {
		t.Errorf("%+v", m)
	}
	w.end()
}

// serveInfo makes a network with an explicit domain, and a server for what is told of it.
func serveInfo(t *testing.T, n *miftest.Net, a *miftest.Authority) {
	r := n.Router(t, miftest.RouterConfig{Interface: "eth0"})
	dns, web := netip.MustParseAddr("2001:db8:f::53"), netip.MustParseAddr("2001:db8:f::80")
	_, err := r.DNS(netip.AddrPortFrom(dns, 53), miftest.Zone{"corp.example": {Addresses: []netip.Addr{web}}})
	must(t, err)
	cert, err := a.Certify("corp.example")
	must(t, err)
	l, err := r.Listen(netip.AddrPortFrom(web, 443))
	must(t, err)
	s := &http.Server{ErrorLog: log.New(io.Discard, "", 0), Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/pvd+json")
		fmt.Fprintf(w, `{"identifier":"corp.example","expires":%q,"prefixes":["2001:db8:1::/48"],"noInternet":true}`, time.Now().Add(time.Hour).Format(time.RFC3339))
	})}
	go s.Serve(tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{cert}}))
	t.Cleanup(func() { s.Close() })
	ra := miftest.NewRA(netip.MustParsePrefix("2001:db8:1::/64"))
	ra.RDNSS, ra.PvD = []netip.Addr{dns}, &miftest.PvD{Name: "corp.example", HTTP: true}
	must(t, r.SetRA(ra))
}

// With -solicit, watch shows the domains of a router that had advertised before.
func TestSolicit(t *testing.T) {
	n := miftest.New(t)
	r := n.Router(t, miftest.RouterConfig{Interface: "eth0"})
	ra := miftest.NewRA(netip.MustParsePrefix("2001:db8:1::/64"))
	ra.PvD = &miftest.PvD{Name: "corp.example"}
	must(t, r.SetRA(ra))
	w := start(t, n.Host(), "-solicit")
	w.await("the explicit domain", message("ProvisioningDomainAnnouncement", "eth0/corp.example"))
	w.end()
}
