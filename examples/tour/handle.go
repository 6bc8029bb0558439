package main

import (
	"net"
	"time"

	"github.com/go-mif/mif"
	"github.com/go-mif/mif/pvd"
)

// expect notes that a request is about to be posted.
func (a *app) expect(r mif.Request) {
	switch r := r.(type) {
	case mif.AnnounceInterfaces, mif.AnnounceProvisioningDomains, mif.AnnounceConfigurationElements,
		mif.AnnounceAddresses, mif.GetConfigurationData:
		a.open++
	case mif.ConnectToAddress:
		a.attempt(r.ID).began = time.Now()
	}
}

// handle learns from an event, and asks for what it calls for.
func (a *app) handle(e mif.Event) {
	switch e := e.(type) {
	case mif.InterfaceAnnouncement:
		_, known := a.interfaces[e.Interface]
		a.interfaces[e.Interface] = e
		if !known && e.Flags&net.FlagLoopback == 0 { // loopback has no domains
			a.ask(mif.AnnounceProvisioningDomains{Interface: e.Interface})
		}
	case mif.ProvisioningDomainAnnouncement:
		if a.add(e.PvD) {
			a.ask(mif.AnnounceConfigurationElements{PvD: e.PvD}, mif.AnnounceAddresses{PvD: e.PvD})
		}
	case mif.NoProvisioningDomainAnnouncement:
		a.domain(e.PvD).gone = true
	case mif.Synced, mif.ConfigurationData, mif.NoConfigurationData:
		a.open--
		a.learn(e)
	case mif.Rejected:
		a.rejected(e)
	case mif.NameTranslation, mif.TranslationDone:
		a.find(e)
	case mif.Connected, mif.NotConnected, mif.Readable:
		a.decide(e)
	default:
		a.learn(e)
	}
}

func (a *app) ask(requests ...mif.Request) { a.next = append(a.next, requests...) }

// learn learns what a domain has.
func (a *app) learn(e mif.Event) {
	switch e := e.(type) {
	case mif.ConfigurationElementAnnouncement:
		a.ask(mif.GetConfigurationData{PvD: e.PvD, Element: e.Element, Item: pvd.ItemDNSServers})
	case mif.NoConfigurationElementAnnouncement:
		delete(a.domain(e.PvD).servers, e.Element)
	case mif.ConfigurationData:
		a.domain(e.PvD).servers[e.Element], _ = e.Data.(pvd.DNSServers)
	case mif.AddressAnnouncement:
		a.domain(e.PvD).addresses[e.Prefix] = e.Address
	case mif.NoAddressAnnouncement:
		delete(a.domain(e.PvD).addresses, e.Prefix)
	}
}

// rejected is what happens if something went while it was asked about.
func (a *app) rejected(e mif.Rejected) {
	switch r := e.Request.(type) {
	case mif.TranslateName:
		a.domain(r.PvD).translated = true
	case mif.ConnectToAddress:
		a.attempt(r.ID).err = e.Err
	default:
		a.open--
	}
}

// find learns what the name translates to.
func (a *app) find(e mif.Event) {
	switch e := e.(type) {
	case mif.NameTranslation:
		d := a.domain(e.PvD)
		d.found, d.server = append(d.found, e.Addr), e.Server
		a.wait()
		if a.late {
			a.dial(d, e.Addr)
		}
	case mif.TranslationDone:
		a.domains[e.ID-1].translated = true
	}
}

// wait gives the others their time once the first has answered.
func (a *app) wait() {
	if a.limit.IsZero() {
		a.limit = time.Now().Add(patience)
	}
}

// decide learns what became of a connection.
func (a *app) decide(e mif.Event) {
	switch e := e.(type) {
	case mif.Connected:
		t := a.attempt(e.ID)
		t.conn, t.took = e.Conn, time.Since(t.began)
		if a.stage.greeting != "" {
			t.conn.Write([]byte(a.stage.greeting)) // it fits the buffer; if it fails, reading tells
		}
		a.ask(mif.WatchReadable{ID: e.ID, Conn: e.Conn})
	case mif.NotConnected:
		t := a.attempt(e.ID)
		t.err, t.took = e.Err, time.Since(t.began)
	case mif.Readable:
		t := a.attempt(e.ID)
		t.answered = time.Since(t.began)
		a.wait()
	}
}
