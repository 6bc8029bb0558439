package resolver

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// both is what truth makes of a look-up.
var both = []string{"192.0.2.1", "2001:db8::1"}

// A hostileCase is a server's behaviour and what has to come of it.
type hostileCase struct {
	name   string
	script func(query)
	want   []string // addresses; none: an error
	err    error    // what the error wraps
	most   int      // queries of a type, if not zero
	noTCP  bool
}

// altered gives a script that sends a changed lie, then the truth.
func altered(change func(*dns.Msg)) func(query) {
	return func(q query) {
		m := lie(q)
		change(m)
		q.send(m, truth(q))
	}
}

// raw gives a script that sends a changed packet of a lie, then the truth.
func raw(change func([]byte) []byte) func(query) {
	return func(q query) {
		q.reply(change(packed(lie(q))))
		q.send(truth(q))
	}
}

// spoof sends a lie from another socket, then the truth.
func spoof(from string) func(query) {
	return func(q query) {
		pc, err := net.ListenPacket("udp4", from)
		if err != nil {
			panic(err)
		}
		defer pc.Close()
		if _, err := pc.WriteTo(packed(lie(q)), net.UDPAddrFromAddrPort(q.from)); err != nil {
			panic(err)
		}
		q.send(truth(q))
	}
}

func TestForgedReplies(t *testing.T) {
	runHostile(t, []hostileCase{
		{name: "s01 other ID", script: altered(func(m *dns.Msg) { m.Id++ }), want: both},
		{name: "s02 other name", script: altered(func(m *dns.Msg) { m.Question[0].Name = "evil.example.com." }), want: both},
		{name: "s03 other type", script: altered(func(m *dns.Msg) { m.Question[0].Qtype = dns.TypeTXT }), want: both},
		{name: "s03 other class", script: altered(func(m *dns.Msg) { m.Question[0].Qclass = dns.ClassCHAOS }), want: both},
		{name: "s04 not a response", script: altered(func(m *dns.Msg) { m.Response = false }), want: both},
		{name: "s05 from another port", script: spoof("127.0.0.1:0"), want: both},
		{name: "s06 from another address", script: spoof("127.0.0.2:0"), want: both},
		{name: "s07 five octets", script: raw(func(b []byte) []byte { return []byte("abcde") }), want: both},
		{name: "s08 empty datagram", script: raw(func(b []byte) []byte { return b[:0] }), want: both},
		{name: "s09 cut within a record", script: raw(func(b []byte) []byte { return b[:len(b)-3] }), want: both},
		{name: "s10 cut within the question", script: raw(func(b []byte) []byte { return b[:20] }), want: both},
		{name: "s11 opcode NOTIFY", script: altered(func(m *dns.Msg) { m.Opcode = dns.OpcodeNotify }), want: both},
		{name: "s12 three hundred other IDs", script: flood, want: both, most: 2},
		{name: "s12 ID guessed, no TCP", script: guesser, noTCP: true, err: errSpoofed, most: 1},
		{name: "s12 all other IDs", script: floodAll, want: both, most: 2},
		{name: "s13 4095 questions", script: raw(func(b []byte) []byte { b[4], b[5] = 0x0f, 0xff; return b }), want: both},
		{name: "s13 no question", script: altered(func(m *dns.Msg) { m.Question = nil }), want: both},
		{name: "s13 two questions", script: altered(func(m *dns.Msg) { m.Question = append(m.Question, m.Question[0]) }), want: both},
		{name: "s14 bare SERVFAIL", script: bareThenTruth(dns.RcodeServerFailure), want: both},
		{name: "s14 bare NXDOMAIN", script: bareThenTruth(dns.RcodeNameError), want: both},
		{name: "s15 other letter case", script: func(q query) {
			m := truth(q)
			m.Question[0].Name = strings.ToUpper(m.Question[0].Name)
			q.send(m)
		}, want: both},
		{name: "o01 unrelated owner besides", script: func(q query) {
			q.send(answer(q, address("evil.example.com.", q.qtype(), true), address(q.qname(), q.qtype(), false)))
		}, want: both},
		{name: "o02 unrelated owner only", script: func(q query) {
			q.send(answer(q, address("evil.example.com.", q.qtype(), true)))
		}, err: ErrNoData},
		{name: "o03 authority section only", script: func(q query) {
			m := answer(q)
			m.Ns = rrs(address(q.qname(), q.qtype(), true))
			q.send(m)
		}, err: ErrNoData},
		{name: "o04 additional section only", script: func(q query) {
			m := answer(q)
			m.Extra = rrs(address(q.qname(), q.qtype(), true))
			q.send(m)
		}, err: ErrNoData},
		{name: "o05 other class", script: func(q query) {
			m := lie(q)
			m.Answer[0].Header().Class = dns.ClassCHAOS
			q.send(m)
		}, err: ErrNoData},
		{name: "o06 other family", script: func(q query) {
			q.send(answer(q, address(q.qname(), dns.TypeA+dns.TypeAAAA-q.qtype(), true)))
		}, err: ErrNoData},
		{name: "o07 three hundred signatures besides", script: func(q query) {
			m := truth(q)
			if !q.tcp {
				m.Truncated = true
			}
			for range 300 {
				m.Answer = append(m.Answer, rrs(q.qname()+" 60 IN RRSIG "+dns.TypeToString[q.qtype()]+" 8 2 60 20300101000000 20200101000000 1 example.com. AAAA")...)
			}
			q.send(m)
		}, want: both, most: 2},
		{name: "r08 addresses of no host", script: func(q query) {
			q.send(answer(q, q.qname()+" 60 IN AAAA ::ffff:127.0.0.1", q.qname()+" 60 IN AAAA ::",
				q.qname()+" 60 IN A 0.0.0.0"))
		}, err: ErrNoData},
	})
}

func flood(q query) {
	for i := range 300 {
		m := lie(q)
		m.Id += uint16(i + 1)
		q.send(m)
	}
	q.send(truth(q))
}

// floodAll sends a lie with every other ID, and then the truth.
func floodAll(q query) {
	b := packed(lie(q))
	for range 65535 {
		id := binary.BigEndian.Uint16(b) + 1
		binary.BigEndian.PutUint16(b, id)
		q.reply(b)
		if q.tcp && id == q.Id+500 {
			break
		}
	}
	q.send(truth(q))
}

// guesser sends lies with other IDs and then with the right one, as somebody
// would who knows the port and tries all IDs.
func guesser(q query) {
	right := q.Id
	for _, id := range []uint16{right + 1, right + 2, right + 3, right} {
		m := lie(q)
		m.Id = id
		q.send(m)
	}
}

func bareThenTruth(rcode int) func(query) {
	return func(q query) {
		bare := failing(q, rcode)
		bare.Question = nil
		q.send(bare, truth(q))
	}
}

// aliases gives a chain of so many aliases from the question, and its end.
func aliases(q query, n int) (lines []string, end string) {
	end = q.qname()
	for i := range n {
		next := fmt.Sprintf("n%d.example.com.", i)
		lines = append(lines, end+" 60 IN CNAME "+next)
		end = next
	}
	return lines, end
}

// chained answers with a chain that leads to an address.
func chained(n int, change func([]string)) func(query) {
	return func(q query) {
		lines, end := aliases(q, n)
		lines = append(lines, address(end, q.qtype(), false))
		change(lines)
		q.send(answer(q, lines...))
	}
}

func unchanged([]string) {}

func TestAliasChains(t *testing.T) {
	runHostile(t, []hostileCase{
		{name: "c01 alias of itself", script: func(q query) {
			q.send(answer(q, q.qname()+" 60 IN CNAME "+q.qname()))
		}, err: ErrServerFailure, most: 1},
		{name: "c02 loop of two", script: func(q query) {
			q.send(answer(q, q.qname()+" 60 IN CNAME b.example.com.", "b.example.com. 60 IN CNAME "+q.qname()))
		}, err: ErrServerFailure, most: 1},
		{name: "c03 twelve aliases", script: chained(12, unchanged), want: both, most: 1},
		{name: "c04 sixteen aliases", script: chained(16, unchanged), want: both, most: 1},
		{name: "c04 seventeen aliases", script: chained(17, unchanged), err: ErrServerFailure, most: 1},
		{name: "c05 backwards", script: chained(5, slices.Reverse[[]string]), want: both, most: 1},
		{name: "c06 end not in the answer", script: func(q query) {
			if q.qname() == "target.example.net." {
				q.send(truth(q))
				return
			}
			q.send(answer(q, q.qname()+" 60 IN CNAME target.example.net."))
		}, want: both, most: 2},
		{name: "c07 a new alias for every query", script: func(q query) {
			q.send(answer(q, fmt.Sprintf("%s 60 IN CNAME n%d.example.net.", q.qname(), q.n)))
		}, err: ErrServerFailure, most: maxQueries},
		{name: "c07 loop over two queries", script: func(q query) {
			if q.qname() == "b.example.net." {
				q.send(answer(q, "b.example.net. 60 IN CNAME www.example.com."))
				return
			}
			q.send(answer(q, q.qname()+" 60 IN CNAME b.example.net."))
		}, err: ErrServerFailure, most: 2},
		{name: "c08 two aliases of one name", script: func(q query) {
			q.send(answer(q, q.qname()+" 60 IN CNAME a.example.net.", q.qname()+" 60 IN CNAME b.example.net.",
				address("a.example.net.", q.qtype(), true), address("b.example.net.", q.qtype(), true)))
		}, err: ErrServerFailure, most: 1},
		{name: "c09 alias and unrelated address", script: func(q query) {
			if q.qname() == "target.example.net." {
				q.send(answer(q, address("evil.example.com.", q.qtype(), true)))
				return
			}
			q.send(answer(q, q.qname()+" 60 IN CNAME target.example.net.", address("evil.example.com.", q.qtype(), true)))
		}, err: ErrNoData, most: 2},
		{name: "c10 alias and address of one name", script: func(q query) {
			q.send(answer(q, address(q.qname(), q.qtype(), true), q.qname()+" 60 IN CNAME a.example.net.",
				address("a.example.net.", q.qtype(), false)))
		}, want: both, most: 1},
		{name: "c11 end denied by the zone", script: func(q query) {
			m := answer(q, q.qname()+" 60 IN CNAME a.example.net.")
			m.Ns = rrs("example.net. 60 IN SOA ns. admin. 1 2 3 4 5")
			q.send(m)
		}, err: ErrNoData, most: 1},
		{name: "c12 end does not exist", script: func(q query) {
			m := answer(q, q.qname()+" 60 IN CNAME a.example.net.")
			m.Rcode = dns.RcodeNameError
			q.send(m)
		}, err: ErrNoSuchName, most: 1},
		{name: "c13 alias of an onion name", script: func(q query) {
			q.send(answer(q, q.qname()+" 60 IN CNAME x.ONION."))
		}, err: ErrNoSuchName, most: 1},
		{name: "c14 alias of the root", script: func(q query) {
			if q.qname() == "." {
				q.send(answer(q))
				return
			}
			q.send(answer(q, q.qname()+" 60 IN CNAME ."))
		}, err: ErrNoData, most: 2},
		{name: "c15 alias of a whole domain", script: func(q query) {
			q.send(answer(q, "example.com. 60 IN DNAME example.net.", "www.example.com. 60 IN CNAME www.example.net.",
				address("www.example.net.", q.qtype(), false)))
		}, want: both, most: 1},
		{name: "c16 alias of a whole domain without the alias of the name", script: func(q query) {
			q.send(answer(q, "example.com. 60 IN DNAME example.net.", address("www.example.net.", q.qtype(), true)))
		}, err: ErrNoData, most: 1},
		{name: "c17 alias in one family, address in the other", script: func(q query) {
			if q.qtype() == dns.TypeA {
				q.send(truth(q))
				return
			}
			q.send(answer(q, q.qname()+" 60 IN CNAME a.example.net.", address("a.example.net.", q.qtype(), false)))
		}, want: both, most: 1},
	})
}

func runHostile(t *testing.T, cases []hostileCase) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, !c.noTCP, c.script)
			r := newResolver(t, Config{Servers: []netip.AddrPort{s.addr}, Timeout: 20 * time.Second})
			got, err := collect(t.Context(), r, "www.example.com", Both)
			if !slices.Equal(got, c.want) {
				t.Errorf("addresses %v, want %v", got, c.want)
			}
			if !errors.Is(err, c.err) {
				t.Errorf("error %v, want %v", err, c.err)
			}
			for _, qtype := range []uint16{dns.TypeA, dns.TypeAAAA} {
				if n := s.total(qtype); c.most > 0 && n > c.most {
					t.Errorf("%d queries of type %d, want at most %d", n, qtype, c.most)
				}
			}
		})
	}
}
