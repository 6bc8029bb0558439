package connect

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

var tableFlag = flag.Bool("table", false, "measure what becomes of each recipe in each situation")

// A scene is a situation made real: a connection wanted of a domain of a host.
type scene struct {
	host   *node
	link   string // to leave by
	d      *Dialer
	from   netip.Addr
	to     netip.AddrPort
	watch  map[string]*capture // what each link or router sees
	answer string              // who is right to answer
}

// A recipe is a way to make it.
type recipe struct {
	name string
	dial func(s *scene, ctx context.Context) (net.Conn, error)
}

var recipes = []recipe{
	{"this package", func(s *scene, ctx context.Context) (net.Conn, error) { return s.d.Dial(ctx, "tcp", s.to) }},
	{"source only", func(s *scene, ctx context.Context) (net.Conn, error) { return s.plain(ctx, true, false) }},
	{"device only", func(s *scene, ctx context.Context) (net.Conn, error) { return s.plain(ctx, false, true) }},
	{"both, no check", func(s *scene, ctx context.Context) (net.Conn, error) { return s.plain(ctx, true, true) }},
}

func (s *scene) plain(ctx context.Context, source, device bool) (net.Conn, error) {
	var nd net.Dialer
	if source {
		nd.LocalAddr = &net.TCPAddr{IP: s.from.AsSlice()}
	}
	if device {
		nd.Control = func(_, _ string, c syscall.RawConn) (err error) {
			e := c.Control(func(fd uintptr) { err = unix.BindToDevice(int(fd), s.link) })
			return errors.Join(e, err)
		}
	}
	return nd.DialContext(ctx, "tcp", s.to.String())
}

// patience is how long a dial may keep silent.
const patience = 4 * time.Second

// A played scene is what was seen, in a few words, and how long it took.
type played struct {
	seen string
	took time.Duration
}

func (p played) String() string {
	if p.took >= patience {
		return p.seen + ", > 4 s"
	}
	return fmt.Sprintf("%s, %.1f ms", p.seen, float64(p.took.Microseconds())/1000)
}

// playThrice is the median of three; one that is slow is slow enough once.
func (x situation) playThrice(t *testing.T, v6 bool, r recipe) string {
	var all []played
	for range 3 {
		all = append(all, x.make(t, v6).play(r))
		if all[0].took > time.Second {
			return all[0].String()
		}
	}
	slices.SortFunc(all, func(a, b played) int { return cmp.Compare(a.took, b.took) })
	return all[1].String()
}

// play makes the connection.
func (s *scene) play(r recipe) played {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var conn net.Conn
	var err error
	var took time.Duration
	s.host.do(func() {
		start := time.Now()
		conn, err = r.dial(s, ctx)
		took = time.Since(start)
	})
	end := reasonIn(err)
	if err == nil {
		who, _ := whoIsThere(conn)
		conn.Close()
		if end = "connected"; who != s.answer {
			end = "**connected to the wrong network**"
		}
	}
	return played{s.carriers() + ": " + end, took}
}

// carriers tells who saw the packets, or that somebody was asked for on the link who
// is not there.
func (s *scene) carriers() string {
	var seen []string
	for name, c := range s.watch {
		packets, asked := 0, 0
		for _, f := range c.frames() {
			switch {
			case f.dst == s.to.Addr() && f.what == "ip":
				packets++
			case f.dst == s.to.Addr():
				asked++
			}
		}
		switch {
		case packets > 0:
			seen = append(seen, name)
		case asked > 0:
			seen = append(seen, "neighbour search on "+name)
		}
	}
	if len(seen) == 0 {
		return "nothing sent"
	}
	slices.Sort(seen)
	return strings.Join(seen, " and ")
}

func reasonIn(err error) string {
	for _, sentinel := range []error{ErrNoRoute, ErrNoSource, ErrForeignNextHop, ErrRepliesDropped} {
		if errors.Is(err, sentinel) {
			return sentinel.Error()
		}
	}
	var timeout net.Error
	var errno syscall.Errno
	switch {
	case errors.As(err, &timeout) && timeout.Timeout():
		return "silence"
	case errors.As(err, &errno):
		return unix.ErrnoName(errno)
	case err == nil:
		return ""
	}
	return err.Error()
}

type situation struct {
	name string
	only int // 4 or 6: there is no such thing in the other family
	make func(t *testing.T, v6 bool) *scene
}

func family(v6 bool, four, six string) string {
	if v6 {
		return six
	}
	return four
}

// onUplinks is the scene of a far server by up2.
func onUplinks(t *testing.T, v6 bool, u *uplinks) *scene {
	s := &scene{host: u.host, link: "up2", answer: "r2", d: fixed(domain2(u.host.index("up2")))}
	s.from = netip.MustParseAddr(family(v6, "10.2.0.2", "2001:db8:2::2"))
	s.to = netip.MustParseAddrPort(family(v6, far4+":80", "["+far6+"]:80"))
	s.watch = map[string]*capture{"up1": u.host.capture("up1"), "up2": u.host.capture("up2")}
	return s
}

var situations = []situation{
	{"both uplinks work", 0, func(t *testing.T, v6 bool) *scene { return onUplinks(t, v6, distinct(t)) }},
	{"no route by the uplink", 0, func(t *testing.T, v6 bool) *scene {
		u, _ := oneUplink(t)
		u.r1.addr("dn", "10.1.0.1/24", "2001:db8:1::1/64")
		u.host.route("0.0.0.0/0", "10.1.0.1", "up1")
		u.host.route("::/0", "2001:db8:1::1", "up1")
		return onUplinks(t, v6, u)
	}},
	{"the host forbids it", 0, func(t *testing.T, v6 bool) *scene {
		u := distinct(t)
		u.host.route("203.0.113.0/24", "", "", kind(unix.RTN_UNREACHABLE))
		u.host.route("2001:db8:ffff::/48", "", "", kind(unix.RTN_UNREACHABLE))
		return onUplinks(t, v6, u)
	}},
	{"the router says unreachable", 0, func(t *testing.T, v6 bool) *scene {
		u, _ := rejecting(t)
		s := onUplinks(t, v6, u)
		s.to = netip.MustParseAddrPort(family(v6, "198.51.100.1:80", "[2001:db8:f0::1]:80"))
		return s
	}},
	{"strict rp_filter", 4, func(t *testing.T, v6 bool) *scene {
		u := distinct(t)
		u.host.sysctl("net/ipv4/conf/all/rp_filter", "1")
		return onUplinks(t, v6, u)
	}},
	{"address still tentative", 6, func(t *testing.T, v6 bool) *scene {
		u := newUplinks(t)
		u.host.addr("up1", "2001:db8:1::2/64")
		for _, scope := range []string{"all", "up2"} {
			u.host.sysctl("net/ipv6/conf/"+scope+"/accept_dad", "1")
		}
		u.host.sysctl("net/ipv6/conf/up2/dad_transmits", "1000")
		u.host.must(u.host.h.AddrAdd(u.host.link("up2"), ipAddr("2001:db8:2::2/64")))
		u.r2.addr("dn", "2001:db8:2::1/64")
		u.host.route("::/0", "2001:db8:1::1", "up1", metric(100))
		u.host.route("::/0", "2001:db8:2::1", "up2", metric(200))
		return onUplinks(t, v6, u)
	}},
	{"address gone", 0, func(t *testing.T, v6 bool) *scene {
		u := distinct(t)
		u.host.addr("up2", "10.2.1.3/24", "2001:db8:2::3/64")
		s := onUplinks(t, v6, u)
		u.host.must(u.host.h.AddrDel(u.host.link("up2"), ipAddr(family(v6, "10.2.0.2/24", "2001:db8:2::2/64"))))
		return s
	}},
	{"no carrier", 0, func(t *testing.T, v6 bool) *scene {
		u := distinct(t)
		s := onUplinks(t, v6, u)
		delete(s.watch, "up2") // carries nothing, not even a capture's marker
		u.r2.down("dn")
		u.host.await("carrier lost", func() bool { return u.host.link("up2").Attrs().RawFlags&unix.IFF_RUNNING == 0 })
		return s
	}},
	{"same addresses on both links", 0, func(t *testing.T, v6 bool) *scene {
		u := newUplinks(t)
		u.host.addr("up1", "192.168.1.2/24", "fd00::2/64")
		u.host.addr("up2", "192.168.1.2/24", "fd00::2/64")
		for i, r := range []*node{u.r1, u.r2} {
			r.addr("dn", "192.168.1.1/24", "fd00::1/64")
			r.serve([]string{"r1", "r2"}[i], "192.168.1.1", "fd00::1")
		}
		s := onUplinks(t, v6, u)
		s.from = netip.MustParseAddr(family(v6, "192.168.1.2", "fd00::2"))
		s.to = netip.MustParseAddrPort(family(v6, "192.168.1.1:80", "[fd00::1]:80"))
		s.d = fixed(Domain{Name: "up2", Interface: u.host.index("up2"), Addresses: addresses("192.168.1.2/24 fd00::2/64")})
		return s
	}},
	{"second domain of one link", 0, func(t *testing.T, v6 bool) *scene { return newOneLink(t).scene(v6) }},
	{"the same, with an Installer", 0, func(t *testing.T, v6 bool) *scene {
		l := newOneLink(t)
		install(t, l.host.path(), domainsOf(t, l.d1, l.d2)...)
		return l.scene(v6)
	}},
}

// scene is that of a far server by the second domain. What the routers see is IP
// only: neighbour searches are for all on the link.
func (l *oneLink) scene(v6 bool) *scene {
	s := &scene{host: l.host, link: "lan", answer: "r2", d: l.d2}
	s.d.NetNS = ""
	s.from = netip.MustParseAddr(family(v6, "10.2.0.2", "2001:db8:2::2"))
	s.to = netip.MustParseAddrPort(family(v6, far4+":80", "["+far6+"]:80"))
	s.watch = map[string]*capture{"router 1": l.r1.capture("lan"), "router 2": l.r2.capture("lan")}
	return s
}

// TestTable prints what becomes of each recipe in each situation: who carried the
// packets, how it ended, and after what time.
func TestTable(t *testing.T) {
	if !*tableFlag {
		t.Skip("measures only with -table")
	}
	cells := make([][2][]string, len(situations))
	t.Run("situations", func(t *testing.T) {
		for i, x := range situations {
			t.Run(x.name, func(t *testing.T) {
				t.Parallel()
				for f := range 2 {
					for _, r := range recipes {
						if x.only == 0 || x.only == []int{4, 6}[f] {
							cells[i][f] = append(cells[i][f], x.playThrice(t, f == 1, r))
						}
					}
				}
			})
		}
	})
	fmt.Printf("\n| situation |")
	for _, r := range recipes {
		fmt.Printf(" %s |", r.name)
	}
	fmt.Printf("\n|---|%s\n", strings.Repeat("---|", len(recipes)))
	for i, x := range situations {
		for f, row := range cells[i] {
			if row != nil {
				fmt.Printf("| %s, IPv%d | %s |\n", x.name, []int{4, 6}[f], strings.Join(row, " | "))
			}
		}
	}
}
