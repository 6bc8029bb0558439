package miftest

import (
	"net/netip"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// A Zone scripts a DNS server: what it answers, by name. Names are in lower
// case, without the final dot. A name that is not there does not exist
// (NXDOMAIN); a type that a name has no record of gets an empty answer.
type Zone map[string]Name

// A Name is what a server knows of one name, and how it answers queries for it.
type Name struct {
	Addresses []netip.Addr
	CNAME     string        // excludes Addresses; followed as far as the Zone goes
	Records   []string      // other records as in a zone file, e.g. "x.example. 60 IN TXT hello"
	TTL       time.Duration // of Addresses and CNAME; 0 is a minute

	Fault       // of every query for the name
	A     Fault // of those for A records, in addition
	AAAA  Fault // of those for AAAA records, in addition
	HTTPS Fault // of those for HTTPS records, in addition
}

// A Fault is what goes wrong with an answer.
type Fault struct {
	Delay    time.Duration // the answer comes late
	Drop     bool          // or never
	Truncate bool          // over UDP it is empty but for the TC bit
	Stall    bool          // over TCP it never comes
	Code     int           // it has this response code and nothing else
}

// faults returns what goes wrong with a query for a type of the name.
func (n Name) faults(qtype uint16) Fault {
	f, g := n.Fault, Fault{}
	switch qtype {
	case dns.TypeA:
		g = n.A
	case dns.TypeAAAA:
		g = n.AAAA
	case dns.TypeHTTPS:
		g = n.HTTPS
	}
	f.Delay += g.Delay
	f.Drop = f.Drop || g.Drop
	f.Truncate = f.Truncate || g.Truncate
	f.Stall = f.Stall || g.Stall
	if g.Code != 0 {
		f.Code = g.Code
	}
	return f
}

// answer fills m, a reply to one question, and returns what is to go wrong.
func (z Zone) answer(m *dns.Msg) Fault {
	q := m.Question[0]
	n, ok := z[canonical(q.Name)]
	m.Authoritative = true
	if !ok {
		m.Rcode = dns.RcodeNameError
	}
	f := n.faults(q.Qtype)
	if f.Code != 0 {
		m.Rcode = f.Code
		return f
	}
	m.Answer = z.chain(q.Name, q.Qtype)
	if len(m.Answer) == 0 {
		m.Ns = []dns.RR{authority(q.Name)}
	}
	return f
}

// chain returns the records of a name and of the aliases it leads through. A
// loop of aliases is cut short.
func (z Zone) chain(name string, qtype uint16) []dns.RR {
	var rrs []dns.RR
	for range 16 {
		n, ok := z[canonical(name)]
		if !ok {
			break
		}
		rrs = append(rrs, n.records(name, qtype)...)
		if n.CNAME == "" || qtype == dns.TypeCNAME {
			break
		}
		name = dns.Fqdn(n.CNAME)
	}
	return rrs
}

func (n Name) records(owner string, qtype uint16) []dns.RR {
	h := dns.RR_Header{Name: owner, Class: dns.ClassINET, Ttl: 60}
	if n.TTL > 0 {
		h.Ttl = uint32(n.TTL / time.Second)
	}
	if n.CNAME != "" {
		h.Rrtype = dns.TypeCNAME
		return []dns.RR{&dns.CNAME{Hdr: h, Target: dns.Fqdn(n.CNAME)}}
	}
	h.Rrtype = qtype
	var rrs []dns.RR
	for _, a := range n.Addresses {
		switch {
		case qtype == dns.TypeA && a.Is4():
			rrs = append(rrs, &dns.A{Hdr: h, A: a.AsSlice()})
		case qtype == dns.TypeAAAA && a.Is6():
			rrs = append(rrs, &dns.AAAA{Hdr: h, AAAA: a.AsSlice()})
		}
	}
	for _, text := range n.Records {
		if rr, err := dns.NewRR(text); err == nil && rr != nil && rr.Header().Rrtype == qtype {
			rrs = append(rrs, rr)
		}
	}
	return rrs
}

// authority is the SOA record of an empty answer (RFC 2308 §3).
func authority(name string) dns.RR {
	zone := "."
	if labels := dns.SplitDomainName(name); len(labels) > 1 {
		zone = dns.Fqdn(strings.Join(labels[1:], "."))
	}
	h := dns.RR_Header{Name: zone, Rrtype: dns.TypeSOA, Class: dns.ClassINET, Ttl: 60}
	return &dns.SOA{Hdr: h, Ns: "ns." + strings.TrimPrefix(zone, "."), Mbox: ".", Serial: 1, Refresh: 60, Retry: 60, Expire: 60, Minttl: 60}
}

func canonical(name string) string { return strings.ToLower(strings.TrimSuffix(name, ".")) }
