// Proxy lets curl, git, a browser and the like use a provisioning domain, by SOCKS5 and
// by HTTP CONNECT.
//
//	go run ./examples/proxy -pvd eth0
//	go run ./examples/proxy -listen 127.0.0.1:1081=eth0 -listen 127.0.0.1:1082=wlan0
//	curl -x socks5h://127.0.0.1:1080 https://www.example.com/
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/go-mif/mif"
	"github.com/go-mif/mif/examples/internal/program"
	"github.com/go-mif/mif/examples/internal/proxy"
	"github.com/go-mif/mif/happyeyeballs"
)

const usage = `proxy [flags]

Proxy lets other programs connect inside provisioning domains: names are translated
by the domain's own servers, and connections leave by its interface from its address
(draft-ietf-mif-api-extension-00, sections 3.5.16 to 3.5.22). On one port it speaks
SOCKS5 (RFC 1928: CONNECT and UDP ASSOCIATE) and HTTP (CONNECT and http URLs).

    proxy                                  each connection by the domain that is
                                           first, as Happy Eyeballs finds it
    proxy -pvd eth0                        by those on one interface
    proxy -listen 127.0.0.1:1081=eth0/ipv4 -listen 127.0.0.1:1082=wlan0
                                           a port for each
    proxy -listen 127.0.0.1:0              on a port that is free, which is told

    curl -x socks5h://127.0.0.1:1080 https://www.example.com/
    curl -x http://127.0.0.1:1080 --proxy-user wlan0:x https://www.example.com/
    curl -x socks5h://eth0%2Fipv4:x@127.0.0.1:1080 https://www.example.com/
    git -c http.proxy=socks5h://127.0.0.1:1081 clone https://www.example.com/a.git
    https_proxy=http://127.0.0.1:1081 wget https://www.example.com/
    chromium --proxy-server=socks5://127.0.0.1:1082 --disable-quic

The domain meant is that of the user name, or else of the port, or else of -pvd: each
is a word as for -pvd. Passwords are not looked at: who can reach a port can use the
domains. By default that is this host alone; -listen with another address opens it to
others.

A connection ends when its domain goes. Datagrams (UDP ASSOCIATE) go by the first domain
meant that has a way to their peer. What is in no domain, such as localhost, cannot be
reached. BIND, GSSAPI, SOCKS4 and fragments are not served.

It prints each address that it listens on, then a line for each connection and for
whatever a client did wrong; with -json each is an object on a line of its own, with
time, level, msg, and those of client, to, domain (the word), pvd (its String form),
local, remote and err that apply.
Interrupted, it takes no more clients, and ends when those that it has are done or
-grace is over; interrupted again, at once.
`

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	p := program.New("proxy", usage)
	s := &proxy.Server{History: &happyeyeballs.History{}}
	var ports ports
	p.StringVar(&s.PvD, "pvd", "", program.PvDUsage)
	p.Func("listen", "listen on `ADDR:PORT[=DOMAIN]`, for that domain; port 0 is any that is free;\nmay be given several times (default 127.0.0.1:1080)", ports.add)
	p.IntVar(&s.Clients, "clients", 1000, "the most clients served at once on a port; others wait")
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
	if len(ports) == 0 {
		ports.add("127.0.0.1:1080")
	}
	return serve(p, s, ports)
}

// serve serves on all ports until it is interrupted.
func serve(p *program.Program, s *proxy.Server, ports ports) int {
	ctx, stop := program.Interruptible()
	defer stop()
	context.AfterFunc(ctx, stop) // a second one ends the program
	if err := ports.open(); err != nil {
		return p.Fail(err)
	}
	defer ports.close()
	var err error
	if s.Host, err = mif.Open(&p.Config); err != nil {
		return p.Fail(err)
	}
	defer s.Host.Close()
	s.Log = logger(p)
	for _, one := range ports {
		if !p.JSON {
			fmt.Fprintf(p.Out, "listening on %v\n", one)
		} else {
			s.Log.Info("listening", "local", one.listener.Addr().String(), "domain", one.pvd)
		}
	}
	for _, word := range ports.missing(s.Host.Snapshot()) {
		s.Log.Warn("there is no such domain yet", "domain", word)
	}
	if err := ports.serve(ctx, s); err != nil {
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
