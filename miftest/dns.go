package miftest

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/miekg/dns"
)

// A DNSServer answers from a Zone, over UDP and TCP, and remembers who asked.
type DNSServer struct {
	udp     net.PacketConn
	tcp     *TCPServer
	stop    context.CancelFunc
	running sync.WaitGroup

	mu      sync.Mutex
	zone    Zone
	queries []Query
}

// A Query is a question a DNSServer was asked.
type Query struct {
	Time    time.Time
	From    netip.AddrPort
	Network string // "udp" or "tcp"
	Name    string // in lower case, without the final dot
	Type    string // "A", "AAAA", ...
}

// DNS starts a DNS server behind the router. The router gets the address if it
// does not have it. A nil Zone has no names.
func (r *Router) DNS(at netip.AddrPort, zone Zone) (*DNSServer, error) {
	if err := zone.check(); err != nil {
		return nil, err
	}
	udp, err := r.ListenPacket(at)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	s := &DNSServer{udp: udp, stop: stop, zone: zone}
	port := udp.LocalAddr().(*net.UDPAddr).AddrPort().Port()
	if s.tcp, err = r.serve(netip.AddrPortFrom(at.Addr(), port), s.overTCP); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	s.running.Go(func() { s.overUDP(ctx) })
	return s, r.keep(s)
}

var errEmptyRecord = errors.New("no record")

// check finds the names and records nobody could be answered with.
func (z Zone) check() error {
	for name, n := range z {
		if name != canonical(name) {
			return fmt.Errorf("miftest: name %q in a Zone: want %q", name, canonical(name))
		}
		for _, text := range n.Records {
			if rr, err := dns.NewRR(text); err != nil || rr == nil {
				return fmt.Errorf("miftest: record of %s: %q: %w", name, text, cmp.Or(err, errEmptyRecord))
			}
		}
	}
	return nil
}

// Addr returns the address the server answers at.
func (s *DNSServer) Addr() netip.AddrPort { return s.udp.LocalAddr().(*net.UDPAddr).AddrPort() }

// SetZone changes what the server answers from now on.
func (s *DNSServer) SetZone(zone Zone) error {
	if err := zone.check(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.zone = zone
	return nil
}

// Queries returns what the server has been asked so far, dropped and faulty
// ones included, in order.
func (s *DNSServer) Queries() []Query {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.queries)
}

// Close stops the server; answers still delayed are not sent.
func (s *DNSServer) Close() error {
	s.stop()
	err := quiet{s.udp}.Close()
	if s.tcp != nil {
		err = errors.Join(err, s.tcp.Close())
	}
	s.running.Wait()
	return err
}

func (s *DNSServer) overUDP(ctx context.Context) {
	c := s.udp.(*net.UDPConn)
	b := make([]byte, 65535)
	for {
		n, from, err := c.ReadFromUDPAddrPort(b)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue // what an ICMP error says of an earlier answer
		}
		q := slices.Clone(b[:n])
		s.running.Go(func() {
			if reply := s.reply(ctx, q, from, "udp"); reply != nil {
				c.WriteToUDPAddrPort(reply, from)
			}
		})
	}
}

// overTCP answers the queries of one connection in order (RFC 7766 §6.2.1.1
// asks for parallel answers, but a script is easier to read in order).
func (s *DNSServer) overTCP(ctx context.Context, c net.Conn) {
	from := c.RemoteAddr().(*net.TCPAddr).AddrPort()
	for {
		var size [2]byte
		if _, err := io.ReadFull(c, size[:]); err != nil {
			return
		}
		q := make([]byte, binary.BigEndian.Uint16(size[:]))
		if _, err := io.ReadFull(c, q); err != nil {
			return
		}
		reply := s.reply(ctx, q, from, "tcp")
		if reply == nil {
			continue
		}
		if _, err := c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(reply))), reply...)); err != nil {
			return
		}
	}
}

// reply returns the answer to a query, once it is due, or nil.
func (s *DNSServer) reply(ctx context.Context, query []byte, from netip.AddrPort, network string) []byte {
	var q, m dns.Msg
	if q.Unpack(query) != nil || q.Response || len(q.Question) != 1 {
		return nil
	}
	m.SetReply(&q)
	m.RecursionAvailable = true
	f := s.lookUp(&m, from, network)
	if f.Drop || f.Stall && network == "tcp" || !pause(ctx, f.Delay) {
		return nil
	}
	size := 512
	if o := q.IsEdns0(); o != nil {
		m.SetEdns0(1232, false)
		size = max(size, int(o.UDPSize()))
	}
	if network == "udp" {
		if f.Truncate {
			m.Truncated, m.Answer, m.Ns = true, nil, nil
		}
		m.Truncate(size)
		m.Truncated = m.Truncated || f.Truncate
	}
	b, err := m.Pack()
	if err != nil {
		return nil
	}
	return b
}

func (s *DNSServer) lookUp(m *dns.Msg, from netip.AddrPort, network string) Fault {
	q := m.Question[0]
	s.mu.Lock()
	defer s.mu.Unlock()
	from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
	s.queries = append(s.queries, Query{time.Now(), from, network, canonical(q.Name), dns.TypeToString[q.Qtype]})
	return s.zone.answer(m)
}
