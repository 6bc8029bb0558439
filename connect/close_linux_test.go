package connect

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
)

// If we close first, the kernel acknowledges the peer's end without the socket. Over
// IPv6 it then only prefers the socket's link (Linux 6.18): a better route by another
// one wins, and the peer hears nothing. The rule of an Installer leads to a table where
// there is no other.
func TestLastAcknowledgement(t *testing.T) {
	u := distinct(t)
	d := fixed(domain2(u.host.index("up2")))
	d.NetNS = u.host.path()
	install(t, u.host.path(), domainsOf(t, d)...)
	for to, from := range map[string]string{far4: "10.2.0.2", far6: "2001:db8:2::2"} {
		src, dst := netip.MustParseAddr(from), netip.MustParseAddr(to)
		proceed, acknowledged := u.r2.closeLast(netip.AddrPortFrom(dst, 99))
		wrong, right := u.host.capture("up1"), u.host.capture("up2")
		for range 5 {
			conn, err := d.DialContext(context.Background(), "tcp", net.JoinHostPort(to, "99"))
			u.host.must(err)
			local := conn.LocalAddr().(*net.TCPAddr)
			conn.Close()
			u.host.await("the socket's end", func() bool { return u.host.isTimeWait(local.Port) })
			proceed <- struct{}{}
			if err := <-acknowledged; err != nil {
				t.Error(err)
			}
		}
		wrong.wantNone(src, dst)
		right.wantSome(src, dst)
	}
}

// isTimeWait says whether nothing but a note of the connection from a port is left,
// whose timer is of kind 3 in /proc/net/tcp (proc_net_tcp(5)).
func (n *node) isTimeWait(port int) (yes bool) {
	n.t.Helper()
	n.do(func() {
		for _, name := range []string{"tcp", "tcp6"} {
			b, err := os.ReadFile("/proc/thread-self/net/" + name)
			n.must(err)
			for line := range strings.Lines(string(b)) {
				f := strings.Fields(line)
				yes = yes || len(f) > 5 && strings.HasSuffix(f[1], fmt.Sprintf(":%04X", port)) && strings.HasPrefix(f[5], "03:")
			}
		}
	})
	return yes
}

// closeLast accepts, and when the client has closed and the test says so, it closes. It
// tells when its own end has been acknowledged, which a close that lingers waits for.
func (n *node) closeLast(at netip.AddrPort) (chan<- struct{}, <-chan error) {
	n.t.Helper()
	var ln *net.TCPListener
	var err error
	n.do(func() { ln, err = net.ListenTCP("tcp", net.TCPAddrFromAddrPort(at)) })
	n.must(err)
	proceed, acknowledged, done := make(chan struct{}, 1), make(chan error, 1), make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := ln.AcceptTCP()
			if err != nil {
				return
			}
			io.Copy(io.Discard, c)
			<-proceed
			c.SetLinger(int(safetyNet.Seconds()))
			acknowledged <- c.Close()
		}
	}()
	n.t.Cleanup(func() { close(proceed); ln.Close(); <-done })
	return proceed, acknowledged
}
