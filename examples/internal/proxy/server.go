// Package proxy is a SOCKS5 and HTTP proxy that connects inside provisioning domains:
// RFC 1928 with CONNECT and UDP ASSOCIATE, RFC 1929, and CONNECT and absolute URIs of
// RFC 9110 and RFC 9112. A client's user name is the word for its domain.
//
// A Server may serve several listeners at once. Its limits: BIND and GSSAPI of RFC
// 1928 and fragments of datagrams are not there, a datagram is answered by the peer
// that it was sent to alone, and passwords are not looked at.
package proxy

import (
	"context"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/go-mif/mif"
	"github.com/go-mif/mif/happyeyeballs"
)

// dialing bounds how long a client waits for its connection.
const dialing = 30 * time.Second

// A Server proxies. All fields but PvD and History have to be set, and left alone while
// it serves.
type Server struct {
	Host      *mif.Host
	History   *happyeyeballs.History // where connections learn of earlier ones, if anywhere
	PvD       string                 // the word for the domains of clients without a user name
	Log       *slog.Logger
	Clients   int           // at once; others wait in the kernel's queue
	Handshake time.Duration // in which a client has to say what it wants
	Idle      time.Duration // without traffic, after which a connection ends
	Grace     time.Duration // that clients have left when the server is to end
}

// Serve serves until the context is done, then gives clients their grace. Nothing of
// them is left when it returns. It closes the listener; its error is that one's.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	life, kill := context.WithCancel(context.Background())
	defer kill()
	defer context.AfterFunc(ctx, func() { l.Close() })()
	v := &service{Server: s, life: life, slots: make(chan struct{}, s.Clients)}
	v.web = newWeb(v, l.Addr())
	err := v.accept(ctx, l)
	l.Close()
	v.end(kill)
	return err
}

// A service is one run of a Server.
type service struct {
	*Server
	life  context.Context // of all clients
	slots chan struct{}
	under sync.WaitGroup // clients
	web   *web
}

// accept takes clients, no more than there are slots, until the context is done.
func (v *service) accept(ctx context.Context, l net.Listener) error {
	for {
		select {
		case v.slots <- struct{}{}:
		case <-ctx.Done():
			return nil
		}
		c, err := l.Accept()
		switch {
		case ctx.Err() != nil:
			if err == nil {
				c.Close()
			}
			return nil
		case err == nil:
			v.begin(c)
			continue
		case !temporary(err):
			return err
		}
		<-v.slots
		v.Log.Warn("cannot take a client yet", "err", err)
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
		}
	}
}

// begin serves a client in a goroutine of its own.
func (v *service) begin(c net.Conn) {
	v.under.Add(1)
	one := newClient(c, v.Idle, func() {
		<-v.slots
		v.under.Done()
	})
	one.spared = context.AfterFunc(v.life, func() { one.Close() })
	go v.handle(one)
}

// end waits for the clients as long as they have grace, then closes their connections.
func (v *service) end(kill context.CancelFunc) {
	limit, cancel := context.WithTimeout(context.Background(), v.Grace)
	defer cancel()
	v.web.end(limit)
	gone := make(chan struct{})
	go func() { v.under.Wait(); close(gone) }()
	select {
	case <-gone:
	case <-limit.Done():
		if v.Grace > 0 {
			v.Log.Info("ending clients that go on")
		}
	}
	kill()
	<-gone
}

// handle finds out what a client speaks.
func (v *service) handle(c *client) {
	c.Conn.SetDeadline(time.Now().Add(v.Handshake))
	b, err := c.in.Peek(1)
	switch {
	case err != nil:
		v.drop(c, "said nothing", err)
	case b[0] == socks5:
		v.socks(c)
	case b[0] == socks4:
		c.Write([]byte{0, 91, 0, 0, 0, 0, 0, 0}) // request rejected
		v.drop(c, "speaks SOCKS4, which is not served: use SOCKS5", nil)
	case b[0] >= 'A' && b[0] <= 'Z':
		c.Conn.SetDeadline(time.Time{})
		v.web.take(c)
	default:
		v.drop(c, "speaks neither SOCKS5 nor HTTP", nil)
	}
}

// drop closes a client and tells why.
func (v *service) drop(c *client, why string, err error) {
	attrs := []any{"client", c.RemoteAddr().String()}
	if err != nil {
		attrs = append(attrs, "err", err)
	}
	v.Log.Warn(why, attrs...)
	c.Close()
}

// dial connects for a client and logs what came of it.
func (v *service) dial(ctx context.Context, c net.Addr, word, address string) (*timed, error) {
	ctx, cancel := context.WithTimeout(ctx, dialing)
	defer cancel()
	defer context.AfterFunc(v.life, cancel)()
	conn, err := connect(ctx, v, word, address)
	if err != nil {
		v.Log.Warn("not connected", "client", c.String(), "to", address, "domain", word, "err", err)
		return nil, err
	}
	v.Log.Info("connected", "client", c.String(), "to", address, "pvd", conn.PvD.String(),
		"local", conn.LocalAddr().String(), "remote", conn.RemoteAddr().String())
	return conn, nil
}
