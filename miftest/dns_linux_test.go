package miftest_test

import (
	"errors"
	"net/netip"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/go-mif/mif/miftest"
	"github.com/miekg/dns"
)

func dnsRig(t *testing.T, zone miftest.Zone) (*miftest.DNSServer, bound) {
	t.Helper()
	n := miftest.New(t)
	r := n.Router(t, miftest.RouterConfig{Interface: "eth0", RA: miftest.NewRA(prefix1)})
	a, err := n.Host().AwaitSLAAC("eth0", prefix1)
	must(t, err)
	s, err := r.DNS(netip.MustParseAddrPort("[2001:db8:1::53]:53"), zone)
	must(t, err)
	return s, bound{n.Host(), "eth0", a}
}

func TestDNS(t *testing.T) {
	t.Parallel()
	v4, v6 := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")
	s, from := dnsRig(t, miftest.Zone{
		"host.example.com":  {Addresses: []netip.Addr{v4, v6}},
		"alias.example.com": {CNAME: "host.example.com"},
		"loop.example.com":  {CNAME: "loop.example.com"},
		"text.example.com":  {Records: []string{"text.example.com. 60 IN TXT hello"}},
		"broken.example":    {Fault: miftest.Fault{Code: dns.RcodeServerFailure}},
		"half.example":      {Addresses: []netip.Addr{v4, v6}, AAAA: miftest.Fault{Code: dns.RcodeRefused}},
		"big.example":       {Addresses: []netip.Addr{v4}, Fault: miftest.Fault{Truncate: true}},
	})
	for _, network := range []string{"udp", "tcp"} {
		for _, c := range []struct {
			name    string
			qtype   uint16
			rcode   int
			answers int
			addr    netip.Addr
			tc      bool
		}{
			{"host.example.com", dns.TypeA, dns.RcodeSuccess, 1, v4, false},
			{"HOST.example.com", dns.TypeAAAA, dns.RcodeSuccess, 1, v6, false},
			{"host.example.com", dns.TypeMX, dns.RcodeSuccess, 0, netip.Addr{}, false},
			{"alias.example.com", dns.TypeA, dns.RcodeSuccess, 2, v4, false},
			{"loop.example.com", dns.TypeA, dns.RcodeSuccess, 16, netip.Addr{}, false},
			{"text.example.com", dns.TypeTXT, dns.RcodeSuccess, 1, netip.Addr{}, false},
			{"nobody.example.com", dns.TypeA, dns.RcodeNameError, 0, netip.Addr{}, false},
			{"broken.example", dns.TypeA, dns.RcodeServerFailure, 0, netip.Addr{}, false},
			{"half.example", dns.TypeA, dns.RcodeSuccess, 1, v4, false},
			{"half.example", dns.TypeAAAA, dns.RcodeRefused, 0, netip.Addr{}, false},
			{"big.example", dns.TypeA, dns.RcodeSuccess, map[string]int{"udp": 0, "tcp": 1}[network], netip.Addr{}, network == "udp"},
		} {
			m := from.ask(t, network, s.Addr(), c.name, c.qtype)
			if m.Rcode != c.rcode || len(m.Answer) != c.answers || m.Truncated != c.tc {
				t.Errorf("%s %s: %v", network, c.name, m)
			}
			if c.addr.IsValid() && !has(addresses(m), c.addr) {
				t.Errorf("%s %s: %v, want %v", network, c.name, addresses(m), c.addr)
			}
		}
	}
	qs := s.Queries()
	if len(qs) != 22 || qs[1].Name != "host.example.com" || qs[1].Type != "AAAA" {
		t.Errorf("%d queries, second %+v", len(qs), qs[1])
	}
	for i, q := range qs {
		if q.From.Addr() != from.source || q.Network != map[bool]string{true: "udp", false: "tcp"}[i < 11] {
			t.Errorf("query %d: %+v", i, q)
		}
	}
}

func TestDNSFaults(t *testing.T) {
	t.Parallel()
	v4, v6 := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")
	name := miftest.Name{Addresses: []netip.Addr{v4, v6}, AAAA: miftest.Fault{Delay: 20 * time.Millisecond}}
	s, from := dnsRig(t, miftest.Zone{"slow.example": name, "lost.example": {Fault: miftest.Fault{Drop: true}},
		"stall.example": {Addresses: []netip.Addr{v4}, HTTPS: miftest.Fault{Drop: true}, A: miftest.Fault{Stall: true}}})
	if m := from.ask(t, "udp", s.Addr(), "stall.example", dns.TypeA); !has(addresses(m), v4) {
		t.Errorf("over UDP: %v", m)
	}
	for network, qtype := range map[string]uint16{"tcp": dns.TypeA, "udp": dns.TypeHTTPS} {
		stalled := &dns.Conn{Conn: from.connect(t, network, s.Addr())}
		defer stalled.Close()
		must(t, stalled.WriteMsg(new(dns.Msg).SetQuestion("stall.example.", qtype)))
		stalled.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
		if m, err := stalled.ReadMsg(); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s: %v, %v", network, m, err)
		}
	}
	c := &dns.Conn{Conn: from.connect(t, "udp", s.Addr())}
	defer c.Close()
	for _, q := range []*dns.Msg{
		new(dns.Msg).SetQuestion("slow.example.", dns.TypeAAAA),
		new(dns.Msg).SetQuestion("lost.example.", dns.TypeA),
		new(dns.Msg).SetQuestion("slow.example.", dns.TypeA),
	} {
		must(t, c.WriteMsg(q))
	}
	var got []netip.Addr
	for range 2 {
		m, err := c.ReadMsg()
		must(t, err)
		got = append(got, addresses(m)...)
	}
	if !slices.Equal(got, []netip.Addr{v4, v6}) {
		t.Errorf("answers %v, want the late one last", got)
	}
	c.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
	if m, err := c.ReadMsg(); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("after a dropped query: %v, %v", m, err)
	}
	if len(s.Queries()) != 6 {
		t.Errorf("queries %v, want six", s.Queries())
	}
	must(t, s.SetZone(nil))
	if m := from.ask(t, "udp", s.Addr(), "slow.example", dns.TypeA); m.Rcode != dns.RcodeNameError {
		t.Errorf("after SetZone: %v", m)
	}
	must(t, s.Close())
	if _, err := from.dial(t.Context(), "tcp", s.Addr()); err == nil {
		t.Error("a closed server accepts")
	}
}

// A server that never answers in time must not keep its Net from closing.
func TestDNSCloseWithAnswersDue(t *testing.T) {
	t.Parallel()
	s, from := dnsRig(t, miftest.Zone{"slow.example": {Fault: miftest.Fault{Delay: time.Hour}}})
	for _, network := range []string{"udp", "tcp"} {
		c := &dns.Conn{Conn: from.connect(t, network, s.Addr())}
		defer c.Close()
		must(t, c.WriteMsg(new(dns.Msg).SetQuestion("slow.example.", dns.TypeA)))
	}
	eventually(t, "both queries", func() bool { return len(s.Queries()) == 2 })
	must(t, s.Close())
}

func TestBadZone(t *testing.T) {
	t.Parallel()
	s, _ := dnsRig(t, nil)
	for _, z := range []miftest.Zone{{"Upper.example": {}}, {"dot.example.": {}}, {"x.example": {Records: []string{"nonsense"}}}, {"x.example": {Records: []string{""}}}} {
		if s.SetZone(z) == nil {
			t.Errorf("took %v", z)
		}
	}
}
