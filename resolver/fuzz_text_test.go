package resolver

import (
	"bytes"
	"context"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// FuzzName feeds any text as a name: what is accepted is a host's name, stays the
// same if it is read again, and is packed as the codec would.
func FuzzName(f *testing.F) {
	for _, s := range []string{"www.example.com.", "BÜCHER.example", "a_b.c-d", "1.2.3", "xn--bcher-kva", "a..b", ".", "a\x00b", "ａ．ｂ"} {
		f.Add(s, "corp.example")
	}
	f.Fuzz(func(t *testing.T, s, search string) {
		name, _, err := asciiName(s)
		if err != nil {
			return
		}
		if again, absolute, err := asciiName(name); err != nil || again != name || absolute || checkName(name) != nil {
			t.Fatalf("%q becomes %q, and that %q, %v", s, name, again, err)
		}
		checkPacked(t, name+".")
		names := target{name: name}.candidates(&Config{Search: []string{search, search, "b.example"}, NDots: 1}, nil)
		slices.Sort(names)
		if !slices.Contains(names, name) || len(slices.Compact(names)) != len(names) {
			t.Fatalf("%q is searched for as %q", name, names)
		}
		for _, n := range names {
			if checkName(n) != nil {
				t.Fatalf("%q is searched for as %q", name, n)
			}
		}
	})
}

// FuzzPack feeds any octets as a name of a message, which comes back as it was.
func FuzzPack(f *testing.F) {
	f.Add([]byte("\x03www\x07example\x03com\x00"))
	f.Add([]byte("\x00"))
	f.Add([]byte("\x05\x00.\\\xff \x01a\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		b = append(make([]byte, headerLen), b...)
		w := walker{b: b, off: headerLen}
		name, end, ok := w.name(headerLen)
		if !ok {
			return
		}
		room := make([]byte, len(name)+2)
		off, ok := pack(room, 0, name)
		if !slices.ContainsFunc(b[headerLen:end], func(c byte) bool { return c >= 0xc0 }) && (!ok || !bytes.Equal(room[:off], b[headerLen:end])) {
			t.Fatalf("%x is %q and then %x", b[headerLen:end], name, room[:off])
		}
		checkPacked(t, name)
	})
}

// checkPacked compares with the codec.
func checkPacked(t *testing.T, name string) {
	ours, theirs := make([]byte, len(name)+2), make([]byte, len(name)+2)
	off, ok := pack(ours, 0, name)
	want, err := dns.PackDomainName(name, theirs, 0, nil, false)
	if ok != (err == nil) || ok && !bytes.Equal(ours[:off], theirs[:want]) {
		t.Fatalf("%q: %x, %v; the codec has %x, %v", name, ours[:off], ok, theirs[:want], err)
	}
}

// FuzzHosts feeds any text as a hosts file: names and addresses are bounded, and
// names are those of hosts.
func FuzzHosts(f *testing.F) {
	f.Add("10.1.1.1 Box.example.com box # a comment\n::1 localhost\n")
	f.Add("fe80::1%lo x\n1.2.3 y\n10.0.0.1\n10.0.0.1 _ -\n")
	f.Fuzz(func(t *testing.T, text string) {
		for name, e := range parseHosts(text) {
			if checkName(name) != nil || checkName(e.canonical) != nil || len(e.addrs) == 0 || len(e.addrs) > 2*maxAddrs {
				t.Fatalf("%q: %+v", name, e)
			}
			for _, a := range e.addrs {
				if !a.IsValid() || a.Is4In6() {
					t.Fatalf("%q: %v", name, a)
				}
			}
		}
	})
}

// FuzzMulticast feeds any octets as the reply to a multicast query: what is taken can
// be reached, and is of the name.
func FuzzMulticast(f *testing.F) {
	asked := query{Msg: new(dns.Msg).SetQuestion("box.local.", dns.TypeAAAA)}
	asked.Id = 0
	f.Add(packed(answer(asked, "box.local. 10 IN AAAA fe80::7", "box.local. 10 IN AAAA 2001:db8::7")))
	f.Add(packed(answer(asked, "box.local. 10 IN CNAME b.local.", "b.local. 10 IN AAAA 2001:db8::7")))
	s := &shout{l: &lookup{cfg: Config{Link: 3}}, name: "box.local"}
	q, err := newQuestion("box.local.", dns.TypeAAAA, false)
	if err != nil {
		f.Fatal(err)
	}
	q.identify(0)
	f.Fuzz(func(t *testing.T, b []byte) {
		o, ok := s.read(q, dns.TypeAAAA, b)
		if ok != (len(o.answers) > 0) || len(o.answers) > maxAddrs {
			t.Fatalf("%v: %+v", ok, o)
		}
		for _, a := range o.answers {
			if !usable(a.Addr) || !a.Addr.Is6() || a.Addr.IsLinkLocalUnicast() != (a.Addr.Zone() == "3") || strings.HasSuffix(a.CanonicalName, "..") {
				t.Fatalf("%+v", a)
			}
		}
	})
}

// FuzzServe feeds any octets as what is asked by a connection of DialDNS: a reply is
// one to the question.
func FuzzServe(f *testing.F) {
	f.Add(packed(new(dns.Msg).SetQuestion("www.example.com.", dns.TypeA)))
	f.Add(packed(new(dns.Msg).SetQuestion("localhost.", dns.TypeAAAA)))
	f.Add(packed(new(dns.Msg).SetQuestion(`a\000b.example.`, dns.TypePTR)))
	r := &Resolver{Config: func() (Config, error) { return Config{Timeout: time.Second}, nil }, Dial: boundDialer().DialContext}
	r.hosts.path = "/nonexistent/hosts"
	f.Cleanup(func() { r.Close() })
	f.Fuzz(func(t *testing.T, b []byte) {
		reply := r.reply(context.Background(), b)
		if reply == nil {
			return
		}
		m := new(dns.Msg)
		if err := m.Unpack(reply); err != nil || !m.Response || m.Id != uint16(b[0])<<8|uint16(b[1]) {
			t.Fatalf("%x: %v, %v", b, m, err)
		}
		for _, rr := range m.Answer {
			if a, ok := rr.(*dns.A); ok && !netip.MustParseAddr(a.A.String()).IsLoopback() {
				t.Fatalf("nobody was asked: %v", m)
			}
		}
	})
}
