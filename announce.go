package mif

import (
	"iter"

	"github.com/go-mif/mif/pvd"
)

// catchUp brings the session to the present: the work in domains that are gone
// ends, then what changed is told, as far as it is subscribed to.
func (s *Session) catchUp() {
	old, now := s.seen, s.host.Snapshot()
	if old == now || s.closed != nil {
		return
	}
	s.seen = now
	s.endGone(now)
	if s.topics.any() {
		for c := range pvd.Diff(old, now) {
			if s.topics.take(c) {
				s.tell(announcement(c))
			}
		}
	}
	s.paths.update(now, s.tell)
}

func (s *Session) tell(e Event) { s.out.push(item{event: e}) }

// handle answers a request whose turn has come, from the present state.
func (s *Session) handle(r Request) {
	s.catchUp()
	if g, ok := r.(GetConfigurationData); ok {
		s.tell(s.data(g))
		return
	}
	list, err := s.listing(r)
	if err != nil {
		s.tell(Rejected{r, err})
		return
	}
	s.topics.add(r)
	for c := range list {
		if asks(r, c) {
			s.tell(announcement(c))
		}
	}
	s.tell(Synced{r})
}

// data answers GetConfigurationData (§3.5.15).
func (s *Session) data(r GetConfigurationData) Event {
	d := s.seen.Domain(r.PvD)
	if d == nil {
		return Rejected{r, unknownPvD(r.PvD)}
	}
	if data := d.Data(r.Element, r.Item); data != nil {
		return ConfigurationData{r.PvD, r.Element, r.Item, data}
	}
	return NoConfigurationData(r)
}

// listing is what is there where a request looks, or why there is nothing to
// look at.
func (s *Session) listing(r Request) (iter.Seq[pvd.Change], error) {
	var at InterfaceID
	switch r := r.(type) {
	case AnnounceProvisioningDomains:
		if at = r.Interface; at.IsValid() && s.seen.Link(at) == nil {
			return nil, unknownInterface(at)
		}
	case AnnounceConfigurationElements:
		at = r.PvD.Interface()
		if s.seen.Domain(r.PvD) == nil {
			return nil, unknownPvD(r.PvD)
		}
	case AnnounceAddresses:
		at = r.PvD.Interface()
		if s.seen.Domain(r.PvD) == nil {
			return nil, unknownPvD(r.PvD)
		}
	}
	if at.IsValid() {
		return pvd.List(s.seen.Link(at)), nil
	}
	return pvd.Diff(&pvd.Snapshot{}, s.seen), nil
}

// asks tells whether an Announce request asks for what a change says.
func asks(r Request, c pvd.Change) bool {
	switch r := r.(type) {
	case AnnounceInterfaces:
		return c.Kind == pvd.NewInterface
	case AnnounceProvisioningDomains:
		return c.Kind == pvd.NewDomain
	case AnnounceConfigurationElements:
		return c.Kind == pvd.NewElement && c.Domain.ID() == r.PvD
	case AnnounceAddresses:
		return c.Kind == pvd.NewAddress && c.Domain.ID() == r.PvD
	}
	return false
}

// stopAnnouncing unsubscribes, and takes back what was not got of the kind, so
// that nothing of it is got from now on. What was asked for before is handled
// first, since it may subscribe to more than is stopped.
func (s *Session) stopAnnouncing(r Request) {
	for s.step() {
	}
	s.catchUp()
	s.topics.remove(r)
	s.out.filter(func(i item) bool { return !stops(r, i.event) })
}

// stops tells whether a Stop request takes back an event that was not got.
func stops(r Request, e Event) bool {
	switch r := r.(type) {
	case StopAnnouncingInterfaces:
		return isInterfaces(e)
	case StopAnnouncingProvisioningDomains:
		at, is := domainsOf(e)
		return is && (at == r.Interface || !r.Interface.IsValid())
	case StopAnnouncingConfigurationElements:
		of, is := elementsOf(e)
		return is && of == r.PvD
	case StopAnnouncingAddresses:
		of, is := addressesOf(e)
		return is && of == r.PvD
	}
	return false
}

func isInterfaces(e Event) bool {
	switch e := e.(type) {
	case InterfaceAnnouncement, NoInterfaceAnnouncement:
		return true
	case Synced:
		return e.Request == AnnounceInterfaces{}
	}
	return false
}

func domainsOf(e Event) (InterfaceID, bool) {
	switch e := e.(type) {
	case ProvisioningDomainAnnouncement:
		return e.Interface, true
	case NoProvisioningDomainAnnouncement:
		return e.Interface, true
	case Synced:
		r, is := e.Request.(AnnounceProvisioningDomains)
		return r.Interface, is
	}
	return InterfaceID{}, false
}

func elementsOf(e Event) (PvDID, bool) {
	switch e := e.(type) {
	case ConfigurationElementAnnouncement:
		return e.PvD, true
	case NoConfigurationElementAnnouncement:
		return e.PvD, true
	case Synced:
		r, is := e.Request.(AnnounceConfigurationElements)
		return r.PvD, is
	}
	return PvDID{}, false
}

func addressesOf(e Event) (PvDID, bool) {
	switch e := e.(type) {
	case AddressAnnouncement:
		return e.PvD, true
	case NoAddressAnnouncement:
		return e.PvD, true
	case Synced:
		r, is := e.Request.(AnnounceAddresses)
		return r.PvD, is
	}
	return PvDID{}, false
}

// announcement is a change as it is told.
func announcement(c pvd.Change) Event {
	switch c.Kind {
	case pvd.NoAddress:
		return NoAddressAnnouncement{c.Domain.ID(), c.Address.Prefix}
	case pvd.NoElement:
		return NoConfigurationElementAnnouncement{c.Domain.ID(), c.Element}
	case pvd.NoDomain:
		return NoProvisioningDomainAnnouncement{c.Interface.ID, c.Domain.ID()}
	case pvd.NoInterface:
		return NoInterfaceAnnouncement{c.Interface.ID}
	case pvd.NewInterface:
		i := c.Interface
		return InterfaceAnnouncement{i.ID, i.Name, i.Index, i.Kind, i.Flags, i.MTU, i.HardwareAddr, i.Up, i.Carrier}
	case pvd.NewDomain:
		d := c.Domain
		return ProvisioningDomainAnnouncement{c.Interface.ID, d.ID(), d.Family(), d.FQDN()}
	case pvd.NewElement:
		return ConfigurationElementAnnouncement{c.Domain.ID(), c.Element}
	}
	return AddressAnnouncement{c.Domain.ID(), *c.Address}
}
