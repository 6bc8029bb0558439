package mif

import (
	"fmt"
	"maps"
	"net/netip"
	"reflect"
	"slices"

	"github.com/go-mif/mif/pvd"
)

// A checker holds one session's stream of events against the ten rules. It is told
// of every request before it is posted, and of every event that is got.
type checker struct {
	interfaces map[InterfaceID]InterfaceAnnouncement
	domains    map[PvDID]ProvisioningDomainAnnouncement
	elements   map[elementOf]bool
	addresses  map[addressOf]AddressAnnouncement

	goneInterfaces map[InterfaceID]bool
	goneDomains    map[PvDID]bool

	asked   topics          // what the subscriber subscribed to
	listing map[Request]int // lists asked for that are not Synced
	tasks   []*expected     // that have not ended
}

type elementOf struct {
	pvd  PvDID
	kind ElementType
}

type addressOf struct {
	pvd    PvDID
	prefix netip.Prefix
}

// An expected end of a translation or connection.
type expected struct {
	request     Request
	translation TranslationID
	connection  ConnectionID
	pvd         PvDID
	stopped     bool
	late        bool // the domain is gone: it can only be rejected
}

func newChecker() *checker {
	return &checker{
		interfaces: map[InterfaceID]InterfaceAnnouncement{}, domains: map[PvDID]ProvisioningDomainAnnouncement{},
		elements: map[elementOf]bool{}, addresses: map[addressOf]AddressAnnouncement{},
		goneInterfaces: map[InterfaceID]bool{}, goneDomains: map[PvDID]bool{}, listing: map[Request]int{},
	}
}

func (c *checker) posted(r Request) {
	switch r := r.(type) {
	case AnnounceInterfaces, AnnounceProvisioningDomains, AnnounceConfigurationElements, AnnounceAddresses:
		c.asked.add(r)
		c.listing[r]++
	case StopAnnouncingInterfaces:
		clear(c.interfaces)
		delete(c.listing, AnnounceInterfaces{})
	case StopAnnouncingProvisioningDomains:
		c.stopDomains(r.Interface)
	case StopAnnouncingConfigurationElements:
		maps.DeleteFunc(c.elements, func(k elementOf, _ bool) bool { return k.pvd == r.PvD })
		delete(c.listing, AnnounceConfigurationElements(r))
	case StopAnnouncingAddresses:
		maps.DeleteFunc(c.addresses, func(k addressOf, _ AddressAnnouncement) bool { return k.pvd == r.PvD })
		delete(c.listing, AnnounceAddresses(r))
	case TranslateName:
		c.tasks = append(c.tasks, &expected{request: r, translation: r.ID, pvd: r.PvD})
	case TranslateService:
		c.tasks = append(c.tasks, &expected{request: r, translation: r.ID, pvd: r.PvD})
	case ConnectToAddress:
		c.tasks = append(c.tasks, &expected{request: r, connection: r.ID, pvd: r.PvD})
	case ConnectToAddressFromAddress:
		c.tasks = append(c.tasks, &expected{request: r, connection: r.ID, pvd: r.PvD})
	case StopTranslatingName:
		for _, t := range c.tasks {
			t.stopped = t.stopped || t.translation == r.ID
		}
	case StopConnecting:
		for _, t := range c.tasks {
			t.stopped = t.stopped || t.connection == r.ID
		}
	}
	c.asked.remove(r)
}

func (c *checker) stopDomains(i InterfaceID) {
	maps.DeleteFunc(c.domains, func(_ PvDID, a ProvisioningDomainAnnouncement) bool {
		return a.Interface == i || !i.IsValid()
	})
	maps.DeleteFunc(c.listing, func(r Request, _ int) bool {
		p, is := r.(AnnounceProvisioningDomains)
		return is && (p.Interface == i || !i.IsValid())
	})
}

// got tells which rule an event breaks, if it does.
func (c *checker) got(e Event) error {
	switch e := e.(type) {
	case InterfaceAnnouncement, NoInterfaceAnnouncement:
		return c.gotInterface(e)
	case ProvisioningDomainAnnouncement, NoProvisioningDomainAnnouncement:
		return c.gotDomain(e)
	case ConfigurationElementAnnouncement, NoConfigurationElementAnnouncement:
		return c.gotElement(e)
	case AddressAnnouncement, NoAddressAnnouncement:
		return c.gotAddress(e)
	case Synced:
		if c.listing[e.Request]--; c.listing[e.Request] < 0 {
			return fmt.Errorf("%s: no list was asked for", line(e))
		}
	case Rejected:
		return c.gotRejected(e)
	default:
		return c.gotWork(e)
	}
	return nil
}

func (c *checker) gotInterface(e Event) error {
	if !c.asked.interfaces {
		return fmt.Errorf("rule 4: %s: not subscribed", line(e))
	}
	switch e := e.(type) {
	case InterfaceAnnouncement:
		if c.goneInterfaces[e.Interface] {
			return fmt.Errorf("rule 3: %s: its identity is used again", line(e))
		}
		if old, had := c.interfaces[e.Interface]; had && reflect.DeepEqual(old, e) && c.listing[AnnounceInterfaces{}] == 0 {
			return fmt.Errorf("rule 2: %s: twice without a change", line(e))
		}
		c.interfaces[e.Interface] = e
	case NoInterfaceAnnouncement:
		if _, had := c.interfaces[e.Interface]; !had {
			return fmt.Errorf("rule 2: %s: was not announced", line(e))
		}
		for id := range c.domains {
			if id.Interface() == e.Interface {
				return fmt.Errorf("rule 1: %s: domain %v is left", line(e), id)
			}
		}
		delete(c.interfaces, e.Interface)
		c.goneInterfaces[e.Interface] = true
		delete(c.asked.domains, e.Interface)
	}
	return nil
}

func (c *checker) gotDomain(e Event) error {
	at, _ := domainsOf(e)
	if !c.asked.domains[at] && (!c.asked.everywhere || c.asked.except[at]) {
		return fmt.Errorf("rule 4: %s: not subscribed", line(e))
	}
	if c.goneInterfaces[at] {
		return fmt.Errorf("rule 1: %s: its interface is gone", line(e))
	}
	switch e := e.(type) {
	case ProvisioningDomainAnnouncement:
		return c.gotNewDomain(e)
	case NoProvisioningDomainAnnouncement:
		if _, had := c.domains[e.PvD]; !had {
			return fmt.Errorf("rule 2: %s: was not announced", line(e))
		}
		if n := c.children(e.PvD); n > 0 {
			return fmt.Errorf("rule 1: %s: it has %d children", line(e), n)
		}
		delete(c.domains, e.PvD)
		c.goneDomains[e.PvD] = true
		for _, t := range c.tasks {
			t.late = t.late || t.pvd == e.PvD
		}
	}
	return nil
}

func (c *checker) gotNewDomain(e ProvisioningDomainAnnouncement) error {
	if _, has := c.interfaces[e.Interface]; !has && c.asked.interfaces && c.listing[AnnounceInterfaces{}] == 0 {
		return fmt.Errorf("rule 1: %s: before its interface", line(e))
	}
	if c.goneDomains[e.PvD] {
		return fmt.Errorf("rule 3: %s: its identity is used again", line(e))
	}
	listing := c.listing[AnnounceProvisioningDomains{}] + c.listing[AnnounceProvisioningDomains{e.Interface}]
	if old, had := c.domains[e.PvD]; had && old == e && listing == 0 {
		return fmt.Errorf("rule 2: %s: twice without a change", line(e))
	}
	c.domains[e.PvD] = e
	return nil
}

// children counts what is announced of a domain.
func (c *checker) children(id PvDID) (n int) {
	for k := range c.elements {
		if k.pvd == id {
			n++
		}
	}
	for k := range c.addresses {
		if k.pvd == id {
			n++
		}
	}
	return n
}

// child checks what elements and addresses have in common.
func (c *checker) child(e Event, of PvDID, subscribed, up, had bool) error {
	at := of.Interface()
	domains := c.asked.domains[at] || c.asked.everywhere && !c.asked.except[at]
	listing := c.listing[AnnounceProvisioningDomains{}] + c.listing[AnnounceProvisioningDomains{at}]
	_, parent := c.domains[of]
	switch {
	case !subscribed:
		return fmt.Errorf("rule 4: %s: not subscribed", line(e))
	case c.goneDomains[of] || c.goneInterfaces[at]:
		return fmt.Errorf("rule 1: %s: its domain is gone", line(e))
	case up && domains && listing == 0 && !parent:
		return fmt.Errorf("rule 1: %s: before its domain", line(e))
	case !up && !had:
		return fmt.Errorf("rule 2: %s: was not announced", line(e))
	}
	return nil
}

func (c *checker) gotElement(e Event) error {
	switch e := e.(type) {
	case ConfigurationElementAnnouncement:
		k := elementOf{e.PvD, e.Element}
		err := c.child(e, e.PvD, c.asked.elements[e.PvD], true, c.elements[k])
		c.elements[k] = true
		return err
	case NoConfigurationElementAnnouncement:
		k := elementOf{e.PvD, e.Element}
		err := c.child(e, e.PvD, c.asked.elements[e.PvD], false, c.elements[k])
		delete(c.elements, k)
		return err
	}
	return nil
}

func (c *checker) gotAddress(e Event) error {
	switch e := e.(type) {
	case AddressAnnouncement:
		k := addressOf{e.PvD, e.Prefix}
		old, had := c.addresses[k]
		if had && old == e && c.listing[AnnounceAddresses{e.PvD}] == 0 {
			return fmt.Errorf("rule 2: %s: twice without a change", line(e))
		}
		c.addresses[k] = e
		return c.child(e, e.PvD, c.asked.addresses[e.PvD], true, had)
	case NoAddressAnnouncement:
		k := addressOf{e.PvD, e.Prefix}
		_, had := c.addresses[k]
		delete(c.addresses, k)
		return c.child(e, e.PvD, c.asked.addresses[e.PvD], false, had)
	}
	return nil
}

func (c *checker) gotRejected(e Rejected) error {
	switch r := e.Request.(type) {
	case AnnounceProvisioningDomains:
		delete(c.asked.domains, r.Interface)
	case AnnounceConfigurationElements:
		delete(c.asked.elements, r.PvD)
	case AnnounceAddresses:
		delete(c.asked.addresses, r.PvD)
	case TranslateName, TranslateService, ConnectToAddress, ConnectToAddressFromAddress:
		if !c.end(func(t *expected) bool { return t.request == r }) && !c.end(sameNumber(r)) {
			return fmt.Errorf("rule 6: %s: it had ended", line(e))
		}
		return nil
	default:
		return nil
	}
	c.listing[e.Request] = max(0, c.listing[e.Request]-1) // it may have been stopped
	return nil
}

// sameNumber fits the tasks that have the number of a request: where a number was
// used again before its end was got, the ends do not say whose they are.
func sameNumber(r Request) func(*expected) bool {
	like := newChecker()
	like.posted(r)
	return func(t *expected) bool {
		return t.translation == like.tasks[0].translation && t.connection == like.tasks[0].connection
	}
}

// end forgets the first task that fits; it tells whether there is one.
func (c *checker) end(fits func(*expected) bool) bool {
	i := slices.IndexFunc(c.tasks, fits)
	if i >= 0 {
		c.tasks = slices.Delete(c.tasks, i, i+1)
	}
	return i >= 0
}

func (c *checker) gotWork(e Event) error {
	ok := true
	switch e := e.(type) {
	case NameTranslation:
		ok = c.translates(e.ID, e.PvD)
	case ServiceTranslation:
		ok = c.translates(e.ID, e.PvD)
	case TranslationDone:
		ok = c.end(func(t *expected) bool { return t.translation == e.ID && !t.late })
	case Connected:
		ok = c.end(func(t *expected) bool { return t.connection == e.ID && t.pvd == e.PvD && !t.late && !t.stopped })
	case NotConnected:
		ok = c.end(func(t *expected) bool { return t.connection == e.ID && !t.late })
	}
	if !ok {
		return fmt.Errorf("rule 6: %s: nothing of the kind is under way", line(e))
	}
	return nil
}

// translates tells whether a translation may give something.
func (c *checker) translates(id TranslationID, p PvDID) bool {
	return slices.ContainsFunc(c.tasks, func(t *expected) bool {
		return t.translation == id && t.pvd == p && !t.stopped && !t.late
	})
}

// settled tells what is wrong after everything was got: what the subscriber was
// told must be what is, as far as it is subscribed.
func (c *checker) settled(now *pvd.Snapshot) error {
	want := newChecker()
	for change := range pvd.Diff(&pvd.Snapshot{}, now) {
		if !c.asked.take(change) {
			continue
		}
		switch e := announcement(change).(type) {
		case InterfaceAnnouncement:
			want.interfaces[e.Interface] = e
		case ProvisioningDomainAnnouncement:
			want.domains[e.PvD] = e
		case ConfigurationElementAnnouncement:
			want.elements[elementOf{e.PvD, e.Element}] = true
		case AddressAnnouncement:
			want.addresses[addressOf{e.PvD, e.Prefix}] = e
		}
	}
	for r, n := range c.listing {
		if n != 0 {
			return fmt.Errorf("%+v was not answered", r)
		}
	}
	for _, same := range []struct{ got, want any }{
		{c.interfaces, want.interfaces}, {c.domains, want.domains}, {c.elements, want.elements}, {c.addresses, want.addresses},
	} {
		if !reflect.DeepEqual(same.got, same.want) {
			return fmt.Errorf("told\n%v\nthere is\n%v", same.got, same.want)
		}
	}
	return nil
}
