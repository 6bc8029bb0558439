package resolver

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/miekg/dns"
)

const (
	mdnsPort   = 5353
	mdnsRepeat = time.Second     // before a query is sent again (RFC 6762 §5.2)
	mdnsTime   = 3 * time.Second // for which answers are waited for
	mdnsRest   = time.Second     // for those of the other family, after the first
	mdnsNoise  = 1000            // datagrams looked at
)

var errNobody = fmt.Errorf("%w: nobody on the link has answered", ErrNoSuchName)

// group gives where hosts of a link listen (RFC 6762 §3).
func group(network string) net.Addr {
	if network == "udp4" {
		return &net.UDPAddr{IP: net.IPv4(224, 0, 0, 251), Port: mdnsPort}
	}
	return &net.UDPAddr{IP: net.ParseIP("ff02::fb"), Port: mdnsPort}
}

// A shout is a look-up by multicast: one-shot queries from a port of their own,
// which are answered by unicast (RFC 6762 §5.1, §6.7).
type shout struct {
	l     *lookup
	name  string
	types []uint16
	take  func(outcome) error // takes what was heard of each type
	heard chan outcome
	tasks sync.WaitGroup
}

// local asks the hosts on the link for a name, over IPv6 and IPv4.
func (l *lookup) local(name string) (found bool, err error) {
	return l.shout(name, l.types(), func(o outcome) error { return l.offer(o, new(bool)) })
}

// shout asks for records of some types, and tells whether it has heard of any.
func (l *lookup) shout(name string, types []uint16, take func(outcome) error) (found bool, err error) {
	ctx, cancel := context.WithTimeout(l.patience.ctx, min(mdnsTime, time.Until(l.patience.until)))
	defer cancel()
	s := &shout{l: l, name: name, types: types, take: take, heard: make(chan outcome)}
	defer s.tasks.Wait()
	defer cancel()
	failed := make(chan error, 2)
	for _, network := range []string{"udp6", "udp4"} {
		s.tasks.Go(func() { failed <- s.ask(ctx, network) })
	}
	return s.collect(ctx, failed)
}

// collect yields the first answer for each type.
func (s *shout) collect(ctx context.Context, failed <-chan error) (found bool, err error) {
	done := map[uint16]bool{}
	var rest <-chan time.Time
	for failures := 0; len(done) < len(s.types) && failures < 2; {
		select {
		case o := <-s.heard:
			if done[o.qtype] {
				continue
			}
			done[o.qtype], rest = true, time.After(mdnsRest)
			found = true
			if err := s.take(o); err != nil {
				return found, err
			}
		case err = <-failed:
			if failures++; ctx.Err() != nil {
				return found, s.silence(found)
			}
		case <-rest:
			return found, nil
		case <-s.l.patience.life:
			return found, s.l.patience.err("")
		case <-ctx.Done():
			return found, s.silence(found)
		}
	}
	if found {
		return true, nil
	}
	return false, err
}

// silence gives the error for the lack of answers.
func (s *shout) silence(found bool) error {
	switch {
	case s.l.patience.over(time.Now()): // and not only the time for multicast
		return s.l.patience.err("")
	case found:
		return nil
	}
	return errNobody
}

// ask sends queries by one socket and reads replies until the context ends, or
// gives what went wrong.
func (s *shout) ask(ctx context.Context, network string) error {
	conn, err := s.l.r.Multicast(ctx, network)
	if err != nil {
		return err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	questions, err := s.questions()
	if err != nil {
		return err
	}
	send := func() (err error) {
		for _, q := range questions {
			if _, err = conn.WriteTo(q.wire, group(network)); err != nil {
				return err
			}
		}
		return nil
	}
	if err := send(); err != nil {
		return err
	}
	s.tasks.Go(func() {
		select {
		case <-time.After(mdnsRepeat):
			_ = send() // the reader sees what is wrong
		case <-ctx.Done():
		}
	})
	return s.listen(ctx, conn, questions)
}

func (s *shout) questions() ([]*question, error) {
	questions := make([]*question, len(s.types))
	for i, qtype := range s.types {
		questions[i] = new(question)
		if err := questions[i].compose(topic{s.name + ".", qtype}, false); err != nil {
			return nil, err
		}
		questions[i].identify(s.l.r.entropy.uint16())
		questions[i].wire[2] = 0 // no recursion (RFC 6762 §18.6)
	}
	return questions, nil
}

// listen reads replies: what comes from elsewhere than the link's own hosts is
// no reply (RFC 6762 §11).
func (s *shout) listen(ctx context.Context, conn net.PacketConn, questions []*question) error {
	buf := s.l.r.buffer()
	defer s.l.r.buffers.Put(buf)
	for range mdnsNoise {
		n, from, err := conn.ReadFrom(buf[:])
		if err != nil {
			return err
		}
		addr, ok := from.(*net.UDPAddr)
		if !ok || !s.l.cfg.neighbour(addr.AddrPort()) {
			continue
		}
		for i, q := range questions {
			if o, ok := s.read(q, s.types[i], buf[:n]); ok {
				o.qtype = s.types[i]
				s.pass(ctx, o, addr.AddrPort())
			}
		}
	}
	return errSpoofed
}

// read reads a reply. A query nobody can answer gets none, so only records
// count.
func (s *shout) read(q *question, qtype uint16, b []byte) (outcome, bool) {
	m, v := q.judge(b)
	if v != whole || m.rcode != dns.RcodeSuccess {
		return outcome{}, false
	}
	for i := range m.answer {
		m.answer[i].class &^= 1 << 15 // says that a cache is to be flushed (RFC 6762 §10.2)
	}
	f := &finding{chain: chain{end: s.name + "."}}
	f.addrs, f.err = f.chain.follow(m, qtype, time.Now())
	if f.err != nil {
		return outcome{}, false
	}
	o := outcome{records: f.chain.records, end: f.chain.canonical(), expiry: f.chain.expiry}
	o.answers = s.l.cfg.scoped(f.chain.answers(f, false))
	return o, len(o.answers)+len(o.records) > 0
}

// pass passes answers on, with where they are from.
func (s *shout) pass(ctx context.Context, o outcome, from netip.AddrPort) {
	from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
	o.server = from
	for i := range o.answers {
		o.answers[i].Origin, o.answers[i].Server = Multicast, from
	}
	select {
	case s.heard <- o:
	case <-ctx.Done():
	}
}

// neighbour tells whether somebody is on the link, and speaks for mDNS.
func (c *Config) neighbour(from netip.AddrPort) bool {
	addr := from.Addr().Unmap()
	on := addr.IsLinkLocalUnicast()
	for _, p := range c.OnLink {
		on = on || p.Contains(addr.WithZone(""))
	}
	return on && from.Port() == mdnsPort
}

// scoped puts the link's zone into link-local addresses, which are of no use
// without.
func (c *Config) scoped(all []Answer) (kept []Answer) {
	for _, a := range all {
		if a.Addr.Is6() && a.Addr.IsLinkLocalUnicast() {
			if c.Link <= 0 {
				continue
			}
			a.Addr = a.Addr.WithZone(fmt.Sprint(c.Link))
		}
		kept = append(kept, a)
	}
	return kept
}
