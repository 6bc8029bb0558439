package dhcp

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/go-mif/mif/miftest"
	"github.com/go-mif/mif/netlink"
	"github.com/go-mif/mif/pvd"
)

// A lab is a host with a router that serves both protocols, and an asker there.
type lab struct {
	*testing.T
	*miftest.Net
	router *miftest.Router
	asker  *Asker
}

func newLab(t *testing.T) *lab {
	n := miftest.New(t)
	l := &lab{T: t, Net: n}
	l.router = n.Router(t, miftest.RouterConfig{
		Interface: "eth0", IPv4: netip.MustParsePrefix("192.0.2.1/24"), RA: miftest.NewRA(netip.MustParsePrefix("2001:db8:1::/64")),
		DHCP: &miftest.DHCP{DNS: []netip.Addr{netip.MustParseAddr("192.0.2.53")}}, DHCPv6: &miftest.DHCPv6{DNS: []netip.Addr{netip.MustParseAddr("2001:db8::53")}},
	})
	a, err := Open(&Config{NetNS: n.Host().NetNS()})
	l.must(err)
	l.asker = a
	t.Cleanup(func() { l.must(a.Close()) })
	return l
}

func (l *lab) must(err error) {
	l.Helper()
	if err != nil {
		l.Fatal(err)
	}
}

// questions are those about the host's addresses, as many as are wanted.
func (l *lab) questions(want int) (all []Question) {
	l.Helper()
	w, err := netlink.Open(&netlink.Config{NetNS: l.Host().NetNS()})
	l.must(err)
	defer w.Close()
	snapshot := &pvd.Snapshot{}
	for deadline := time.Now().Add(20 * time.Second); len(all) != want; {
		changes, err := w.Receive(deadline)
		l.must(err)
		if time.Now().After(deadline) {
			l.Fatalf("the host has %v", all)
		}
		snapshot = pvd.Build(snapshot, changes.Links, changes.Gone, pvd.Options{}, time.Now())
		all = nil
		for link := range snapshot.Links() {
			for d := range link.Domains() {
				for a := range d.Addresses() {
					if ip := a.Prefix.Addr(); ip.Is4() || ip.IsLinkLocalUnicast() {
						all = append(all, Question{PvD: d.ID(), From: ip, HardwareAddr: [6]byte(link.Interface().HardwareAddr), MTU: 1500})
					}
				}
			}
		}
	}
	return all
}

// until receives until there are so many answers.
func (l *lab) until(count int) []Answer {
	l.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	for {
		got, err := l.asker.Receive(ctx)
		l.must(err)
		if len(got) == count {
			return got
		}
	}
}

// Real servers are asked by a real socket, and answer.
func TestServers(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.must(l.Host().AddAddress("eth0", netip.MustParsePrefix("192.0.2.7/24")))
	l.asker.Ask(l.questions(2))
	for _, a := range l.until(2) {
		for _, d := range a.Configuration.DNSServers {
			want := "192.0.2.53 from DHCPv4 192.0.2.1"
			if d.Element == pvd.ElementDHCPv6 {
				want = "2001:db8::53 from DHCPv6 " + l.router.LinkLocal().String()
			}
			if got := d.Value.Addr().String() + " from " + d.Source; got != want {
				t.Errorf("%s, want %s", got, want)
			}
		}
	}
	if got := l.bound(); got != "88b5" {
		t.Errorf("answered, and it hears frames of type %s", got)
	}
	l.must(l.router.SetDHCP(nil))
	l.asker.Ask(nil)
	l.until(0)
	l.asker.Ask(l.questions(2)[:1])
	var running sync.WaitGroup
	ctx, cancel := context.WithCancel(context.Background())
	running.Go(func() { l.asker.Receive(ctx) })
	for deadline := time.Now().Add(20 * time.Second); l.bound() != "0003"; {
		if time.Now().After(deadline) {
			t.Fatal("it asked, and does not hear")
		}
	}
	cancel()
	running.Wait()
}

// bound is the type of frames that the host's packet socket hears, in hexadecimal.
func (l *lab) bound() (types string) {
	l.Helper()
	l.must(l.Host().Do(func() error {
		b, err := os.ReadFile("/proc/thread-self/net/packet")
		if lines := strings.Split(strings.TrimSpace(string(b)), "\n"); err == nil && len(lines) == 2 {
			types = strings.Fields(lines[1])[3]
		}
		return err
	}))
	return types
}

// A client that hears at the client's port has all its renewals answered while servers
// are asked as often as it goes.
func TestBesideClient(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	lease, err := l.Host().DHCPClient("eth0")
	l.must(err)
	q := l.questions(2)
	ended := make(chan error, 1)
	const renewals = 300
	go func() {
		for range renewals {
			if err := lease.Renew(); err != nil {
				ended <- err
				return
			}
		}
		ended <- nil
	}()
	answers := 0
	for {
		select {
		case err := <-ended:
			if err != nil || answers == 0 {
				t.Errorf("renewal beside %d answers: %v", answers, err)
			}
			return
		default:
		}
		l.asker.Ask(q)
		l.until(2)
		answers++
		l.asker.Ask(nil)
		l.until(0)
	}
}

// Of what passes, a socket hears what is for a client of this host, and nothing that
// it sends itself.
func TestFilter(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.must(l.Host().AddAddress("eth0", netip.MustParsePrefix("192.0.2.7/24")))
	own6 := l.questions(2)[1].From
	if own6.Is4() {
		own6 = l.questions(2)[0].From
	}
	s, err := openSocket(l.Host().NetNS())
	l.must(err)
	defer s.close()
	l.must(s.listen(true))
	l.must(s.setDeadline(time.Now().Add(20 * time.Second)))
	index, err := l.Host().Index("eth0")
	l.must(err)
	l.send(l.Host().Do, "192.0.2.1", 68, "its own") // and the far end's port
	for _, port := range []int{67, 69, 546} {
		l.send(l.router.Do, "192.0.2.7", port, "another port")
	}
	l.send(l.router.Do, "192.0.2.7", 68, strings.Repeat("fragments", 300))
	l.send(l.router.Do, own6.String()+"%lan", 68, "another port")
	l.send(l.router.Do, "192.0.2.7", 68, "four")
	l.send(l.router.Do, own6.String()+"%lan", 546, "six")
	l.send(l.router.Do, "192.0.2.7", 68, strings.Repeat("long", 350))
	for _, want := range []string{"four", "six", strings.Repeat("long", 350)} {
		at, d, err := s.receive()
		if err != nil || at != index || string(d.payload) != want {
			t.Errorf("by %d %q, %v, want by %d %q", at, d.payload, err, index, want)
		}
	}
}

// send sends a datagram from a namespace.
func (l *lab) send(in func(func() error) error, to string, port int, text string) {
	l.Helper()
	l.must(in(func() error {
		c, err := net.Dial("udp", net.JoinHostPort(to, strconv.Itoa(port)))
		if err != nil {
			return err
		}
		defer c.Close()
		if _, err = c.Write([]byte(text)); err != nil && !errors.Is(err, syscall.ECONNREFUSED) { // it tells of an earlier one
			return err
		}
		return nil
	}))
}

// Without the privilege there is an error that says so.
func TestOpenUnprivileged(t *testing.T) {
	const inside = "DHCP_TEST_UNPRIVILEGED"
	if os.Getenv(inside) != "" {
		if _, err := Open(nil); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("%v, want %v", err, fs.ErrPermission)
		}
		return
	}
	n := miftest.New(t)
	c := n.Host().Command("/proc/self/exe", "-test.run=^TestOpenUnprivileged$", "-test.v")
	c.Env, c.Unprivileged = append(os.Environ(), inside+"=1"), true
	if out, err := c.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS") {
		t.Errorf("%v\n%s", err, out)
	}
}
