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
	iface InterfaceID
	link  *pvd.Link // as it was looked at last
	lost  bool
	close bool // the connection when it is lost
}

// newPath returns the path of a connection just handed over.
func newPath(t *task, conn net.Conn) *path {
	p := &path{id: t.connection, conn: conn, iface: t.pvd.Interface(), close: t.close}
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
		l := now.Link(p.iface)
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

// missing is what a path lacks, nil if nothing.
func (p *path) missing(l *pvd.Link) error {
	if l == nil {
		return unknownInterface(p.iface)
	}
	for d := range l.Domains() {
		for a := range d.Addresses() {
			if a.Prefix.Addr() == p.local && a.Usable() {
				return nil
			}
		}
	}
	if i := l.Interface(); !i.Up || !i.Carrier {
		return fmt.Errorf("mif: %v: %w", p.iface, syscall.ENETDOWN)
	}
	return fmt.Errorf("mif: %v: address %v: %w", p.iface, p.local, syscall.EADDRNOTAVAIL)
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
