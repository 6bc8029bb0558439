// Package inside makes connections inside the domains that a word means, for the
// examples that carry the traffic of others: raced by Happy Eyeballs, and closed when
// their domain goes, since the kernel tells nobody for minutes.
package inside

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/go-mif/mif"
	"github.com/go-mif/mif/examples/internal/program"
	"github.com/go-mif/mif/happyeyeballs"
)

// A Conn is a connection inside a domain.
type Conn struct {
	net.Conn
	PvD  mif.PvDID
	life context.Context // the domain's
	keep func() bool     // ends the watch of it
}

// Dial connects to HOST:PORT in whichever of the domains meant answers first, or says
// why none did. The word is one for program.Choose. What it learns is for those that
// are given the same history; nil is none.
func Dial(ctx context.Context, h *mif.Host, history *happyeyeballs.History, word, address string) (*Conn, error) {
	domains := program.Choose(h.Snapshot(), word)
	if len(domains) == 0 {
		return nil, program.NoDomain(h.Snapshot(), word)
	}
	var won mif.PvDID
	d := &happyeyeballs.Dialer{Host: h, History: history, Trace: &happyeyeballs.Trace{
		Ended: func(_ time.Time, a happyeyeballs.Attempt, err error) {
			if err == nil {
				won = a.PvD
			}
		},
	}}
	if word != "" {
		for _, one := range domains {
			d.Require = append(d.Require, happyeyeballs.Rule{PvD: one.ID().String()})
		}
	}
	c, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	return Tie(h, won, c)
}

// Tie ties a connection to the life of its domain.
func Tie(h *mif.Host, id mif.PvDID, c net.Conn) (*Conn, error) {
	d, err := h.Dialer(id)
	if err != nil {
		c.Close()
		return nil, err
	}
	return &Conn{c, id, d.Context, context.AfterFunc(d.Context, func() { c.Close() })}, nil
}

// Read tells that the domain is gone where it is that which ended the connection.
func (c *Conn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if errors.Is(err, net.ErrClosed) && c.life.Err() != nil {
		err = context.Cause(c.life)
	}
	return n, err
}

// Close closes the connection.
func (c *Conn) Close() error {
	c.keep()
	return c.Conn.Close()
}

// CloseWrite tells the peer that nothing follows.
func (c *Conn) CloseWrite() error {
	if t, ok := c.Conn.(*net.TCPConn); ok {
		return t.CloseWrite()
	}
	return errors.ErrUnsupported
}
