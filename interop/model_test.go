package interop

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"
)

// A model is what a reader of the stream believes. It is also the judge of the stream: a
// line that may not come now is an error (rules 1 to 3 and 9 of the design, which are
// §3.5.5, .9 and .12 of the draft).
type model struct {
	seq        uint64
	time       time.Time
	interfaces map[int]*iface
	refused    map[string]line // domains that a request came too late for
	born       map[int]int     // how often an interface of an index came
	died       map[string]int  // how often a domain went
}

type iface struct {
	line
	domains map[string]*domain
}

type domain struct {
	line
	elements  map[string]*element
	addresses map[string]line
}

type element struct {
	line
	items map[string]line
}

func newModel() *model {
	return &model{interfaces: map[int]*iface{}, refused: map[string]line{}, born: map[int]int{}, died: map[string]int{}}
}

// take plays one line onto the model.
func (m *model) take(l line) error {
	if l.Seq != m.seq+1 {
		return fmt.Errorf("seq %d after %d", l.Seq, m.seq)
	}
	if l.Time.Before(m.time) {
		return fmt.Errorf("time %v after %v", l.Time, m.time)
	}
	m.seq, m.time = l.Seq, l.Time
	switch l.Message {
	case "Synced":
		return m.listed(l)
	case "Rejected":
		return m.rejected(l)
	case "InterfaceAnnouncement":
		return m.announced(l)
	}
	i := m.interfaces[l.Interface]
	if i == nil {
		return errors.New("the interface is not announced")
	}
	if i.Name != l.Name && l.Message != "NoInterfaceAnnouncement" {
		return fmt.Errorf("the interface was named %s", i.Name)
	}
	return m.below(i, l)
}

// below takes a line about an interface that is there.
func (m *model) below(i *iface, l line) error {
	switch l.Message {
	case "NoInterfaceAnnouncement":
		if len(i.domains) > 0 {
			return fmt.Errorf("the interface still has %v", slices.Collect(maps.Keys(i.domains)))
		}
		delete(m.interfaces, l.Interface)
		return nil
	case "ProvisioningDomainAnnouncement":
		return i.announced(l)
	}
	d := i.domains[l.PvD]
	if d == nil {
		return errors.New("the domain is not announced")
	}
	if l.Message == "NoProvisioningDomainAnnouncement" {
		m.died[l.PvD]++
		delete(m.refused, l.PvD)
		delete(i.domains, l.PvD)
		return d.empty()
	}
	return d.take(l)
}

// announced takes the announcement of an interface.
func (m *model) announced(l line) error {
	if l.Interface <= 0 || l.Name == "" || l.Up == nil || l.Carrier == nil {
		return errors.New("something of the interface is missing")
	}
	i := m.interfaces[l.Interface]
	switch {
	case i == nil:
		m.born[l.Interface]++
		i = &iface{domains: map[string]*domain{}}
		m.interfaces[l.Interface] = i
	case same(i.line, l):
		return errors.New("the same was told before")
	}
	i.line = l
	return nil
}

// announced takes the announcement of a domain.
func (i *iface) announced(l line) error {
	if !*i.Up || !*i.Carrier {
		return errors.New("a domain on an interface that carries nothing")
	}
	if l.PvD == "" || l.Family == "" {
		return errors.New("something of the domain is missing")
	}
	if d := i.domains[l.PvD]; d != nil {
		return errors.New("the same was told before")
	}
	i.domains[l.PvD] = &domain{line: l, elements: map[string]*element{}, addresses: map[string]line{}}
	return nil
}

// rejected takes a refusal. A request can come too late for a domain that is gone; then
// that is told as well, sooner or later.
func (m *model) rejected(l line) error {
	if l.PvD == "" || l.Err != "mif: no such provisioning domain" {
		return fmt.Errorf("%s refused: %s", l.Request, l.Err)
	}
	if i := m.interfaces[l.Interface]; i != nil && i.domains[l.PvD] != nil {
		m.refused[l.PvD] = l
	}
	return nil
}

// listed takes the end of a first listing.
func (m *model) listed(l line) error {
	if l.PvD == "" {
		return nil
	}
	i := m.interfaces[l.Interface]
	if i == nil || i.domains[l.PvD] == nil {
		return errors.New("the domain is not announced")
	}
	if l.Request != "AnnounceAddresses" {
		return nil
	}
	for _, a := range i.domains[l.PvD].addresses {
		if a.usable() {
			return nil
		}
	}
	return errors.New("the domain has no usable address")
}

// same tells whether two announcements say the same, but for when.
func same(a, b line) bool {
	a.Seq, a.Time = b.Seq, b.Time
	return reflect.DeepEqual(a, b)
}
