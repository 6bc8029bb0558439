package mif

import (
	"context"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-mif/mif/miftest"
	"github.com/go-mif/mif/pvd"
	"github.com/go-mif/mif/resolver"
)

// Every ending of a translation of a service is told exactly once, and before the
// domain goes.
func TestRule6ServiceEndsOnce(t *testing.T) {
	for _, c := range []struct {
		name string
		look func(context.Context, PvDID, TranslateService) ([]resolver.Service, error)
		end  func(*fakeHost, *subscriber)
		want []string
	}{
		{name: "success", look: serves(time.Second, "a.example", "b.example"), want: []string{"service 1 1 a.example 8443", "service 1 2 b.example 8443", "done 1"}},
		{
			name: "failure", look: func(context.Context, PvDID, TranslateService) ([]resolver.Service, error) {
				return nil, &resolver.Error{Err: resolver.ErrNoSuchName}
			},
			want: []string{"done 1: no such name"},
		},
		{
			name: "domain gone", look: serves(forever),
			end:  func(h *fakeHost, s *subscriber) { h.change(func(w *world) { w.carrier("eth0", false) }) },
			want: []string{"done 1: no such domain", "no domain eth0/ipv4"},
		},
		{
			name: "domain gone, answered before", look: serves(time.Second, "a.example"),
			end:  func(h *fakeHost, s *subscriber) { h.change(func(w *world) { w.carrier("eth0", false) }) },
			want: []string{"service 1 1 a.example 8443", "done 1", "no domain eth0/ipv4"},
		},
		{
			name: "stopped", look: serves(forever),
			end:  func(h *fakeHost, s *subscriber) { s.post(StopTranslatingName{1}) },
			want: []string{"done 1: stopped"},
		},
		{
			name: "stopped, answered before", look: serves(time.Second, "a.example"),
			end:  func(h *fakeHost, s *subscriber) { s.post(StopTranslatingName{1}) },
			want: []string{"done 1"},
		},
		{
			name: "session closed", look: serves(forever),
			end:  func(h *fakeHost, s *subscriber) { s.Close() },
			want: []string{"done 1: closed"},
		},
		{
			name: "host closed", look: serves(forever),
			end:  func(h *fakeHost, s *subscriber) { h.Close() },
			want: []string{"done 1: closed"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, nil, func(t *testing.T, h *fakeHost) {
				h.services = c.look
				s := h.subscriber()
				s.post(AnnounceProvisioningDomains{})
				s.got()
				s.post(TranslateService{ID: 1, PvD: h.pvd("eth0/ipv4"), Scheme: "https", Name: "www.example.com", Port: 8443})
				time.Sleep(2 * time.Second)
				synctest.Wait()
				if c.end != nil {
					c.end(h, s)
				}
				s.expect(c.want...)
				synctest.Wait()
				s.expect()
				if n := len(s.checker.tasks); n > 0 {
					t.Fatalf("%d tasks have not ended", n)
				}
			})
		})
	}
}

// Names and services count their translations together.
func TestRule7ServiceIDInUse(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *fakeHost) {
		h.lookup, h.services = answers(step{after: time.Second}), serves(time.Second, "a.example")
		s := h.subscriber()
		p := h.pvd("eth0/ipv4")
		name, service := TranslateName{ID: 1, PvD: p, Name: "a"}, TranslateService{ID: 1, PvD: p, Scheme: "dns", Name: "a"}
		s.post(name, service)
		s.expect("rejected TranslateService: in use")
		time.Sleep(2 * time.Second)
		synctest.Wait()
		s.expect("done 1")
		s.post(service, name)
		s.expect("rejected TranslateName: in use")
		time.Sleep(2 * time.Second)
		synctest.Wait()
		s.expect("service 1 1 a.example 0", "done 1")
	})
}

// The domain's own server is asked for the domain's own records.
func TestServiceInDomain(t *testing.T) {
	t.Parallel()
	l := newLab(t, Config{})
	at := netip.MustParseAddr("192.168.1.1")
	r := l.Router(t, miftest.RouterConfig{Interface: "eth0", IPv4: netip.PrefixFrom(at, 24), DHCP: &miftest.DHCP{DNS: []netip.Addr{at}}})
	_, err := r.DNS(netip.AddrPortFrom(at, 53), miftest.Zone{
		"www.example.com":              {Records: []string{"www.example.com. 60 IN HTTPS 2 . alpn=h2 port=8443 ipv4hint=192.0.2.1 ech=AEX+DQ==", "www.example.com. 60 IN HTTPS 1 cdn.example.net."}},
		"_8443._https.www.example.com": {Records: []string{"_8443._https.www.example.com. 60 IN HTTPS 1 other.example.net."}},
		"_dns.resolver.example.com":    {Records: []string{"_dns.resolver.example.com. 60 IN SVCB 1 dot.example.net. alpn=dot"}},
	})
	l.must(err)
	_, err = l.Host().DHCPClient("eth0")
	l.must(err)
	s := l.subscriber(AnnounceProvisioningDomains{})
	s.until("domain eth0/ipv4")
	p := l.pvd("eth0/ipv4")
	s.when("the domain has a server", func() bool {
		d := l.host.Snapshot().Domain(p)
		return d != nil && d.Data(pvd.ElementAny, pvd.ItemDNSServers) != nil
	})
	for id, c := range []struct {
		r    TranslateService
		want []string
	}{
		{TranslateService{Scheme: "HTTPS", Name: "www.example.com"}, []string{"1 cdn.example.net 0", "2 www.example.com 8443"}},
		{TranslateService{Scheme: "https", Name: "www.example.com", Port: 8443}, []string{"1 other.example.net 0"}},
		{TranslateService{Scheme: "dns", Name: "resolver.example.com"}, []string{"1 dot.example.net 0"}},
	} {
		c.r.ID, c.r.PvD = TranslationID(id+1), p
		s.post(c.r)
		var got []string
		for e, err := range s.Events(t.Context()) {
			l.must(err)
			if x, is := e.(ServiceTranslation); is {
				got = append(got, line(x)[len("service 1 "):])
				if x.PvD != p || x.Server != netip.AddrPortFrom(at, 53) || !x.Expiry.After(time.Now()) {
					t.Errorf("%+v", x)
				}
			}
			l.must(s.checker.got(e))
			if _, is := e.(TranslationDone); is {
				break
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%+v: %q, want %q", c.r, got, c.want)
		}
	}
}
