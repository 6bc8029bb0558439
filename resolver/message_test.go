package resolver

import (
	"slices"
	"testing"

	"github.com/miekg/dns"
)

// TestJudge gives changes to a good reply and the verdict on each.
func TestJudge(t *testing.T) {
	q, err := newQuestion("www.example.com.", dns.TypeA, true)
	if err != nil {
		t.Fatal(err)
	}
	asked := query{Msg: new(dns.Msg)}
	if err := asked.Unpack(q.wire); err != nil {
		t.Fatal(err)
	}
	if o := asked.IsEdns0(); o == nil || o.UDPSize() != ednsSize || !asked.RecursionDesired {
		t.Errorf("the query is %v", asked.Msg)
	}
	set := func(i int, v byte) func([]byte) []byte {
		return func(b []byte) []byte { b[i] = v; return b }
	}
	cases := []struct {
		name   string
		change func([]byte) []byte
		want   verdict
	}{
		{"unchanged", func(b []byte) []byte { return b }, whole},
		{"empty", func(b []byte) []byte { return b[:0] }, alien},
		{"eleven octets", func(b []byte) []byte { return b[:11] }, alien},
		{"bare header", func(b []byte) []byte { return b[:12] }, mute},
		{"header and one octet", func(b []byte) []byte { return b[:13] }, alien},
		{"half the question", func(b []byte) []byte { return b[:20] }, alien},
		{"no record", func(b []byte) []byte { return b[:headerLen+len(q.body)] }, mute},
		{"half a record", func(b []byte) []byte { return b[:len(b)-1] }, mute},
		{"an octet more", func(b []byte) []byte { return append(b, 0) }, mute},
		{"other ID", func(b []byte) []byte { b[0] ^= 1; return b }, alien},
		{"a query", func(b []byte) []byte { b[2] &^= 0x80; return b }, alien},
		{"opcode IQUERY", func(b []byte) []byte { b[2] |= 0x08; return b }, alien},
		{"truncated", func(b []byte) []byte { b[2] |= 0x02; return b }, cut},
		{"truncated within a record", func(b []byte) []byte { b[2] |= 0x02; return b[:len(b)-1] }, cut},
		{"no question counted", set(5, 0), alien},
		{"two questions counted", set(5, 2), alien},
		{"4095 questions counted", func(b []byte) []byte { b[4], b[5] = 0x0f, 0xff; return b }, alien},
		{"no answer counted", set(7, 0), mute},
		{"an authority counted", set(9, 1), mute},
		{"upper case", set(13, 'W'), whole},
		{"other letter", set(13, 'v'), alien},
		{"other label length", set(12, 2), alien},
		{"other type", set(headerLen+len(q.body)-3, 28), alien},
		{"class 33, which differs in the bit of letter case", set(headerLen+len(q.body)-1, 33), alien},
	}
	good := packed(truth(asked))
	for _, c := range cases {
		if _, v := q.judge(c.change(slices.Clone(good))); v != c.want {
			t.Errorf("%s: verdict %d, want %d", c.name, v, c.want)
		}
	}
}

// TestEntropy: IDs differ.
func TestEntropy(t *testing.T) {
	var e entropy
	seen := map[uint16]bool{}
	for range 1000 {
		seen[e.uint16()] = true
	}
	if len(seen) < 900 { // some 992 are expected
		t.Errorf("%d different IDs in 1000", len(seen))
	}
}

// TestExtendedRcode: the first OPT record counts.
func TestExtendedRcode(t *testing.T) {
	q, err := newQuestion("www.example.com.", dns.TypeA, true)
	if err != nil {
		t.Fatal(err)
	}
	asked := query{Msg: new(dns.Msg)}
	if err := asked.Unpack(q.wire); err != nil {
		t.Fatal(err)
	}
	reply := truth(asked)
	reply.SetEdns0(1232, false)
	reply.Rcode = dns.RcodeBadVers
	m, v := q.judge(packed(reply))
	if v != whole || m.rcode != dns.RcodeBadVers || m.conclusive() {
		t.Errorf("verdict %d, rcode %d", v, m.rcode)
	}
}

// newQuestion gives a query for a test.
func newQuestion(name string, qtype uint16, edns bool) (*question, error) {
	q := new(question)
	err := q.compose(topic{name, qtype}, edns)
	q.identify(0x1234)
	return q, err
}
