package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"

	"github.com/go-mif/mif"
	"github.com/go-mif/mif/examples/internal/show"
	"github.com/go-mif/mif/pvd"
	"github.com/go-mif/mif/resolver"
)

// request is a request in the words of the draft's figure; empty if it has no place
// there.
func (f *figure) request(r mif.Request) string {
	switch r := r.(type) {
	case mif.AnnounceInterfaces:
		return "Announce Interfaces"
	case mif.AnnounceProvisioningDomains:
		return fmt.Sprintf("Announce PDs on Interface %d", r.Interface.Index())
	case mif.AnnounceConfigurationElements:
		return fmt.Sprintf("Announce Configuration Elements of %v", f.app.domain(r.PvD))
	case mif.AnnounceAddresses:
		return fmt.Sprintf("Announce Addresses of %v", f.app.domain(r.PvD))
	case mif.GetConfigurationData:
		return fmt.Sprintf("Get DNS Server List of %v, %v", f.app.domain(r.PvD), r.Element)
	case mif.TranslateName:
		return f.query(r)
	case mif.ConnectToAddress:
		return f.syn(f.app.attempt(r.ID))
	case mif.StopConnecting:
		return "Stop Connecting: " + f.at(r.ID)
	}
	return ""
}

// query names the servers that the domain has, as the figure does.
func (f *figure) query(r mif.TranslateName) string {
	d := f.app.domain(r.PvD)
	var servers []string
	for _, s := range d.known() {
		servers = append(servers, server(s))
	}
	if len(servers) == 0 || literal(r.Name) {
		return fmt.Sprintf("Translate Name %s @ %s (%v)", r.Name, f.app.link(d), d)
	}
	return fmt.Sprintf("DNS query %s, %s A,AAAA @ %s (%v)", strings.Join(servers, " or "), r.Name, f.app.link(d), d)
}

// server is a DNS server, without the port if it is the usual one.
func server(s netip.AddrPort) string {
	if s.Port() == 53 {
		return s.Addr().String()
	}
	return s.String()
}

// syn tells where a SYN goes and, if the domain leaves no choice, where from.
func (f *figure) syn(t *attempt) string {
	s := fmt.Sprintf("SYN: %v @ %s (%v)", t.to.Addr(), f.app.link(t.domain), t.domain)
	switch from := t.domain.sources(t.to.Addr()); len(from) {
	case 0:
		return fmt.Sprintf("Connect to %v @ %s (%v), which has no %s address", t.to.Addr(), f.app.link(t.domain), t.domain, family(t.to.Addr()))
	case 1:
		s += fmt.Sprintf(" from %v", from[0])
	}
	return s
}

func family(a netip.Addr) string {
	if a.Is4() {
		return "IPv4"
	}
	return "IPv6"
}

// at is the other end of a connection and the domain it is in.
func (f *figure) at(id mif.ConnectionID) string {
	t := f.app.attempt(id)
	return fmt.Sprintf("%v @ %s (%v)", t.to.Addr(), f.app.link(t.domain), t.domain)
}

// event is an event in the words of the figure; empty if it has no place there.
func (f *figure) event(e mif.Event) string {
	switch e := e.(type) {
	case mif.InterfaceAnnouncement:
		return fmt.Sprintf("Interface %d, %s (%s)", e.Index, e.Name, condition(e))
	case mif.NoInterfaceAnnouncement:
		return fmt.Sprintf("No Interface %d", e.Interface.Index())
	case mif.ProvisioningDomainAnnouncement:
		return fmt.Sprintf("%v on Interface %d: %v", f.app.domain(e.PvD), e.Interface.Index(), e.PvD)
	case mif.NoProvisioningDomainAnnouncement:
		return fmt.Sprintf("No %v on Interface %d", f.app.domain(e.PvD), e.Interface.Index())
	case mif.Rejected:
		return fmt.Sprintf("Rejected %T: %v", e.Request, e.Err)
	case mif.NameTranslation, mif.TranslationDone:
		return f.translation(e)
	case mif.Connected, mif.NotConnected, mif.Readable, mif.PathLost, mif.PathRestored:
		return f.connection(e)
	}
	return f.configuration(e)
}

func condition(i mif.InterfaceAnnouncement) string {
	switch {
	case i.Flags&net.FlagLoopback != 0:
		return "loopback: it has no domains"
	case !i.Up:
		return "down"
	case !i.Carrier:
		return "up, without carrier"
	case i.Kind != "":
		return i.Kind + ", up"
	}
	return "up"
}

func (f *figure) configuration(e mif.Event) string {
	switch e := e.(type) {
	case mif.ConfigurationElementAnnouncement:
		return fmt.Sprintf("Configuration Element %v of %v", e.Element, f.app.domain(e.PvD))
	case mif.NoConfigurationElementAnnouncement:
		return fmt.Sprintf("No Configuration Element %v of %v", e.Element, f.app.domain(e.PvD))
	case mif.AddressAnnouncement:
		return fmt.Sprintf("Address %v of %v (%s)", e.Prefix, f.app.domain(e.PvD), origin(e.Address))
	case mif.NoAddressAnnouncement:
		return fmt.Sprintf("No Address %v of %v", e.Prefix, f.app.domain(e.PvD))
	case mif.ConfigurationData:
		return fmt.Sprintf("DNS Server List of %v, %v: %s", f.app.domain(e.PvD), e.Element, servers(e.Data))
	case mif.NoConfigurationData:
		return fmt.Sprintf("No DNS Server List of %v, %v", f.app.domain(e.PvD), e.Element)
	}
	return ""
}

func origin(a pvd.Address) string {
	words := []string{a.Element.String()}
	for _, w := range show.Flags(a) {
		if w != "link-local" { // it says so itself
			words = append(words, w)
		}
	}
	return strings.Join(words, ", ")
}

func servers(d pvd.Data) string {
	var all []string
	dns, _ := d.(pvd.DNSServers)
	for _, s := range dns {
		all = append(all, server(s.Value))
	}
	return strings.Join(all, ", ")
}

func (f *figure) translation(e mif.Event) string {
	switch e := e.(type) {
	case mif.NameTranslation:
		record := "A"
		if e.Addr.Is6() {
			record = "AAAA"
		}
		if e.Origin != resolver.DNS {
			return fmt.Sprintf("Name Translation, %v: %v (%v)", e.Origin, e.Addr, f.app.domain(e.PvD))
		}
		return fmt.Sprintf("DNS response %s: %s IN %s %v (%v)", server(e.Server), e.CanonicalName, record, e.Addr, f.app.domain(e.PvD))
	case mif.TranslationDone:
		if e.Err != nil {
			return fmt.Sprintf("Translation done (%v): %s", f.app.domains[e.ID-1], show.Reason(e.Err))
		}
	}
	return ""
}

func (f *figure) connection(e mif.Event) string {
	switch e := e.(type) {
	case mif.Connected:
		t := f.app.attempt(e.ID)
		return fmt.Sprintf("SYN+ACK: %s to %v, after %s", f.at(e.ID), t.local().Addr(), show.Milliseconds(t.took))
	case mif.NotConnected:
		t := f.app.attempt(e.ID)
		if errors.Is(e.Err, mif.ErrStopped) {
			return fmt.Sprintf("Not Connected: %s did not answer in %s and was stopped", f.at(e.ID), show.Milliseconds(t.took))
		}
		return fmt.Sprintf("Not Connected: %s: %s", f.at(e.ID), show.Reason(e.Err))
	case mif.Readable:
		return fmt.Sprintf("Readable: %s, %s after the SYN", f.at(e.ID), show.Milliseconds(f.app.attempt(e.ID).answered))
	case mif.PathLost:
		return fmt.Sprintf("Path Lost: %s: %v", f.at(e.ID), e.Err)
	case mif.PathRestored:
		return "Path Restored: " + f.at(e.ID)
	}
	return ""
}
