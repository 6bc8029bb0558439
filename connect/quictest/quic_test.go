package quictest

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"math/big"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/quic-go/quic-go"

	"github.com/go-mif/mif/connect"
	"github.com/go-mif/mif/miftest"
)

func TestMain(m *testing.M) { miftest.Main(m) }

// Both uplinks lead to a server of this address; which one answers tells the link.
var servers = []netip.AddrPort{netip.MustParseAddrPort("203.0.113.1:4433"), netip.MustParseAddrPort("[2001:db8:ffff::1]:4433")}

// uplink is a router with a QUIC server behind it that says a name.
func uplink(t *testing.T, n *miftest.Net, name, ipv4, prefix string) *miftest.Router {
	t.Helper()
	r := n.Router(t, miftest.RouterConfig{Interface: name, IPv4: netip.MustParsePrefix(ipv4), RA: miftest.NewRA(netip.MustParsePrefix(prefix))})
	for _, at := range servers {
		pc, err := r.ListenPacket(at)
		must(t, err)
		tr := &quic.Transport{Conn: pc}
		ln, err := tr.Listen(serverTLS(t), nil)
		must(t, err)
		done := make(chan struct{})
		go func() { defer close(done); serve(ln, name) }()
		t.Cleanup(func() { ln.Close(); tr.Close(); pc.Close(); <-done })
	}
	return r
}

func serve(ln *quic.Listener, name string) {
	for {
		c, err := ln.Accept(context.Background())
		if err != nil {
			return
		}
		s, err := c.OpenUniStream()
		if err != nil {
			continue
		}
		io.WriteString(s, name)
		s.Close()
	}
}

// domain is that of a link as a program would know it.
func domain(t *testing.T, h *miftest.Host, link, ipv4, prefix string, routers ...string) *connect.Dialer {
	t.Helper()
	a, err := h.AwaitSLAAC(link, netip.MustParsePrefix(prefix))
	must(t, err)
	index, err := h.Index(link)
	must(t, err)
	d := connect.Domain{Name: link, Interface: index}
	for _, p := range []netip.Prefix{netip.MustParsePrefix(ipv4), netip.PrefixFrom(a, 64)} {
		d.Addresses = append(d.Addresses, connect.Address{Prefix: p})
	}
	for _, r := range routers {
		d.Routers = append(d.Routers, netip.MustParseAddr(r))
	}
	return &connect.Dialer{Domain: func() (connect.Domain, error) { return d, nil }, NetNS: h.NetNS(), Timeout: 20 * time.Second}
}

func TestQUIC(t *testing.T) {
	n := miftest.New(t)
	r1 := uplink(t, n, "eth0", "10.1.0.1/24", "2001:db8:1::/64")
	r2 := uplink(t, n, "eth1", "10.2.0.1/24", "2001:db8:2::/64")
	h := n.Host()
	for i, link := range []string{"eth0", "eth1"} {
		must(t, h.AddAddress(link, netip.MustParsePrefix([]string{"10.1.0.2/24", "10.2.0.2/24"}[i])))
		gateway := netip.MustParseAddr([]string{"10.1.0.1", "10.2.0.1"}[i])
		must(t, h.AddRoute(miftest.Route{Destination: netip.MustParsePrefix("0.0.0.0/0"), Gateway: gateway, Interface: link, Metric: 100 * (i + 1)}))
	}
	dialers := map[string]*connect.Dialer{
		"eth0": domain(t, h, "eth0", "10.1.0.2/24", "2001:db8:1::/64", "10.1.0.1", r1.LinkLocal().String()),
		"eth1": domain(t, h, "eth1", "10.2.0.2/24", "2001:db8:2::/64", "10.2.0.1", r2.LinkLocal().String()),
	}
	for link, d := range dialers {
		for _, to := range servers {
			t.Run(link+" unconnected "+to.String(), func(t *testing.T) { wantServer(t, link, to, unconnected(t, d, to)) })
			t.Run(link+" connected "+to.String(), func(t *testing.T) {
				c, err := d.DialUDP(t.Context(), to)
				must(t, err)
				wantServer(t, link, to, connected{c})
			})
		}
	}
}

// unconnected asks for the path first: which source, and whether there is a route.
func unconnected(t *testing.T, d *connect.Dialer, to netip.AddrPort) net.PacketConn {
	t.Helper()
	e, err := d.Explain(to)
	must(t, err)
	must(t, e.Refusal)
	pc, err := d.ListenPacket(t.Context(), "udp", netip.AddrPortFrom(e.Source, 0).String())
	must(t, err)
	return pc
}

// connected is a connected socket for those who insist on naming the peer each time.
type connected struct{ c *net.UDPConn }

func (c connected) ReadFrom(b []byte) (int, net.Addr, error)  { return c.c.ReadFrom(b) }
func (c connected) WriteTo(b []byte, _ net.Addr) (int, error) { return c.c.Write(b) }
func (c connected) Close() error                              { return c.c.Close() }
func (c connected) LocalAddr() net.Addr                       { return c.c.LocalAddr() }
func (c connected) SetDeadline(t time.Time) error             { return c.c.SetDeadline(t) }
func (c connected) SetReadDeadline(t time.Time) error         { return c.c.SetReadDeadline(t) }
func (c connected) SetWriteDeadline(t time.Time) error        { return c.c.SetWriteDeadline(t) }
func (c connected) SetReadBuffer(bytes int) error             { return c.c.SetReadBuffer(bytes) }
func (c connected) SetWriteBuffer(bytes int) error            { return c.c.SetWriteBuffer(bytes) }

func wantServer(t *testing.T, name string, to netip.AddrPort, pc net.PacketConn) {
	t.Helper()
	tr := &quic.Transport{Conn: pc}
	defer pc.Close()
	defer tr.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	c, err := tr.Dial(ctx, net.UDPAddrFromAddrPort(to), &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"name"}}, nil)
	must(t, err)
	defer c.CloseWithError(0, "")
	s, err := c.AcceptUniStream(ctx)
	must(t, err)
	var got strings.Builder
	if _, err := io.Copy(&got, s); err != nil || got.String() != name {
		t.Errorf("reached %q, %v; want %s", got.String(), err, name)
	}
}

func serverTLS(t *testing.T) *tls.Config {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	must(t, err)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, NextProtos: []string{"name"}}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
