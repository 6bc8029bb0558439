package additional

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/go-mif/mif/miftest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const home = "cafe.example.com" // the name of the domain

// A web is a few HTTPS servers of a certificate authority of their own.
type web struct {
	Client
	t         *testing.T
	authority *miftest.Authority
	hosts     map[string]net.Listener

	mu    sync.Mutex
	heard []string // requests, as they were written
	open  int      // connections that the client has not closed
	left  int      // connections that it closed without having read all
}

func newWeb(t *testing.T) *web {
	a, err := miftest.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	w := &web{t: t, authority: a, hosts: map[string]net.Listener{}}
	w.Roots, w.Lookup, w.Dial = a.Roots(), w.lookup, w.dial
	return w
}

// serve has a host speak, with a certificate for some names.
func (w *web) serve(host string, speak func(net.Conn), names ...string) {
	cert, err := w.authority.Certify(names...)
	if err != nil {
		w.t.Fatal(err)
	}
	w.listen(host, func(c net.Conn) { speak(tls.Server(c, &tls.Config{Certificates: []tls.Certificate{cert}})) })
}

func (w *web) listen(host string, speak func(net.Conn)) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		w.t.Fatal(err)
	}
	w.hosts[host] = l
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer c.Close()
				c.SetDeadline(time.Now().Add(30 * time.Second)) // a safety net
				speak(c)
			})
		}
	})
	w.t.Cleanup(func() { l.Close(); all.Wait() })
}

// says answers every request with a text.
func (w *web) says(text string) func(net.Conn) {
	return func(c net.Conn) {
		var head []string
		for in := bufio.NewScanner(c); in.Scan() && in.Text() != ""; {
			head = append(head, in.Text())
		}
		if len(head) > 0 {
			w.mu.Lock()
			w.heard = append(w.heard, strings.Join(head, "\n"))
			w.mu.Unlock()
		}
		io.WriteString(c, text)
		if s, is := c.(*tls.Conn); is {
			s.CloseWrite()
		}
	}
}

func (w *web) lookup(_ context.Context, host string) ([]netip.Addr, error) {
	if w.hosts[host] == nil {
		return nil, errors.New("no such host")
	}
	return []netip.Addr{netip.MustParseAddr("2001:db8::bad"), netip.AddrFrom4([4]byte{192, 0, 2, byte(slices.Index(w.names(), host))})}, nil
}

func (w *web) names() (all []string) {
	for name := range w.hosts {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}

// dial connects to the host that lookup gave an address, and to no other.
func (w *web) dial(ctx context.Context, network, address string) (net.Conn, error) {
	at := netip.MustParseAddrPort(address)
	if at.Port() != 443 || !at.Addr().Is4() {
		return nil, fmt.Errorf("nobody is at %s", address)
	}
	c, err := new(net.Dialer).DialContext(ctx, network, w.hosts[w.names()[at.Addr().As4()[3]]].Addr().String())
	if err != nil {
		return nil, err
	}
	w.open++
	return &closing{c.(*net.TCPConn), w}, nil
}

// closing tells when it is closed.
type closing struct {
	*net.TCPConn
	web *web
}

func (c *closing) Close() error {
	c.SetReadDeadline(time.Now().Add(30 * time.Second)) // a safety net
	if _, err := c.Read(make([]byte, 1)); err != io.EOF {
		c.web.left++
	}
	err := c.TCPConn.Close()
	if err == nil {
		c.web.open--
	}
	return err
}

// fetch fetches, and tells of an error whether it may be tried again.
func (w *web) fetch() (id string, again bool, err error) {
	i, err := w.Fetch(w.t.Context(), "Cafe.Example.COM.")
	if w.open != 0 { // "hosts MUST close any connection" (section 4.1)
		w.t.Errorf("%d connections are open after %v", w.open, err)
	}
	if err != nil {
		return "", errors.Is(err, ErrUnreachable), err
	}
	return i.Identifier, false, nil
}

func ok(body string) string { return status("200 OK", "Content-Type: application/pvd+json") + body }

func status(line string, headers ...string) string {
	return "HTTP/1.1 " + line + "\r\n" + strings.Join(append(headers, ""), "\r\n") + "\r\n"
}

const good = `{` + least + `}`
