package resolver

import (
	"encoding/binary"
	"net/netip"

	"github.com/miekg/dns"
)

// maxJumps is the number of pointers in one name: it has 127 labels at most.
const maxJumps = 126

// A record is what of a resource record is of use. Names are as the codec
// writes them: fully qualified, and escaped as in a zone file.
type record struct {
	owner  string
	kind   uint16
	class  uint16
	ttl    uint32
	addr   netip.Addr // of an A or AAAA record
	target string     // of a CNAME record
	least  uint32     // the MINIMUM field of an SOA record
	rr     dns.RR     // of other types
}

// A walker reads a message from its question's end to its own. It takes
// nothing the codec would not take, and some of what the codec takes: pointers
// have to lead back (RFC 1035 §4.1.4), an address has to have its length.
type walker struct {
	b     []byte
	off   int
	asked string // the name at offset 12
	own   string // the last other name read,
	ownAt int    // and where
}

// sections reads the records of the answer, authority and additional section.
// They have to be as many as the header says, and to fill the message.
func (w *walker) sections(m *message) bool {
	for i, to := range []*[]record{&m.answer, &m.authority, nil} {
		count := int(binary.BigEndian.Uint16(w.b[6+2*i:]))
		for n := range count {
			rec, ok := w.record(m, to == nil)
			if !ok {
				return false
			}
			if to == nil {
				continue
			}
			if *to == nil { // a count can lie, so what follows bounds it
				*to = make([]record, 0, min(count-n, len(w.b[w.off:])/12+1))
			}
			*to = append(*to, rec)
		}
	}
	return w.off == len(w.b)
}

// record reads one record. What an OPT record of the additional section says
// goes into the message.
func (w *walker) record(m *message, additional bool) (record, bool) {
	start := w.off
	owner, off, ok := w.name(start)
	if !ok || off+10 > len(w.b) {
		return record{}, false
	}
	h := w.b[off:]
	rec := record{
		owner: owner,
		kind:  binary.BigEndian.Uint16(h),
		class: binary.BigEndian.Uint16(h[2:]),
		ttl:   binary.BigEndian.Uint32(h[4:]),
	}
	data, end := off+10, off+10+int(binary.BigEndian.Uint16(h[8:]))
	if end > len(w.b) {
		return record{}, false
	}
	w.off = end
	switch rec.kind {
	case dns.TypeA, dns.TypeAAAA:
		ok = rec.address(w.b[data:end])
	case dns.TypeCNAME:
		var at int
		rec.target, at, ok = w.name(data)
		ok = ok && at == end
	case dns.TypeSOA:
		rec.least, ok = w.soa(data, end)
	default:
		if rec.kind == dns.TypeOPT && additional {
			return rec, w.opt(m, rec.ttl, start, w.b[data:end])
		}
		rec.rr, ok = w.other(start, end)
	}
	return rec, ok
}

// other leaves a record to the codec.
func (w *walker) other(start, end int) (dns.RR, bool) {
	rr, next, err := dns.UnpackRR(w.b[:end], start)
	if b := svcb(rr); b != nil && b.Target == "" {
		return nil, false // the codec takes a record that ends before its target
	}
	return rr, err == nil && next == end
}

func (r *record) address(data []byte) (ok bool) {
	if want := map[bool]int{true: 4, false: 16}[r.kind == dns.TypeA]; len(data) != want {
		return false
	}
	r.addr, ok = netip.AddrFromSlice(data)
	return ok
}

// soa reads the start of a zone of authority and gives its last field (RFC
// 2308 §4).
func (w *walker) soa(data, end int) (least uint32, ok bool) {
	for range 2 {
		if data, ok = w.skip(data); !ok {
			return 0, false
		}
	}
	if data+20 != end {
		return 0, false
	}
	return binary.BigEndian.Uint32(w.b[end-4:]), true
}

// opt reads an OPT record (RFC 6891 §6.1.2). The first one counts; options
// that are not ours are left to the codec.
func (w *walker) opt(m *message, ttl uint32, start int, options []byte) bool {
	first := !m.edns
	if first {
		m.edns = true
		m.rcode |= int(ttl>>24) << 4
	}
	if first && m.options(options) {
		return true
	}
	_, ok := w.other(start, w.off)
	return ok
}

// name reads a domain name at an offset and gives the offset behind it. Most
// are the name asked for, or the one before.
func (w *walker) name(off int) (string, int, bool) {
	if at, ok := w.pointer(off); ok {
		switch {
		case at == headerLen && w.asked != "":
			return w.asked, off + 2, true
		case at == w.ownAt && at != 0:
			return w.own, off + 2, true
		}
	}
	var room [256]byte
	text, next, ok := w.spell(room[:0], off)
	if !ok {
		return "", off, false
	}
	at := off
	if to, ok := w.pointer(off); ok {
		at = to
	}
	w.own, w.ownAt = string(text), at
	return w.own, next, true
}

// pointer gives where a compression pointer leads, if there is one.
func (w *walker) pointer(off int) (int, bool) {
	if off+2 > len(w.b) || w.b[off]>>6 != 3 {
		return 0, false
	}
	return int(binary.BigEndian.Uint16(w.b[off:]) & 0x3fff), true
}

func (w *walker) skip(off int) (int, bool) {
	_, next, ok := w.spell(nil, off)
	return next, ok
}

// spell appends a name's text. A name has at most 255 octets; a pointer leads
// to what lies wholly before the labels it follows, and behind the header.
func (w *walker) spell(text []byte, off int) (_ []byte, next int, ok bool) {
	start, end, size, jumps := off, len(w.b), 1, 0
	for off < end {
		c := int(w.b[off])
		switch {
		case c == 0:
			if size == 1 {
				text = append(text, '.')
			}
			if jumps == 0 {
				next = off + 1
			}
			return text, next, true
		case c>>6 == 3:
			to, ok := w.pointer(off)
			if !ok || off+2 > end || to >= start || to < headerLen || jumps == maxJumps {
				return nil, 0, false
			}
			if jumps == 0 {
				next = off + 2
			}
			jumps, end, start, off = jumps+1, start, to, to
		case c>>6 != 0 || off+1+c > end || size+c+1 > 255:
			return nil, 0, false
		default:
			size += c + 1
			text = append(escape(text, w.b[off+1:off+1+c]), '.')
			off += c + 1
		}
	}
	return nil, 0, false
}

// escape appends a label as the codec writes it.
func escape(text, label []byte) []byte {
	for _, c := range label {
		switch {
		case c < ' ' || c > '~':
			text = append(text, '\\', '0'+c/100, '0'+c/10%10, '0'+c%10)
		case special(c):
			text = append(text, '\\', c)
		default:
			text = append(text, c)
		}
	}
	return text
}

func special(c byte) bool {
	switch c {
	case '.', ' ', '\'', '@', ';', '(', ')', '"', '\\':
		return true
	}
	return false
}
