package main

import (
	"context"
	"io"
	"net"
	"time"

	"github.com/go-mif/mif"
	"github.com/go-mif/mif/connect"
	"github.com/go-mif/mif/pvd"
)

// A view shows what becomes of connections.
type view interface {
	Posted(r mif.Request, now time.Time)
	Event(e mif.Event) error
	Reply(id mif.ConnectionID, reply string, err error) error
	Explanation(id mif.PvDID, e connect.Explanation) error
}

// dial connects in every domain at once, shows what comes of it, and tells how many
// connections were made.
func dial(ctx context.Context, h *mif.Host, domains []*pvd.Domain, o order, v view) (made int, err error) {
	s := h.NewSession()
	defer s.Close()
	for i, d := range domains {
		r := o.request(mif.ConnectionID(i+1), d.ID())
		v.Posted(r, time.Now())
		if err := s.Post(r); err != nil {
			return 0, err
		}
	}
	var all []mif.Connected
	defer func() {
		for _, c := range all {
			c.Conn.Close()
		}
	}()
	for decided := 0; decided < len(domains); {
		e, err := next(ctx, s)
		if err != nil {
			return len(all), err
		}
		switch e := e.(type) {
		case mif.Connected:
			all = append(all, e)
			decided++
		case mif.NotConnected, mif.Rejected:
			decided++
		}
		if err := v.Event(e); err != nil {
			return len(all), err
		}
	}
	return len(all), o.converse(ctx, all, v)
}

func (o order) request(id mif.ConnectionID, in mif.PvDID) mif.Request {
	if o.from.IsValid() {
		return mif.ConnectToAddressFromAddress{ID: id, PvD: in, From: o.from, To: o.to, Timeout: o.timeout}
	}
	return mif.ConnectToAddress{ID: id, PvD: in, To: o.to, Timeout: o.timeout}
}

func next(ctx context.Context, s *mif.Session) (mif.Event, error) {
	if err := s.Check(ctx); err != nil {
		return nil, err
	}
	return s.Get()
}

// converse talks on every connection, one after the other.
func (o order) converse(ctx context.Context, all []mif.Connected, v view) error {
	for _, c := range all {
		if !o.talk {
			return nil
		}
		reply, err := o.exchange(ctx, c.Conn)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := v.Reply(c.ID, reply, err); err != nil {
			return err
		}
	}
	return nil
}

// atMost is how many octets of a reply are read.
const atMost = 64 << 10

// exchange sends, says that this is all, and reads until the peer ends too.
func (o order) exchange(ctx context.Context, c net.Conn) (string, error) {
	defer context.AfterFunc(ctx, func() { c.Close() })()
	c.SetDeadline(time.Now().Add(o.timeout))
	if _, err := io.WriteString(c, o.send); err != nil {
		return "", err
	}
	if t, ok := c.(*net.TCPConn); ok && o.send != "" {
		t.CloseWrite() // if it fails, reading tells
	}
	b, err := io.ReadAll(io.LimitReader(c, atMost))
	return string(b), err
}

// explanations shows what a connection would do in every domain, and tells in how
// many one would be begun.
func explanations(_ context.Context, h *mif.Host, domains []*pvd.Domain, o order, v view) (good int, err error) {
	for _, d := range domains {
		dialer, err := h.Dialer(d.ID())
		if err != nil {
			return good, err
		}
		e, err := dialer.Explain(o.to)
		if err != nil {
			return good, err
		}
		if e.Refusal == nil {
			good++
		}
		if err := v.Explanation(d.ID(), e); err != nil {
			return good, err
		}
	}
	return good, nil
}
