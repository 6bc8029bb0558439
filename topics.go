package mif

import (
	"sync"

	"github.com/go-mif/mif/pvd"
)

// topics are what a session is subscribed to. They have a lock of their own, held
// for an instant at a time, because the loop asks them whom to wake.
type topics struct {
	mu         sync.Mutex
	interfaces bool
	everywhere bool // domains of every interface, those to come as well
	except     map[InterfaceID]bool
	domains    map[InterfaceID]bool
	elements   map[PvDID]bool
	addresses  map[PvDID]bool
	links      map[InterfaceID]bool // that connections depend on
}

// add subscribes to what an Announce request asks for.
func (t *topics) add(r Request) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch r := r.(type) {
	case AnnounceInterfaces:
		t.interfaces = true
	case AnnounceProvisioningDomains:
		if r.Interface.IsValid() {
			set(&t.domains, r.Interface)
			delete(t.except, r.Interface)
			return
		}
		t.everywhere, t.except = true, nil
	case AnnounceConfigurationElements:
		set(&t.elements, r.PvD)
	case AnnounceAddresses:
		set(&t.addresses, r.PvD)
	}
}

// remove unsubscribes from what a Stop request names.
func (t *topics) remove(r Request) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch r := r.(type) {
	case StopAnnouncingInterfaces:
		t.interfaces = false
	case StopAnnouncingProvisioningDomains:
		t.removeDomains(r.Interface)
	case StopAnnouncingConfigurationElements:
		delete(t.elements, r.PvD)
	case StopAnnouncingAddresses:
		delete(t.addresses, r.PvD)
	}
}

func (t *topics) removeDomains(i InterfaceID) {
	if !i.IsValid() {
		t.everywhere, t.except, t.domains = false, nil, nil
		return
	}
	delete(t.domains, i)
	if t.everywhere {
		set(&t.except, i)
	}
}

// depend notes that a connection depends on a link.
func (t *topics) depend(i InterfaceID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	set(&t.links, i)
}

func set[K comparable](m *map[K]bool, k K) {
	if *m == nil {
		*m = map[K]bool{}
	}
	(*m)[k] = true
}

func (t *topics) clear() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.interfaces, t.everywhere = false, false
	t.except, t.domains, t.elements, t.addresses, t.links = nil, nil, nil, nil, nil
}

// any tells whether there is any subscription.
func (t *topics) any() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.interfaces || t.everywhere || len(t.domains)+len(t.elements)+len(t.addresses) > 0
}

// take tells whether a change is to be announced, and ends the subscriptions to
// what is gone with it (§3.5.5).
func (t *topics) take(c pvd.Change) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	is := t.has(&c)
	switch c.Kind {
	case pvd.NoDomain:
		delete(t.elements, c.Domain.ID())
		delete(t.addresses, c.Domain.ID())
	case pvd.NoInterface:
		delete(t.domains, c.Interface.ID)
		delete(t.except, c.Interface.ID)
		delete(t.links, c.Interface.ID)
	}
	return is
}

func (t *topics) has(c *pvd.Change) bool {
	switch c.Kind {
	case pvd.NewInterface, pvd.NoInterface:
		return t.interfaces
	case pvd.NewDomain, pvd.NoDomain:
		return t.domains[c.Interface.ID] || t.everywhere && !t.except[c.Interface.ID]
	case pvd.NewElement, pvd.NoElement:
		return t.elements[c.Domain.ID()]
	}
	return t.addresses[c.Domain.ID()]
}

// care tells whether any of some changes is the session's business.
func (t *topics) care(changes []pvd.Change) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range changes {
		if t.has(&changes[i]) || t.links[changes[i].Interface.ID] {
			return true
		}
	}
	return false
}
