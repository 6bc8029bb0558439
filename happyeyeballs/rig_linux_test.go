package happyeyeballs

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/go-mif/mif"
	"github.com/go-mif/mif/miftest"
	"github.com/go-mif/mif/pvd"
)

// A rig is a multi-homed host with a mif.Host that watches it.
type rig struct {
	t    testing.TB
	net  *miftest.Net
	host *mif.Host

	prepare func(*uplink) // if not nil, is called before the host has an address of an uplink
}

func newRig(t testing.TB) *rig {
	t.Helper()
	n := miftest.New(t)
	h, err := mif.Open(&mif.Config{NetNS: n.Host().NetNS(), Root: n.Host().Root()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	return &rig{t: t, net: n, host: h}
}

// An uplink is a router with a name server for each family.
type uplink struct {
	*miftest.Router
	rig   *rig
	name  string
	dns4  *miftest.DNSServer
	dns6  *miftest.DNSServer
	lease *miftest.Lease
}

// uplink adds a link. The number makes its prefixes: 192.168.N.0/24 and
// 2001:db8:N::/64; its name servers answer from the zone. Families are "4", "6" or "46".
func (r *rig) uplink(name string, n int, families string, zone miftest.Zone, change func(*miftest.RouterConfig)) *uplink {
	r.t.Helper()
	u := &uplink{rig: r, name: name}
	c := miftest.RouterConfig{Interface: name}
	server4, server6 := netip.AddrFrom4([4]byte{192, 168, byte(n), 1}), netip.MustParseAddr(fmt.Sprintf("2001:db8:%d::53", n))
	prefix6 := netip.PrefixFrom(server6, 64).Masked()
	if families != "6" {
		c.IPv4 = netip.PrefixFrom(server4, 24)
		c.DHCP = &miftest.DHCP{DNS: []netip.Addr{server4}}
	}
	if families != "4" {
		c.RA = miftest.NewRA(prefix6)
		c.RA.RDNSS = []netip.Addr{server6}
	}
	if change != nil {
		change(&c)
	}
	u.Router = r.net.Router(r.t, c)
	if r.prepare != nil {
		r.prepare(u)
	}
	var err error
	if families != "6" {
		u.dns4 = r.serveDNS(u.Router, server4, zone)
		if u.lease, err = r.net.Host().DHCPClient(name); err != nil {
			r.t.Fatal(err)
		}
		r.await(name+"/ipv4", pvd.ItemDNSServers)
	}
	if families != "4" {
		u.dns6 = r.serveDNS(u.Router, server6, zone)
		if _, err := r.net.Host().AwaitSLAAC(name, prefix6); err != nil {
			r.t.Fatal(err)
		}
		r.await(name+"/ipv6", pvd.ItemDNSServers)
	}
	return u
}

func (r *rig) serveDNS(router *miftest.Router, at netip.Addr, zone miftest.Zone) *miftest.DNSServer {
	r.t.Helper()
	s, err := router.DNS(netip.AddrPortFrom(at, 53), zone)
	if err != nil {
		r.t.Fatal(err)
	}
	return s
}

// await waits until a domain is there and knows an item.
func (r *rig) await(domain string, item mif.Item) {
	r.t.Helper()
	r.until("domain "+domain, func() bool {
		for d := range r.host.Snapshot().Domains() {
			if d.ID().String() == domain && d.Data(pvd.ElementAny, item) != nil {
				return true
			}
		}
		return false
	})
}

// until waits for a condition.
func (r *rig) until(what string, holds func() bool) {
	r.t.Helper()
	tick, late := time.NewTicker(time.Millisecond), time.After(10*time.Second)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-late:
			r.t.Fatalf("waited in vain for %s", what)
		}
	}
}

// serve makes addresses of an uplink accept connections on port 80.
func (u *uplink) serve(addrs ...string) {
	u.rig.t.Helper()
	for _, a := range addrs {
		if _, err := u.ServeLine(netip.AddrPortFrom(netip.MustParseAddr(a), 80), u.name, 0); err != nil {
			u.rig.t.Fatal(err)
		}
	}
}

// silence makes addresses swallow what they are sent.
func (u *uplink) silence(addrs ...string) {
	u.rig.t.Helper()
	for _, a := range addrs {
		if err := u.Silent(netip.MustParseAddr(a)); err != nil {
			u.rig.t.Fatal(err)
		}
	}
}

// name is what a zone has under a name.
func name(addrs ...string) miftest.Name {
	var n miftest.Name
	for _, a := range addrs {
		n.Addresses = append(n.Addresses, netip.MustParseAddr(a))
	}
	return n
}

// A log records a race for tests.
type raceLog struct {
	mu      sync.Mutex
	lines   []string
	started []Attempt
	open    map[Attempt]int
	events  chan string // if not nil, gets every line
}

func (l *raceLog) add(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, line)
	if l.events != nil {
		l.events <- line
	}
}

func (l *raceLog) trace() *Trace {
	l.open = map[Attempt]int{}
	return &Trace{
		Joined: func(_ time.Time, d Domain) { l.add("join " + d.PvD.String()) },
		Left:   func(_ time.Time, d Domain) { l.add("left " + d.PvD.String()) },
		Asked:  func(_ time.Time, q Lookup) { l.add(fmt.Sprintf("ask %v %v", q.PvD, q.Family)) },
		Answered: func(_ time.Time, q Lookup, addrs []netip.Addr, err error) {
			l.add(fmt.Sprintf("answer %v %v %d", q.PvD, q.Family, len(addrs)))
		},
		Started: func(_ time.Time, a Attempt) {
			l.started = append(l.started, a)
			l.open[a]++
			l.add(fmt.Sprintf("try %v %v", a.PvD, a.To.Addr()))
		},
		Ended: func(_ time.Time, a Attempt, err error) {
			l.open[a]--
			l.add(fmt.Sprintf("end %v %v", a.PvD, a.To.Addr()))
		},
	}
}

// tries are the attempts of a race, as text, in order.
func (l *raceLog) tries() (all []string) {
	for _, a := range l.started {
		all = append(all, a.PvD.String()+" "+a.To.Addr().String())
	}
	return all
}

// An outcome is what came of a dial.
type outcome struct {
	took   time.Duration
	remote string // address connected to
	local  netip.Addr
	err    error
	log    *raceLog
}

// dial dials once and closes the connection.
func (r *rig) dial(d *Dialer, network, address string) outcome {
	r.t.Helper()
	ctx, stop := context.WithTimeout(r.t.Context(), 10*time.Second)
	defer stop()
	o := outcome{log: &raceLog{}}
	d.Host, d.Trace = r.host, o.log.trace()
	began := time.Now()
	conn, err := d.DialContext(ctx, network, address)
	o.took, o.err = time.Since(began), err
	if err == nil {
		o.remote = conn.RemoteAddr().(*net.TCPAddr).AddrPort().Addr().String()
		o.local = conn.LocalAddr().(*net.TCPAddr).AddrPort().Addr()
		conn.Close()
	} else if e := (*Error)(nil); !errors.As(err, &e) {
		r.t.Errorf("%s: error of type %T: %v", address, err, err)
	}
	for a, n := range o.log.open {
		if n != 0 {
			r.t.Errorf("%s: attempt %v is %d times open at the end", address, a, n)
		}
	}
	return o
}

// expect checks which address won and what was tried.
func (r *rig) expect(what string, o outcome, remote string, tries ...string) {
	r.t.Helper()
	if o.remote != remote || !slices.Equal(o.log.tries(), tries) {
		r.t.Errorf("%s: connected to %q, want %q; tried %q, want %q; %v", what, o.remote, remote, o.log.tries(), tries, o.err)
	}
}
