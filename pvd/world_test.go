package pvd

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"
)

// A world makes random facts about a few links.
type world struct {
	*rand.Rand
	now     time.Time
	links   map[int]*Facts
	single  bool // one router at most on every link
	named   bool // routers announce explicit domains, too
	serial  uint64
	changed []*Facts
	gone    []InterfaceID
	o       Options
}

func newWorld(seed uint64) *world {
	w := &world{Rand: rand.New(rand.NewPCG(seed, 1)), now: start, links: map[int]*Facts{}}
	w.single = w.IntN(2) == 0
	w.named = !w.single && w.IntN(2) == 0
	w.o.MergeFamilies = w.IntN(3) == 0
	return w
}

// step makes a few random things happen and lets some time pass.
func (w *world) step(next time.Time) {
	w.changed, w.gone = nil, nil
	w.pass(next)
	for range w.IntN(4) {
		index := 1 + w.IntN(5)
		f := w.links[index]
		switch {
		case f == nil:
			f = ethernet(index, fmt.Sprint("eth", index))
			f.Interface.Up, f.Interface.Carrier = w.IntN(5) > 0, w.IntN(5) > 0
		case w.IntN(25) == 0:
			delete(w.links, index)
			w.gone = append(w.gone, f.Interface.ID)
			continue
		case w.IntN(40) == 0: // gone and there again, unseen in between
			w.gone = append(w.gone, f.Interface.ID)
			f = with(f, func(f *Facts) { f.Interface.ID = NewInterfaceID(index, "again") })
		}
		f = with(f, w.edit)
		w.links[index] = f
		w.changed = append(w.changed, f)
	}
	if w.IntN(20) == 0 {
		w.resolver()
	}
	w.Shuffle(len(w.changed), func(i, j int) {
		if w.changed[i].Interface.Index != w.changed[j].Interface.Index {
			w.changed[i], w.changed[j] = w.changed[j], w.changed[i]
		}
	})
	w.changed = slices.DeleteFunc(w.changed, func(f *Facts) bool {
		return w.links[f.Interface.Index] != f && w.IntN(2) == 0 // it may also be told of an old state first
	})
	slices.SortStableFunc(w.changed, func(a, b *Facts) int { // but the last word is the last
		return last(w.links[a.Interface.Index] == a) - last(w.links[b.Interface.Index] == b)
	})
	w.changed = slices.DeleteFunc(w.changed, func(f *Facts) bool {
		return w.links[f.Interface.Index] == nil || slices.Contains(w.gone, f.Interface.ID)
	})
}

func last(is bool) int {
	if is {
		return 1
	}
	return 0
}

func (w *world) pass(next time.Time) {
	switch w.IntN(12) {
	case 0:
		w.now = w.now.Add(time.Duration(w.IntN(2000)) * time.Second)
	case 1, 2:
		if next.After(w.now) {
			w.now = next
		}
	case 3, 4, 5:
		w.now = w.now.Add(time.Duration(w.IntN(5000)) * time.Millisecond)
	}
}

// end is a random end of a lifetime, at times one that has passed.
func (w *world) end() time.Time {
	if w.IntN(3) == 0 {
		return time.Time{}
	}
	return w.now.Add(time.Duration(w.IntN(400)-5) * time.Second)
}

func (w *world) edit(f *Facts) {
	i := &f.Interface
	switch w.IntN(15) {
	case 0:
		i.Up = w.IntN(5) > 0
	case 1:
		i.Carrier = w.IntN(5) > 0
	case 2:
		i.Name = fmt.Sprint("eth", i.Index, "-", w.IntN(3))
	case 3, 4, 5, 6:
		w.address(f)
	case 7, 8:
		w.ra(f)
	case 9, 10:
		w.route(f)
	case 11:
		w.known(f)
	case 12:
		f.MTU6 = []int{0, 1280, 1500}[w.IntN(3)]
	case 14:
		w.added(f)
	case 13:
		w.Shuffle(len(f.Addresses), func(i, j int) { f.Addresses[i], f.Addresses[j] = f.Addresses[j], f.Addresses[i] })
	}
}

var randomAddresses = []string{
	"192.0.2.5/24", "192.0.2.6/24", "198.51.100.5/32", "169.254.3.4/16", "fe80::5/64", "fe80::6/64",
	"2001:db8:1::5/64", "2001:db8:1::6/64", "2001:db8:2::5/64", "2001:db8:3::5/64", "2001:db8:9::7/128", "fd00::5/64",
}

func (w *world) address(f *Facts) {
	a := address(randomAddresses[w.IntN(len(randomAddresses))], w.end())
	if a.Prefix.Addr().Is6() && a.Prefix.Bits() == 64 && w.IntN(2) == 0 {
		a.Protocol = addressProtocolRA
	}
	a.Tentative, a.Duplicate, a.Deprecated = w.IntN(8) == 0, w.IntN(20) == 0, w.IntN(6) == 0
	i := slices.IndexFunc(f.Addresses, func(b AddressFact) bool { return b.Prefix == a.Prefix })
	switch {
	case i >= 0 && w.IntN(2) == 0:
		f.Addresses = slices.Delete(f.Addresses, i, i+1)
	case i >= 0 && w.IntN(8) > 0:
		f.Addresses[i] = a
	default: // at times a second one that differs by its peer
		f.Addresses = append(f.Addresses, a)
	}
}

func (w *world) ra(f *Facts) {
	routers := 3
	if w.single {
		routers = 1
	}
	router := fmt.Sprint("fe80::", 1+w.IntN(routers))
	prefixes := []string{"2001:db8:1::/64", "2001:db8:2::/64", "2001:db8:3::/64", "fd00::/64"}
	w.Shuffle(len(prefixes), func(i, j int) { prefixes[i], prefixes[j] = prefixes[j], prefixes[i] })
	ra := advertisement(router, w.end(), prefixes[:w.IntN(3)]...)
	for range w.IntN(3) {
		ra = ra.rdnss([]string{"2001:db8:1::53", "fe80::53"}[w.IntN(2)], w.end())
	}
	if w.IntN(2) == 0 {
		ra.Configuration.Routers = Routers{{Router{ip(router), 0}, ElementRA, router, w.end()}}
	}
	if ra.Heard = w.now; w.named {
		w.name(&ra)
	}
	i := slices.IndexFunc(f.RAs, func(r RA) bool { return r.Router == ra.Router && r.FQDN == ra.FQDN })
	if i >= 0 {
		f.RAs = slices.Delete(f.RAs, i, i+1)
	}
	f.RAs = append(f.RAs, ra)
}

// name may make an advertisement one of an explicit domain.
func (w *world) name(ra *RA) {
	ra.Managed, ra.Other = w.IntN(3) == 0, w.IntN(3) == 0
	ra.FQDN = []string{"", "corp.example", "CORP.example.", "lab.example", "ipv6"}[w.IntN(5)]
	if ra.FQDN != "" && w.IntN(4) > 0 {
		o := Option{FQDN: ra.FQDN, Legacy: w.IntN(2) == 0, Sequence: uint16(w.IntN(3))}
		ra.Configuration.PvDOption = PvDOption{{o, ElementRA, ra.Router.String(), w.end()}}
	}
	if w.IntN(3) == 0 {
		r := Route{Destination: netip.MustParsePrefix("2001:db8:1::/64"), Gateway: ra.Router, Preference: int8(w.IntN(3) - 1)}
		ra.Configuration.Routes = Routes{{r, ElementRA, ra.Router.String(), w.end()}}
	}
}

// added adds a domain of the program's own, or changes or withdraws one.
func (w *world) added(f *Facts) {
	f.Added = slices.Clone(f.Added)
	if n := len(f.Added); n > 0 && w.IntN(2) == 0 {
		f.Added = slices.Delete(f.Added, n-1, n)
		return
	}
	w.serial++
	s := Static{Name: fmt.Sprint("vpn", w.serial), Addresses: []netip.Addr{ip("192.0.2.5"), ip("2001:db8:1::5")}[:1+w.IntN(2)], Expiry: w.end()}
	if w.IntN(2) == 0 {
		s.DNSServers = []netip.AddrPort{netip.MustParseAddrPort("192.0.2.77:53")}
		s.Routers = []netip.Addr{ip("192.0.2.1")}
	}
	f.Added = append(f.Added, Added{w.serial, s})
}

func (w *world) route(f *Facts) {
	gateway := []string{"192.0.2.1", "fe80::1", "fe80::2"}[w.IntN(3)]
	r := defaultRoute(gateway, []uint8{2, 3, 4, 9, 16}[w.IntN(5)])
	r.Expiry = w.end()
	if w.IntN(4) == 0 {
		r.Gateway = netip.Addr{}
		r.Destination = netip.MustParsePrefix([]string{"192.0.2.0/24", "2001:db8:1::/64", "2001:db8:2::/64"}[w.IntN(3)])
	}
	i := slices.IndexFunc(f.Routes, func(b RouteFact) bool { return b.Route == r.Route })
	if i < 0 {
		f.Routes = append(f.Routes, r)
	} else {
		f.Routes = slices.Delete(f.Routes, i, i+1)
	}
}

func (w *world) known(f *Facts) {
	if w.IntN(3) == 0 {
		f.Known = nil
		return
	}
	t := []ElementType{ElementDHCPv4, ElementDHCPv6, ElementStatic, ElementRA, ElementProgram, 77}[w.IntN(6)]
	server := []string{"192.0.2.53", "2001:db8:9::53", "fe80::53"}[w.IntN(3)]
	f.Known = append(f.Known, Configuration{
		DNSServers:    dns(server, t, []string{"client", "fe80::2"}[w.IntN(2)], w.end()),
		SearchDomains: SearchDomains{{"example.com", t, "client", w.end()}},
		NTPServers:    NTPServers{{"ntp.example.com", t, "client", w.end()}},
	})
}

func (w *world) resolver() {
	if w.IntN(3) == 0 {
		w.o.Resolver = nil
		return
	}
	w.o.Resolver = &Configuration{
		DNSServers:    dns([]string{"192.0.2.53", "2001:db8::53", "fe80::53%2"}[w.IntN(3)], ElementHost, "/etc/resolv.conf", time.Time{}),
		SearchDomains: SearchDomains{{"example.net", ElementHost, "/etc/resolv.conf", time.Time{}}},
	}
}
