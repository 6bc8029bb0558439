package proxy

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/go-mif/mif/examples/internal/inside"
)

// A client is a client's connection.
type client struct {
	net.Conn
	in      *bufio.Reader
	idle    time.Duration
	once    sync.Once
	release func()
	spared  func() bool // from the end of the service
}

func newClient(c net.Conn, idle time.Duration, release func()) *client {
	return &client{Conn: c, in: bufio.NewReader(c), idle: idle, release: release}
}

func (c *client) Read(b []byte) (int, error) { return c.in.Read(b) }

// Write gives up on a client that does not read.
func (c *client) Write(b []byte) (int, error) {
	c.SetWriteDeadline(time.Now().Add(c.idle))
	return c.Conn.Write(b)
}

// Close closes the connection and makes room for another client.
func (c *client) Close() error {
	err := net.ErrClosed
	c.once.Do(func() {
		c.spared()
		err = c.Conn.Close()
		c.release()
	})
	return err
}

func (c *client) CloseWrite() error {
	if w, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return w.CloseWrite()
	}
	return errors.ErrUnsupported
}

// A timed is a connection for a client. It fails when there was no traffic in either
// direction for some time.
type timed struct {
	*inside.Conn
	idle time.Duration
}

func connect(ctx context.Context, v *service, word, address string) (*timed, error) {
	c, err := inside.Dial(ctx, v.Host, v.History, word, address)
	if err != nil {
		return nil, err
	}
	return &timed{c, v.Idle}, nil
}

func (c *timed) Read(b []byte) (int, error) {
	c.SetDeadline(time.Now().Add(c.idle))
	return c.Conn.Read(b)
}

func (c *timed) Write(b []byte) (int, error) {
	c.SetDeadline(time.Now().Add(c.idle))
	return c.Conn.Write(b)
}

// A way is one that can end in one direction.
type way interface {
	io.ReadWriteCloser
	CloseWrite() error
}

// relay carries octets both ways until both have ended, or one has failed. Then both
// are closed.
func relay(a, b way) {
	var both sync.WaitGroup
	both.Go(func() { carry(a, b) })
	both.Go(func() { carry(b, a) })
	both.Wait()
	a.Close()
	b.Close()
}

// carry carries octets one way, and the end of them. What fails is no use for the
// other direction either.
func carry(to, from way) {
	if _, err := io.Copy(writer{to}, reader{from}); err != nil || to.CloseWrite() != nil {
		to.Close()
		from.Close()
	}
}

// reader and writer hide what io.Copy would use instead of Read and Write.
type (
	reader struct{ io.Reader }
	writer struct{ io.Writer }
)

// temporary tells whether accepting may work again.
func temporary(err error) bool {
	for _, e := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.ECONNABORTED} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// passing tells whether an error is an ICMP one of a datagram, which leaves the socket
// usable.
func passing(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }
