package happyeyeballs

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"time"
)

// net.Dialer looks up and races in goroutines of its own, which only a process of
// the namespace has there. So this test binary starts itself in the host.
const peerEnv = "HAPPYEYEBALLS_PEER"

// runPeer is that process: "SERVER NAME:PORT" to dial by way of a DNS server.
func runPeer(what string) {
	server, address, _ := strings.Cut(what, " ")
	d := net.Dialer{Resolver: &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, network, server)
	}}}
	ctx, stop := context.WithTimeout(context.Background(), 12*time.Second)
	defer stop()
	began := time.Now()
	conn, err := d.DialContext(ctx, "tcp", address)
	took := float64(time.Since(began).Microseconds()) / 1000
	if err != nil {
		fmt.Printf("%.1f fails", took)
		return
	}
	family := "IPv4"
	if conn.RemoteAddr().(*net.TCPAddr).AddrPort().Addr().Is6() {
		family = "IPv6"
	}
	fmt.Printf("%.1f %s", took, family)
	conn.Close()
}

// peer tells what net.Dialer makes of a name.
func (r *rig) peer(u *uplink, address string) string {
	c := r.net.Host().Command("/proc/self/exe")
	c.Env = append(os.Environ(), peerEnv+"="+u.dns6.Addr().String()+" "+address)
	out, err := c.Output()
	if err != nil {
		r.t.Error(err)
	}
	return string(out)
}

// refuse gives the router addresses that nobody listens at.
func (u *uplink) refuse(addrs ...string) {
	u.rig.t.Helper()
	for _, a := range addrs {
		l, err := u.Listen(netip.AddrPortFrom(netip.MustParseAddr(a), 80))
		if err != nil {
			u.rig.t.Fatal(err)
		}
		l.Close()
	}
}

// domainOf is the implicit domain of an address's family.
func domainOf(ifname, a string) string {
	if netip.MustParseAddr(a).Is4() {
		return ifname + "/ipv4"
	}
	return ifname + "/ipv6"
}
