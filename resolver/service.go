package resolver

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/miekg/dns"
)

const (
	maxServices = 16  // services delivered
	maxHints    = 16  // addresses of one family kept of a service
	maxAliases  = 8   // AliasMode records followed (RFC 9460 §2.4.2)
	httpsPort   = 443 // for which the name is the host's own
)

// A Service is one way to reach a service: an SVCB or HTTPS record in
// ServiceMode (RFC 9460 §2.4.3).
type Service struct {
	// Priority is at least 1; less is better.
	Priority uint16

	// Target is the host to reach, without the dot at the end and escaped like
	// [Answer.CanonicalName]. Its addresses are to be looked up.
	Target string

	// Port is the port to reach, zero if the record names none.
	Port uint16

	// ALPN are the protocols besides the service's default one, which is left
	// out if NoDefaultALPN is set. They may hold any octets.
	ALPN          []string
	NoDefaultALPN bool

	// IPv4Hints and IPv6Hints are addresses the target probably has. They are to
	// be used until its own are known, and at most 16 of each are kept.
	IPv4Hints, IPv6Hints []netip.Addr

	// ECH is an ECHConfigList, as it came.
	ECH []byte

	// Expiry is when the record ceases to hold, as in [Answer].
	Expiry time.Time

	// Server is the server that gave the record.
	Server netip.AddrPort
}

// LookupHTTPS looks the HTTPS records of an origin up: the host's own ones for
// port 443 and 0, those of _port._https.host for other ports (RFC 9460 §9.1).
// They come in the order of their priority, equal ones shuffled, at most 16.
//
// The host is absolute: the search list does not apply. AliasMode records are
// followed, eight of them at most. If they end at a host without records of its
// own, that host is the only Service, with priority 0 and nothing else: it is to
// be reached in the default way (RFC 9460 §3). Records with mandatory keys that
// are not understood here are left out (RFC 9460 §8).
//
// An error is an [*Error]; that there is no record is one that wraps
// [ErrNoData] or [ErrNoSuchName].
func (r *Resolver) LookupHTTPS(ctx context.Context, host string, port uint16) ([]Service, error) {
	prefix := ""
	if port != 0 && port != httpsPort {
		prefix = "_" + strconv.Itoa(int(port)) + "._https."
	}
	return r.services(ctx, prefix, host, dns.TypeHTTPS)
}

// LookupService is [Resolver.LookupHTTPS] for the SVCB records of another scheme,
// such as "dns": those of _port._scheme.host, or of _scheme.host for port zero
// (RFC 9460 §2.3).
func (r *Resolver) LookupService(ctx context.Context, scheme, host string, port uint16) ([]Service, error) {
	prefix := "_" + scheme + "."
	if port != 0 {
		prefix = "_" + strconv.Itoa(int(port)) + "." + prefix
	}
	return r.services(ctx, prefix, host, dns.TypeSVCB)
}

func (r *Resolver) services(ctx context.Context, prefix, host string, kind uint16) ([]Service, error) {
	all, err := r.lookupServices(ctx, prefix, host, kind)
	if err != nil {
		return nil, naming(host, err)
	}
	return all, nil
}

func (r *Resolver) lookupServices(ctx context.Context, prefix, host string, kind uint16) ([]Service, error) {
	l, err := r.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer l.end()
	name, _, err := asciiName(prefix + host)
	if err != nil {
		return nil, err
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return nil, fmt.Errorf("%w: an address has no service records", ErrInvalidName)
	}
	if err := unasked(name); err != nil {
		return nil, err
	}
	l.view = r.look(&l.cfg)
	return l.services(name, kind)
}

// services follows the AliasMode records from a name.
func (l *lookup) services(name string, kind uint16) ([]Service, error) {
	var expiry time.Time
	for hop := range maxAliases + 1 {
		o := l.resolve(&l.patience, name, kind, nil)
		if o.err != nil {
			if hop > 0 && empty(o.err) {
				return []Service{{Target: name, Expiry: expiry}}, nil
			}
			return nil, o.err
		}
		expiry = earlier(expiry, o.expiry)
		next, all := read(o, expiry)
		switch {
		case next == ".":
			return nil, &Error{Server: o.server, Err: fmt.Errorf("%w: there is no such service", ErrNoData)}
		case next == "" && len(all) == 0:
			return nil, &Error{Server: o.server, Err: fmt.Errorf("%w: no usable service", ErrNoData)}
		case next == "":
			return all, nil
		}
		name = strings.TrimSuffix(fold(next), ".")
		if err := unasked(name); err != nil {
			return nil, err
		}
	}
	return nil, errAliases
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}

// read reads the records of one name: the target of an AliasMode one, if there
// is any, or else all that are understood.
func read(o outcome, expiry time.Time) (next string, all []Service) {
	rand.Shuffle(len(o.records), func(i, j int) { o.records[i], o.records[j] = o.records[j], o.records[i] })
	for _, rr := range o.records {
		b := svcb(rr)
		if b == nil {
			continue
		}
		if b.Priority == 0 {
			return b.Target, nil
		}
		s := Service{Priority: b.Priority, Target: strings.TrimSuffix(b.Target, "."), Expiry: expiry, Server: o.server}
		if b.Target == "." {
			s.Target = o.end
		}
		if s.fill(b.Value) && len(all) < maxServices {
			all = append(all, s)
		}
	}
	slices.SortStableFunc(all, func(a, b Service) int { return int(a.Priority) - int(b.Priority) })
	return "", all
}

func svcb(rr dns.RR) *dns.SVCB {
	switch rr := rr.(type) {
	case *dns.SVCB:
		return rr
	case *dns.HTTPS:
		return &rr.SVCB
	}
	return nil
}

// fill takes a record's parameters in and tells whether the record can be used.
func (s *Service) fill(params []dns.SVCBKeyValue) bool {
	var known, mandatory []dns.SVCBKey
	for _, p := range params {
		known = append(known, p.Key())
		switch p := p.(type) {
		case *dns.SVCBMandatory:
			mandatory = p.Code
		case *dns.SVCBAlpn:
			s.ALPN = p.Alpn
		case *dns.SVCBNoDefaultAlpn:
			s.NoDefaultALPN = true
		case *dns.SVCBPort:
			s.Port = p.Port
		case *dns.SVCBIPv4Hint:
			s.IPv4Hints = hints(s.IPv4Hints, p.Hint)
		case *dns.SVCBIPv6Hint:
			s.IPv6Hints = hints(s.IPv6Hints, p.Hint)
		case *dns.SVCBECHConfig:
			s.ECH = p.ECH
		default:
			known = known[:len(known)-1]
		}
	}
	for _, key := range mandatory {
		if !slices.Contains(known, key) {
			return false
		}
	}
	return !s.NoDefaultALPN || len(s.ALPN) > 0 // RFC 9460 §7.1.1
}

func hints[S ~[]byte](to []netip.Addr, from []S) []netip.Addr {
	for _, b := range from {
		addr, _ := netip.AddrFromSlice(b)
		if len(b) == 16 && addr.Is4In6() {
			continue
		}
		if usable(addr) && len(to) < maxHints {
			to = append(to, addr)
		}
	}
	return to
}
