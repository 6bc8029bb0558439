package netlink

import (
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/net/ipv6"
	"golang.org/x/sys/unix"

	"github.com/go-mif/mif/pvd"
)

// send sends an advertisement with a hop limit and a source of the test's choice.
func (c *cable) send(t *testing.T, hopLimit int, source netip.Addr, b []byte) {
	t.Helper()
	m := &ipv6.ControlMessage{HopLimit: hopLimit, IfIndex: c.far.Attrs().Index, Src: source.AsSlice()}
	to := &net.IPAddr{IP: net.IPv6linklocalallnodes, Zone: strconv.Itoa(c.far.Attrs().Index)}
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	_, err := c.conn.WriteTo(b, m, to)
	for deadline := time.Now().Add(30 * time.Second); errors.Is(err, unix.EINVAL) && time.Now().Before(deadline); {
		<-tick.C // others have filled the table of neighbours, which all namespaces share
		_, err = c.conn.WriteTo(b, m, to)
	}
	must(t, err)
}

// heard waits for an advertisement to be known that was sent after all others.
func (c *cable) heard(t *testing.T, last string) []pvd.RA {
	t.Helper()
	c.send(t, 255, c.router, raBytes(0, 0, pvdOption(0, 0, last, servers(1000, "2001:db8::1"))))
	var all []pvd.RA
	c.picture.until(t, c.Watcher, func() bool {
		all = all[:0]
		found := false
		for _, r := range c.facts().RAs {
			if r.FQDN == last {
				found = true
			} else {
				all = append(all, r)
			}
		}
		return found
	})
	return all
}

// TestHearsWhole: what the kernel does not pass on is known.
func TestHearsWhole(t *testing.T) {
	c := newCable(t)
	must(t, c.Advertisements())
	c.send(t, 255, c.router, raBytes(0x88, 1800, rio(60, 8, 900, addr16("2001:db8:0:fff0::")[:8]...), option(optDNR, append([]byte{0, 1}, append(seconds(600), "\x00\x05\x03dns\x00\x00\x00"...)...)...)))
	c.send(t, 255, c.router, raBytes(0x40, 0, pvdOption(0xe000, 7, "corp.example", raBytes(0, 900), servers(300, "2001:db8::53"))))
	c.picture.until(t, c.Watcher, func() bool { return len(c.facts().RAs) == 2 })
	plain, named := c.facts().RAs[0], c.facts().RAs[1]
	if d := plain.Configuration; !plain.Managed || plain.Router != c.router || len(d.Routers) != 1 || d.Routers[0].Value.Preference != 1 ||
		len(d.Routes) != 1 || len(d.EncryptedResolvers) != 1 {
		t.Errorf("%+v", plain)
	}
	if d := named.Configuration; named.FQDN != "corp.example" || len(d.PvDOption) != 1 || d.PvDOption[0].Value.Sequence != 7 || len(d.Routers) != 1 || len(d.DNSServers) != 1 {
		t.Errorf("%+v", named)
	}
}

// TestHearsWhereTheKernelDoesNot: managers set accept_ra to 0 and do its work themselves.
func TestHearsWhereTheKernelDoesNot(t *testing.T) {
	c := newCable(t)
	c.space.sysctl(t, "ipv6/conf/v0/accept_ra", "0")
	c.send(t, 255, c.router, raBytes(0, 1800, servers(300, "2001:db8::53")))
	if ra := c.heard(t, "last.example"); len(ra) != 1 || len(ra[0].Configuration.DNSServers) != 1 {
		t.Errorf("%+v", ra)
	}
}

// TestDiscards: what RFC 4861 section 6.1.2 discards changes nothing.
func TestDiscards(t *testing.T) {
	c := newCable(t)
	global := netip.MustParseAddr("2001:db8:ff::1")
	far, err := netlink.ParseAddr(global.String() + "/64")
	must(t, err)
	far.Flags = unix.IFA_F_NODAD
	must(t, c.remote.AddrAdd(c.far, far))
	b := raBytes(0, 1800, servers(300, "2001:db8::53"))
	c.send(t, 64, c.router, b)
	c.send(t, 255, global, b)
	for n := range b {
		if n != raHeaderLen && n >= 8 { // the socket does not send less than a header
			c.send(t, 255, c.router, b[:n])
		}
	}
	if ra := c.heard(t, "last.example"); len(ra) != 0 {
		t.Errorf("%+v", ra)
	}
}

// TestDiscardsFragments: an advertisement in fragments changes nothing, be there two or
// only one (RFC 6980 section 5).
func TestDiscardsFragments(t *testing.T) {
	c := newCable(t)
	b := c.summed(raBytes(0, 1800, servers(300, "2001:db8::53")))
	const more = 1
	fragment := func(offset, flags uint16, id byte, part []byte) {
		head := []byte{unix.IPPROTO_ICMPV6, 0, byte((offset | flags) >> 8), byte(offset | flags), 0, 0, 0, id}
		c.injectPacket(t, unix.IPPROTO_FRAGMENT, append(head, part...))
	}
	fragment(0, 0, 1, b)
	fragment(0, more, 2, b[:16])
	fragment(16, 0, 2, b[16:])
	if ra := c.heard(t, "last.example"); len(ra) != 0 {
		t.Errorf("%+v", ra)
	}
	c.inject(t, b)
	c.picture.until(t, c.Watcher, func() bool { return len(c.facts().RAs) == 2 })
}

// TestDiscardsBadChecksum: the kernel sees to that.
func TestDiscardsBadChecksum(t *testing.T) {
	c := newCable(t)
	b := c.summed(raBytes(0, 1800, servers(300, "2001:db8::53")))
	b[3]++
	c.injectPacket(t, unix.IPPROTO_ICMPV6, b)
	if ra := c.heard(t, "last.example"); len(ra) != 0 {
		t.Errorf("%+v", ra)
	}
}

// TestSolicits: when a link comes up its routers are asked, and not by the kernel, until
// one answers.
func TestSolicits(t *testing.T) {
	c := newCableTo(t, &Config{Solicit: true})
	c.remote.do(t, func() error {
		return c.conn.JoinGroup(&net.Interface{Index: c.far.Attrs().Index}, &net.UDPAddr{IP: net.ParseIP("ff02::2")})
	})
	near, err := c.space.LinkByName("v0")
	must(t, err)
	must(t, c.space.LinkSetDown(near))
	c.picture.until(t, c.Watcher, func() bool { return !c.facts().Interface.Up })
	must(t, c.space.LinkSetUp(near))
	asked := make(chan netip.Addr, 2)
	go c.solicitations(asked)
	c.picture.until(t, c.Watcher, func() bool { return len(asked) == 2 })
	if from := <-asked; !from.IsLinkLocalUnicast() {
		t.Errorf("asked from %v", from)
	}
	if c.asking.next.IsZero() {
		t.Error("nobody is asked any more, though nobody has answered")
	}
	c.send(t, 255, c.router, raBytes(0, 1800))
	c.picture.until(t, c.Watcher, func() bool { return len(c.facts().RAs) == 1 })
	if one := c.asking.links[int32(c.facts().Interface.Index)]; one == nil || !one.at.IsZero() {
		t.Errorf("asked after the answer: %+v", one)
	}
}

// solicitations hears them on the router's side.
func (c *cable) solicitations(asked chan<- netip.Addr) {
	for b := make([]byte, 1500); len(asked) < cap(asked); {
		n, _, from, err := c.conn.ReadFrom(b)
		if err != nil {
			return
		}
		if n >= 8 && b[0] == 133 {
			a, _ := netip.AddrFromSlice(from.(*net.IPAddr).IP)
			asked <- a
			c.Interrupt()
		}
	}
}

// TestWithoutPrivilege: that advertisements are not heard is told, and said once.
func TestWithoutPrivilege(t *testing.T) {
	s := newSpace(t)
	var log strings.Builder
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // the thread has lost its privileges, and ends with this
		done <- func() error {
			if err := unix.Setns(s.fd, unix.CLONE_NEWNET); err != nil {
				return err
			}
			head, none := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}, [2]unix.CapUserData{}
			if err := unix.Capset(&head, &none[0]); err != nil {
				return err
			}
			w, err := Open(&Config{Log: slog.New(slog.NewTextHandler(&log, nil))})
			if err != nil {
				return err
			}
			defer w.Close()
			if !errors.Is(w.Advertisements(), unix.EPERM) {
				t.Errorf("advertisements: %v", w.Advertisements())
			}
			_, err = w.Receive(time.Time{})
			return err
		}()
	}()
	must(t, <-done)
	if n := strings.Count(log.String(), "advertisements"); n != 1 {
		t.Errorf("it was said %d times: %s", n, log.String())
	}
}
