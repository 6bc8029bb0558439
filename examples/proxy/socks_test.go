package main

import (
	"bytes"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/go-mif/mif/examples/internal/exampletest"
	"github.com/go-mif/mif/miftest"
)

// say sends octets and wants others back.
func say(t *testing.T, c net.Conn, send, want string) {
	t.Helper()
	_, err := io.WriteString(c, send)
	must(t, err)
	got := make([]byte, len(want))
	if _, err := io.ReadFull(c, got); err != nil || string(got) != want {
		t.Fatalf("after %q: %q %v, want %q", send, got, err, want)
	}
}

// name is a destination by name (RFC 1928, section 5).
func name(s string, port byte) string {
	return "\x03" + string(rune(len(s))) + s + "\x00" + string(rune(port))
}

// What cannot be served is refused with the reply that RFC 1928, section 6, has for it.
func TestRefusals(t *testing.T) {
	t.Parallel()
	n, _ := exampletest.Sites(t)
	p := start(t, n.Host())
	const none = "\x00\x01\x00\x00\x00\x00\x00\x00"
	for what, c := range map[string]struct{ send, reply, log string }{
		"BIND":           {"\x05\x02\x00" + name("a.example", 80), "\x07" + none, "command 2 is not served"},
		"refused":        {"\x05\x01\x00\x01\xcb\x00\x71\x50\x00\x09", "\x05" + none, "connection refused"},
		"no such name":   {"\x05\x01\x00" + name("b.example", 80), "\x04" + none, "no such name"},
		"of no domain":   {"\x05\x01\x00\x01\x7f\x00\x00\x01\x00\x50", "", "to=127.0.0.1:80"},
		"no address":     {"\x05\x01\x00\x02\x00", "\x08" + none, "address type 2"},
		"empty name":     {"\x05\x01\x00" + name("", 80), "", "is no name"},
		"wrong version":  {"\x04\x01\x00" + name("a.example", 80), "", "version 4"},
		"cut in the end": {"\x05\x01\x00\x03\x09abc", "", "unexpected EOF"},
	} {
		t.Log(what)
		c1 := p.dial()
		say(t, c1, "\x05\x01\x00", "\x05\x00")
		_, err := io.WriteString(c1, c.send)
		must(t, err)
		must(t, c1.(*net.TCPConn).CloseWrite())
		b, _ := io.ReadAll(c1)
		if c.reply != "" && string(b) != "\x05"+c.reply || strings.HasPrefix(string(b), "\x05\x00") {
			t.Errorf("%s: the reply is %q", what, b)
		}
		p.await(c.log)
	}
	p.stop()
}

// Greetings that lead nowhere, and clients that hang.
func TestNonsense(t *testing.T) {
	t.Parallel()
	n, _ := exampletest.Sites(t)
	p := start(t, n.Host(), "-handshake", "200ms")
	for _, c := range []struct{ send, reply, log string }{
		{"\x05\x01\x01", "\x05\xff", "no method that is served"},
		{"\x05\x01\x02\x01\x04eth9\x01x", "\x05\x02\x01\x01", `no provisioning domain \"eth9\"`},
		{"\x05\x01\x02\x07", "\x05\x02", "user name: version 7"},
		{"\x04\x01\x00\x50\x01\x02\x03\x04\x00", "\x00\x5b\x00\x00\x00\x00\x00\x00", "speaks SOCKS4"},
		{"\x16\x03\x01\x02\x00", "", "neither SOCKS5 nor HTTP"},
		{"", "", "said nothing"},
		{"\x05", "", "i/o timeout"},
		{"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 400 ", "not a request to a proxy"},
		{"CONNECT a HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 400 ", ""},
		{"CONNECT b.example:80 HTTP/1.1\r\nHost: b\r\n\r\n", "HTTP/1.1 502 ", "no such name"},
		{"GET http://b.example/ HTTP/1.1\r\nHost: b.example\r\n\r\n", "HTTP/1.1 502 ", "no such name"},
		{"GET / HTTP/1.1\r\nX: " + strings.Repeat("x", 100<<10), "HTTP/1.1 431 ", ""},
		{"GET /", "", ""},
	} {
		t.Logf("%.20q", c.send)
		one := p.dial()
		io.WriteString(one, c.send) // it may be closed before it took all
		got := make([]byte, len(c.reply))
		io.ReadFull(one, got)
		if string(got) != c.reply {
			t.Errorf("%.20q is answered %q, want %q", c.send, got, c.reply)
		}
		if !strings.HasPrefix(c.reply, "HTTP") { // those may stay for another request
			io.Copy(io.Discard, one)
		}
		p.await(c.log)
	}
	p.stop()
}

// Datagrams go to a name and an address by the user's domain, and come back; those of
// others, and fragments, do not.
func TestDatagrams(t *testing.T) {
	t.Parallel()
	n, all := exampletest.Sites(t)
	at := netip.AddrPortFrom(exampletest.Target, 7)
	for _, u := range all {
		echo(t, u, at)
	}
	p := start(t, n.Host())
	c := p.dial()
	say(t, c, "\x05\x02\x00\x02\x01\x04eth1\x01x", "\x05\x02\x01\x00")
	say(t, c, "\x05\x03\x00\x01\x00\x00\x00\x00\x00\x00", "\x05\x00\x00\x01\x7f\x00\x00\x01")
	var port [2]byte
	_, err := io.ReadFull(c, port[:])
	must(t, err)
	relay := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), uint16(port[0])<<8|uint16(port[1]))
	s, other := socket(t, n.Host(), relay), socket(t, n.Host(), relay)
	literal := "\x01" + string(exampletest.Target.AsSlice()) + "\x00\x07"
	for _, to := range []string{name(exampletest.Name, 7), literal} {
		send(t, s, "\x00\x00\x01"+to+"fragment", "\x00\x00", "\x00\x00\x00"+to+"hello")
		b := make([]byte, 1<<10)
		size, err := s.Read(b)
		must(t, err)
		head := "\x00\x00\x00" + literal
		if !bytes.HasPrefix(b, []byte(head)) || !strings.HasPrefix(string(b[len(head):size]), "hello") {
			t.Errorf("%q came back", b[:size])
		}
		exampletest.Came(t, all[1], "datagram", strings.TrimPrefix(string(b[len(head):size]), "hello "))
		send(t, other, "\x00\x00\x00"+to+"stolen") // were it taken, its echo would be read next
	}
	c.Close()
	p.stop()
}

// echo answers datagrams, and says where they come from.
func echo(t *testing.T, u *exampletest.Uplink, at netip.AddrPort) {
	t.Helper()
	pc, err := u.ListenPacket(at)
	must(t, err)
	go func() {
		b := make([]byte, 1<<10)
		for {
			n, from, err := pc.ReadFrom(b)
			if err != nil {
				return
			}
			pc.WriteTo([]byte(string(b[:n])+" "+from.String()), from)
		}
	}()
}

func socket(t *testing.T, h *miftest.Host, to netip.AddrPort) (s net.Conn) {
	t.Helper()
	must(t, h.Do(func() (err error) {
		s, err = net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(to))
		return err
	}))
	t.Cleanup(func() { s.Close() })
	return s
}

func send(t *testing.T, s net.Conn, datagrams ...string) {
	t.Helper()
	for _, d := range datagrams {
		_, err := io.WriteString(s, d)
		must(t, err)
	}
}
