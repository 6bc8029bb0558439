package resolver_test

import (
	"context"
	"fmt"
	"net"
	"net/netip"

	"github.com/go-mif/mif/resolver"
	"github.com/miekg/dns"
)

// startServer runs a name server on loopback that knows one name, in place of
// a provisioning domain's own.
func startServer() (netip.AddrPort, func()) {
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 65535)
		for {
			n, from, err := pc.ReadFrom(buf)
			if err != nil {
				return
			}
			q := new(dns.Msg)
			if q.Unpack(buf[:n]) != nil || len(q.Question) != 1 {
				continue
			}
			m := new(dns.Msg).SetReply(q)
			if q.Question[0].Qtype == dns.TypeA {
				rr, _ := dns.NewRR(q.Question[0].Name + " 300 IN A 192.0.2.80")
				m.Answer = append(m.Answer, rr)
			}
			if b, err := m.Pack(); err == nil {
				_, _ = pc.WriteTo(b, from)
			}
		}
	}()
	return netip.MustParseAddrPort(pc.LocalAddr().String()), func() {
		pc.Close()
		<-done
	}
}

func Example() {
	server, stop := startServer()
	defer stop()

	r := &resolver.Resolver{
		Config: func() (resolver.Config, error) {
			return resolver.Config{
				Servers: []netip.AddrPort{server},
				Search:  []string{"example.com"},
			}, nil
		},
		Dial: new(net.Dialer).DialContext, // in a program: one that binds to the domain's interface
	}
	defer r.Close()

	for group, err := range r.Lookup(context.Background(), "www", resolver.Both) {
		if err != nil {
			fmt.Println(err)
			return
		}
		for _, a := range group {
			fmt.Println(a.Addr, a.CanonicalName, a.Origin)
		}
	}
	// Output: 192.0.2.80 www.example.com dns
}
