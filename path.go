package mif

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"syscall"

	"github.com/go-mif/mif/pvd"
)

// paths are the connections that a subscriber got and has not closed.
type paths []*path

// A path is what a connection depends on: its address on its link.
type path struct {
	id    ConnectionID
	conn  net.Conn
	local netip.Addr
	pvd   PvDID
	link  *pvd.Link // as it was looked at last
	lost  bool
	close bool // the connection when it is lost
}

// newPath returns the path of a connection just handed over.
func newPath(t *task, conn net.Conn) *path {
	p := &path{id: t.connection, conn: conn, pvd: t.pvd, close: t.close}
	if a, ok := conn.LocalAddr().(*net.TCPAddr); ok {
		p.local = a.AddrPort().Addr().Unmap().WithZone("")
	}
	return p
}

// add adds a path. Those of connections closed meanwhile make room for it.
func (ps *paths) add(p *path) {
	if len(*ps) == cap(*ps) {
		*ps = slices.DeleteFunc(*ps, func(p *path) bool { return isClosed(p.conn) })
	}
	*ps = append(*ps, p)
}

// update tells which paths were lost or restored by now. The kernel does not: a
// connection whose address, link or network is gone just stays silent.
func (ps *paths) update(now *pvd.Snapshot, tell func(Event)) {
	*ps = slices.DeleteFunc(*ps, func(p *path) bool {
		l := now.Link(p.pvd.Interface())
		if l != nil && l == p.link {
			return false
		}
		p.link = l
		if isClosed(p.conn) {
			return true
		}
		p.look(l, tell)
		return l == nil || p.lost && p.close
	})
}

// look tells whether a path was lost or restored.
func (p *path) look(l *pvd.Link, tell func(Event)) {
	err := p.missing(l)
	switch {
	case err != nil && !p.lost:
		p.lost = true
		if p.close {
			p.conn.Close()
		}
		tell(PathLost{p.id, err})
	case err == nil && p.lost:
		p.lost = false
		tell(PathRestored{p.id})
	}
}

// missing is what a path lacks, nil if nothing: its link, its address, or its domain.
// A domain of the same name that comes later will do as well.
func (p *path) missing(l *pvd.Link) error {
	if l == nil {
		return unknownInterface(p.pvd.Interface())
	}
	elsewhere := false
	for d := range l.Domains() {
		switch has := p.has(d); {
		case has && (d.ID() == p.pvd || p.lost && d.ID().String() == p.pvd.String()):
			p.pvd = d.ID()
			return nil
		case has:
			elsewhere = true
		}
	}
	if i := l.Interface(); !i.Up || !i.Carrier {
		return fmt.Errorf("mif: %v: %w", i.ID, syscall.ENETDOWN)
	}
	if elsewhere {
		return unknownPvD(p.pvd)
	}
	return fmt.Errorf("mif: %v: address %v: %w", p.pvd, p.local, syscall.EADDRNOTAVAIL)
}

// has tells whether a connection can come from the path's address in a domain.
func (p *path) has(d *pvd.Domain) bool {
	for a := range d.Addresses() {
		if a.Prefix.Addr() == p.local && a.Usable() {
			return true
		}
	}
	return false
}

// isClosed tells whether a connection was closed on this side.
func isClosed(conn net.Conn) bool {
	c, ok := conn.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := c.SyscallConn()
	return err != nil || raw.Control(func(uintptr) {}) != nil
}
