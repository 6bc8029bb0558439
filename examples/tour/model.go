package main

import (
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/go-mif/mif"
	"github.com/go-mif/mif/pvd"
)

// A model is what the application has learnt, for itself and for who draws it.
type model struct {
	interfaces map[mif.InterfaceID]mif.InterfaceAnnouncement
	domains    []*domain  // by number, from 1
	attempts   []*attempt // by ConnectionID, from 1
}

// A domain is a provisioning domain that was announced.
type domain struct {
	id        mif.PvDID
	number    int
	gone      bool
	addresses map[netip.Prefix]pvd.Address
	servers   map[mif.ElementType]pvd.DNSServers

	asked, translated bool
	found             []netip.Addr
	server            netip.AddrPort // that answered
}

// An attempt is a connection that was asked for.
type attempt struct {
	id       mif.ConnectionID
	domain   *domain
	to       netip.AddrPort
	began    time.Time
	took     time.Duration // until it was connected, or was not
	answered time.Duration // until its peer said something; 0: it did not
	conn     net.Conn
	err      error
}

func (t *attempt) over() bool { return t.conn != nil || t.err != nil }

// local is the address a connection comes from.
func (t *attempt) local() netip.AddrPort { return t.conn.LocalAddr().(*net.TCPAddr).AddrPort() }

// domain returns a domain, nil if it was not announced.
func (m *model) domain(id mif.PvDID) *domain {
	for _, d := range m.domains {
		if d.id == id {
			return d
		}
	}
	return nil
}

// add notes a domain, and tells whether it is new.
func (m *model) add(id mif.PvDID) bool {
	if m.domain(id) != nil {
		return false
	}
	m.domains = append(m.domains, &domain{
		id: id, number: len(m.domains) + 1,
		addresses: map[netip.Prefix]pvd.Address{}, servers: map[mif.ElementType]pvd.DNSServers{},
	})
	return true
}

// attempt returns what is known by a number that the application gave.
func (m *model) attempt(id mif.ConnectionID) *attempt { return m.attempts[id-1] }

// link is the present name of a domain's interface.
func (m *model) link(d *domain) string {
	if i, ok := m.interfaces[d.id.Interface()]; ok {
		return i.Name
	}
	return d.id.Interface().String()
}

func (d *domain) String() string { return fmt.Sprintf("PD %d", d.number) }

// known are the addresses of the domain's DNS servers, each once.
func (d *domain) known() []netip.AddrPort {
	var all []netip.AddrPort
	seen := map[netip.AddrPort]bool{}
	for _, element := range slices.Sorted(maps.Keys(d.servers)) {
		for _, s := range d.servers[element] {
			if !seen[s.Value] {
				seen[s.Value] = true
				all = append(all, s.Value)
			}
		}
	}
	return all
}

// sources are the addresses that a connection to an address can come from, as far as
// they were announced.
func (d *domain) sources(to netip.Addr) []netip.Addr {
	var all []netip.Addr
	for _, a := range d.addresses {
		from := a.Prefix.Addr()
		if from.Is4() == to.Is4() && a.Usable() && (!a.LinkLocal || to.IsLinkLocalUnicast()) {
			all = append(all, from)
		}
	}
	return all
}
