package happyeyeballs

import (
	"cmp"
	"container/heap"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-mif/mif"
	"github.com/go-mif/mif/pvd"
	"github.com/go-mif/mif/resolver"
)

// A sim is a world at virtual time around a machine: domains, what their DNS
// answers, and what becomes of connections. What it does not mention stays silent.
type sim struct {
	m       *machine
	now     time.Time
	queue   happenings
	n       int
	domains []*simDomain
	dns     map[string]simReply // "DOMAIN AAAA", or "DOMAIN ipv4only.arpa."
	hosts   map[string]simReply // "DOMAIN ADDRESS"
	valid   map[string]simReply // the same, of Validate
	svc     map[string]simReply // "DOMAIN"
	abort   int                 // when the caller gives up, ms; 0: never
	// patience is after how many ms what would be silent fails, as the kernel and a
	// resolver give up; 0: never
	patience int

	again []func() // changes of configuration

	lines   []string
	asks    bool // record questions
	end     *done
	referee func(action) // if not nil, sees every action
}

type simDomain struct {
	Domain
	addrs       []netip.Prefix
	pref64      []netip.Prefix
	join, leave int // ms; leave 0: never
	ready       int // ms after join, when it has told of itself
	fqdn        string
}

type simReply struct {
	after int // ms
	addrs []netip.Addr
	end   string
	all   []resolver.Service
	ttl   int // ms; 0: never expires, less: has expired
	err   error
}

type happening struct {
	at time.Time
	n  int
	do func()
}

type happenings []happening

func (h happenings) Len() int { return len(h) }
func (h happenings) Less(i, j int) bool {
	return h[i].at.Before(h[j].at) || h[i].at.Equal(h[j].at) && h[i].n < h[j].n
}
func (h happenings) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *happenings) Push(x any)   { *h = append(*h, x.(happening)) }
func (h *happenings) Pop() any {
	old := *h
	x := old[len(old)-1]
	*h = old[:len(old)-1]
	return x
}

var epoch = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func ms(n int) time.Duration { return time.Duration(n) * time.Millisecond }

// identify gives the domains real identities, those of a Snapshot. A name is eth0/ipv4,
// eth0/ipv6 or, of both families, eth0.
func (s *sim) identify(t testing.TB) {
	t.Helper()
	facts := map[string]*pvd.Facts{}
	merge := false
	for _, d := range s.domains {
		name, _, ok := strings.Cut(d.FQDN, "/")
		merge = merge || !ok
		f := facts[name]
		if f == nil {
			index := len(facts) + 2
			f = &pvd.Facts{Interface: pvd.Interface{ID: pvd.NewInterfaceID(index, name), Name: name, Index: index, Up: true, Carrier: true}}
			facts[name] = f
		}
		for _, a := range d.addrs {
			f.Addresses = append(f.Addresses, pvd.AddressFact{Address: pvd.Address{Prefix: a}})
		}
	}
	var all []*pvd.Facts
	for _, f := range facts {
		all = append(all, f)
	}
	snap := pvd.Build(&pvd.Snapshot{}, all, nil, pvd.Options{MergeFamilies: merge}, epoch)
	for _, d := range s.domains {
		want := d.FQDN
		for o := range snap.Domains() {
			if o.ID().String() == want {
				d.Domain = Domain{o.ID(), o.ID().Interface().String(), o.Family(), d.fqdn}
			}
		}
		if !d.PvD.IsValid() {
			t.Fatalf("there is no domain %s", want)
		}
	}
}

func (s *sim) after(d int, do func()) {
	s.n++
	heap.Push(&s.queue, happening{s.now.Add(ms(d)), s.n, do})
}

func (s *sim) since() int { return int(s.now.Sub(epoch) / time.Millisecond) }

func (s *sim) note(format string, args ...any) {
	s.lines = append(s.lines, fmt.Sprintf("%d ", s.since())+fmt.Sprintf(format, args...))
}

func (s *sim) trace() *Trace {
	return &Trace{
		Asked: func(_ time.Time, l Lookup) {
			if s.asks {
				s.note("ask %v %s %v", l.PvD, l.Name, cmp.Or(l.Service, l.Family.String()))
			}
		},
		Started: func(_ time.Time, a Attempt) { s.note("try %v %s", a.PvD, at(a)) },
		Ended: func(_ time.Time, a Attempt, err error) {
			switch {
			case err == nil:
				s.note("win %v %s", a.PvD, at(a))
			case errors.Is(err, mif.ErrStopped), errors.Is(err, context.Canceled):
				s.note("drop %v %s", a.PvD, at(a))
			case errors.Is(err, mif.ErrUnknownPvD):
				s.note("gone %v %s", a.PvD, at(a))
			default:
				s.note("fail %v %s", a.PvD, at(a))
			}
		},
	}
}

// at is the address of an attempt, with the port if that is not the name's.
func at(a Attempt) string {
	if a.To.Port() > 8000 {
		return a.To.String()
	}
	return a.To.Addr().String()
}

// run plays the world until the race is over, and tells what happened. A race that
// neither ends nor waits for anything is stuck.
func (s *sim) run(t testing.TB) string {
	t.Helper()
	for _, d := range s.domains {
		s.after(d.join, func() { s.join(d) })
		if d.leave > 0 {
			s.after(d.leave, func() { s.m.leave(s.now, d.PvD) })
		}
	}
	s.after(0, s.m.listedDomains)
	for _, change := range s.again {
		change()
	}
	if s.abort > 0 {
		s.after(s.abort, func() { s.m.abort(s.now, context.Canceled) })
	}
	s.turn()
	for steps := 0; s.end == nil; steps++ {
		if len(s.queue) == 0 || steps > 100_000 {
			t.Fatalf("stuck after %d steps:\n%s", steps, strings.Join(s.lines, "\n"))
		}
		s.turn()
	}
	return strings.Join(s.lines, "\n")
}

// turn lets everything of one instant happen, then the machine step.
func (s *sim) turn() {
	s.now = s.queue[0].at
	for len(s.queue) > 0 && s.queue[0].at.Equal(s.now) {
		heap.Pop(&s.queue).(happening).do()
	}
	for _, a := range s.m.step(s.now) {
		if s.referee != nil {
			s.referee(a)
		}
		s.perform(a)
	}
}

func (s *sim) join(d *simDomain) {
	if !s.m.join(s.now, d.Domain) {
		return
	}
	tell := func() {
		for _, a := range d.addrs {
			s.m.address(d.PvD, pvd.Address{Prefix: a})
		}
		s.m.reconfigured(d.PvD) // a part of the listing, and no change
		s.m.listedElements(d.PvD)
		s.m.listedAddresses(d.PvD)
		s.m.prefixes(d.PvD, d.pref64)
	}
	if d.ready > 0 {
		s.after(d.ready, tell)
	} else {
		tell()
	}
}

func (s *sim) perform(a action) {
	switch a := a.(type) {
	case ask:
		s.ask(a)
	case askService:
		s.askService(a)
	case start:
		if r, ok := s.reply(s.hosts, a.pvd.String()+" "+at(Attempt{To: a.to})); ok {
			s.after(r.after, func() {
				if r.err != nil {
					s.m.failed(s.now, a.id, r.err)
				} else {
					s.m.connected(s.now, a.id)
				}
			})
		}
	case check:
		key := s.m.attempts[a.id].PvD.String() + " " + at(s.m.attempts[a.id].Attempt)
		if len(a.ech) > 0 {
			key += "+" + string(a.ech)
		}
		if r, ok := s.reply(s.valid, key); ok {
			s.after(r.after, func() {
				if r.err != nil {
					s.m.failed(s.now, a.id, r.err)
				} else {
					s.m.valid(s.now, a.id)
				}
			})
		}
	case wait:
		if !a.until.IsZero() {
			s.n++
			heap.Push(&s.queue, happening{a.until, s.n, func() {}})
		}
	case done:
		s.end = &a
	}
}

func (s *sim) ask(a ask) {
	key := map[pvd.Family]string{pvd.IPv4: "A", pvd.IPv6: "AAAA"}[a.family]
	switch a.name {
	case discoveryName:
		key = a.name
	case s.m.target.name:
	default:
		key = strings.TrimSuffix(a.name, ".") + "/" + key
	}
	r, ok := s.reply(s.dns, a.pvd.String()+" "+key)
	if !ok {
		return
	}
	s.after(r.after, func() {
		for _, addr := range r.addrs {
			var expiry time.Time
			if r.ttl != 0 {
				expiry = s.now.Add(ms(r.ttl))
			}
			s.m.answer(s.now, a.id, addr, cmp.Or(r.end, a.name), expiry)
		}
		err := r.err
		if err == nil && len(r.addrs) == 0 {
			err = errors.New("no data")
		}
		s.m.answered(s.now, a.id, err)
	})
}

func (s *sim) askService(a askService) {
	r, ok := s.reply(s.svc, a.pvd.String())
	if !ok {
		return
	}
	s.after(r.after, func() {
		for _, one := range r.all {
			s.m.service(a.id, one)
		}
		s.m.answered(s.now, a.id, r.err)
	})
}

// reply is what a world says about something, if it says anything.
func (s *sim) reply(what map[string]simReply, key string) (simReply, bool) {
	r, ok := what[key]
	if !ok && s.patience > 0 {
		return simReply{after: s.patience, err: syscall.ETIMEDOUT}, true
	}
	return r, ok
}
