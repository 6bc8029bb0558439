package happyeyeballs_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"time"

	"github.com/go-mif/mif"
	"github.com/go-mif/mif/happyeyeballs"
	"github.com/go-mif/mif/pvd"
)

// An http.Client that uses whatever uplink answers first. Connections for https are
// raced up to the end of the TLS handshake.
func Example() {
	host, err := mif.Open(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer host.Close()
	d := &happyeyeballs.Dialer{Host: host, Timeout: 30 * time.Second}
	client := &http.Client{Transport: &http.Transport{
		DialContext: d.DialContext,
		DialTLSContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			return d.DialTLS(ctx, network, address, &tls.Config{NextProtos: []string{"http/1.1"}})
		},
	}}
	res, err := client.Get("https://www.example.com/")
	if err != nil {
		log.Fatal(err)
	}
	defer res.Body.Close()
	fmt.Println(res.Status)
}

// A dial function of a context and an address, as grpc.WithContextDialer wants it. The
// name is given to it untranslated by a target such as "passthrough:///api.example.com:443".
func ExampleDialer_DialContext_grpc() {
	host, err := mif.Open(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer host.Close()
	d := &happyeyeballs.Dialer{Host: host}
	dial := func(ctx context.Context, address string) (net.Conn, error) {
		return d.DialContext(ctx, "tcp", address)
	}
	conn, err := dial(context.Background(), "api.example.com:443")
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
}

// Connections that are good only if TLS is, and TLS on top of one that is connected.
func ExampleDialer_DialTLS() {
	host, err := mif.Open(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer host.Close()
	d := &happyeyeballs.Dialer{Host: host}
	raced, err := d.DialTLS(context.Background(), "tcp", "www.example.com:443", &tls.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer raced.Close()
	plain, err := d.DialContext(context.Background(), "tcp", "www.example.com:443")
	if err != nil {
		log.Fatal(err)
	}
	conn := tls.Client(plain, &tls.Config{ServerName: "www.example.com"})
	defer conn.Close()
}

// Hard rules filter domains and soft rules sort them.
func ExampleRule() {
	d := &happyeyeballs.Dialer{
		Exclude: []happyeyeballs.Rule{{Interface: "wwan0"}},
		Prefer:  []happyeyeballs.Rule{{FQDN: "corp.example.com"}, {Interface: "wlan0", Family: pvd.IPv6}},
	}
	d.Host, _ = mif.Open(nil)
	defer d.Host.Close()
	conn, err := d.DialContext(context.Background(), "tcp", "intranet.example.com:22")
	if failed := (*happyeyeballs.Error)(nil); errors.As(err, &failed) {
		for _, f := range failed.Failures {
			fmt.Println(f.PvD, f.To, f.Err)
		}
		return
	}
	defer conn.Close()
}

// A picture of a race.
func ExampleTimeline() {
	host, err := mif.Open(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer host.Close()
	var line happyeyeballs.Timeline
	d := &happyeyeballs.Dialer{Host: host, Trace: line.Trace()}
	conn, err := d.DialContext(context.Background(), "tcp", "www.example.com:443")
	fmt.Print(&line)
	if err == nil {
		conn.Close()
	}
}

// Errors say what was asked for and what each attempt met.
func ExampleDialer_DialContext() {
	d := &happyeyeballs.Dialer{}
	_, err := d.DialContext(context.Background(), "udp", "www.example.com:53")
	fmt.Println(err)
	// Output: happyeyeballs: dial udp www.example.com:53: unknown network: it is tcp, tcp4 or tcp6
}
