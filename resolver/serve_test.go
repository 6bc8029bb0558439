package resolver

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"
)

// office answers from a few records, and with the evil address of an unrelated owner
// besides.
func office(q query) {
	records := map[string][]string{
		"www.example.com. A":          {"www.example.com. 60 IN CNAME host.example.com.", "host.example.com. 60 IN A 192.0.2.1"},
		"www.example.com. AAAA":       {"www.example.com. 60 IN CNAME host.example.com.", "host.example.com. 60 IN AAAA 2001:db8::1"},
		"example.com. MX":             {"example.com. 60 IN MX 20 b.example.com.", "example.com. 60 IN MX 10 a.example.com.", "evil.example. 60 IN MX 1 evil.example."},
		"example.com. TXT":            {`example.com. 60 IN TXT "v=1" "2"`, `evil.example. 60 IN TXT "evil"`},
		"_sip._tcp.example.com. SRV":  {"_sip._tcp.example.com. 60 IN SRV 1 2 5060 sip.example.com."},
		"example.com. NS":             {"example.com. 60 IN NS ns.example.com."},
		"1.2.0.192.in-addr.arpa. PTR": {"1.2.0.192.in-addr.arpa. 60 IN CNAME 1.sub.example.", "1.sub.example. 60 IN PTR host.example.com.", `1.sub.example. 60 IN PTR bad\032name.example.com.`},
		"odd.example.com. TXT":        {"evil.example. 60 IN TXT evil"},
		"lonely.example.com. A":       {"evil.example. 60 IN A 203.0.113.66"},
	}
	lines := records[q.qname()+" "+dns.TypeToString[q.qtype()]]
	switch {
	case strings.HasPrefix(q.qname(), "none."):
		q.send(failing(q, dns.RcodeNameError))
	case strings.HasPrefix(q.qname(), "broken."):
		q.send(failing(q, dns.RcodeServerFailure))
	default:
		q.send(answer(q, lines...))
	}
}

// TestStandardResolver: a net.Resolver sees the domain's names, and none of what
// servers add.
func TestStandardResolver(t *testing.T) {
	s := serve(t, true, office)
	r := newResolver(t, Config{Servers: []netip.AddrPort{s.addr}})
	std := &net.Resolver{PreferGo: true, Dial: r.DialDNS}
	for _, c := range []struct {
		what string
		ask  func(ctx context.Context) ([]string, error)
		want string
	}{
		{"host", func(ctx context.Context) ([]string, error) { return std.LookupHost(ctx, "www.example.com.") }, "192.0.2.1 2001:db8::1"},
		{"alias", func(ctx context.Context) ([]string, error) {
			name, err := std.LookupCNAME(ctx, "www.example.com.")
			return []string{name}, err
		}, "host.example.com."},
		{"MX", func(ctx context.Context) (all []string, err error) {
			mx, err := std.LookupMX(ctx, "example.com.")
			for _, m := range mx {
				all = append(all, m.Host)
			}
			return all, err
		}, "a.example.com. b.example.com."},
		{"TXT", func(ctx context.Context) ([]string, error) { return std.LookupTXT(ctx, "example.com.") }, "v=12"},
		{"SRV", func(ctx context.Context) (all []string, err error) {
			_, srv, err := std.LookupSRV(ctx, "sip", "tcp", "example.com.")
			for _, x := range srv {
				all = append(all, x.Target)
			}
			return all, err
		}, "sip.example.com."},
		{"NS", func(ctx context.Context) (all []string, err error) {
			ns, err := std.LookupNS(ctx, "example.com.")
			for _, x := range ns {
				all = append(all, x.Host)
			}
			return all, err
		}, "ns.example.com."},
		{"PTR", func(ctx context.Context) ([]string, error) { return r.LookupAddr(ctx, "192.0.2.1") }, "host.example.com."},
	} {
		got, err := c.ask(t.Context())
		slices.Sort(got)
		if text := strings.Join(got, " "); err != nil || text != c.want {
			t.Errorf("%s: %q, %v; want %q", c.what, text, err, c.want)
		}
	}
	for name, want := range map[string]func(*net.DNSError) bool{
		"none.example.com.":   func(e *net.DNSError) bool { return e.IsNotFound },
		"lonely.example.com.": func(e *net.DNSError) bool { return e.IsNotFound },
		"name.invalid.":       func(e *net.DNSError) bool { return e.IsNotFound },
		"broken.example.com.": func(e *net.DNSError) bool { return e.IsTemporary && !e.IsNotFound },
	} {
		got, err := std.LookupHost(t.Context(), name)
		if e := (*net.DNSError)(nil); !errors.As(err, &e) || !want(e) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	if got, err := std.LookupTXT(t.Context(), "odd.example.com."); err == nil {
		t.Errorf("an unrelated owner's record: %q", got)
	}
}

// askBy asks by a connection.
func askBy(t *testing.T, c net.Conn, m *dns.Msg) (*dns.Msg, error) {
	t.Helper()
	b := packed(m)
	if _, err := c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(b))), b...)); err != nil {
		return nil, err
	}
	got, err := readFrame(c, new([maxMessage]byte))
	if err != nil {
		return nil, err
	}
	reply := new(dns.Msg)
	return reply, reply.Unpack(got)
}

// TestDialDNS: what a connection answers to odd questions.
func TestDialDNS(t *testing.T) {
	s := serve(t, true, office)
	r := newResolver(t, Config{Servers: []netip.AddrPort{s.addr}})
	c, err := r.DialDNS(t.Context(), "udp", "127.0.0.53:53")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	question := func(name string, kind uint16) *dns.Msg { return new(dns.Msg).SetQuestion(name, kind) }
	two := question("example.com.", dns.TypeA)
	two.Question = append(two.Question, two.Question[0])
	notify := question("example.com.", dns.TypeSOA)
	notify.Opcode = dns.OpcodeNotify
	chaos := question("version.bind.", dns.TypeTXT)
	chaos.Question[0].Qclass = dns.ClassCHAOS
	for i, x := range []struct {
		m     *dns.Msg
		rcode int
		count int
	}{
		{question("www.example.com.", dns.TypeA), dns.RcodeSuccess, 2},
		{question("WWW.example.com.", dns.TypeA), dns.RcodeSuccess, 2}, // cached
		{question("example.com.", dns.TypeMX), dns.RcodeSuccess, 2},
		{question("localhost.", dns.TypeA), dns.RcodeSuccess, 1},
		{question("example.com.", dns.TypeCAA), dns.RcodeSuccess, 0},
		{question("box.local.", dns.TypeA), dns.RcodeServerFailure, 0},
		{question("example.com.", dns.TypeAXFR), dns.RcodeNotImplemented, 0},
		{question("example.com.", dns.TypeANY), dns.RcodeNotImplemented, 0},
		{two, dns.RcodeFormatError, 0},
		{notify, dns.RcodeNotImplemented, 0},
		{chaos, dns.RcodeFormatError, 0},
	} {
		got, err := askBy(t, c, x.m)
		if err != nil {
			t.Fatal(i, err)
		}
		if got.Id != x.m.Id || got.Rcode != x.rcode || len(got.Answer) != x.count || !got.RecursionAvailable {
			t.Errorf("%d: %v", i, got)
		}
		for _, rr := range got.Answer {
			if h := rr.Header(); h.Ttl > 60 || h.Ttl < 58 && h.Name != "localhost." {
				t.Errorf("%d: %v", i, rr)
			}
		}
	}
	reply := question("example.com.", dns.TypeA)
	reply.Response = true
	if got, err := askBy(t, c, reply); !errors.Is(err, io.EOF) {
		t.Errorf("a reply was answered: %v, %v", got, err)
	}
	idle, err := r.DialDNS(t.Context(), "udp", "")
	if err != nil {
		t.Fatal(err)
	}
	defer idle.Close()
	r.Close()
	if n, err := idle.Read(make([]byte, 2)); err == nil {
		t.Errorf("%d octets after Close", n)
	}
	if _, err := r.DialDNS(t.Context(), "udp", ""); !errors.Is(err, net.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

// TestDialDNSEnds: Close ends what is under way, at once.
// TestDialDNSExtended: who asks with EDNS is answered so, and told what the server says
// of its failure (RFC 6891 §6.1.1, RFC 8914).
func TestDialDNSExtended(t *testing.T) {
	s := serve(t, true, func(q query) {
		m := failing(q, dns.RcodeServerFailure)
		m.SetEdns0(1232, false).IsEdns0().Option = []dns.EDNS0{&dns.EDNS0_EDE{InfoCode: dns.ExtendedErrorCodeDNSBogus, ExtraText: "bad key"}}
		q.send(m)
	})
	r := newResolver(t, Config{Servers: []netip.AddrPort{s.addr}})
	c, err := r.DialDNS(t.Context(), "udp", "")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, kind := range []uint16{dns.TypeA, dns.TypeMX} {
		got, err := askBy(t, c, new(dns.Msg).SetQuestion("www.example.com.", kind).SetEdns0(1232, true))
		if err != nil || got.Rcode != dns.RcodeServerFailure || got.IsEdns0() == nil || len(got.IsEdns0().Option) != 1 {
			t.Fatalf("%v, %v", got, err)
		}
		if e, ok := got.IsEdns0().Option[0].(*dns.EDNS0_EDE); !ok || e.InfoCode != dns.ExtendedErrorCodeDNSBogus || e.ExtraText != "bad key" {
			t.Errorf("%v", got)
		}
	}
	later := new(dns.Msg).SetQuestion("www.example.com.", dns.TypeA).SetEdns0(1232, false)
	later.IsEdns0().SetVersion(1)
	if got, err := askBy(t, c, later); err != nil || got.Rcode != dns.RcodeBadVers {
		t.Errorf("%v, %v", got, err)
	}
	if got, err := askBy(t, c, new(dns.Msg).SetQuestion("www.example.com.", dns.TypeA)); err != nil || got.IsEdns0() != nil {
		t.Errorf("%v, %v", got, err)
	}
}

func TestDialDNSEnds(t *testing.T) {
	for who, end := range map[string]func(r *Resolver, c net.Conn){
		"connection": func(_ *Resolver, c net.Conn) { c.Close() },
		"resolver":   func(r *Resolver, _ net.Conn) { r.Close() },
	} {
		synctest.Test(t, func(t *testing.T) {
			r := fakeResolver(t, []func(query){func(query) {}})
			c, err := r.DialDNS(t.Context(), "tcp", "")
			if err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			time.AfterFunc(100*ms, func() { end(r, c) })
			got, err := askBy(t, c, new(dns.Msg).SetQuestion("www.example.com.", dns.TypeA))
			if took := time.Since(start); err == nil || took != 100*ms {
				t.Errorf("%s: %v, %v after %v", who, got, err, took)
			}
			c.Close()
			r.Close()
			synctest.Wait()
		})
	}
}

// TestLookupAddr: names from the hosts file, of this host, and of hosts on the link.
func TestLookupAddr(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeLink{hosts: func(q *dns.Msg, reply func(string, *dns.Msg)) {
			if q.Question[0].Name == "7.0.254.169.in-addr.arpa." {
				m := answer(query{Msg: q}, "7.0.254.169.in-addr.arpa. 10 IN PTR box.local.")
				m.Answer[0].Header().Class |= 1 << 15
				reply("169.254.0.7:5353", m)
			}
		}}
		r := fakeResolver(t, []func(query){func(q query) {
			if ofLink(strings.TrimSuffix(q.qname(), ".")) {
				t.Errorf("a server was asked for %s", q.qname())
			}
			q.send(failing(q, dns.RcodeNameError))
		}})
		if _, err := r.LookupAddr(t.Context(), "fe80::7"); !errors.Is(err, ErrNoServers) {
			t.Errorf("without multicast: %v", err)
		}
		r.Multicast = f.listen
		r.hosts.seen = time.Now().Add(time.Hour)
		r.hosts.names = parseHosts("192.0.2.9 Nine.example.com nine\n2001:db8::9%lo nine6\n192.0.2.9 also.example\n")
		for addr, want := range map[string][]string{
			"192.0.2.9":        {"also.example.", "nine.example.com."},
			"::ffff:192.0.2.9": {"also.example.", "nine.example.com."},
			"127.0.0.1":        {"localhost."},
			"169.254.0.7":      {"box.local."},
		} {
			if got, err := r.LookupAddr(t.Context(), addr); err != nil || !slices.Equal(got, want) {
				t.Errorf("%s: %v, %v", addr, got, err)
			}
		}
		for addr, want := range map[string]error{"169.254.0.8": errNobody, "192.0.2.8": ErrNoSuchName, "192.0.2": ErrInvalidName, "www": ErrInvalidName} {
			got, err := r.LookupAddr(t.Context(), addr)
			if d := (*net.DNSError)(nil); !errors.Is(err, want) || !errors.As(err, &d) || d.Name != addr {
				t.Errorf("%s: %v, %v", addr, got, err)
			}
		}
	})
}
