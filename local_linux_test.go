package mif

import (
	"net"
	"net/netip"
	"slices"
	"testing"

	"github.com/miekg/dns"
)

// A name server on this very host, at an address of the link: what is for it never
// leaves by the link, but what asks it is bound to that. It answers over TCP only.
func TestServerOnThisHost(t *testing.T) {
	l, _ := tunnel(t)
	for _, own := range corporate().Addresses {
		c := corporate()
		c.DNSServers = []netip.AddrPort{ownServer(l, own)}
		d, err := l.host.AddDomain(c)
		l.must(err)
		r, err := l.host.Resolver(d.PvD())
		l.must(err)
		got, err := r.LookupNetIP(t.Context(), "ip4", "www.example.")
		if err != nil || !slices.Equal(got, []netip.Addr{ownOf(1)}) {
			t.Errorf("%s: %v, %v", own, got, err)
		}
		l.must(d.Withdraw())
	}
}

// ownServer starts a name server on the host itself.
func ownServer(l *lab, at netip.Addr) netip.AddrPort {
	udp, tcp := new(dns.Server), new(dns.Server)
	l.must(l.Host().Do(func() (err error) {
		if tcp.Listener, err = net.Listen("tcp", netip.AddrPortFrom(at, 0).String()); err == nil {
			udp.PacketConn, err = net.ListenPacket("udp", tcp.Listener.Addr().String())
		}
		return err
	}))
	handler := dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg).SetReply(q)
		if m.Truncated = w.RemoteAddr().Network() == "udp"; !m.Truncated {
			h := dns.RR_Header{Name: q.Question[0].Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 60}
			m.Answer = []dns.RR{&dns.A{Hdr: h, A: ownOf(1).AsSlice()}}
		}
		_ = w.WriteMsg(m)
	})
	for _, s := range []*dns.Server{udp, tcp} {
		s.Handler = handler
		started := make(chan struct{})
		s.NotifyStartedFunc = func() { close(started) }
		done := make(chan error)
		go func() { done <- s.ActivateAndServe() }()
		<-started
		l.t.Cleanup(func() {
			l.must(s.Shutdown())
			<-done
		})
	}
	return udp.PacketConn.LocalAddr().(*net.UDPAddr).AddrPort()
}
