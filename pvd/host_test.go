package pvd

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
)

var start = time.Unix(1_790_000_000, 0)

func after(seconds int) time.Time { return start.Add(time.Duration(seconds) * time.Second) }

func ip(s string) netip.Addr { return netip.MustParseAddr(s) }

// A host is a series of Snapshots: each step is checked against the laws of Diff.
type host struct {
	t   *testing.T
	s   *Snapshot
	b   Builder
	m   model
	o   Options
	now time.Time
}

func newHost(t *testing.T) *host {
	return &host{t: t, s: &Snapshot{}, m: model{}, now: start}
}

// learn builds the next Snapshot and returns what a subscriber is told.
func (h *host) learn(changed ...*Facts) []string { return h.step(changed, nil) }

func (h *host) step(changed []*Facts, gone []InterfaceID) []string {
	h.t.Helper()
	next := h.b.Build(h.s, changed, gone, h.o, h.now)
	changes := slices.Collect(Diff(h.s, next))
	if err := h.m.play(changes); err != nil {
		h.t.Fatal(err)
	}
	if !h.m.equal(modelOf(next)) {
		h.t.Fatal("playing Diff onto the old model does not give the new one")
	}
	if (next.Seq() != h.s.Seq()) != (len(changes) > 0) {
		h.t.Fatalf("Seq %d → %d with %d changes", h.s.Seq(), next.Seq(), len(changes))
	}
	h.s = next
	told := make([]string, len(changes))
	for i, c := range changes {
		told[i] = describe(c)
	}
	return told
}

// wait lets time pass up to an instant, building whenever Next asks for it.
func (h *host) wait(until time.Time) (told []string) {
	h.t.Helper()
	for next := h.s.Next(); !next.IsZero() && !next.After(until); next = h.s.Next() {
		if !next.After(h.now) {
			h.t.Fatalf("Next is %v at %v", next, h.now)
		}
		h.now = next
		told = append(told, h.learn()...)
	}
	h.now = until
	return told
}

// domains lists the domains with their elements and addresses, a line each.
func (h *host) domains() []string {
	lines := []string{}
	for d := range h.s.Domains() {
		l := d.ID().String() + " " + d.Family().String()
		for e := range d.Elements() {
			l += " " + e.String()
		}
		for a := range d.Addresses() {
			l += " " + a.Prefix.Addr().String()
		}
		lines = append(lines, l)
	}
	return lines
}

// domain is the domain of a name, nil if there is none.
func (h *host) domain(name string) (found *Domain) {
	for d := range h.s.Domains() {
		if d.ID().String() == name {
			found = d
		}
	}
	return found
}

// data lists what a domain has under an item: element, source, seconds, value.
func (h *host) data(name string, t ElementType, i Item) []string {
	h.t.Helper()
	d := h.domain(name)
	if d == nil {
		h.t.Fatalf("no domain %s among %q", name, h.domains())
	}
	switch data := d.Data(t, i).(type) {
	case DNSServers:
		return lines(data)
	case SearchDomains:
		return lines(data)
	case RoutingDomains:
		return lines(data)
	case Routers:
		return lines(data)
	case Routes:
		return lines(data)
	case Prefixes:
		return lines(data)
	case MTU:
		return lines(data)
	case CaptivePortal:
		return lines(data)
	case nil:
		return nil
	default:
		h.t.Fatalf("unexpected %T", data)
		return nil
	}
}

func lines[T any](in []Datum[T]) (out []string) {
	for _, d := range in {
		end := "forever"
		if !d.Expiry.IsZero() {
			end = fmt.Sprint(int(d.Expiry.Sub(start).Seconds()))
		}
		value := fmt.Sprint(d.Value)
		switch v := any(d.Value).(type) {
		case Route:
			value = v.Destination.String()
		case Prefix:
			value = v.Prefix.String()
		case Router:
			value = fmt.Sprint(v.Addr, " ", v.Preference)
		}
		out = append(out, strings.Join([]string{d.Element.String(), d.Source, end, value}, " "))
	}
	return out
}

func expect(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Fatalf("%s:\n got %s\nwant %s", what, strings.Join(got, "\n     "), strings.Join(want, "\n     "))
	}
}

// Builders of facts.

func ethernet(index int, name string) *Facts {
	return &Facts{Interface: Interface{
		ID: NewInterfaceID(index, name), Name: name, Index: index, MTU: 1500, Up: true, Carrier: true,
		Flags: net.FlagUp | net.FlagRunning | net.FlagBroadcast | net.FlagMulticast,
	}}
}

// with returns a copy of f that edit has worked on: Facts given to Build are not
// written to any more.
func with(f *Facts, edit func(*Facts)) *Facts {
	n := *f
	n.Addresses, n.Routes = slices.Clone(f.Addresses), slices.Clone(f.Routes)
	n.RAs, n.Known = slices.Clone(f.RAs), slices.Clone(f.Known)
	edit(&n)
	return &n
}

func address(s string, valid time.Time) AddressFact {
	p := netip.MustParsePrefix(s)
	return AddressFact{Address: Address{Prefix: p, LinkLocal: p.Addr().IsLinkLocalUnicast(), Preferred: valid, Valid: valid}}
}

func slaac(s string, valid time.Time) AddressFact {
	a := address(s, valid)
	a.Protocol = addressProtocolRA
	return a
}

func advertisement(router string, valid time.Time, prefixes ...string) RA {
	ra := RA{Router: ip(router)}
	for _, p := range prefixes {
		v := Prefix{Prefix: netip.MustParsePrefix(p), OnLink: true, Autonomous: true, Preferred: valid}
		ra.Configuration.Prefixes = append(ra.Configuration.Prefixes, Datum[Prefix]{v, ElementRA, router, valid})
	}
	return ra
}

func (ra RA) rdnss(server string, valid time.Time) RA {
	ra.Configuration.DNSServers = append(slices.Clip(ra.Configuration.DNSServers), dns(server, ElementRA, ra.Router.String(), valid)...)
	return ra
}

func dns(server string, t ElementType, source string, valid time.Time) DNSServers {
	return DNSServers{{netip.AddrPortFrom(ip(server), 53), t, source, valid}}
}

func defaultRoute(gateway string, protocol uint8) RouteFact {
	g := ip(gateway)
	all := netip.PrefixFrom(netip.IPv6Unspecified(), 0)
	if g.Is4() {
		all = netip.PrefixFrom(netip.IPv4Unspecified(), 0)
	}
	return RouteFact{Route: Route{Destination: all, Gateway: g, Table: 254}, Protocol: protocol}
}
