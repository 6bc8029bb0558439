package connect_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/netip"
	"time"

	"github.com/go-mif/mif/connect"
)

// A domain that the program knows by itself, used for HTTP. The host in the URL is a
// literal; names need the domain's resolver as the Dialer's Lookup.
func ExampleDialer_DialContext() {
	d := &connect.Dialer{
		Timeout: 10 * time.Second,
		Domain: func() (connect.Domain, error) {
			return connect.Domain{
				Name:      "eth1/ipv4",
				Interface: 3,
				Addresses: []connect.Address{{Prefix: netip.MustParsePrefix("192.0.2.17/24")}},
				Routers:   []netip.Addr{netip.MustParseAddr("192.0.2.1")},
			}, nil
		},
	}
	client := http.Client{Transport: &http.Transport{DialContext: d.DialContext}}
	if _, err := client.Get("http://198.51.100.7/"); errors.Is(err, connect.ErrNoRoute) {
		log.Print("not by eth1: ", err)
	}
}

// Why a connection would fail, without sending anything.
func ExampleDialer_Explain() {
	d := &connect.Dialer{Domain: func() (connect.Domain, error) {
		return connect.Domain{}, errors.New("eth1/ipv4 has gone")
	}}
	_, err := d.Explain(netip.MustParseAddrPort("198.51.100.7:443"))
	fmt.Println(err)
	_, err = d.DialContext(context.Background(), "tcp", "www.example.com:443")
	fmt.Println(errors.Is(err, connect.ErrBadDestination))
	// Output:
	// connect: explain to 198.51.100.7:443: eth1/ipv4 has gone
	// true
}
