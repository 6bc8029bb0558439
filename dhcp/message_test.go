package dhcp

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
)

// text is what an offer has, in words.
func (o *offer) text() string {
	var s []string
	say := func(what string, v any, n int) {
		if n > 0 {
			s = append(s, fmt.Sprint(what, v))
		}
	}
	say("servers", o.servers, len(o.servers))
	say("search", o.search, len(o.search))
	say("routers", o.routers, len(o.routers))
	say("routes", o.routes, len(o.routes))
	say("mtu", o.mtu, len(o.mtu))
	say("portal", o.portal, len(o.portal))
	say("ntp", o.ntp, len(o.ntp))
	say("encrypted", o.encrypted, len(o.encrypted))
	return strings.Join(s, " ")
}

// told is what an answer with some options tells.
func told(t *testing.T, from netip.Addr, options ...string) string {
	t.Helper()
	r := newRig(t, from)
	_, q := r.sent()
	d := answer(q, options...)
	e := r.exchanges[r.Question.place()]
	if !e.hear(&d, r.now) {
		return "nothing"
	}
	return e.answer.text()
}

const (
	adn = "0164 076578616d706c65 00" // d.example
	dot = "0001 0004 03646f74"       // alpn=dot
)

func text(s string) string { return fmt.Sprintf("%02x%x", len(s), s) }

// RFC 2132 and others: each option, and each that is bad among good ones.
func TestOptions4(t *testing.T) {
	for _, c := range []struct{ name, options, want string }{
		{"nothing but the server", "", ""},
		{"all", "0304c0000202" + "0608c0000235c0000236" + "0f" + text("one.example") + "1a0205aa" + "2a04c000027b" + "72" + text("https://portal.example/api") +
			"770d 036f6e65 076578616d706c65 00", "servers[192.0.2.53:53 192.0.2.54:53] search[one.example] routers[{192.0.2.2 0}] mtu[1450] portal[https://portal.example/api] ntp[192.0.2.123]"},
		{"a domain name alone", "0f" + text("corp.example"), "search[corp.example]"},
		{"a search list with a pointer", "7713 036f6e65 076578616d706c65 00 0374776f c004", "search[one.example two.example]"},
		{"classless routes before routers (RFC 3442)", "0304c0000202 790d 00c0000203 180a0000c0000204", "routers[{192.0.2.3 0}] routes[{10.0.0.0/24 invalid Prefix 192.0.2.4 0 0 0}]"},
		{"bad classless routes", "0304c0000202 7903 21c000", "routers[{192.0.2.2 0}]"},
		{"split (RFC 3396)", "0602c000 06020235", "servers[192.0.2.53:53]"},
		{"useless servers", "0618 00000000 7f000001 e0000001 ffffffff c0000235 c0000235", "servers[192.0.2.53:53]"},
		{"servers of five octets", "0605c000023501" + "2a04c000027b", "ntp[192.0.2.123]"},
		{"no MTU", "1a020043" + "1a010001", ""},
		{"a portal without TLS", "72" + text("http://portal.example/"), ""},
		{"no name", "0f" + text("a b"), ""},
		{"a group of time servers", "2a04e0000101", "ntp[224.0.1.1]"},
		{"behind the end", "ff" + dns4, ""},
		{"pads", "000000" + dns4 + "0000", "servers[192.0.2.53:53]"},
		{"encrypted DNS (RFC 9463)", "a22d" + "001b 0007 0b" + adn + "04 c0000235" + dot + "000e 0009 0b" + adn, "encrypted[{d.example 7 [192.0.2.53] [dot] 0 } {d.example 9 [] [] 0 }]"},
		{"encrypted DNS, bad ones among good", "a258" + "000e 0000 0b" + adn + "001b 0007 0b" + adn + "04 e0000001" + dot + "0001 00" + "0012 0001 0b" + adn + "03 c00002" + "000e 0009 0b" + adn + "00ff 0003", "encrypted[{d.example 9 [] [] 0 }]"},
		{"cut", dns4 + "2a08c000027b", "servers[192.0.2.53:53]"},
		{"cut after the code", dns4 + "2a", "servers[192.0.2.53:53]"},
	} {
		if got := told(t, ours4, c.options); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// RFC 3646, 4075, 5908 and 8910.
func TestOptions6(t *testing.T) {
	const one, two = "20010db8000000000000000000000053", "fe800000000000000000000000000053"
	name := "036f6e65 076578616d706c65 00"
	for _, c := range []struct{ name, options, want string }{
		{"nothing but the server", "", ""},
		{"servers", "0017 0020" + one + two, "servers[[2001:db8::53]:53 [fe80::53]:53]"},
		{"search", "0018 000d" + name, "search[one.example]"},
		{"SNTP", "001f 0010" + one, "ntp[2001:db8::53]"},
		{"NTP", "0038 0039 0001 0010" + one + "0002 0010 ff050000000000000000000000000101 0003 000d" + name, "ntp[2001:db8::53 ff05::101 one.example]"},
		{"a portal", "0067 0017" + fmt.Sprintf("%x", "https://portal.example/"), "portal[https://portal.example/]"},
		{"bad neighbours", "0017 000f" + one[2:] + "0018 0002 0561" + "0038 0005 0001 0010 00" + dns6, "servers[[2001:db8::53]:53]"},
		{"useless servers", "0017 0030" + "00000000000000000000000000000001" + "ff020000000000000000000000000001" + one, "servers[[2001:db8::53]:53]"},
		{"cut", dns6 + "0018 000d 036f6e65", "servers[[2001:db8::53]:53]"},
		{"cut around an option", dns6 + "ffff 0020 0018 000d" + name, "servers[[2001:db8::53]:53]"},
		{"cut after the code", dns6 + "0018", "servers[[2001:db8::53]:53]"},
		{"encrypted DNS (RFC 9463)", "0090 0029 0007 000b" + adn + "0010" + two + dot + "0090 000f 0009 000b" + adn, "encrypted[{d.example 7 [fe80::53] [dot] 0 } {d.example 9 [] [] 0 }]"},
		{"encrypted DNS, bad ones", "0090 000f 0000 000b" + adn + "0090 0001 00" + "0090 001b 0001 000b" + adn + "000a 00112233445566778899", ""},
		{"refused", "000d 0002 0001" + dns6, "nothing"},
		{"success", "000d 0002 0000" + dns6, "servers[[2001:db8::53]:53]"},
	} {
		if got := told(t, ours6, c.options); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// What did not fit among the options stands in fields (RFC 2132 section 9.3).
func TestOverload(t *testing.T) {
	for overload, want := range map[string]string{
		"340101": "servers[192.0.2.53:53]", "340102": "ntp[192.0.2.123]", "340103": "servers[192.0.2.53:53] ntp[192.0.2.123]", "": "",
	} {
		r := newRig(t, ours4)
		_, q := r.sent()
		d := answer(q, overload, "ff")
		copy(d.payload[108:], octets(dns4))
		copy(d.payload[44:], octets("2a04c000027b"))
		got, ok := r.hears4(&d)
		if !ok || got.text() != want {
			t.Errorf("%q: %v", overload, got)
		}
	}
}

// However many values there are, a bounded number is kept.
func TestBounds(t *testing.T) {
	var many4, many6 strings.Builder
	for i := range 100 {
		fmt.Fprintf(&many4, "0604 c633 64%02x 2a04 c633 64%02x 0304 c633 64%02x", i, i, i)
		fmt.Fprintf(&many6, "20010db8 00000000 00000000 000000%02x", i+1)
	}
	if got := told(t, ours4, many4.String()); strings.Count(got, ":53") != 64 || strings.Count(got, "198.51.100.") != 3*64 {
		t.Error(got)
	}
	if got := told(t, ours6, "0017 0640"+many6.String()); strings.Count(got, ":53") != 64 {
		t.Error(got)
	}
}

// A datagram that lacks anything of an answer is none, and the answer after it is
// heard.
func TestLies(t *testing.T) {
	for name, from := range map[string]netip.Addr{"DHCPv4": ours4, "DHCPv6": ours6} {
		four, foreign := from == ours4, map[bool]netip.Addr{true: netip.MustParseAddr("192.0.2.8"), false: netip.MustParseAddr("fe80::8")}
		good := map[bool]string{true: dns4, false: dns6}[four]
		lies := map[string]func(d *datagram){
			"another number": func(d *datagram) { d.payload[3+b2i(four)] ^= 1 },
			"another type": func(d *datagram) {
				if four {
					d.payload[242] = 2 // DHCPOFFER
				} else {
					d.payload[0] = 2 // ADVERTISE
				}
			},
			"another port": func(d *datagram) { d.to = netip.AddrPortFrom(d.to.Addr(), 5353) },
			"the other family": func(d *datagram) {
				d.from = netip.AddrPortFrom(theirs[!four], d.from.Port())
			},
			"nothing": func(d *datagram) { d.payload = nil },
			"no server": func(d *datagram) {
				d.payload = slices.Concat(d.payload[:len(d.payload)-len(octets(good))-14+8*b2i(four)], octets(good))
			},
		}
		if four {
			lies["another host's address"] = func(d *datagram) { copy(d.payload[12:], foreign[four].AsSlice()) }
			lies["another hardware address"] = func(d *datagram) { d.payload[33] ^= 1 }
			lies["another kind of hardware"] = func(d *datagram) { d.payload[1] = 6 }
			lies["a shorter hardware address"] = func(d *datagram) { d.payload[2] = 5 }
			lies["a request"] = func(d *datagram) { d.payload[0] = 1 }
			lies["no cookie"] = func(d *datagram) { d.payload[236] = 0 }
			lies["not from a server's port"] = func(d *datagram) { d.from = netip.AddrPortFrom(d.from.Addr(), 68) }
			lies["a refusal"] = func(d *datagram) { d.payload[242] = 6 }
			lies["cut before the type"] = func(d *datagram) { d.payload = d.payload[:242] }
		} else {
			lies["to another host"] = func(d *datagram) { d.to = netip.AddrPortFrom(foreign[four], d.to.Port()) }
			lies["for a client of a name"] = func(d *datagram) { d.payload = append(d.payload, octets("0001 000a 00030001 020000000007")...) }
			lies["relayed"] = func(d *datagram) { d.payload[0] = 13 }
		}
		for what, lie := range lies {
			r := newRig(t, from)
			_, q := r.sent()
			d := answer(q, good)
			lie(&d)
			if r.hear(7, &d, r.now); r.news {
				t.Errorf("%s: %s was believed", name, what)
			}
			d = answer(q, good)
			if r.hear(8, &d, r.now); r.news {
				t.Errorf("%s: an answer from another link was believed", name)
			}
			if r.hear(7, &d, r.now); !r.news {
				t.Errorf("%s: after %s the answer was not heard", name, what)
			}
		}
	}
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// What is asked is as the RFCs want it, and tells nothing more of the host.
func TestQuestions(t *testing.T) {
	_, q := newRig(t, ours4).sent()
	m := parse4(q.payload)
	if q.from.String() != "192.0.2.7:68" || q.to.String() != "255.255.255.255:67" || len(m.Options) != 3 || m.MessageType().String() != "INFORM" ||
		m.ClientIPAddr.String() != "192.0.2.7" || m.ClientHWAddr.String() != "02:00:00:00:00:07" {
		t.Errorf("%v to %v: %s", q.from, q.to, m.Summary())
	}
	if size, err := m.MaxMessageSize(); err != nil || size != 1472 {
		t.Errorf("size %d: %v", size, err)
	}
	r := newRig(t, ours6)
	r.sent()
	_, q = r.sent()
	m6 := parse6(q.payload)
	if q.from.String() != "[fe80::7]:546" || q.to.String() != "[ff02::1:2]:547" || m6 == nil || len(m6.Options.Options) != 2 {
		t.Fatalf("%v to %v: %v", q.from, q.to, m6)
	}
	if got := fmt.Sprintf("%x", raw(m6, 8)); got != "0064" {
		t.Errorf("a second after the first message the elapsed time is %s", got)
	}
	if got := fmt.Sprintf("%x", raw(m6, 6)); !strings.HasPrefix(got, "00200053") {
		t.Errorf("it requests %s", got)
	}
}

// An answer names its server, element and end.
func TestProvenance(t *testing.T) {
	for from, want := range map[netip.Addr]string{
		ours4: "DHCPv4 from DHCPv4 192.0.2.1 until 24h0m0s", ours6: "DHCPv6 from DHCPv6 fe80::1 until 24h0m0s",
	} {
		r := newRig(t, from)
		_, q := r.sent()
		d := answer(q, map[netip.Addr]string{ours4: dns4, ours6: dns6}[from])
		r.hear(7, &d, r.now)
		for _, s := range r.answers()[0].Configuration.DNSServers {
			if got := fmt.Sprintf("%v from %s until %v", s.Element, s.Source, s.Expiry.Sub(r.now)); got != want {
				t.Errorf("%s, want %s", got, want)
			}
		}
	}
}
