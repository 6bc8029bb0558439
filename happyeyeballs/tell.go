package happyeyeballs

import (
	"cmp"
	"net/netip"
	"time"

	"github.com/go-mif/mif"
	"github.com/go-mif/mif/pvd"
)

// tell tells the machine an event.
func (r *race) tell(e mif.Event, now time.Time) {
	m := r.machine
	switch e := e.(type) {
	case mif.InterfaceAnnouncement:
		r.names[e.Interface] = e.Name
	case mif.ProvisioningDomainAnnouncement:
		r.join(e, now)
	case mif.NoProvisioningDomainAnnouncement:
		m.leave(now, e.PvD)
	case mif.AddressAnnouncement:
		m.address(e.PvD, e.Address)
	case mif.NoAddressAnnouncement:
		m.noAddress(e.PvD, e.Prefix)
	case mif.ConfigurationData:
		m.prefixes(e.PvD, prefixes(e.Data))
	case mif.NoConfigurationData:
		m.prefixes(e.PvD, nil)
	case mif.ConfigurationElementAnnouncement:
		r.reconfigured(e.PvD)
	case mif.Synced:
		r.synced(e.Request)
	case mif.NameTranslation:
		m.answer(now, e.ID, e.Addr, e.CanonicalName, e.Expiry)
	case mif.ServiceTranslation:
		r.service(e)
	case mif.TranslationDone:
		m.answered(now, e.ID, e.Err)
	case mif.Connected:
		r.connected(e, now)
	case mif.NotConnected:
		m.failed(now, e.ID, e.Err)
	case mif.Rejected:
		r.rejected(e, now)
	}
}

// join tells of a domain, and asks the domain what the machine wants to know of it.
func (r *race) join(e mif.ProvisioningDomainAnnouncement, now time.Time) {
	d := Domain{e.PvD, cmp.Or(r.names[e.Interface], e.Interface.String()), e.Family, e.FQDN}
	if r.machine.join(now, d) {
		r.post(mif.AnnounceAddresses{PvD: e.PvD})
		r.post(mif.GetConfigurationData{PvD: e.PvD, Item: pvd.ItemPREF64})
		r.post(mif.AnnounceConfigurationElements{PvD: e.PvD})
	}
}

// reconfigured tells that a domain may know something new, such as a prefix.
func (r *race) reconfigured(id mif.PvDID) {
	r.machine.reconfigured(id)
	if n := r.machine.members[id]; n != nil && n.configured {
		r.post(mif.GetConfigurationData{PvD: id, Item: pvd.ItemPREF64})
	}
}

func prefixes(data mif.Data) (all []netip.Prefix) {
	known, _ := data.(pvd.PREF64)
	for _, p := range known {
		all = append(all, p.Value)
	}
	return all
}

func (r *race) synced(q mif.Request) {
	switch q := q.(type) {
	case mif.AnnounceProvisioningDomains:
		r.machine.listedDomains()
	case mif.AnnounceAddresses:
		r.machine.listedAddresses(q.PvD)
	case mif.AnnounceConfigurationElements:
		r.machine.listedElements(q.PvD)
	}
}

// service tells of a service, without keys that nobody can use.
func (r *race) service(e mif.ServiceTranslation) {
	if r.machine.serving.ech && len(e.ECH) > 0 && !understood(r.tls, e.ECH) {
		e.ECH = nil
	}
	r.machine.service(e.ID, e.Service)
}

// connected takes a connection, unless its attempt is out of the race.
func (r *race) connected(e mif.Connected, now time.Time) {
	if r.machine.attempts[e.ID] == nil {
		e.Conn.Close()
		return
	}
	r.conns[e.ID] = e.Conn
	r.machine.connected(now, e.ID)
}

// rejected tells of what could not even begin: the domain is gone.
func (r *race) rejected(e mif.Rejected, now time.Time) {
	switch q := e.Request.(type) {
	case mif.TranslateName:
		r.machine.answered(now, q.ID, e.Err)
	case mif.TranslateService:
		r.machine.answered(now, q.ID, e.Err)
	case mif.ConnectToAddress:
		r.machine.failed(now, q.ID, e.Err)
	case mif.AnnounceAddresses:
		r.machine.leave(now, q.PvD)
	case mif.GetConfigurationData:
		r.machine.leave(now, q.PvD)
	case mif.AnnounceConfigurationElements:
		r.machine.leave(now, q.PvD)
	}
}
