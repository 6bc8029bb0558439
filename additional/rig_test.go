package additional

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/go-mif/mif/pvd"
)

var start = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)

// A rig is a Schedule with a clock of its own and the networks that it is told of.
type rig struct {
	t        *testing.T
	s        *Schedule
	now      time.Time
	networks []Network
	next     time.Time
	begun    map[uint64]Fetch // under way
	log      []string         // what it did, and when
	failed   []Result
	changed  int
}

// newRig is a rig in which every random delay is a part of the greatest: 0 to 1.
func newRig(t *testing.T, part float64) *rig {
	r := &rig{t: t, now: start, begun: map[uint64]Fetch{}}
	r.s = &Schedule{Random: func(most time.Duration) time.Duration { return time.Duration(float64(most) * part) }}
	return r
}

// attach adds a network with domains of some names, all with the H flag and ready.
func (r *rig) attach(link string, names ...string) *Network {
	n := Network{ID: pvd.NewInterfaceID(len(r.networks)+1, link)}
	for i, id := range identities(n.ID, names...) {
		n.Domains = append(n.Domains, Domain{ID: id, Option: pvd.Option{FQDN: names[i], HTTP: true, Sequence: 1}, Ready: true})
	}
	r.networks = append(r.networks, n)
	return &r.networks[len(r.networks)-1]
}

// identities makes identities of explicit domains on a link, never seen before.
func identities(link pvd.InterfaceID, names ...string) (ids []pvd.ID) {
	f := &pvd.Facts{Interface: pvd.Interface{ID: link, Name: link.String(), Index: link.Index(), Up: true, Carrier: true}}
	for i, name := range names {
		p := netip.PrefixFrom(netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, byte(i), 15: 5}), 64)
		f.Addresses = append(f.Addresses, pvd.AddressFact{Address: pvd.Address{Prefix: p}, Protocol: 2})
		ra := pvd.RA{Router: netip.MustParseAddr("fe80::1"), FQDN: name}
		ra.Configuration.Prefixes = pvd.Prefixes{{Value: pvd.Prefix{Prefix: p.Masked()}, Element: pvd.ElementRA}}
		f.RAs = append(f.RAs, ra)
	}
	s := pvd.Build(&pvd.Snapshot{}, []*pvd.Facts{f}, nil, pvd.Options{}, start)
	for _, name := range names {
		for d := range s.Domains() {
			if d.FQDN() == name {
				ids = append(ids, d.ID())
			}
		}
	}
	return ids
}

// step makes a Step and notes what follows.
func (r *rig) step(results ...Result) {
	r.t.Helper()
	a := r.s.Step(r.now, r.networks, results)
	for _, f := range a.Begin {
		r.begun[f.Serial] = f
		r.note("fetch %s", f.Domain.Option.FQDN)
	}
	for _, n := range a.End {
		r.note("end %s", r.begun[n].Domain.Option.FQDN)
		delete(r.begun, n)
	}
	for _, f := range a.Failed {
		r.note("failed %s", f.Domain.String())
	}
	r.failed, r.changed, r.next = append(r.failed, a.Failed...), r.changed+len(a.Changed), a.Next
	if !a.Next.IsZero() && !a.Next.After(r.now) {
		r.t.Fatalf("Next is %v at %v", a.Next, r.now)
	}
}

func (r *rig) note(format string, args ...any) {
	r.log = append(r.log, fmt.Sprintf("%v ", r.now.Sub(start))+fmt.Sprintf(format, args...))
}

// until lets time pass, with a Step whenever it is asked for.
func (r *rig) until(d time.Duration) {
	r.t.Helper()
	end := start.Add(d)
	for !r.next.IsZero() && !r.next.After(end) {
		r.now = r.next
		r.step()
	}
	r.now = end
}

// answer ends the fetch of a name: with an error, or else with an object that lasts.
func (r *rig) answer(name string, lasts time.Duration, err error) {
	r.t.Helper()
	for n, f := range r.begun {
		if f.Domain.Option.FQDN != name {
			continue
		}
		delete(r.begun, n)
		res := Result{Domain: f.Domain.ID, Serial: n, Err: err}
		if err == nil {
			res.Information = &pvd.Information{Identifier: name, Expires: r.now.Add(lasts), Prefixes: prefixes("2001:db8::/32")}
		}
		r.step(res)
		return
	}
	r.t.Fatalf("no fetch of %s is under way: %q", name, r.log)
}

// did takes what was done.
func (r *rig) did(want ...string) {
	r.t.Helper()
	if !slices.Equal(r.log, want) {
		r.t.Fatalf("\n got %q\nwant %q", r.log, want)
	}
	r.log = nil
}

// has tells whether there is information of a name on a network.
func (r *rig) has(n *Network, name string) bool {
	return slices.ContainsFunc(r.s.Fetched(n.ID), func(f pvd.Fetched) bool { return f.Information.Identifier == name })
}
