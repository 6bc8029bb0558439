package mif

import (
	"context"
	"iter"
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/go-mif/mif/resolver"
)

// A step is something that a fake look-up does.
type step struct {
	after time.Duration
	addrs []string
	err   error
}

// answers makes look-ups go through some steps, unless their context ends them.
func answers(steps ...step) func(context.Context, PvDID, string) iter.Seq2[[]resolver.Answer, error] {
	return func(ctx context.Context, _ PvDID, name string) iter.Seq2[[]resolver.Answer, error] {
		return func(yield func([]resolver.Answer, error) bool) {
			for _, s := range steps {
				if err := sleep(ctx, s.after); err != nil {
					yield(nil, &resolver.Error{Name: name, Err: err})
					return
				}
				var group []resolver.Answer
				for _, a := range s.addrs {
					group = append(group, resolver.Answer{Addr: netip.MustParseAddr(a), CanonicalName: name, Origin: resolver.DNS})
				}
				if !yield(group, s.err) {
					return
				}
			}
		}
	}
}

// serves makes look-ups of services give some after a time.
func serves(after time.Duration, targets ...string) func(context.Context, PvDID, TranslateService) ([]resolver.Service, error) {
	return func(ctx context.Context, _ PvDID, r TranslateService) (all []resolver.Service, err error) {
		if err := sleep(ctx, after); err != nil {
			return nil, &resolver.Error{Name: r.Name, Err: err}
		}
		for i, target := range targets {
			all = append(all, resolver.Service{Priority: uint16(i + 1), Target: target, Port: r.Port})
		}
		return all, nil
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	if d == 0 {
		return context.Cause(ctx)
	}
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

const forever = 1000 * time.Hour

// connects is a dial that succeeds at once.
func (h *fakeHost) connects(_ context.Context, id PvDID, r ConnectToAddressFromAddress) (net.Conn, error) {
	return h.conn(id), nil
}

// connectsAfter is a dial that succeeds after some time.
func (h *fakeHost) connectsAfter(d time.Duration) func(context.Context, PvDID, ConnectToAddressFromAddress) (net.Conn, error) {
	return func(ctx context.Context, id PvDID, _ ConnectToAddressFromAddress) (net.Conn, error) {
		if err := sleep(ctx, d); err != nil {
			return nil, err
		}
		return h.conn(id), nil
	}
}

// conn makes a connection of a domain, from its first address.
func (h *fakeHost) conn(id PvDID) *fakeConn {
	c := &fakeConn{local: netip.MustParseAddr("192.0.2.254")}
	if d := h.Snapshot().Domain(id); d != nil {
		for a := range d.Addresses() {
			c.local = a.Prefix.Addr()
			break
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.conns = append(h.conns, c)
	return c
}

// open are the connections not closed yet.
func (h *fakeHost) open() (open []*fakeConn) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, c := range h.conns {
		if !c.closed.Load() {
			open = append(open, c)
		}
	}
	return open
}

// A fakeConn is a connection to nowhere.
type fakeConn struct {
	net.Conn
	local  netip.Addr
	closed atomic.Bool
}

func (c *fakeConn) LocalAddr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(c.local, 1024))
}

func (c *fakeConn) Close() error {
	if c.closed.Swap(true) {
		return net.ErrClosed
	}
	return nil
}
