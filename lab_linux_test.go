package mif

import (
	"context"
	"net/netip"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/go-mif/mif/miftest"
)

// A lab is a multi-homed host of miftest's, watched for real.
type lab struct {
	t testing.TB
	*miftest.Net
	host *Host
}

func newLab(t testing.TB, c Config) *lab {
	t.Helper()
	n := miftest.New(t)
	c.NetNS, c.Root = n.Host().NetNS(), n.Host().Root()
	h, err := Open(&c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return &lab{t, n, h}
}

func (l *lab) must(err error) {
	l.t.Helper()
	if err != nil {
		l.t.Fatal(err)
	}
}

// subscriber returns one that has posted some requests.
func (l *lab) subscriber(requests ...Request) *subscriber {
	s := newSubscriber(l.t, l.host)
	s.post(requests...)
	return s
}

// until gets events until one of the lines has come that are waited for, each.
func (s *subscriber) until(want ...string) (all []Event) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 30*time.Second) // a safety net
	defer cancel()
	left := slices.Clone(want)
	for len(left) > 0 {
		if err := s.Check(ctx); err != nil {
			s.t.Fatalf("%v\nwaiting for %q\nafter %q", err, left, lines(all))
		}
		for _, e := range s.got() {
			all = append(all, e)
			if i := slices.Index(left, line(e)); i >= 0 {
				left = slices.Delete(left, i, i+1)
			}
		}
	}
	return all
}

// when gets events until something is true.
func (s *subscriber) when(what string, is func() bool) {
	s.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !is(); runtime.Gosched() {
		s.got()
		if time.Now().After(deadline) {
			s.t.Fatalf("it never was true that %s", what)
		}
	}
}

// settled waits until the subscriber believes what is there, with nothing left to
// tell, for a moment in which the host does not change.
func (s *subscriber) settled() {
	s.t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for {
		s.got()
		now := s.host.Snapshot()
		s.got()
		err := s.checker.settled(now)
		if now == s.host.Snapshot() && err == nil {
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatal(err)
		}
	}
}

// domainOf is the identity of a domain announced in some events.
func domainOf(t testing.TB, events []Event, name string) PvDID {
	t.Helper()
	for _, e := range slices.Backward(events) {
		if d, is := e.(ProvisioningDomainAnnouncement); is && d.PvD.String() == name {
			return d.PvD
		}
	}
	t.Fatalf("%s was not announced in %q", name, lines(events))
	return PvDID{}
}

func count(events []Event, what string) (n int) {
	for _, e := range events {
		if line(e) == what {
			n++
		}
	}
	return n
}

// uplink is a router that gives IPv4 leases, and an IPv6 prefix with a name server.
func uplink(ifname string, n byte) miftest.RouterConfig {
	ra := miftest.NewRA(netip.PrefixFrom(netip.AddrFrom16([16]byte{0x20, 0x01, 0x0d, 0xb8, 0, n}), 64))
	ra.RDNSS = []netip.Addr{netip.AddrFrom16([16]byte{0x20, 0x01, 0x0d, 0xb8, 0, n, 15: 0x53})}
	return miftest.RouterConfig{Interface: ifname, RA: ra, IPv4: netip.PrefixFrom(netip.AddrFrom4([4]byte{10, n, 0, 1}), 24), DHCP: &miftest.DHCP{}}
}

func (l *lab) pvd(name string) PvDID {
	l.t.Helper()
	for d := range l.host.Snapshot().Domains() {
		if d.ID().String() == name {
			return d.ID()
		}
	}
	l.t.Fatalf("no domain %s", name)
	return PvDID{}
}
