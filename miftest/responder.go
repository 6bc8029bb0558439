package miftest

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"

	"golang.org/x/net/ipv6"
)

// A responder sends a router's advertisements. All of them go to all nodes
// (RFC 4861 §6.2.6 allows that also for an answer).
type responder struct {
	conn    *ipv6.PacketConn
	ns      *namespace
	index   int // of the link
	mac     net.HardwareAddr
	closing chan struct{}
	done    chan struct{}

	mu sync.Mutex
	ra *RA // nil: none
}

// SetRA makes ra what the router advertises and sends it at once, unless the
// cable is pulled. Renumbering is an RA with the old prefix deprecated and the
// new one beside it. With nil the router says nothing more of itself; what it
// said stays valid.
func (r *Router) SetRA(ra *RA) error {
	if ra == nil && r.responder() == nil {
		return nil
	}
	if r.isDead() {
		return r.closed()
	}
	s, err := r.startResponder()
	if err != nil {
		return err
	}
	if ra != nil {
		if err := r.reach(ra.Prefixes); err != nil {
			return err
		}
	}
	s.set(ra)
	if r.link.pulled.Load() {
		return nil
	}
	return s.send()
}

// Advertise sends the router's advertisement once more.
func (r *Router) Advertise() error {
	s := r.responder()
	if s == nil {
		return fmt.Errorf("miftest: the router on %s has no RA", r.name)
	}
	return s.send()
}

func (r *Router) responder() *responder {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ra
}

// reach gives the router a route to what it advertises.
func (r *Router) reach(prefixes []Prefix) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range prefixes {
		p := p.Prefix.Masked()
		if slices.Contains(r.prefixes, p) {
			continue
		}
		if !r.link.pulled.Load() { // else CablePlug does it
			if err := r.ns.setRoute(Route{Destination: p, Interface: lan}); err != nil {
				return err
			}
		}
		r.prefixes = append(r.prefixes, p)
	}
	return nil
}

func (r *Router) startResponder() (*responder, error) {
	r.starting.Lock()
	defer r.starting.Unlock()
	if s := r.responder(); s != nil {
		return s, nil
	}
	index, err := r.ns.index(lan)
	if err != nil {
		return nil, err
	}
	s := &responder{ns: r.ns, index: index, mac: r.mac, closing: make(chan struct{}), done: make(chan struct{})}
	if err := r.ns.do(s.open); err != nil {
		return nil, fmt.Errorf("miftest: router advertisements: %w", err)
	}
	go s.serve()
	if err := r.keep(s); err != nil {
		return nil, err
	}
	r.mu.Lock()
	r.ra = s
	r.mu.Unlock()
	return s, nil
}

func (s *responder) open() error {
	c, err := net.ListenPacket("ip6:ipv6-icmp", "::")
	if err != nil {
		return err
	}
	s.conn = ipv6.NewPacketConn(c)
	var f ipv6.ICMPFilter
	f.SetAll(true)
	f.Accept(ipv6.ICMPTypeRouterSolicitation)
	link := &net.Interface{Index: s.index}
	err = errors.Join(
		s.conn.SetICMPFilter(&f),
		s.conn.JoinGroup(link, &net.IPAddr{IP: net.IPv6linklocalallrouters}),
		s.conn.SetMulticastInterface(link),
		s.conn.SetMulticastHopLimit(255),
	)
	if err != nil {
		c.Close()
	}
	return err
}

// serve answers solicitations. The read's deadline is the periodic timer.
func (s *responder) serve() {
	defer close(s.done)
	b := make([]byte, 1500)
	for {
		_, _, _, err := s.conn.ReadFrom(b)
		switch {
		case err == nil:
		case errors.Is(err, os.ErrDeadlineExceeded):
			s.arm()
		default:
			return
		}
		if s.awaitLink() {
			s.send() // where it fails there is no link, and nobody to tell
		}
	}
}

// awaitLink waits until the kernel lets packets out again. A host solicits as
// soon as its end of the link is up, which is before the kernel has acted on
// the carrier at this end; what is sent then is lost.
func (s *responder) awaitLink() bool {
	return eventually("the link to carry", func() (bool, error) {
		select {
		case <-s.closing:
			return false, net.ErrClosed
		default:
			return s.ns.running(lan)
		}
	}) == nil
}

func (s *responder) arm() {
	s.mu.Lock()
	defer s.mu.Unlock()
	var next time.Time
	if s.ra != nil && s.ra.Interval > 0 {
		next = time.Now().Add(s.ra.Interval)
	}
	s.conn.SetReadDeadline(next)
}

func (s *responder) set(ra *RA) {
	s.mu.Lock()
	s.ra = ra
	s.mu.Unlock()
	s.arm()
}

func (s *responder) send() error {
	s.mu.Lock()
	ra := s.ra
	s.mu.Unlock()
	if ra == nil {
		return nil
	}
	b, err := ra.marshal(s.mac)
	if err != nil {
		return err
	}
	cm := &ipv6.ControlMessage{IfIndex: s.index, HopLimit: 255}
	to := &net.IPAddr{IP: netip.IPv6LinkLocalAllNodes().AsSlice()}
	// The kernel's table of neighbours is one for all namespaces. While others fill it,
	// nothing can be sent.
	full := eventually("room for a neighbour", func() (bool, error) {
		_, err = s.conn.WriteTo(b, cm, to)
		return !errors.Is(err, syscall.EINVAL), nil
	})
	if err = cmp.Or(err, full); err != nil {
		return fmt.Errorf("miftest: sending a router advertisement: %w", err)
	}
	return nil
}

// Close ends the responder.
func (s *responder) Close() error {
	close(s.closing)
	err := s.conn.Close()
	<-s.done
	return err
}
