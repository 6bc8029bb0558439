package miftest_test

import (
	"context"
	"io"
	"net"
	"net/netip"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/go-mif/mif/miftest"
	"github.com/miekg/dns"
	"golang.org/x/sys/unix"
)

// bound is a way out of the host: by a device, from an address.
type bound struct {
	host   *miftest.Host
	device string
	source netip.Addr
}

func (b bound) dial(ctx context.Context, network string, to netip.AddrPort) (c net.Conn, err error) {
	d := net.Dialer{Control: func(_, _ string, rc syscall.RawConn) error {
		var err error
		e := rc.Control(func(fd uintptr) { err = unix.BindToDevice(int(fd), b.device) })
		if e != nil {
			return e
		}
		return err
	}}
	switch network {
	case "tcp":
		d.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(b.source, 0))
	case "udp":
		d.LocalAddr = net.UDPAddrFromAddrPort(netip.AddrPortFrom(b.source, 0))
	}
	err = b.host.Do(func() error {
		c, err = d.DialContext(ctx, network, to.String())
		return err
	})
	return c, err
}

func (b bound) read(t *testing.T, to netip.AddrPort) string {
	t.Helper()
	c := b.connect(t, "tcp", to)
	defer c.Close()
	line, err := io.ReadAll(c)
	if err != nil {
		t.Fatal(err)
	}
	return string(line)
}

func (b bound) connect(t *testing.T, network string, to netip.AddrPort) net.Conn {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	c, err := b.dial(ctx, network, to)
	if err != nil {
		t.Fatal(err)
	}
	c.SetDeadline(time.Now().Add(10 * time.Second))
	return c
}

// ask sends one question and returns the reply.
func (b bound) ask(t *testing.T, network string, server netip.AddrPort, name string, qtype uint16) *dns.Msg {
	t.Helper()
	c := &dns.Conn{Conn: b.connect(t, network, server)}
	defer c.Close()
	q := new(dns.Msg).SetQuestion(dns.Fqdn(name), qtype)
	if err := c.WriteMsg(q); err != nil {
		t.Fatal(err)
	}
	m, err := c.ReadMsg()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func (b bound) lookUp(t *testing.T, network string, server netip.AddrPort, name string) []netip.Addr {
	t.Helper()
	var as []netip.Addr
	for _, qtype := range []uint16{dns.TypeA, dns.TypeAAAA} {
		as = append(as, addresses(b.ask(t, network, server, name, qtype))...)
	}
	return as
}

func addresses(m *dns.Msg) []netip.Addr {
	var as []netip.Addr
	for _, rr := range m.Answer {
		switch rr := rr.(type) {
		case *dns.A:
			a, _ := netip.AddrFromSlice(rr.A)
			as = append(as, a.Unmap())
		case *dns.AAAA:
			a, _ := netip.AddrFromSlice(rr.AAAA)
			as = append(as, a)
		}
	}
	return as
}

func has(as []netip.Addr, a netip.Addr) bool { return slices.Contains(as, a) }
