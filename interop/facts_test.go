package interop

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Facts are sentences about a host. What the stream says, what the kernel says and what a
// test wants is compared fact by fact.
type facts map[string]bool

func (f facts) add(format string, args ...any) { f[fmt.Sprintf(format, args...)] = true }

// differ tells how two sets of facts differ; it is empty if they do not.
func differ(got, want facts) string {
	var all []string
	for s := range got {
		if !want[s] {
			all = append(all, "told, not so: "+s)
		}
	}
	for s := range want {
		if !got[s] {
			all = append(all, "so, not told: "+s)
		}
	}
	slices.Sort(all)
	if len(all) > 20 {
		all = append(all[:20], fmt.Sprintf("and %d more", len(all)-20))
	}
	return strings.Join(all, "\n")
}

func (f facts) addInterface(index int, name, hardware string, mtu int, up, carrier bool) {
	f.add("interface %d %s %s mtu %d up %v carrier %v", index, name, hardware, mtu, up, carrier)
}

func (f facts) addAddress(name, family, prefix string, deprecated bool) {
	state := "preferred"
	if deprecated {
		state = "deprecated"
	}
	f.add("address %s/%s %s %s", name, family, prefix, state)
}

// kernel are the facts that the kernel knows too.
func (m *model) kernel() facts {
	f := facts{}
	for _, i := range m.interfaces {
		f.addInterface(i.Interface, i.Name, i.Hardware, i.MTU, *i.Up, *i.Carrier)
		for _, d := range i.domains {
			f.add("domain %s %s", d.PvD, d.Family)
			for _, a := range d.addresses {
				f.addAddress(i.Name, d.Family, a.Address, a.deprecated())
			}
		}
	}
	return f
}

// configuration are the facts that the elements of an interface's domains tell.
func (m *model) configuration(name string) facts {
	f := facts{}
	for _, i := range m.interfaces {
		if i.Name != name {
			continue
		}
		for _, d := range i.domains {
			for _, e := range d.elements {
				f.addElement(d.PvD, e)
			}
		}
	}
	return f
}

func (f facts) addElement(pvd string, e *element) {
	f.add("%s %s", pvd, e.Element)
	for item, l := range e.items {
		for rank, d := range l.Data {
			f.addDatum(pvd, e.Element, item, rank, d.says())
		}
	}
}

// addDatum adds what an element says under an item. Data come best first, which means
// something for all but prefixes and routes.
func (f facts) addDatum(pvd, element, item string, rank int, says string) {
	if item == "Prefixes" || item == "Routes" {
		rank = 0
	}
	f.add("%s %s %s %d: %s", pvd, element, item, rank, says)
}

// ends are when the model believes that each address of an interface ends, by address.
func (m *model) ends(index int) map[string]ends {
	all := map[string]ends{}
	if i := m.interfaces[index]; i != nil {
		for _, d := range i.domains {
			for _, a := range d.addresses {
				all[a.Address] = ends{a.Preferred.end(a.Time), a.Valid.end(a.Time)}
			}
		}
	}
	return all
}

// ends are the ends of an address's two lifetimes; the zero time is never.
type ends struct{ preferred, valid time.Time }

// believable is an error if what was told of a lifetime cannot stand for what is so.
func believable(told, is, now time.Time) error {
	const rounding = 2 * time.Second
	// The library's own tolerance is two seconds either way, and for an end that was
	// put off an eighth of what is left.
	early, late := 2*time.Second+rounding, max(2*time.Second, is.Sub(now)/8)+rounding
	switch d := is.Sub(told); {
	case told.IsZero() != is.IsZero():
		return fmt.Errorf("told to end %v, ends %v", told, is)
	case !is.IsZero() && is.After(now) && (d < -early || d > late):
		return fmt.Errorf("told to end %v, which is %v off", told, d)
	}
	return nil
}
