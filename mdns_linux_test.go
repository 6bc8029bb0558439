package mif

import (
	"net"
	"net/netip"
	"testing"

	"github.com/go-mif/mif/resolver"
	"github.com/miekg/dns"
)

// A name under .local is asked of the hosts on the domain's link (RFC 6762).
func TestHostMulticastDNS(t *testing.T) {
	l := newLab(t, Config{})
	c := uplink("eth0", 1)
	r := l.Router(t, c)
	var conn *net.UDPConn
	l.must(r.Do(func() (err error) {
		all, err := net.Interfaces()
		for _, i := range all {
			if addrs, _ := i.Addrs(); i.Flags&net.FlagLoopback == 0 && len(addrs) > 0 {
				conn, err = net.ListenMulticastUDP("udp4", &i, net.UDPAddrFromAddrPort(netip.MustParseAddrPort("224.0.0.251:5353")))
			}
		}
		return err
	}))
	defer conn.Close()
	go answerAll(conn, "10.1.0.77")
	_, err := l.Host().DHCPClient("eth0")
	l.must(err)
	s := l.subscriber(AnnounceProvisioningDomains{})
	s.until("domain eth0/ipv4")
	s.post(TranslateName{ID: 1, PvD: l.pvd("eth0/ipv4"), Name: "printer.local", Family: 4})
	for _, e := range s.until("done 1") {
		if n, is := e.(NameTranslation); is && n.Addr == netip.MustParseAddr("10.1.0.77") && n.Origin == resolver.Multicast {
			return
		}
	}
	t.Fatal("the host on the link did not answer")
}

// answerAll answers whatever is asked with one address, to whom asked.
func answerAll(conn *net.UDPConn, addr string) {
	for b := make([]byte, 1500); ; {
		n, from, err := conn.ReadFromUDPAddrPort(b)
		if err != nil {
			return
		}
		var q dns.Msg
		if q.Unpack(b[:n]) != nil || q.Response || len(q.Question) != 1 {
			continue
		}
		a := new(dns.Msg)
		a.SetReply(&q)
		a.Answer = []dns.RR{&dns.A{Hdr: dns.RR_Header{Name: q.Question[0].Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 10}, A: net.ParseIP(addr)}}
		if packed, err := a.Pack(); err == nil {
			conn.WriteToUDPAddrPort(packed, from)
		}
	}
}
