// Peers dials a name as other Happy Eyeballs in Go do, and tells how long that took
// and which family won, for the tables of docs/happyeyeballs.md:
//
//	go build -o /tmp/peers . && cd .. && go test -v -parallel 1 . -peers /tmp/peers
//
// It is run where the package's tests want it, in the namespace of their host.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"github.com/Jigsaw-Code/outline-sdk/dns"
	"github.com/Jigsaw-Code/outline-sdk/transport"
)

// patience is the longest that a peer may take.
const patience = 12 * time.Second

// A peer connects to NAME:PORT by way of one DNS server, at ADDRESS:PORT.
type peer func(ctx context.Context, server, address string) (net.Conn, error)

var peers = map[string]peer{"net.Dialer": standard, "Outline SDK": outline}

// standard is net.Dialer with Go's own resolver.
func standard(ctx context.Context, server, address string) (net.Conn, error) {
	d := net.Dialer{Resolver: &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, network, server)
	}}}
	return d.DialContext(ctx, "tcp", address)
}

// outline is the Outline SDK's dialer with its own resolver.
func outline(ctx context.Context, server, address string) (net.Conn, error) {
	d, err := dns.NewStreamDialer(dns.NewUDPResolver(&transport.UDPDialer{}, server), &transport.TCPDialer{})
	if err != nil {
		return nil, err
	}
	return d.DialStream(ctx, address)
}

var errUsage = errors.New("usage: peers PEER SERVER:PORT NAME:PORT")

func main() {
	if err := run(os.Stdout, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
}

// run prints milliseconds and the family of the winner, or that there was none.
func run(w io.Writer, args []string) error {
	if len(args) != 3 || peers[args[0]] == nil {
		return errUsage
	}
	ctx, stop := context.WithTimeout(context.Background(), patience)
	defer stop()
	began := time.Now()
	conn, err := peers[args[0]](ctx, args[1], args[2])
	outcome := "fails"
	if err == nil {
		outcome = "IPv4"
		if conn.RemoteAddr().(*net.TCPAddr).AddrPort().Addr().Is6() {
			outcome = "IPv6"
		}
		conn.Close()
	}
	_, err = fmt.Fprintf(w, "%.1f %s", time.Since(began).Seconds()*1000, outcome)
	return err
}
