package main

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"

	"github.com/go-mif/mif"
	"github.com/go-mif/mif/pvd"
)

// A state is what there is at present, as far as it was announced.
type state map[mif.InterfaceID]*link

// A link is an interface with its domains, in the order in which they came.
type link struct {
	mif.InterfaceAnnouncement
	domains []*domain
}

// A domain is a provisioning domain with what it has.
type domain struct {
	mif.ProvisioningDomainAnnouncement
	addresses map[netip.Prefix]pvd.Address
	elements  map[mif.ElementType]map[mif.Item]mif.Data
}

// learn learns from an event. What is about nothing that was announced is passed over.
func (s state) learn(e mif.Event) {
	switch e := e.(type) {
	case mif.InterfaceAnnouncement:
		if s[e.Interface] == nil {
			s[e.Interface] = &link{}
		}
		s[e.Interface].InterfaceAnnouncement = e
	case mif.NoInterfaceAnnouncement:
		delete(s, e.Interface)
	case mif.ProvisioningDomainAnnouncement:
		s.add(e)
	case mif.NoProvisioningDomainAnnouncement:
		if l := s[e.Interface]; l != nil {
			l.domains = slices.DeleteFunc(l.domains, func(d *domain) bool { return d.PvD == e.PvD })
		}
	default:
		s.detail(e)
	}
}

func (s state) add(e mif.ProvisioningDomainAnnouncement) {
	l := s[e.Interface]
	if l == nil {
		return
	}
	if d := s.domain(e.PvD); d != nil {
		d.ProvisioningDomainAnnouncement = e
		return
	}
	l.domains = append(l.domains, &domain{e, map[netip.Prefix]pvd.Address{}, map[mif.ElementType]map[mif.Item]mif.Data{}})
}

// detail learns what a domain has.
func (s state) detail(e mif.Event) {
	switch e := e.(type) {
	case mif.AddressAnnouncement:
		if d := s.domain(e.PvD); d != nil {
			d.addresses[e.Prefix] = e.Address
		}
	case mif.NoAddressAnnouncement:
		if d := s.domain(e.PvD); d != nil {
			delete(d.addresses, e.Prefix)
		}
	case mif.ConfigurationElementAnnouncement:
		if d := s.domain(e.PvD); d != nil && d.elements[e.Element] == nil {
			d.elements[e.Element] = map[mif.Item]mif.Data{}
		}
	case mif.NoConfigurationElementAnnouncement:
		if d := s.domain(e.PvD); d != nil {
			delete(d.elements, e.Element)
		}
	case mif.ConfigurationData:
		if d := s.domain(e.PvD); d != nil && d.elements[e.Element] != nil {
			d.elements[e.Element][e.Item] = e.Data
		}
	case mif.NoConfigurationData:
		if d := s.domain(e.PvD); d != nil {
			delete(d.elements[e.Element], e.Item)
		}
	}
}

// domain returns a domain, nil if it is not there.
func (s state) domain(id mif.PvDID) *domain {
	if l := s[id.Interface()]; l != nil {
		for _, d := range l.domains {
			if d.PvD == id {
				return d
			}
		}
	}
	return nil
}

// links are the interfaces in the kernel's order.
func (s state) links() []*link {
	return slices.SortedFunc(maps.Values(s), func(a, b *link) int { return cmp.Compare(a.Index, b.Index) })
}

// kinds are the elements that the domain has, and those that gave it an address.
func (d *domain) kinds() []mif.ElementType {
	all := slices.Collect(maps.Keys(d.elements))
	for _, a := range d.addresses {
		all = append(all, a.Element)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// from are the addresses that an element gave, in order.
func (d *domain) from(t mif.ElementType) []pvd.Address {
	var all []pvd.Address
	for _, a := range d.addresses {
		if a.Element == t {
			all = append(all, a)
		}
	}
	slices.SortFunc(all, func(a, b pvd.Address) int { return a.Prefix.Compare(b.Prefix) })
	return all
}
