package interop

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// empty is an error unless the domain has nothing left.
func (d *domain) empty() error {
	if len(d.addresses) > 0 || len(d.elements) > 0 {
		return fmt.Errorf("the domain still has %v and %v", slices.Collect(maps.Keys(d.addresses)), slices.Collect(maps.Keys(d.elements)))
	}
	return nil
}

// take takes a line about what a domain has.
func (d *domain) take(l line) error {
	switch l.Message {
	case "AddressAnnouncement":
		return d.address(l)
	case "NoAddressAnnouncement":
		if _, ok := d.addresses[l.Address]; !ok {
			return errors.New("the address is not announced")
		}
		delete(d.addresses, l.Address)
		return nil
	case "ConfigurationElementAnnouncement":
		return d.element(l)
	}
	e := d.elements[l.Element]
	if e == nil {
		return errors.New("the element is not announced")
	}
	switch l.Message {
	case "NoConfigurationElementAnnouncement":
		delete(d.elements, l.Element)
	case "ConfigurationData":
		return e.data(l)
	case "NoConfigurationData":
		delete(e.items, l.Item)
	default:
		return fmt.Errorf("a message named %q", l.Message)
	}
	return nil
}

func (d *domain) address(l line) error {
	if l.Address == "" || l.Element == "" || l.Preferred == nil || l.Valid == nil {
		return errors.New("something of the address is missing")
	}
	if old, ok := d.addresses[l.Address]; ok && sameAddress(old, l) {
		return errors.New("the same was told before")
	}
	d.addresses[l.Address] = l
	return nil
}

func (d *domain) element(l line) error {
	if l.Element == "" {
		return errors.New("the element has no name")
	}
	e := d.elements[l.Element]
	if e == nil {
		e = &element{items: map[string]line{}}
		d.elements[l.Element] = e
	}
	e.line = l
	return nil
}

// data takes what an element says under an item.
func (e *element) data(l line) error {
	if l.Item == "" || len(l.Data) == 0 {
		return errors.New("data without an item or a value")
	}
	for _, d := range l.Data {
		if d.Element != l.Element || d.Source == "" || d.Expires == nil {
			return fmt.Errorf("datum %s: element %q, source %q", d.Value, d.Element, d.Source)
		}
	}
	e.items[l.Item] = l
	return nil
}

// sameAddress tells whether two announcements of an address say the same. The rounding of
// lifetimes to seconds makes no difference.
func sameAddress(a, b line) bool {
	if !sameEnd(a, b, a.Preferred, b.Preferred) || !sameEnd(a, b, a.Valid, b.Valid) {
		return false
	}
	a.Preferred, a.Valid = b.Preferred, b.Valid
	return same(a, b)
}

// sameEnd tells whether two lifetimes, told by two lines, end at the same time or have
// both ended.
func sameEnd(a, b line, x, y *lifetime) bool {
	switch {
	case x.forever || y.forever:
		return x.forever == y.forever
	case x.left == 0 && y.left == 0:
		return true
	}
	return x.end(a.Time).Sub(y.end(b.Time)).Abs() <= time.Second/2
}
