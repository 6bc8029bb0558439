package pvd

import (
	"fmt"
	"net/netip"
	"reflect"
)

// A model is what a subscriber to everything believes. It is kept apart from the
// code under test: from a Snapshot it takes only what can be read of one.
type model map[InterfaceID]*modelLink

type modelLink struct {
	iface   Interface
	domains map[ID]*modelDomain
}

type modelDomain struct {
	fqdn      string
	family    Family
	elements  map[ElementType]Configuration
	addresses map[netip.Prefix]Address
}

func modelOf(s *Snapshot) model {
	m := model{}
	for l := range s.Links() {
		link := &modelLink{iface: l.Interface(), domains: map[ID]*modelDomain{}}
		m[l.Interface().ID] = link
		for d := range l.Domains() {
			link.domains[d.ID()] = modelOfDomain(d)
		}
	}
	return m
}

func newModelDomain(d *Domain) *modelDomain {
	return &modelDomain{d.FQDN(), d.Family(), map[ElementType]Configuration{}, map[netip.Prefix]Address{}}
}

func modelOfDomain(d *Domain) *modelDomain {
	n := newModelDomain(d)
	for t := range d.Elements() {
		n.elements[t] = d.element(t).conf
	}
	for a := range d.Addresses() {
		n.addresses[a.Prefix] = a
	}
	return n
}

func (m model) equal(n model) bool { return reflect.DeepEqual(m, n) }

// play applies changes, and tells of the first that breaks a rule.
func (m model) play(changes []Change) error {
	seen := map[string]bool{}
	last, left := InterfaceID{}, map[InterfaceID]bool{}
	for _, c := range changes {
		if c.Interface == nil {
			return fmt.Errorf("%d without an interface", c.Kind)
		}
		what := fmt.Sprintf("%p %s", c.Interface.ID.iface, describe(c))
		if c.Domain != nil {
			what += fmt.Sprintf(" %p", c.Domain.id.domain)
		}
		if seen[what] {
			return fmt.Errorf("twice: %s", what)
		}
		seen[what] = true
		if id := c.Interface.ID; id != last {
			if left[id] {
				return fmt.Errorf("back to the interface: %s", what)
			}
			left[last], last = true, id
		}
		if err := m.apply(c); err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
	}
	return nil
}

func (m model) apply(c Change) error {
	l := m[c.Interface.ID]
	switch c.Kind {
	case NewInterface:
		if l == nil {
			m[c.Interface.ID] = &modelLink{iface: *c.Interface, domains: map[ID]*modelDomain{}}
		} else if reflect.DeepEqual(l.iface, *c.Interface) {
			return fmt.Errorf("no change")
		} else {
			l.iface = *c.Interface
		}
		return nil
	case NoInterface:
		if l == nil || len(l.domains) > 0 {
			return fmt.Errorf("interface is not there, or not empty")
		}
		delete(m, c.Interface.ID)
		return nil
	}
	if l == nil || c.Domain.Interface() != c.Interface.ID {
		return fmt.Errorf("domain without its interface")
	}
	return l.apply(c)
}

func (l *modelLink) apply(c Change) error {
	id := c.Domain.ID()
	d := l.domains[id]
	if d == nil && c.Kind != NewDomain {
		return fmt.Errorf("domain is not there")
	}
	switch c.Kind {
	case NewDomain:
		if d != nil && d.fqdn == c.Domain.FQDN() {
			return fmt.Errorf("no change")
		}
		if d == nil {
			l.domains[id] = newModelDomain(c.Domain)
		} else {
			d.fqdn = c.Domain.FQDN()
		}
	case NoDomain:
		if len(d.elements)+len(d.addresses) > 0 {
			return fmt.Errorf("domain is not empty")
		}
		delete(l.domains, id)
	default:
		return d.apply(c)
	}
	return nil
}

func (d *modelDomain) apply(c Change) error {
	conf, has := d.elements[c.Element]
	switch c.Kind {
	case NewElement:
		e := c.Domain.element(c.Element)
		if e == nil || has && reflect.DeepEqual(conf, e.conf) {
			return fmt.Errorf("no change")
		}
		d.elements[c.Element] = e.conf
	case NoElement:
		if !has {
			return fmt.Errorf("element is not there")
		}
		delete(d.elements, c.Element)
	case NewAddress:
		if a, ok := d.addresses[c.Address.Prefix]; ok && a == *c.Address {
			return fmt.Errorf("no change")
		}
		d.addresses[c.Address.Prefix] = *c.Address
	case NoAddress:
		if _, ok := d.addresses[c.Address.Prefix]; !ok {
			return fmt.Errorf("address is not there")
		}
		delete(d.addresses, c.Address.Prefix)
	default:
		return fmt.Errorf("unknown kind %d", c.Kind)
	}
	return nil
}

func describe(c Change) string {
	switch c.Kind {
	case NewInterface:
		return "interface " + c.Interface.Name
	case NoInterface:
		return "no interface " + c.Interface.Name
	case NewDomain:
		return "domain " + c.Domain.ID().String()
	case NoDomain:
		return "no domain " + c.Domain.ID().String()
	case NewElement:
		return "element " + c.Domain.ID().String() + " " + c.Element.String()
	case NoElement:
		return "no element " + c.Domain.ID().String() + " " + c.Element.String()
	case NewAddress:
		return "address " + c.Domain.ID().String() + " " + c.Address.Prefix.String()
	}
	return "no address " + c.Domain.ID().String() + " " + c.Address.Prefix.String()
}
