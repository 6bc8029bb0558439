package resolver

import (
	"context"
	"fmt"
	"net/netip"
	"strings"

	"github.com/miekg/dns"
)

const maxNames = 16 // of one address

// LookupAddr is [net.Resolver.LookupAddr] inside the domain: it gives the names of an
// address, each with a dot at its end, at most 16. They come from the hosts file, or
// from the domain's servers (RFC 1035 §3.5), for a link-local address from the hosts
// on the link (RFC 6762 §4). What could not be a host's name is left out.
//
// A name is what the owner of the address's reverse zone says, and proves nothing
// unless it translates back. An error is a [*net.DNSError] as that of
// [Resolver.LookupNetIP].
func (r *Resolver) LookupAddr(ctx context.Context, addr string) ([]string, error) {
	names, err := r.lookupAddr(ctx, addr)
	if err != nil {
		return nil, dnsError(addr, naming(addr, err))
	}
	return names, nil
}

func (r *Resolver) lookupAddr(ctx context.Context, addr string) ([]string, error) {
	a, err := netip.ParseAddr(addr)
	if err != nil {
		return nil, fmt.Errorf("%w: not an address", ErrInvalidName)
	}
	a = a.Unmap().WithZone("")
	if names := r.hosts.named(a); len(names) > 0 {
		return absolute(names), nil
	}
	if a.IsLoopback() {
		return []string{"localhost."}, nil
	}
	l, err := r.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer l.end()
	reverse, err := dns.ReverseAddr(a.String())
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalidName, err)
	}
	o := l.records(strings.TrimSuffix(reverse, "."), dns.TypePTR)
	if o.err != nil {
		return nil, o.err
	}
	if names := pointers(o.records); len(names) > 0 {
		return names, nil
	}
	return nil, &Error{Server: o.server, Err: fmt.Errorf("%w: no name of a host", ErrNoData)}
}

func absolute(names []string) []string {
	for i := range names {
		names[i] += "."
	}
	return names
}

// pointers gives the names of hosts in PTR records.
func pointers(records []dns.RR) (names []string) {
	for _, rr := range records {
		ptr, ok := rr.(*dns.PTR)
		if !ok || len(names) == maxNames {
			continue
		}
		if checkName(strings.TrimSuffix(ptr.Ptr, ".")) == nil {
			names = append(names, ptr.Ptr)
		}
	}
	return names
}

// records asks for the records of a name, other than addresses, in the way that is
// right for it.
func (l *lookup) records(name string, kind uint16) (o outcome) {
	if ofLink(name) && l.r.Multicast != nil {
		_, err := l.shout(name, []uint16{kind}, func(heard outcome) error {
			o = heard
			return nil
		})
		o.err = err
		return o
	}
	if err := unasked(name); err != nil {
		return outcome{err: err}
	}
	l.view = l.r.look(&l.cfg)
	return l.resolve(&l.patience, name, kind, nil)
}
