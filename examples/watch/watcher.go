package main

import (
	"errors"

	"github.com/go-mif/mif"
	"github.com/go-mif/mif/pvd"
)

// A view shows events.
type view interface{ Event(mif.Event) error }

// A watcher subscribes to whatever is announced, and knows what is worth telling.
type watcher struct {
	session *mif.Session
	domains map[mif.PvDID]bool // subscribed to
	told    map[item]bool      // items that had data when they were last told
	verbose bool
}

// An item is a question to an element of a domain.
type item struct {
	pvd     mif.PvDID
	element mif.ElementType
	item    mif.Item
}

// newWatcher returns a watcher with a session that asks for interfaces and domains.
func newWatcher(h *mif.Host, verbose bool) *watcher {
	w := &watcher{session: h.NewSession(), domains: map[mif.PvDID]bool{}, told: map[item]bool{}, verbose: verbose}
	w.session.Post(mif.AnnounceInterfaces{})
	w.session.Post(mif.AnnounceProvisioningDomains{})
	return w
}

// follow asks for more of what an event announces.
func (w *watcher) follow(e mif.Event) {
	switch e := e.(type) {
	case mif.ProvisioningDomainAnnouncement:
		if !w.domains[e.PvD] { // else it has changed, and asking again would list again
			w.domains[e.PvD] = true
			w.session.Post(mif.AnnounceConfigurationElements{PvD: e.PvD})
			w.session.Post(mif.AnnounceAddresses{PvD: e.PvD})
		}
	case mif.NoProvisioningDomainAnnouncement:
		delete(w.domains, e.PvD)
	case mif.ConfigurationElementAnnouncement:
		for _, i := range pvd.Items() {
			w.session.Post(mif.GetConfigurationData{PvD: e.PvD, Element: e.Element, Item: i})
		}
	case mif.NoConfigurationElementAnnouncement:
		for _, i := range pvd.Items() {
			delete(w.told, item{e.PvD, e.Element, i})
		}
	}
}

// worth tells whether an event says something that is, or is no more.
func (w *watcher) worth(e mif.Event) bool {
	switch e := e.(type) {
	case mif.ConfigurationData:
		w.told[item{e.PvD, e.Element, e.Item}] = true
	case mif.NoConfigurationData:
		i := item{e.PvD, e.Element, e.Item}
		told := w.told[i]
		delete(w.told, i)
		return told || w.verbose
	case mif.Rejected:
		return w.verbose || !errors.Is(e.Err, mif.ErrUnknownPvD)
	}
	return true
}
