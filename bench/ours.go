package main

import (
	"context"
	"maps"
	"net/netip"
	"sync"

	"github.com/go-mif/mif"
	"github.com/go-mif/mif/pvd"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// ours is one session that asks for everything that the others hear of.
func ours(buffer int, b *board) (func() (int, int, int), error) {
	h, err := mif.Open(&mif.Config{ReceiveBuffer: buffer})
	if err != nil {
		return nil, err
	}
	s := &subscriber{Session: h.NewSession(), board: b}
	s.Post(mif.AnnounceInterfaces{})
	s.Post(mif.AnnounceProvisioningDomains{})
	go s.listen()
	return nil, nil
}

// A subscriber is a session and what it was told.
type subscriber struct {
	*mif.Session
	board  *board
	routes map[netip.Prefix]bool
	told   int

	mu    sync.Mutex
	addrs map[netip.Prefix]bool // nil: it is not kept
}

func (s *subscriber) listen() {
	defer s.board.ended.Add(1)
	for e, err := range s.Events(context.Background()) {
		if err != nil {
			return
		}
		s.take(e)
	}
}

// drain takes what there is to get.
func (s *subscriber) drain() {
	for e, err := s.Get(); err == nil; e, err = s.Get() {
		s.take(e)
	}
}

func (s *subscriber) take(e mif.Event) {
	s.told++
	switch e := e.(type) {
	case mif.InterfaceAnnouncement:
		s.board.note(linkID(e.Index, e.Up))
	case mif.ProvisioningDomainAnnouncement:
		s.Post(mif.AnnounceAddresses{PvD: e.PvD})
		if s.addrs == nil {
			s.Post(mif.AnnounceConfigurationElements{PvD: e.PvD})
		}
	case mif.ConfigurationElementAnnouncement:
		s.Post(mif.GetConfigurationData{PvD: e.PvD, Element: e.Element, Item: pvd.ItemRoutes})
	case mif.NoConfigurationData:
		s.compare(nil)
	case mif.ConfigurationData:
		s.compare(e.Data.(pvd.Routes))
	case mif.AddressAnnouncement:
		s.keep(e.Prefix, true)
		s.board.note(addrID(unix.RTM_NEWADDR, e.Prefix.Addr()))
	case mif.NoAddressAnnouncement:
		s.keep(e.Prefix, false)
		s.board.note(addrID(unix.RTM_DELADDR, e.Prefix.Addr()))
	}
}

// compare finds which routes are other than they were.
func (s *subscriber) compare(now pvd.Routes) {
	is := make(map[netip.Prefix]bool, len(now))
	for _, r := range now {
		to := r.Value.Destination
		if is[to] = true; !s.routes[to] {
			s.board.note(addrID(unix.RTM_NEWROUTE, to.Addr()))
		}
	}
	for to := range s.routes {
		if !is[to] {
			s.board.note(addrID(unix.RTM_DELROUTE, to.Addr()))
		}
	}
	s.routes = is
}

func (s *subscriber) keep(p netip.Prefix, is bool) {
	if s.addrs == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.addrs[p] = true; !is {
		delete(s.addrs, p)
	}
}

// oursHundred is a hundred sessions, of which the first sleeps once it knows what
// there is, until it is checked.
func oursHundred(buffer int, b *board) (func() (int, int, int), error) {
	h, err := mif.Open(&mif.Config{ReceiveBuffer: buffer})
	if err != nil {
		return nil, err
	}
	var all [100]*subscriber
	for i := range all {
		s := &subscriber{Session: h.NewSession(), board: b, addrs: map[netip.Prefix]bool{}}
		all[i] = s
		s.Post(mif.AnnounceProvisioningDomains{})
		if s.drain(); i > 0 {
			go s.listen()
		}
	}
	return func() (right, of, told int) {
		before := all[0].told
		all[0].drain()
		return known(all[:]), len(all), all[0].told - before
	}, nil
}

// known is how many subscribers know the addresses that the kernel has.
func known(all []*subscriber) (right int) {
	list, err := netlink.AddrList(nil, unix.AF_INET)
	if err != nil {
		return 0
	}
	is := map[netip.Prefix]bool{}
	for _, a := range list {
		ip, _ := netip.AddrFromSlice(a.IP)
		bits, _ := a.Mask.Size()
		is[netip.PrefixFrom(ip.Unmap(), bits)] = true
	}
	for _, s := range all {
		s.mu.Lock()
		if maps.Equal(s.addrs, is) {
			right++
		}
		s.mu.Unlock()
	}
	return right
}
