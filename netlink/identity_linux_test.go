package netlink

import (
	"testing"

	"github.com/vishvananda/netlink"

	"github.com/go-mif/mif/pvd"
)

// id is the identity under a name; the zero one if there is none.
func (p picture) id(name string) pvd.InterfaceID {
	if f := p.named(name); f != nil {
		return f.Interface.ID
	}
	return pvd.InterfaceID{}
}

func TestRename(t *testing.T) {
	c := newScene(t, "192.0.2.1/24")
	id := c.picture.id("d0")
	must(t, c.space.LinkSetName(c.link, "e0"))
	c.picture.until(t, c.Watcher, func() bool { return c.picture.id("e0").IsValid() })
	if c.picture.id("e0") != id || id.String() != "d0" {
		t.Error("a rename changed the identity")
	}
}

func TestMadeAnew(t *testing.T) {
	c := newScene(t, "192.0.2.1/24")
	id, index := c.picture.id("d0"), c.link.Attrs().Index
	must(t, c.space.LinkDel(c.link))
	must(t, c.space.LinkAdd(&netlink.Ifb{LinkAttrs: netlink.LinkAttrs{Name: "d0", Index: index}}))
	c.until(t, func() bool { return c.picture.id("d0").IsValid() && c.picture.id("d0") != id })
	if n := len(c.facts().Addresses) + len(c.facts().Routes); n != 0 {
		t.Errorf("the new interface inherited %+v", c.facts())
	}
}

func TestBridgeRelease(t *testing.T) {
	c := newScene(t, "192.0.2.1/24")
	id := c.picture.id("d0")
	must(t, c.space.LinkAdd(&netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: "b0"}}))
	must(t, c.space.LinkAdd(&netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "v0"}, PeerName: "v1"}))
	c.picture.until(t, c.Watcher, func() bool { return c.picture.id("v0").IsValid() && c.picture.id("b0").IsValid() })
	v := c.picture.id("v0")
	l, err := c.space.LinkByName("v0")
	must(t, err)
	b, err := c.space.LinkByName("b0")
	must(t, err)
	must(t, c.space.LinkSetMasterByIndex(l, b.Attrs().Index))
	must(t, c.space.LinkSetNoMaster(l))
	must(t, c.space.LinkSetMTU(l, 1400))
	c.until(t, func() bool { f := c.picture.named("v0"); return f != nil && f.Interface.MTU == 1400 })
	if c.picture.id("v0") != v || c.picture.id("d0") != id {
		t.Error("the release of a port changed an identity")
	}
}

func TestMoveAndBack(t *testing.T) {
	c := newScene(t, "192.0.2.1/24")
	away, id := newSpace(t), c.picture.id("d0")
	must(t, c.space.LinkAdd(&netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "v0"}, PeerName: "v1"}))
	c.picture.until(t, c.Watcher, func() bool { return c.picture.id("v0").IsValid() })
	v := c.picture.id("v0")
	l, err := c.space.LinkByName("v0")
	must(t, err)
	must(t, c.space.LinkSetNsFd(l, away.fd))
	must(t, away.LinkSetNsFd(l, c.space.fd))
	c.until(t, func() bool { return c.picture.id("v0").IsValid() && c.picture.id("v0") != v })
	if c.picture.id("d0") != id {
		t.Error("another interface changed its identity")
	}
}
