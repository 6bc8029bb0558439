package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/go-mif/mif"
	"github.com/go-mif/mif/examples/internal/show"
	"github.com/go-mif/mif/pvd"
)

// plain is the view for people: a line for each event, with a sign for what it means.
type plain struct {
	w     io.Writer
	names map[mif.InterfaceID]string // announced and not gone
	there map[string]bool            // the same of domains, elements and addresses
	said  map[item]string
}

func newPlain(w io.Writer) *plain {
	return &plain{w: w, names: map[mif.InterfaceID]string{}, there: map[string]bool{}, said: map[item]string{}}
}

func (p *plain) Event(e mif.Event) error {
	switch e := e.(type) {
	case mif.InterfaceAnnouncement:
		_, known := p.names[e.Interface]
		p.names[e.Interface] = e.Name
		return p.line(sign(known), e.Name, "interface %d, %s", e.Index, condition(e))
	case mif.NoInterfaceAnnouncement:
		name := p.names[e.Interface]
		delete(p.names, e.Interface)
		return p.line("-", name, "interface %d", e.Interface.Index())
	case mif.ProvisioningDomainAnnouncement:
		return p.came(e.PvD, "domain", "domain on "+p.names[e.Interface]+describe(e))
	case mif.NoProvisioningDomainAnnouncement:
		return p.went(e.PvD, "domain", "domain")
	case mif.ConfigurationElementAnnouncement:
		return p.came(e.PvD, "element "+e.Element.String(), "element "+e.Element.String())
	case mif.NoConfigurationElementAnnouncement:
		return p.went(e.PvD, "element "+e.Element.String(), "element "+e.Element.String())
	case mif.AddressAnnouncement:
		return p.came(e.PvD, e.Prefix.String(), "address "+lifetimes(e.Address))
	case mif.NoAddressAnnouncement:
		return p.went(e.PvD, e.Prefix.String(), "address "+e.Prefix.String())
	}
	return p.data(e)
}

// data tells what an element says, if that is not what it said before.
func (p *plain) data(e mif.Event) error {
	switch e := e.(type) {
	case mif.ConfigurationData:
		i := item{e.PvD, e.Element, e.Item}
		s := strings.Join(show.Values(e.Data, time.Now()), ", ")
		if p.said[i] == s {
			return nil
		}
		p.said[i] = s
		return p.line("=", e.PvD.String(), "%v %v: %s", e.Element, e.Item, s)
	case mif.NoConfigurationData:
		delete(p.said, item{e.PvD, e.Element, e.Item})
		return p.line("=", e.PvD.String(), "%v %v: nothing", e.Element, e.Item)
	case mif.Rejected:
		return p.line("!", "", "%T: %v", e.Request, e.Err)
	}
	return nil
}

// came tells that something of a domain is new or has changed.
func (p *plain) came(id mif.PvDID, what, text string) error {
	key := fmt.Sprintf("%v %s", id, what)
	known := p.there[key]
	p.there[key] = true
	return p.line(sign(known), id.String(), "%s", text)
}

func (p *plain) went(id mif.PvDID, what, text string) error {
	delete(p.there, fmt.Sprintf("%v %s", id, what))
	for i := range p.said {
		if i.pvd == id && what == "element "+i.element.String() {
			delete(p.said, i)
		}
	}
	return p.line("-", id.String(), "%s", text)
}

func (p *plain) line(sign, of, format string, args ...any) error {
	_, err := fmt.Fprintf(p.w, "%s %s %s %s\n", time.Now().Format("15:04:05.000"), sign, fill(show.Printable(of), 16), show.Printable(fmt.Sprintf(format, args...)))
	return err
}

func sign(known bool) string {
	if known {
		return "~"
	}
	return "+"
}

func condition(i mif.InterfaceAnnouncement) string {
	words := []string{"down"}
	switch {
	case i.Up && i.Carrier:
		words[0] = "up"
	case i.Up:
		words[0] = "up without carrier"
	}
	if i.Kind != "" {
		words = append(words, i.Kind)
	}
	words = append(words, fmt.Sprintf("MTU %d", i.MTU))
	if len(i.HardwareAddr) > 0 {
		words = append(words, i.HardwareAddr.String())
	}
	return strings.Join(words, ", ")
}

func describe(d mif.ProvisioningDomainAnnouncement) string {
	s := ", " + d.Family.String()
	if d.FQDN != "" {
		s += ", named " + d.FQDN
	}
	return s
}

func lifetimes(a pvd.Address) string {
	now := time.Now()
	s := fmt.Sprintf("%v, %v, valid %s", a.Prefix, a.Element, show.Left(a.Valid, now))
	if a.Preferred != a.Valid {
		s += ", preferred " + show.Left(a.Preferred, now)
	}
	for _, f := range show.Flags(a) {
		s += ", " + f
	}
	return s
}
