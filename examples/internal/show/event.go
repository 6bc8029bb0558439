package show

import (
	"strings"
	"time"

	"github.com/go-mif/mif"
	"github.com/go-mif/mif/pvd"
)

// event fills in a line about an event.
func (l *Lines) event(out *line, e mif.Event) {
	switch e := e.(type) {
	case mif.InterfaceAnnouncement, mif.NoInterfaceAnnouncement:
		l.ofInterfaces(out, e)
	case mif.ProvisioningDomainAnnouncement, mif.NoProvisioningDomainAnnouncement:
		l.ofDomains(out, e)
	case mif.ConfigurationElementAnnouncement, mif.NoConfigurationElementAnnouncement,
		mif.ConfigurationData, mif.NoConfigurationData:
		l.ofElements(out, e)
	case mif.AddressAnnouncement, mif.NoAddressAnnouncement:
		l.ofAddresses(out, e)
	case mif.Synced:
		out.Request = name(e.Request)
		l.request(out, e.Request)
	case mif.Rejected:
		out.Request = name(e.Request)
		l.request(out, e.Request)
		out.fail(e.Err)
	default:
		l.ofWork(out, e)
	}
}

func (l *Lines) ofInterfaces(out *line, e mif.Event) {
	switch e := e.(type) {
	case mif.InterfaceAnnouncement:
		l.names[e.Interface] = e.Name
		l.on(out, e.Interface)
		out.Kind, out.MTU, out.Hardware = e.Kind, e.MTU, e.HardwareAddr.String()
		out.Up, out.Carrier = &e.Up, &e.Carrier
		if e.Flags != 0 {
			out.Flags = strings.Split(e.Flags.String(), "|")
		}
	case mif.NoInterfaceAnnouncement:
		l.on(out, e.Interface)
		delete(l.names, e.Interface)
	}
}

func (l *Lines) ofDomains(out *line, e mif.Event) {
	switch e := e.(type) {
	case mif.ProvisioningDomainAnnouncement:
		l.families[e.PvD] = e
		l.domain(out, e.PvD)
	case mif.NoProvisioningDomainAnnouncement:
		l.domain(out, e.PvD)
		delete(l.families, e.PvD)
	}
}

func (l *Lines) ofElements(out *line, e mif.Event) {
	switch e := e.(type) {
	case mif.ConfigurationElementAnnouncement:
		l.of(out, e.PvD)
		out.Element = e.Element.String()
	case mif.NoConfigurationElementAnnouncement:
		l.of(out, e.PvD)
		out.Element = e.Element.String()
	case mif.ConfigurationData:
		l.item(out, e.PvD, e.Element, e.Item)
		out.Data = data(e.Data, out.Time)
	case mif.NoConfigurationData:
		l.item(out, e.PvD, e.Element, e.Item)
	}
}

func (l *Lines) ofAddresses(out *line, e mif.Event) {
	switch e := e.(type) {
	case mif.AddressAnnouncement:
		l.of(out, e.PvD)
		out.Address, out.Element = e.Prefix.String(), e.Element.String()
		out.Preferred, out.Valid = left(e.Preferred, out.Time), left(e.Valid, out.Time)
		out.Flags = Flags(e.Address)
	case mif.NoAddressAnnouncement:
		l.of(out, e.PvD)
		out.Address = e.Prefix.String()
	}
}

// Flags are what is special about an address, in words.
func Flags(a pvd.Address) []string {
	var all []string
	for _, f := range []struct {
		set  bool
		name string
	}{
		{a.Tentative, "tentative"},
		{a.Duplicate, "duplicate"},
		{a.Deprecated, "deprecated"},
		{a.Temporary, "temporary"},
		{a.LinkLocal, "link-local"},
	} {
		if f.set {
			all = append(all, f.name)
		}
	}
	return all
}

// ofWork fills in a line about a translation or a connection.
func (l *Lines) ofWork(out *line, e mif.Event) {
	switch e := e.(type) {
	case mif.NameTranslation:
		l.translation(out, e.ID)
		out.Address, out.Canonical = e.Addr.String(), e.CanonicalName
		out.Server, out.Origin = text(e.Server), e.Origin.String()
		out.Expires = left(e.Expiry, out.Time)
	case mif.ServiceTranslation:
		l.translation(out, e.ID)
		out.Service, out.Server = serviceOf(e.Service), text(e.Server)
		out.Expires = left(e.Expiry, out.Time)
	case mif.TranslationDone:
		l.translation(out, e.ID)
		delete(l.translations, e.ID)
		out.fail(e.Err)
	case mif.Connected:
		l.connection(out, e.ID)
		out.Local, out.Remote = e.Conn.LocalAddr().String(), e.Conn.RemoteAddr().String()
		out.Took = l.took(e.ID, out.Time)
	case mif.NotConnected:
		l.connection(out, e.ID)
		out.Took = l.took(e.ID, out.Time)
		out.fail(e.Err)
	case mif.PathLost:
		l.connection(out, e.ID)
		out.fail(e.Err)
	case mif.PathRestored:
		l.connection(out, e.ID)
	case mif.Readable:
		l.connection(out, e.ID)
	}
}

// took is how long ago a connection was asked for, in seconds.
func (l *Lines) took(id mif.ConnectionID, now time.Time) float64 {
	if a, ok := l.connections[id]; ok {
		return now.Sub(a.at).Round(time.Microsecond).Seconds()
	}
	return 0
}
