package exampletest

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

// A Message is a line of -json, as a script reads it.
type Message struct {
	Seq       int
	Time      string
	Message   string
	Request   string
	ID        int
	Interface int
	Name      string
	PvD       string
	FQDN      string
	Family    string
	Element   string
	Address   string
	Preferred any
	Valid     any
	Flags     []string
	Kind      string
	MTU       int
	Hardware  string
	Up        *bool
	Carrier   *bool
	Item      string
	Data      []struct {
		Value           any
		Element, Source string
		Expires         any
	}
	From, To, Local, Remote   string
	Took                      float64
	Canonical, Server, Origin string
	Expires                   any
	Scheme                    string
	Port                      int
	Service                   *struct {
		Priority, Port     int
		Target, ECH        string
		ALPN               []string
		NoDefaultALPN      bool
		IPv4Hint, IPv6Hint []string
	}
	NextHop  string
	Rule     int
	Warnings []string
	Reply    string
	Err      string
}

// Parse reads one line. A field that a Message does not have is an error.
func Parse(line string) (m Message, err error) {
	d := json.NewDecoder(strings.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(&m); err != nil {
		return m, fmt.Errorf("%s: %w", line, err)
	}
	if _, err := time.Parse(time.RFC3339Nano, m.Time); err != nil {
		return m, fmt.Errorf("%s: %w", line, err)
	}
	return m, nil
}

// ParseAll reads what a program printed, and checks that it is numbered.
func ParseAll(t testing.TB, out string) []Message {
	t.Helper()
	var all []Message
	for l := range strings.Lines(out) {
		m, err := Parse(l)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, m)
		if m.Seq != len(all) {
			t.Fatalf("line %d has seq %d", len(all), m.Seq)
		}
	}
	return all
}

// Find returns the messages that match.
func Find(all []Message, match func(Message) bool) []Message {
	var found []Message
	for _, m := range all {
		if match(m) {
			found = append(found, m)
		}
	}
	return found
}

// A Tree is what a subscriber believes that there is.
type Tree struct {
	interfaces map[int]bool
	domains    map[string]int // the interface of each
	children   map[string]map[string]bool
}

// NewTree returns a Tree of nothing.
func NewTree() *Tree {
	return &Tree{map[int]bool{}, map[string]int{}, map[string]map[string]bool{}}
}

// Has tells whether a domain is there; if a child is named (an address, or "element "
// and its type), whether that is.
func (t *Tree) Has(pvd, child string) bool {
	_, ok := t.domains[pvd]
	return ok && (child == "" || t.children[pvd][child])
}

// Play plays a message onto the Tree. The error tells of a message out of order: of a
// child without its parent, a parent that goes before its children, or of something
// that goes without having been there.
func (t *Tree) Play(m Message) error {
	wrong := func(format string, args ...any) error {
		return fmt.Errorf("seq %d, %s of %s: %s", m.Seq, m.Message, m.PvD, fmt.Sprintf(format, args...))
	}
	switch m.Message {
	case "InterfaceAnnouncement":
		t.interfaces[m.Interface] = true
	case "NoInterfaceAnnouncement":
		for d, i := range t.domains {
			if i == m.Interface {
				return wrong("the interface goes before %s", d)
			}
		}
		if !t.interfaces[m.Interface] {
			return wrong("there is no such interface")
		}
		delete(t.interfaces, m.Interface)
	case "ProvisioningDomainAnnouncement":
		if !t.interfaces[m.Interface] {
			return wrong("its interface is not there")
		}
		t.domains[m.PvD] = m.Interface
	case "NoProvisioningDomainAnnouncement":
		if !t.Has(m.PvD, "") {
			return wrong("there is no such domain")
		}
		if n := len(t.children[m.PvD]); n > 0 {
			return wrong("the domain goes before %d children", n)
		}
		delete(t.domains, m.PvD)
	case "ConfigurationElementAnnouncement":
		return t.grow(m, "element "+m.Element, wrong)
	case "AddressAnnouncement":
		return t.grow(m, m.Address, wrong)
	case "NoConfigurationElementAnnouncement":
		return t.shed(m, "element "+m.Element, wrong)
	case "NoAddressAnnouncement":
		return t.shed(m, m.Address, wrong)
	}
	return nil
}

func (t *Tree) grow(m Message, child string, wrong func(string, ...any) error) error {
	if !t.Has(m.PvD, "") {
		return wrong("its domain is not there")
	}
	if t.children[m.PvD] == nil {
		t.children[m.PvD] = map[string]bool{}
	}
	t.children[m.PvD][child] = true
	return nil
}

func (t *Tree) shed(m Message, child string, wrong func(string, ...any) error) error {
	if !t.Has(m.PvD, child) {
		return wrong("%s is not there", child)
	}
	delete(t.children[m.PvD], child)
	return nil
}
