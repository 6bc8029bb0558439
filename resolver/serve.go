package resolver

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"net"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// DialDNS is for code that speaks DNS and knows nothing of domains: it gives a
// connection to the Resolver itself, as if it were a name server reached by TCP.
// Network and address are ignored, so that it fits the Dial of a [net.Resolver]:
//
//	&net.Resolver{PreferGo: true, Dial: r.DialDNS}
//
// What is asked by it (RFC 1035 §4.2.2: messages, each with its length before it) is
// asked of the domain's servers as by [Resolver.Lookup], and the answers are made of
// what was accepted: the end of the alias chain, and nothing else that servers sent. A
// name that does not exist, a refusal and a failure are told by the rcode and, to those
// who ask with EDNS, by what the server says of it (RFC 8914). Names are
// taken as they are: the search list and the hosts file are the asker's, and those of
// a net.Resolver are the host's, not the domain's; end a name with a dot.
//
// Questions of one connection are answered one after the other. Its Close, or the
// Resolver's, ends what is under way; the end of ctx does not.
func (r *Resolver) DialDNS(context.Context, string, string) (net.Conn, error) {
	if r.life.context().Err() != nil {
		return nil, &Error{Err: net.ErrClosed}
	}
	ctx, cancel := context.WithCancelCause(r.life.context())
	ours, theirs := net.Pipe()
	c := &dnsConn{Conn: ours, end: cancel}
	context.AfterFunc(ctx, func() { _ = theirs.Close() })
	go r.serve(ctx, theirs)
	return c, nil
}

// A dnsConn is the asker's end of a connection to a Resolver.
type dnsConn struct {
	net.Conn
	end context.CancelCauseFunc
}

func (c *dnsConn) Close() error {
	c.end(net.ErrClosed)
	return c.Conn.Close()
}

// serve answers questions until the connection ends.
func (r *Resolver) serve(ctx context.Context, conn net.Conn) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	buf := r.buffer()
	defer r.buffers.Put(buf)
	for {
		b, err := readFrame(in, buf)
		if err != nil {
			return
		}
		reply := r.reply(ctx, b)
		if reply == nil || ctx.Err() != nil {
			return
		}
		frame := binary.BigEndian.AppendUint16(nil, uint16(len(reply)))
		if _, err := conn.Write(append(frame, reply...)); err != nil {
			return
		}
	}
}

// reply answers a message, or gives nothing if it is none.
func (r *Resolver) reply(ctx context.Context, b []byte) []byte {
	q := new(dns.Msg)
	if q.Unpack(b) != nil || q.Response {
		return nil
	}
	m := new(dns.Msg).SetReply(q)
	m.RecursionAvailable = true
	m.Compress = true
	opt := q.IsEdns0()
	if opt != nil {
		m.SetEdns0(ednsSize, false) // RFC 6891 §6.1.1
	}
	switch {
	case q.Opcode != dns.OpcodeQuery:
		m.Rcode = dns.RcodeNotImplemented
	case opt != nil && opt.Version() != 0:
		m.Rcode = dns.RcodeBadVers
	case len(q.Question) != 1 || q.Question[0].Qclass != dns.ClassINET:
		m.Rcode = dns.RcodeFormatError
	case meta(q.Question[0].Qtype):
		m.Rcode = dns.RcodeNotImplemented
	default:
		r.fill(ctx, m)
	}
	reply, err := m.Pack()
	if err != nil || len(reply) > maxMessage {
		return nil
	}
	return reply
}

// meta tells the types that are no data (RFC 6895 §3.1), and zone transfers.
func meta(kind uint16) bool { return kind == dns.TypeOPT || kind >= 128 && kind <= 255 }

// fill puts what is found into a reply.
func (r *Resolver) fill(ctx context.Context, m *dns.Msg) {
	q := m.Question[0]
	l, err := r.begin(ctx)
	if err == nil {
		defer l.end()
		m.Answer, err = l.rrs(q.Name, q.Qtype)
	}
	m.Rcode = rcodeOf(err)
	var e *Error
	if opt := m.IsEdns0(); opt != nil && errors.As(err, &e) {
		for _, x := range e.Extended {
			opt.Option = append(opt.Option, &dns.EDNS0_EDE{InfoCode: x.Code, ExtraText: x.Text})
		}
	}
}

// rrs gives the records of a type at the end of a name's alias chain, and the chain
// as one alias.
func (l *lookup) rrs(owner string, kind uint16) ([]dns.RR, error) {
	name := strings.TrimSuffix(fold(owner), ".")
	switch kind {
	case dns.TypeA:
		return l.addressRecords(owner, name, IPv4)
	case dns.TypeAAAA:
		return l.addressRecords(owner, name, IPv6)
	}
	o := l.records(name, kind)
	if o.err != nil {
		return nil, o.err
	}
	all := alias(owner, o.end, o.expiry)
	for _, rr := range o.records {
		rr = dns.Copy(rr)
		*rr.Header() = rrHeader(o.end, kind, o.expiry)
		all = append(all, rr)
	}
	return all, nil
}

func (l *lookup) addressRecords(owner, name string, f Family) (all []dns.RR, err error) {
	l.family, l.yield = f, func(group []Answer, _ error) bool {
		all = append(all, alias(owner, group[0].CanonicalName, group[0].Expiry)...)
		for _, a := range group {
			if h := rrHeader(a.CanonicalName, dns.TypeA, a.Expiry); a.Addr.Is4() {
				all = append(all, &dns.A{Hdr: h, A: a.Addr.AsSlice()})
			} else {
				h.Rrtype = dns.TypeAAAA
				all = append(all, &dns.AAAA{Hdr: h, AAAA: a.Addr.AsSlice()})
			}
		}
		return true
	}
	l.view = l.r.look(&l.cfg)
	if isLocalhost(name) {
		return all, l.deliver(l.r.known(target{name: name}))
	}
	_, err = l.attempt(name)
	return all, err
}

// alias gives the record for a chain, if there is one.
func alias(owner, end string, expiry time.Time) []dns.RR {
	if same(owner, end+".") {
		return nil
	}
	return []dns.RR{&dns.CNAME{Hdr: rrHeader(strings.TrimSuffix(owner, "."), dns.TypeCNAME, expiry), Target: end + "."}}
}

// rrHeader is the header of a record with what is left of its time, in whole seconds.
func rrHeader(owner string, kind uint16, expiry time.Time) dns.RR_Header {
	left := min(max(time.Until(expiry), 0), maxTTL) / time.Second
	return dns.RR_Header{Name: owner + ".", Rrtype: kind, Class: dns.ClassINET, Ttl: uint32(left)}
}

// rcodeOf tells an error by the means of the DNS.
func rcodeOf(err error) int {
	switch {
	case err == nil, errors.Is(err, ErrNoData):
		return dns.RcodeSuccess
	case errors.Is(err, ErrNoSuchName), errors.Is(err, ErrInvalidName):
		return dns.RcodeNameError
	case errors.Is(err, ErrRefused):
		return dns.RcodeRefused
	}
	return dns.RcodeServerFailure
}
