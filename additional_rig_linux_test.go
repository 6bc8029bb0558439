package mif

import (
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/go-mif/mif/miftest"
	"github.com/go-mif/mif/pvd"
)

// An informed lab is one whose host fetches Additional Information.
type informedLab struct {
	*lab
	authority *miftest.Authority
}

func newInformedLab(t testing.TB) *informedLab {
	t.Helper()
	a, err := miftest.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	return &informedLab{newLab(t, Config{FetchAdditionalInfo: true, AdditionalInfoRoots: a.Roots()}), a}
}

// behind is an address behind the n-th router.
func behind(n, last byte) netip.Addr {
	return netip.AddrFrom16([16]byte{0x20, 0x01, 0x0d, 0xb8, 0xf0, n, 15: last})
}

// A site is a network with an explicit domain, its name server and its HTTPS server.
type site struct {
	l      *informedLab
	n      byte
	name   string
	router *miftest.Router
	dns    *miftest.DNSServer
	ra     *miftest.RA

	mu       sync.Mutex
	requests []*http.Request
}

// newSite makes a site whose router is silent yet. Its server has a certificate for some
// names, that of the domain if none are given.
func newSite(l *informedLab, ifname string, n byte, name string, h http.HandlerFunc, certified ...string) *site {
	l.t.Helper()
	s := &site{l: l, n: n, name: name, ra: domainRA(name, n)}
	s.ra.RDNSS = []netip.Addr{behind(n, 0x53)}
	s.router = l.Router(l.t, miftest.RouterConfig{Interface: ifname})
	var err error
	s.dns, err = s.router.DNS(netip.AddrPortFrom(behind(n, 0x53), 53), miftest.Zone{
		name: {Addresses: []netip.Addr{behind(n, 0x80)}}, "other.example": {Addresses: []netip.Addr{behind(n, 0x80)}},
	})
	l.must(err)
	if certified == nil {
		certified = []string{name}
	}
	s.serve(h, certified)
	return s
}

func (s *site) serve(h http.HandlerFunc, certified []string) {
	cert, err := s.l.authority.Certify(certified...)
	s.l.must(err)
	listener, err := s.router.Listen(netip.AddrPortFrom(behind(s.n, 0x80), 443))
	s.l.must(err)
	server := &http.Server{ErrorLog: log.New(io.Discard, "", 0), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.requests = append(s.requests, r)
		s.mu.Unlock()
		h(w, r)
	})}
	var running sync.WaitGroup
	running.Go(func() { server.Serve(tls.NewListener(listener, &tls.Config{Certificates: []tls.Certificate{cert}})) })
	s.l.t.Cleanup(func() { server.Close(); running.Wait() })
}

// asked are the requests so far.
func (s *site) asked() []*http.Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// object is the information of a site, with other keys after the mandatory ones.
func (s *site) object(lasts time.Duration, more string) string {
	return fmt.Sprintf(`{"identifier":%q,"expires":%q,"prefixes":["2001:db8:%x::/48"]%s}`, s.name, time.Now().Add(lasts).Format(time.RFC3339Nano), s.n, more)
}

// gives is a handler that answers with what a function says.
func gives(text func() string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/pvd+json")
		io.WriteString(w, text())
	}
}

// informed is what a domain has by Additional Information.
func (l *informedLab) informed(name string) []pvd.Datum[pvd.Information] {
	for d := range l.host.Snapshot().Domains() {
		if d.ID().String() == name {
			info, _ := d.Data(pvd.ElementAdditionalInfo, pvd.ItemAdditionalInfo).(pvd.AdditionalInfo)
			return info
		}
	}
	return nil
}

// failure is what Sources tells of the fetching.
func (l *informedLab) failure() error {
	l.t.Helper()
	for _, s := range l.host.Sources() {
		if s.Name == "additional information" {
			return s.Err
		}
	}
	l.t.Fatal("Sources does not tell of additional information")
	return nil
}

// checkInside checks that a site's server and name server were asked from the domain only,
// and that nobody spoke of either on another link.
func (s *site) checkInside(other *miftest.Capture) {
	t := s.l.t
	t.Helper()
	d := s.l.host.Snapshot().Domain(s.l.pvd(s.router.Interface() + "/" + s.name))
	for _, r := range s.asked() {
		if from := netip.MustParseAddrPort(r.RemoteAddr).Addr(); !has(d, from) {
			t.Errorf("%s was asked from %v", s.name, from)
		}
	}
	queries := s.dns.Queries()
	for _, q := range queries {
		if !has(d, q.From.Addr()) || q.Name != s.name {
			t.Errorf("%s was asked by %v", q.Name, q.From)
		}
	}
	if len(queries) == 0 {
		t.Errorf("the name server of %s was not asked", s.name)
	}
	if other == nil {
		return
	}
	for _, p := range other.Packets() {
		if p.Involves(behind(s.n, 0x53)) || p.Involves(behind(s.n, 0x80)) {
			t.Errorf("on the other link: %v → %v, %+v", p.Source, p.Destination, p)
		}
	}
	if other.Lost() > 0 {
		t.Errorf("%d packets were not seen", other.Lost())
	}
}
