// Proxy lets curl, git, a browser and the like use a provisioning domain, by SOCKS5 and
// by HTTP CONNECT.
//
//	go run ./examples/proxy -pvd eth0
//	curl -x socks5h://127.0.0.1:1080 https://www.example.com/
package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/go-mif/mif"
	"github.com/go-mif/mif/examples/internal/program"
	"github.com/go-mif/mif/examples/internal/proxy"
)

const usage = `proxy [flags]

Proxy lets other programs connect inside provisioning domains: names are translated
by the domain's own servers, and connections leave by its interface from its address
(draft-ietf-mif-api-extension-00, sections 3.5.16 to 3.5.22). On one port it speaks
SOCKS5 (RFC 1928: CONNECT and UDP ASSOCIATE) and HTTP (CONNECT and http URLs).

    proxy                                  each connection by the domain that is
                                           first, as Happy Eyeballs finds it
    proxy -pvd eth0                        by those on one interface
    proxy -listen 127.0.0.1:0              on a port that is free, which is told

    curl -x socks5h://127.0.0.1:1080 https://www.example.com/
    curl -x http://127.0.0.1:1080 --proxy-user wlan0:x https://www.example.com/
    curl -x socks5h://eth0%2Fipv4:x@127.0.0.1:1080 https://www.example.com/

A user name is the word for a domain, as for -pvd, and goes before -pvd. Passwords
are not looked at: who can reach the port can use the domains. By default that is this
host alone; -listen with another address opens it to others.

A connection ends when its domain goes. Datagrams (UDP ASSOCIATE) go by the first domain
meant that has a way to their peer. What is in no domain, such as localhost, cannot be
reached. BIND, GSSAPI, SOCKS4 and fragments are not served.

It prints the address that it listens on, then a line for each connection and for
whatever a client did wrong; with -json each is an object on a line of its own, with
time, level, msg, and those of client, to, pvd, local, remote and err that apply.
Interrupted, it takes no more clients, and ends when those that it has are done or
-grace is over; interrupted again, at once.
`

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	p := program.New("proxy", usage)
	s := &proxy.Server{}
	p.StringVar(&s.PvD, "pvd", "", program.PvDUsage)
	listen := p.String("listen", "127.0.0.1:1080", "listen on `ADDR:PORT`; port 0 is any that is free")
	p.IntVar(&s.Clients, "clients", 1000, "the most clients served at once; others wait")
	p.DurationVar(&s.Handshake, "handshake", 10*time.Second, "the `time` in which a client has to say what it wants")
	p.DurationVar(&s.Idle, "idle", 10*time.Minute, "the `time` without traffic after which a connection ends")
	p.DurationVar(&s.Grace, "grace", 5*time.Second, "the `time` that clients have left after an interrupt")
	if status, ok := p.Parse(args, 0); !ok {
		return status
	}
	switch {
	case s.Clients < 1:
		return p.Misuse("-clients %d: nobody could be served", s.Clients)
	case s.Handshake <= 0 || s.Idle <= 0 || s.Grace < 0:
		return p.Misuse("-handshake %v -idle %v -grace %v: that is no time", s.Handshake, s.Idle, s.Grace)
	}
	return serve(p, s, *listen)
}

// serve serves until it is interrupted.
func serve(p *program.Program, s *proxy.Server, listen string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second one ends the program
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return p.Fail(err)
	}
	defer l.Close()
	if s.Host, err = mif.Open(&p.Config); err != nil {
		return p.Fail(err)
	}
	defer s.Host.Close()
	s.Log = logger(p)
	if !p.JSON {
		fmt.Fprintf(p.Out, "listening on %s\n", l.Addr())
	} else {
		s.Log.Info("listening", "local", l.Addr().String())
	}
	if err := s.Serve(ctx, l); err != nil {
		return p.Fail(err)
	}
	s.Log.Info("stopped")
	return program.Done
}

func logger(p *program.Program) *slog.Logger {
	if p.JSON {
		return slog.New(slog.NewJSONHandler(p.Out, nil))
	}
	return slog.New(slog.NewTextHandler(p.Out, nil))
}
