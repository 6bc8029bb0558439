package resolver

import (
	"encoding/binary"
	"net/netip"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// mangled gives a script that sends a record made by hand, always.
func mangled(owner string, rdlength int, rdata string) func(query) {
	return func(q query) {
		m := answer(q)
		b := packed(m)
		binary.BigEndian.PutUint16(b[6:], 1)
		b = append(b, owner...)
		b = binary.BigEndian.AppendUint16(b, q.qtype())
		b = append(b, 0, 1, 0, 0, 0, 60)
		b = binary.BigEndian.AppendUint16(b, uint16(rdlength))
		q.reply(append(b, rdata...))
	}
}

// mangledType sends a record of another type made by hand.
func mangledType(q query, kind uint16, rdata string) {
	b := packed(answer(q))
	binary.BigEndian.PutUint16(b[6:], 1)
	b = append(b, 0xc0, headerLen)
	b = binary.BigEndian.AppendUint16(b, kind)
	b = append(b, 0, 1, 0, 0, 0, 60)
	b = binary.BigEndian.AppendUint16(b, uint16(len(rdata)))
	q.reply(append(b, rdata...))
}

// mangledOPT sends the truth with an OPT record made by hand.
func mangledOPT(q query, options string) {
	b := packed(truth(q))
	b[11] = 1
	b = append(b, 0, 0, byte(dns.TypeOPT), 4, 208, 0, 0, 0, 0)
	b = binary.BigEndian.AppendUint16(b, uint16(len(options)))
	q.reply(append(b, options...))
}

// ladder answers by TCP with so many pointers, each to the one before, and a
// thousand records that begin at the last.
func ladder(n int) func(query) {
	return func(q query) {
		b := packed(answer(q))
		if !q.tcp {
			b[2] |= flagTC >> 8
			q.reply(b)
			return
		}
		binary.BigEndian.PutUint16(b[6:], 1001)
		b = append(b, 0xc0, headerLen, 0xff, 0, 0, 1, 0, 0, 0, 60)
		b = binary.BigEndian.AppendUint16(b, uint16(2*n))
		for i := range n {
			at := headerLen
			if i > 0 {
				at = len(b) - 2
			}
			b = binary.BigEndian.AppendUint16(b, 0xc000|uint16(at)&0x3fff)
		}
		last := 0xc000 | uint16(len(b)-2)&0x3fff
		for range 1000 {
			b = binary.BigEndian.AppendUint16(b, last)
			b = binary.BigEndian.AppendUint16(b, q.qtype())
			b = append(b, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1)
		}
		q.reply(b)
	}
}

// counting gives a script that sends the truth with a section's count changed.
func counting(section int, by uint16) func(query) {
	return func(q query) {
		b := packed(truth(q))
		count := b[6+2*section:]
		binary.BigEndian.PutUint16(count, binary.BigEndian.Uint16(count)+by)
		q.reply(b)
	}
}

func TestMalformedReplies(t *testing.T) {
	sixteen := "0123456789abcdef"
	runHostile(t, []hostileCase{
		{name: "m01 pointer to itself", script: mangled("\xc0\x21", 4, "abcd"), err: errMalformed},
		{name: "m02 pointer forward", script: mangled("\xc0\x30", 16, sixteen), err: errMalformed},
		{name: "m03 pointer past the end", script: mangled("\xff\xff", 4, "abcd"), err: errMalformed},
		{name: "m04 label type 01", script: mangled("\x41a\x00", 4, "abcd"), err: errMalformed},
		{name: "m05 name of 300 octets", script: mangled(strings.Repeat("\x09abcdefghi", 30)+"\x00", 4, "abcd"), err: errMalformed},
		{name: "m06 RDLENGTH 3", script: mangled("\xc0\x0c", 3, "abc"), err: errMalformed},
		{name: "m06 RDLENGTH 0", script: mangled("\xc0\x0c", 0, ""), err: errMalformed},
		{name: "m07 RDLENGTH past the end", script: mangled("\xc0\x0c", 400, "abcd"), err: errMalformed},
		{name: "m08 ANCOUNT lies", script: counting(0, 1), err: errMalformed},
		{name: "m08 ANCOUNT too small", script: counting(0, 0xffff), err: errMalformed},
		{name: "m09 ARCOUNT lies", script: counting(2, 9), err: errMalformed},
		{name: "m09 pointers to pointers", script: ladder(8000), err: errMalformed},
		{name: "m09 pointer into the header", script: mangled("\xc0\x02", 4, "abcd"), err: errMalformed},
		{name: "m09 name that runs on into its own pointer", script: mangled("\x01a\xc0\x21", 4, "abcd"), err: errMalformed},
		{name: "m10 alias of 300 octets", script: func(q query) {
			b := strings.Repeat("\x09abcdefghi", 30) + "\x00"
			mangledType(q, dns.TypeCNAME, b)
		}, err: errMalformed},
		{name: "m10 zone without its numbers", script: func(q query) { mangledType(q, dns.TypeSOA, "\x00\x00") }, err: errMalformed},
		{name: "m10 option longer than the record", script: func(q query) { mangledOPT(q, "\x00\x0a\x00\x09abc") }, err: errMalformed},
		{name: "m10 half an option", script: func(q query) { mangledOPT(q, "\x00\x0a\x00") }, err: errMalformed},
		{name: "m10 extended error of an octet", script: func(q query) { mangledOPT(q, "\x00\x0f\x00\x01a") }, err: errMalformed},
		{name: "m10 three OPT", script: func(q query) {
			m := truth(q)
			for range 3 {
				m.Extra = append(m.Extra, &dns.OPT{Hdr: dns.RR_Header{Name: ".", Rrtype: dns.TypeOPT}})
			}
			q.send(m)
		}, want: both},
		{name: "m11 octets after the end", script: func(q query) { q.reply(append(packed(truth(q)), 0)) }, err: errMalformed},
		{name: "m14 ten thousand EDNS options", script: options(10000), want: both},
	})
}

// options answers with that many empty EDNS options besides the truth.
func options(n int) func(query) {
	return func(q query) {
		m := truth(q)
		opt := &dns.OPT{Hdr: dns.RR_Header{Name: ".", Rrtype: dns.TypeOPT}}
		for range n {
			opt.Option = append(opt.Option, &dns.EDNS0_LOCAL{Code: dns.EDNS0LOCALSTART})
		}
		m.Extra = append(m.Extra, opt)
		q.send(m)
	}
}

// TestOddLabels is m12 and m13: a canonical name is escaped.
func TestOddLabels(t *testing.T) {
	for _, odd := range []string{`a\000b.example.com`, `a\.b.example.com`, `a\.`, `\255\(x.example.com`} {
		s := serve(t, true, func(q query) {
			q.send(answer(q, q.qname()+" 60 IN CNAME "+odd+".", address(odd+".", q.qtype(), false)))
		})
		r := newResolver(t, Config{Servers: []netip.AddrPort{s.addr}})
		answers, err := collectAnswers(t.Context(), r, "www.example.com", IPv4)
		if err != nil || len(answers) != 1 || answers[0].CanonicalName != odd {
			t.Errorf("%s: %+v, %v", odd, answers, err)
		}
	}
}
