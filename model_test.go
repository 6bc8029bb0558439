package mif

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"math"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-mif/mif/pvd"
	"github.com/go-mif/mif/resolver"
)

// Random hosts, random subscribers: every stream of events obeys the rules, and at
// the end every subscriber believes what is true. MIF_SEED repeats a failed run.
func TestModel(t *testing.T) {
	seeds := []uint64{}
	if s := os.Getenv("MIF_SEED"); s != "" {
		n, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		seeds = append(seeds, n)
	}
	for len(seeds) == 0 || len(seeds) < 40 && os.Getenv("MIF_SEED") == "" {
		seeds = append(seeds, rand.Uint64())
	}
	for _, seed := range seeds {
		ok := t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { newModel(t, seed).run() })
		})
		if !ok {
			t.Fatalf("MIF_SEED=%d repeats it, as far as goroutines let it", seed)
		}
	}
}

// A model plays a random host with some subscribers.
type model struct {
	*fakeHost
	*rand.Rand
	subscribers []*subscriber
	names       []string
	ever        []PvDID // domains that were there once
	at          []InterfaceID
	next        int // index of the next interface
}

func newModel(t *testing.T, seed uint64) *model {
	r := rand.New(rand.NewPCG(seed, 0))
	m := &model{Rand: r, fakeHost: newFakeHost(t, &Config{MergeFamilies: r.IntN(2) == 0}, nil)}
	m.lookup, m.services, m.dial = m.randomLookup, m.randomServices, m.randomDial
	for range 6 {
		m.subscribers = append(m.subscribers, m.subscriber())
	}
	return m
}

func (m *model) run() {
	for range 400 {
		switch m.IntN(10) {
		case 0, 1, 2:
			m.change(m.disturb)
			m.note()
		case 3:
			synctest.Wait()
		case 4:
			time.Sleep(time.Duration(m.IntN(2000)) * time.Millisecond)
		default:
			m.act(m.subscribers[m.IntN(len(m.subscribers))])
		}
	}
	time.Sleep(time.Hour) // what is under way ends
	synctest.Wait()
	for i, s := range m.subscribers {
		m.get(s, math.MaxInt)
		if err := s.checker.settled(m.Snapshot()); err != nil {
			m.t.Errorf("subscriber %d: %v", i, err)
		}
		if n := len(s.checker.tasks); n > 0 {
			m.t.Errorf("subscriber %d: %d tasks have no end", i, n)
		}
		s.Close()
	}
	if n := len(m.open()); n > 0 {
		m.t.Errorf("%d connections are left open", n)
	}
}

// note remembers what was there, so that it can be asked for when it is gone.
func (m *model) note() {
	for d := range m.Snapshot().Domains() {
		if !slices.Contains(m.ever, d.ID()) {
			m.ever = append(m.ever, d.ID())
		}
	}
	for i := range m.Snapshot().Interfaces() {
		if !slices.Contains(m.at, i.ID) {
			m.at = append(m.at, i.ID)
		}
	}
}

// disturb changes one to three things in the world.
func (m *model) disturb(w *world) {
	for range 1 + m.IntN(3) {
		m.names = slices.Sorted(maps.Keys(w.links))
		if len(m.names) == 0 || len(m.names) < 5 && m.IntN(5) == 0 {
			m.next++
			w.add(fmt.Sprint("eth", m.next), 1+m.IntN(4)+4*m.next, "192.0.2.5/24", "fe80::5/64")
			continue
		}
		name := m.names[m.IntN(len(m.names))]
		if m.IntN(12) == 0 {
			index := w.links[name].Interface.Index
			w.remove(name)
			if m.IntN(2) == 0 { // another with the same name and index
				w.add(name, index, "192.0.2.7/24")
			}
			continue
		}
		w.edit(name, m.edit)
	}
}

func (m *model) edit(f *pvd.Facts) {
	switch i := &f.Interface; m.IntN(8) {
	case 0:
		i.Carrier = !i.Carrier
	case 1:
		i.Up = !i.Up
	case 2:
		i.MTU = 1500 + m.IntN(3)
	case 3:
		i.Name = fmt.Sprintf("net%d-%d", i.Index, m.IntN(1000))
	case 4:
		server := netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(m.IntN(3))}), 53)
		f.Known = []pvd.Configuration{{DNSServers: pvd.DNSServers{{Value: server, Element: pvd.ElementDHCPv4, Expiry: m.end()}}}}
	default:
		a := address([]string{"192.0.2.5/24", "192.0.2.6/24", "2001:db8::5/64", "2001:db8:1::5/64"}[m.IntN(4)])
		n := len(f.Addresses)
		f.Addresses = slices.DeleteFunc(f.Addresses, func(b pvd.AddressFact) bool { return b.Prefix == a.Prefix })
		if len(f.Addresses) < n && m.IntN(2) == 0 {
			return
		}
		a.Tentative, a.Deprecated, a.Valid = m.IntN(4) == 0, m.IntN(4) == 0, m.end()
		f.Addresses = append(f.Addresses, a)
	}
}

// end is the end of a lifetime: never, or soon.
func (m *model) end() time.Time {
	if m.IntN(2) == 0 {
		return time.Time{}
	}
	return time.Now().Add(time.Duration(1+m.IntN(60)) * time.Second)
}

// act has a subscriber get some events, or post a request.
func (m *model) act(s *subscriber) {
	if m.IntN(3) > 0 {
		s.post(m.request())
		return
	}
	most := m.IntN(5)
	if m.IntN(2) == 0 {
		most = math.MaxInt
	}
	m.get(s, most)
}

// get gets some events; connections are closed.
func (m *model) get(s *subscriber, most int) {
	for range most {
		e, err := s.Get()
		if err != nil {
			return
		}
		if c, is := e.(Connected); is {
			c.Conn.Close()
		}
		if err := s.checker.got(e); err != nil {
			m.t.Fatal(err)
		}
	}
}

// request is one that may have no sense by now, but is well-formed.
func (m *model) request() Request {
	m.note()
	var at InterfaceID
	if len(m.at) > 0 && m.IntN(2) == 0 {
		at = m.at[max(0, len(m.at)-1-m.IntN(6))]
	}
	switch m.IntN(7) {
	case 0:
		return AnnounceInterfaces{}
	case 1:
		return StopAnnouncingInterfaces{}
	case 2:
		return AnnounceProvisioningDomains{at}
	case 3:
		return StopAnnouncingProvisioningDomains{at}
	case 4:
		return Relay{1}
	}
	if len(m.ever) == 0 {
		return AnnounceProvisioningDomains{}
	}
	p := m.ever[max(0, len(m.ever)-1-m.IntN(6))]
	id := 1 + m.IntN(4)
	return []Request{
		AnnounceAddresses{p}, AnnounceAddresses{p}, AnnounceConfigurationElements{p}, StopAnnouncingAddresses{p},
		StopAnnouncingConfigurationElements{p}, GetConfigurationData{p, pvd.ElementAny, pvd.ItemDNSServers},
		TranslateName{ID: TranslationID(id), PvD: p, Name: "host.example.com"}, StopTranslatingName{TranslationID(id)},
		ConnectToAddress{ID: ConnectionID(id), PvD: p, To: target, CloseOnPathLost: id == 1}, StopConnecting{ConnectionID(id)},
		TranslateService{ID: TranslationID(id), PvD: p, Scheme: "https", Name: "host.example.com"},
	}[m.IntN(11)]
}

// The delays of tasks come from the global source: theirs are goroutines of their own.

func (m *model) randomLookup(ctx context.Context, id PvDID, name string) iter.Seq2[[]resolver.Answer, error] {
	steps := []step{{after: delay(), addrs: []string{"203.0.113.1", "2001:db8::1"}}, {after: delay(), addrs: []string{"203.0.113.2"}}, {after: delay(), err: resolver.ErrServerFailure}}
	return answers(steps[rand.IntN(3):]...)(ctx, id, name)
}

func (m *model) randomServices(ctx context.Context, id PvDID, r TranslateService) ([]resolver.Service, error) {
	return serves(delay(), []string{"a.example", "b.example"}[rand.IntN(2):]...)(ctx, id, r)
}

func (m *model) randomDial(ctx context.Context, id PvDID, r ConnectToAddressFromAddress) (net.Conn, error) {
	switch err := sleep(ctx, delay()); {
	case err != nil && rand.IntN(4) > 0: // else it was too late to hear of it
		return nil, err
	case rand.IntN(2) == 0:
		return nil, syscall.ECONNREFUSED
	}
	return m.conn(id), nil
}

func delay() time.Duration {
	return time.Duration(rand.IntN(3)) * time.Duration(rand.IntN(1500)) * time.Millisecond
}
