package mif

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"

	"github.com/go-mif/mif/connect"
	"github.com/go-mif/mif/resolver"
)

// lines describes events for people, a line each.
func lines(events []Event) []string {
	var all []string
	for _, e := range events {
		all = append(all, line(e))
	}
	return all
}

func line(e Event) string {
	switch e := e.(type) {
	case InterfaceAnnouncement:
		return "interface " + e.Name + note(e.Up, " down") + note(e.Carrier, " unplugged")
	case NoInterfaceAnnouncement:
		return "no interface " + e.Interface.String()
	case ProvisioningDomainAnnouncement:
		return "domain " + e.PvD.String()
	case NoProvisioningDomainAnnouncement:
		return "no domain " + e.PvD.String()
	case ConfigurationElementAnnouncement:
		return fmt.Sprint("element ", e.PvD, " ", e.Element)
	case NoConfigurationElementAnnouncement:
		return fmt.Sprint("no element ", e.PvD, " ", e.Element)
	case AddressAnnouncement:
		return fmt.Sprint("address ", e.PvD, " ", e.Prefix, note(!e.Tentative, " tentative"), note(!e.Deprecated, " deprecated"))
	case NoAddressAnnouncement:
		return fmt.Sprint("no address ", e.PvD, " ", e.Prefix)
	case ConfigurationData:
		return fmt.Sprint("data ", e.PvD, " ", e.Element, " ", e.Item)
	case NoConfigurationData:
		return fmt.Sprint("no data ", e.PvD, " ", e.Element, " ", e.Item)
	case NameTranslation:
		return fmt.Sprint("translation ", e.ID, " ", e.Addr)
	case ServiceTranslation:
		return fmt.Sprint("service ", e.ID, " ", e.Priority, " ", e.Target, " ", e.Port)
	case TranslationDone:
		return fmt.Sprint("done ", e.ID, reason(e.Err))
	case Connected:
		return fmt.Sprint("connected ", e.ID)
	case NotConnected:
		return fmt.Sprint("not connected ", e.ID, reason(e.Err))
	case PathLost:
		return fmt.Sprint("path lost ", e.ID, reason(e.Err))
	case PathRestored:
		return fmt.Sprint("path restored ", e.ID)
	case Readable:
		return fmt.Sprint("readable ", e.ID)
	case Relayed:
		return fmt.Sprint("relayed ", e.Value)
	case Synced:
		return "synced " + request(e.Request)
	case Rejected:
		return "rejected " + request(e.Request) + reason(e.Err)
	}
	return fmt.Sprintf("unknown %T", e)
}

func note(is bool, otherwise string) string {
	if is {
		return ""
	}
	return otherwise
}

func request(r Request) string { return strings.TrimPrefix(fmt.Sprintf("%T", r), "mif.") }

// reason names the sentinel that an error wraps.
func reason(err error) string {
	for _, s := range []struct {
		err  error
		name string
	}{
		{ErrUnknownInterface, "no such interface"}, {ErrUnknownPvD, "no such domain"}, {ErrIDInUse, "in use"},
		{ErrStopped, "stopped"}, {connect.ErrForeignSource, "foreign source"}, {net.ErrClosed, "closed"}, {resolver.ErrNoSuchName, "no such name"},
		{syscall.ECONNREFUSED, "refused"}, {syscall.ENETDOWN, "network down"}, {syscall.EADDRNOTAVAIL, "address gone"},
	} {
		if errors.Is(err, s.err) {
			return ": " + s.name
		}
	}
	if err != nil {
		return ": " + err.Error()
	}
	return ""
}
