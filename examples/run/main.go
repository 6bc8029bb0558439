// Run starts a program whose connections are made inside a provisioning domain.
//
//	go run ./examples/run -pvd eth0 -- curl https://www.example.com/
package main

import (
	"fmt"
	"log/slog"
	"net"
	"os"
	"time"

	"github.com/go-mif/mif"
	"github.com/go-mif/mif/examples/internal/program"
	"github.com/go-mif/mif/examples/internal/proxy"
	"github.com/go-mif/mif/happyeyeballs"
)

const usage = `run [flags] [--] COMMAND

Run starts a command so that it connects inside a provisioning domain: names are
translated by the domain's own servers, and connections leave by its interface from its
address (draft-ietf-mif-api-extension-00, sections 3.5.16 to 3.5.22). To this end it
serves a proxy (see examples/proxy) on a loopback port as long as the command runs, and
tells the command by the variables http_proxy, https_proxy and all_proxy, in small and
capital letters. No privilege is needed.

    run -pvd wlan0 -- curl https://www.example.com/
    run -pvd eth0/ipv4 -- git fetch
    run -- wget https://www.example.com/     whichever domain is first

What it cannot do: a program that does not heed these variables is not stopped from
connecting by itself, as the host's routes have it; ping, ssh, dig and most games are
among them. Nor is UDP carried (QUIC, DNS, WebRTC), since programs do not use these
variables for it; nor what the command connects to on this host itself,
which no_proxy exempts; nor servers that the command runs. Programs of other users on
this host can use the port while it is open. For more than that there are network
namespaces, which need privilege.

The status is the command's, 128 and its number if a signal ended it, 127 if there is no
such command and 126 if it cannot be started. 1 and 2 are also what run itself ends with
if it fails or is called wrongly. Signals (HUP, INT, QUIT, TERM, USR1, USR2, CONT) are
passed on; on a terminal the command gets INT and QUIT from that.

With -v, or -json as objects, the standard error gets a line for each connection.
`

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	p := program.New("run", usage)
	s := &proxy.Server{History: &happyeyeballs.History{}, Clients: 1000, Handshake: 10 * time.Second, Idle: time.Hour}
	p.StringVar(&s.PvD, "pvd", "", program.PvDUsage)
	verbose := p.Bool("v", false, "tell of each connection")
	if status, ok := p.ParseCommand(args); !ok {
		return status
	}
	s.Log = logger(p, *verbose)
	var err error
	if s.Host, err = mif.Open(&p.Config); err != nil {
		return p.Fail(err)
	}
	defer s.Host.Close()
	if len(program.Choose(s.Host.Snapshot(), s.PvD)) == 0 {
		return p.Fail(program.NoDomain(s.Host.Snapshot(), s.PvD))
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return p.Fail(err)
	}
	status, err := during(s, l, p.Args())
	if err != nil {
		fmt.Fprintf(p.Err, "run: %v\n", err)
	}
	return status
}

func logger(p *program.Program, verbose bool) *slog.Logger {
	switch {
	case p.JSON:
		return slog.New(slog.NewJSONHandler(p.Err, nil))
	case verbose:
		return slog.New(slog.NewTextHandler(p.Err, nil))
	}
	return slog.New(slog.DiscardHandler)
}
