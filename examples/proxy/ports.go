package main

import (
	"context"
	"errors"
	"net"
	"strings"

	"github.com/go-mif/mif/examples/internal/program"
	"github.com/go-mif/mif/examples/internal/proxy"
	"github.com/go-mif/mif/pvd"
)

// A port is an address that is listened on for the domains of a word.
type port struct {
	address, pvd string // no word: as of the Server
	listener     net.Listener
}

func (p *port) String() string {
	if p.pvd == "" {
		return p.listener.Addr().String()
	}
	return p.listener.Addr().String() + " for " + p.pvd
}

// ports are those that the command line asks for.
type ports []*port

// add takes ADDR:PORT or ADDR:PORT=DOMAIN.
func (all *ports) add(text string) error {
	address, word, named := strings.Cut(text, "=")
	if _, _, err := net.SplitHostPort(address); err != nil {
		return err
	}
	if named && word == "" {
		return errors.New("no domain is named after =")
	}
	*all = append(*all, &port{address: address, pvd: word})
	return nil
}

// open listens on all, or fails.
func (all ports) open() (err error) {
	for _, p := range all {
		if p.listener, err = net.Listen("tcp", p.address); err != nil {
			all.close()
			return err
		}
	}
	return nil
}

func (all ports) close() {
	for _, p := range all {
		if p.listener != nil {
			p.listener.Close()
		}
	}
}

// missing are the words that mean no domain there is now: one may come, or it is a slip.
func (all ports) missing(s *pvd.Snapshot) (words []string) {
	for _, p := range all {
		if p.pvd != "" && len(program.Choose(s, p.pvd)) == 0 {
			words = append(words, p.pvd)
		}
	}
	return words
}

// serve serves on all until the context is done or one of them fails.
func (all ports) serve(ctx context.Context, s *proxy.Server) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error)
	for _, p := range all {
		one := *s
		if p.pvd != "" {
			one.PvD = p.pvd
		}
		go func() { ended <- one.Serve(ctx, p.listener) }()
	}
	var failures []error
	for range all {
		failures = append(failures, <-ended)
		stop()
	}
	return errors.Join(failures...)
}
