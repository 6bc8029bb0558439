package netlink

import (
	"errors"
	"net"
	"testing"
	"time"

	"github.com/go-mif/mif/pvd"
	"github.com/vishvananda/netlink"
)

// patience is a safety net: no test waits for it.
const patience = 20 * time.Second

// A picture is what a consumer of Changes knows.
type picture map[pvd.InterfaceID]*pvd.Facts

func (p picture) apply(c Changes) {
	for _, id := range c.Gone {
		delete(p, id)
	}
	for _, f := range c.Links {
		p[f.Interface.ID] = f
	}
}

func (p picture) named(name string) *pvd.Facts {
	for _, f := range p {
		if f.Interface.Name == name {
			return f
		}
	}
	return nil
}

// until receives until the picture is as wanted.
func (p picture) until(t *testing.T, w *Watcher, is func() bool) {
	t.Helper()
	end := time.Now().Add(patience)
	for !is() {
		c, err := w.Receive(end)
		must(t, err)
		if p.apply(c); time.Now().After(end) {
			for _, f := range p {
				t.Logf("%+v", *f)
			}
			t.Fatal("never came true")
		}
	}
}

func isolated(t testing.TB, s *space, name string) netlink.Link {
	t.Helper()
	must(t, s.LinkAdd(&netlink.Ifb{LinkAttrs: netlink.LinkAttrs{Name: name}}))
	l, err := s.LinkByName(name)
	must(t, err)
	must(t, s.LinkSetUp(l))
	return l
}

func addr(t testing.TB, s string) *netlink.Addr {
	t.Helper()
	a, err := netlink.ParseAddr(s)
	must(t, err)
	return a
}

func TestFirstReceive(t *testing.T) {
	s := newSpace(t)
	l := isolated(t, s, "d0")
	must(t, s.AddrAdd(l, addr(t, "192.0.2.1/24")))
	w := s.watch(t, nil)
	c, err := w.Receive(time.Time{})
	must(t, err)
	p := picture{}
	p.apply(c)
	f := p.named("d0")
	if f == nil || f.Interface.Kind != "ifb" || !f.Interface.Up || !f.Interface.Carrier || f.Interface.MTU != 1500 {
		t.Fatalf("%+v", f)
	}
	if len(f.Addresses) == 0 || f.Addresses[0].Prefix.String() != "192.0.2.1/24" {
		t.Fatalf("%+v", f.Addresses)
	}
	if len(f.Routes) == 0 || f.Routes[0].Destination.String() != "192.0.2.0/24" {
		t.Fatalf("%+v", f.Routes)
	}
	if lo := p.named("lo"); lo == nil || lo.Interface.Flags&net.FlagLoopback == 0 {
		t.Fatalf("%+v", lo)
	}
}

func TestReceiveFollows(t *testing.T) {
	s := newSpace(t)
	w := s.watch(t, nil)
	p := picture{}
	c, err := w.Receive(time.Time{})
	must(t, err)
	p.apply(c)
	l := isolated(t, s, "d0")
	must(t, s.AddrAdd(l, addr(t, "192.0.2.1/24")))
	p.until(t, w, func() bool { f := p.named("d0"); return f != nil && len(f.Addresses) == 2 && len(f.Routes) == 1 })
	must(t, s.AddrDel(l, addr(t, "192.0.2.1/24")))
	p.until(t, w, func() bool { f := p.named("d0"); return len(f.Addresses) == 1 && len(f.Routes) == 0 })
	must(t, s.LinkDel(l))
	p.until(t, w, func() bool { return p.named("d0") == nil })
}

func TestReceiveUntil(t *testing.T) {
	w := newSpace(t).watch(t, nil)
	for range 2 {
		c, err := w.Receive(time.Now().Add(10 * time.Millisecond))
		must(t, err)
		_ = c
	}
	c, err := w.Receive(time.Unix(1, 0))
	if must(t, err); c.any() {
		t.Fatalf("%+v", c)
	}
}

func TestClose(t *testing.T) {
	w := newSpace(t).watch(t, nil)
	done := make(chan error)
	go func() {
		for {
			if _, err := w.Receive(time.Time{}); err != nil {
				done <- err
				return
			}
		}
	}()
	must(t, w.Close())
	must(t, w.Close())
	if err := <-done; !errors.Is(err, net.ErrClosed) {
		t.Fatal(err)
	}
	if _, err := w.Receive(time.Time{}); !errors.Is(err, net.ErrClosed) {
		t.Fatal(err)
	}
}
