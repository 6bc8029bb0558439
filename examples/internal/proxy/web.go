package proxy

import (
	"bufio"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"strings"
	"sync"
)

// headerAtMost is how many octets a client's header may have.
const headerAtMost = 64 << 10

// A web serves the clients that speak HTTP. It is the listener of its own server.
type web struct {
	v       *service
	address net.Addr
	clients chan net.Conn
	once    sync.Once
	closed  chan struct{}
	server  *http.Server
}

func newWeb(v *service, a net.Addr) *web {
	w := &web{v: v, address: a, clients: make(chan net.Conn), closed: make(chan struct{})}
	w.server = &http.Server{
		Handler:           w,
		ReadHeaderTimeout: v.Handshake,
		IdleTimeout:       v.Handshake, // one that wants nothing is in the way of others
		MaxHeaderBytes:    headerAtMost,
		ErrorLog:          slog.NewLogLogger(v.Log.Handler(), slog.LevelWarn),
	}
	go w.server.Serve(w)
	return w
}

// take hands a client to the server.
func (w *web) take(c *client) {
	select {
	case w.clients <- c:
	case <-w.closed:
		c.Close()
	}
}

func (w *web) Accept() (net.Conn, error) {
	select {
	case c := <-w.clients:
		return c, nil
	case <-w.closed:
		return nil, net.ErrClosed
	}
}

func (w *web) Addr() net.Addr { return w.address }

func (w *web) Close() error {
	w.once.Do(func() { close(w.closed) })
	return nil
}

// end lets requests under way end until the context is done.
func (w *web) end(ctx context.Context) {
	if w.server.Shutdown(ctx) != nil {
		w.server.Close()
	}
}

func (w *web) ServeHTTP(out http.ResponseWriter, r *http.Request) {
	word := w.v.word(user(r))
	switch {
	case r.Method == http.MethodConnect:
		w.tunnel(out, r, word)
	case r.URL.Scheme == "http" && r.URL.Host != "":
		w.forward(out, r, word)
	default:
		w.v.Log.Warn("not a request to a proxy", "client", r.RemoteAddr, "request", r.Method+" "+r.RequestURI)
		http.Error(out, "this is a proxy for provisioning domains: it wants CONNECT HOST:PORT or an http URL", http.StatusBadRequest)
	}
}

// user is the user name that a client gives a proxy (RFC 9110, section 11.7.1).
func user(r *http.Request) string {
	h := http.Header{"Authorization": r.Header["Proxy-Authorization"]}
	name, _, _ := (&http.Request{Header: h}).BasicAuth()
	return name
}

// tunnel serves CONNECT (RFC 9110, section 9.3.6).
func (w *web) tunnel(out http.ResponseWriter, r *http.Request, word string) {
	if _, port, err := net.SplitHostPort(r.Host); err != nil || port == "" {
		http.Error(out, "CONNECT wants HOST:PORT", http.StatusBadRequest)
		return
	}
	conn, err := w.v.dial(r.Context(), named(r.RemoteAddr), word, r.Host)
	if err != nil {
		fail(out, err)
		return
	}
	c, buffered, err := out.(http.Hijacker).Hijack()
	if err != nil {
		conn.Close()
		fail(out, err)
		return
	}
	c.Write([]byte("HTTP/1.1 200 Connection established\r\n\r\n")) // if it fails, reading tells
	relay(hijacked{c.(*client), buffered.Reader}, conn)
}

// A hijacked is a client of which the server has read ahead.
type hijacked struct {
	*client
	in *bufio.Reader
}

func (h hijacked) Read(b []byte) (int, error) { return h.in.Read(b) }

// forward serves a request with a whole URL (RFC 9112, section 3.2.2). Each has a
// connection of its own, so that none is used for another domain.
func (w *web) forward(out http.ResponseWriter, r *http.Request, word string) {
	t := &http.Transport{DisableKeepAlives: true, DisableCompression: true,
		DialContext: func(ctx context.Context, _, address string) (net.Conn, error) {
			return w.v.dial(ctx, named(r.RemoteAddr), word, address)
		}}
	defer t.CloseIdleConnections()
	p := &httputil.ReverseProxy{
		Transport:     t,
		Rewrite:       func(p *httputil.ProxyRequest) { p.Out.Host = p.In.Host },
		FlushInterval: -1,
		ErrorLog:      w.server.ErrorLog,
		ErrorHandler:  func(out http.ResponseWriter, _ *http.Request, err error) { fail(out, err) },
	}
	p.ServeHTTP(out, r)
}

// fail tells a client why it has no connection.
func fail(out http.ResponseWriter, err error) {
	status := http.StatusBadGateway
	if errors.Is(err, context.DeadlineExceeded) {
		status = http.StatusGatewayTimeout
	}
	http.Error(out, strings.ReplaceAll(err.Error(), "\n", "; "), status)
}

// A named is an address by its text.
type named string

func (named) Network() string  { return "tcp" }
func (n named) String() string { return string(n) }
