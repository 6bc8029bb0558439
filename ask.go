package mif

import (
	"fmt"
	"net"
	"slices"
	"sync/atomic"

	"github.com/go-mif/mif/dhcp"
	"github.com/go-mif/mif/hostconf"
	"github.com/go-mif/mif/pvd"
)

// asking has DHCP servers asked, with Config.AskDHCP.
type asking struct {
	asker   *dhcp.Asker // nil: nobody is asked
	answers inbox[map[pvd.InterfaceID][]dhcp.Answer]
	sight   atomic.Pointer[sight]
	kick    chan struct{} // tells that there is a new sight; nil: nobody is asked
	lack    atomic.Pointer[error]
}

// A sight is what tells whom to ask.
type sight struct {
	snapshot *pvd.Snapshot
	state    *hostconf.State
}

// openAsking opens the asker, if it is wanted. Lacking the privilege, the Host goes on
// without.
func (h *Host) openAsking() {
	if !h.config.AskDHCP {
		return
	}
	a, err := dhcp.Open(&dhcp.Config{NetNS: h.config.NetNS, Log: h.config.Log})
	if err != nil {
		h.asking.fail(fmt.Errorf("mif: AskDHCP: %w", err))
		if h.config.Log != nil {
			h.config.Log.Warn("DHCP servers are not asked; CAP_NET_RAW would allow it", "err", err)
		}
		return
	}
	h.asking.asker, h.asking.kick = a, make(chan struct{}, 1)
	h.asking.follow(h.whole.Load(), h.inbox.last)
	h.running.Go(h.ask)
	h.running.Go(h.hearAnswers)
}

// follow tells the goroutine that asks what there is now. It does not wait.
func (a *asking) follow(s *pvd.Snapshot, state *hostconf.State) {
	if a.kick == nil {
		return
	}
	a.sight.Store(&sight{s, state})
	select {
	case a.kick <- struct{}{}:
	default:
	}
}

// ask is the goroutine that has asked what the newest Snapshot gives reason to.
func (h *Host) ask() {
	var last []dhcp.Question
	for {
		select {
		case <-h.asking.kick:
			s := h.asking.sight.Load()
			if q := questions(s.snapshot, s.state, last); !slices.Equal(q, last) {
				h.asking.asker.Ask(q)
				last = q
			}
		case <-h.end.Done():
			return
		}
	}
}

// hearAnswers is the goroutine that tells the loop what servers answer.
func (h *Host) hearAnswers() {
	for {
		answers, err := h.asking.asker.Receive(h.end)
		if err != nil {
			if h.end.Err() == nil {
				h.asking.fail(fmt.Errorf("mif: AskDHCP: %w", err))
				if h.config.Log != nil {
					h.config.Log.Warn("DHCP servers are not asked any more", "err", err)
				}
			}
			return
		}
		of := map[pvd.InterfaceID][]dhcp.Answer{}
		for _, a := range answers {
			of[a.PvD.Interface()] = append(of[a.PvD.Interface()], a)
		}
		h.asking.answers.put(&of)
		h.kernel.Interrupt()
	}
}

func (a *asking) fail(err error) { a.lack.Store(&err) }

func (a *asking) close() error {
	if a.asker == nil {
		return nil
	}
	return a.asker.Close()
}

// askingSource tells how the asking goes, if it is wanted.
func (h *Host) askingSource() []Source {
	if !h.config.AskDHCP {
		return nil
	}
	s := Source{Name: "DHCP servers"}
	if err := h.asking.lack.Load(); err != nil {
		s.Err = *err
	}
	return []Source{s}
}

// answered tells whether servers told anything. It is the loop's.
func (a *asking) answered() bool { return a.answers.last != nil && len(*a.answers.last) > 0 }

// with adds to what is known of a link what servers answered there, of elements that
// nobody else tells of. An answer goes with the domain that it was asked for.
func (a *asking) with(known []pvd.Configuration, f *pvd.Facts, now *pvd.Snapshot) []pvd.Configuration {
	if !a.answered() {
		return known
	}
	others := known
	for _, answer := range (*a.answers.last)[f.Interface.ID] {
		if now.Domain(answer.PvD) != nil && !tells(others, answer.Element()) {
			known = append(known, answer.Configuration)
		}
	}
	return known
}

// tells tells whether anything known is of an element.
func tells(known []pvd.Configuration, t pvd.ElementType) bool {
	return slices.ContainsFunc(known, func(c pvd.Configuration) bool { return c.Has(t) })
}

// questions are what to ask servers: about DHCPv4 where an interface has an address
// that routers forward, and about DHCPv6 where a router says that there is something
// to be had (RFC 4861 section 4.2); not where a client or a manager of the host tells
// it already. Those asked last go on as long as they can.
func questions(s *pvd.Snapshot, state *hostconf.State, last []dhcp.Question) (all []dhcp.Question) {
	for l := range s.Links() {
		f := s.Facts(l.Interface().ID)
		if !canAsk(&f.Interface) {
			continue
		}
		known := heardFrom(state, &f.Interface)
		if q := question(l, last, isGlobal4); q.From.IsValid() && !tells(known, pvd.ElementDHCPv4) {
			all = append(all, q)
		}
		if q := question(l, last, isLinkLocal6); q.From.IsValid() && offersDHCPv6(f) && !tells(known, pvd.ElementDHCPv6) {
			all = append(all, q)
		}
	}
	return all
}

// canAsk tells whether there can be DHCP on an interface, as package dhcp can do it.
func canAsk(i *pvd.Interface) bool {
	const all, none = net.FlagBroadcast | net.FlagMulticast, net.FlagLoopback | net.FlagPointToPoint
	return i.Flags&all == all && i.Flags&none == 0 && len(i.HardwareAddr) == 6
}

// offersDHCPv6 tells whether a router set the O or the M flag.
func offersDHCPv6(f *pvd.Facts) bool {
	return f.Other || f.Managed || slices.ContainsFunc(f.RAs, func(ra pvd.RA) bool { return ra.Other || ra.Managed })
}

func isGlobal4(a pvd.Address) bool {
	return a.Prefix.Addr().Is4() && !a.Prefix.Addr().IsLinkLocalUnicast()
}

func isLinkLocal6(a pvd.Address) bool {
	return a.Prefix.Addr().Is6() && a.Prefix.Addr().IsLinkLocalUnicast()
}

// question is one about an address that suits: the one asked last, or else that about
// the first address of the first domain. Domains of the program's own are not DHCP's.
func question(l *pvd.Link, last []dhcp.Question, suits func(pvd.Address) bool) (first dhcp.Question) {
	i := l.Interface()
	for d := range l.Domains() {
		if slices.Contains(slices.Collect(d.Elements()), pvd.ElementProgram) {
			continue
		}
		for a := range d.Addresses() {
			if !a.Usable() || !suits(a) {
				continue
			}
			q := dhcp.Question{PvD: d.ID(), From: a.Prefix.Addr(), HardwareAddr: [6]byte(i.HardwareAddr), MTU: i.MTU}
			if slices.Contains(last, q) {
				return q
			}
			if !first.From.IsValid() {
				first = q
			}
		}
	}
	return first
}
