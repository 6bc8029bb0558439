// Watch tells of the interfaces, provisioning domains, configuration elements and
// addresses of this host as they come, change and go.
//
//	go run ./examples/watch
//	go run ./examples/watch -json -for 10s
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/go-mif/mif"
	"github.com/go-mif/mif/examples/internal/program"
	"github.com/go-mif/mif/examples/internal/show"
)

const usage = `watch [flags]

Watch tells of interfaces, provisioning domains, their configuration elements and
their addresses as they come (+), change (~) and go (-), and of what the elements
say (=). It subscribes to everything, and asks for every item of an element when
that is announced (draft-ietf-mif-api-extension-00, sections 3.5.1 to 3.5.15).

    watch                   until it is interrupted
    watch -plain            lines, also on a terminal
    watch -json -for 10s    ten seconds of it, for a script

On a terminal it shows a table instead: interfaces, the domains on them, the elements
of those with their addresses and what they say, lifetimes counting down; the latest
lines are below. The arrows, PgUp, PgDn, Home and End (or k, j, b, space, g, G) move
through a table that is longer than the terminal; q or Ctrl-C ends it, and the table
stays behind. Elsewhere, and if TERM is empty or dumb, it prints lines. There are no
colours if NO_COLOR is set.

With -ask it asks DHCP servers what they give, where no client of this host tells it;
with -solicit it asks routers to advertise at once.

With -json each message is an object on a line of its own, with seq (1, 2, 3 ...),
time (RFC 3339) and message (its name), and those of these that apply: interface
(the kernel's index), name, pvd, fqdn, family, element, address, preferred, valid
(seconds left, or "forever"), item, data (a list of objects with value, element,
source, expires), err, and of an interface flags, kind, mtu, hardware, up, carrier.
Parents are announced before their children, and go after them. Synced tells that
what there was when watch began to look is announced: its request says of what.

NoConfigurationData is told of an item that was told before; with -v of every item
that was asked for in vain. With -v also requests are told that came too late,
for a domain that was gone (Rejected), and, on the standard error, which sources
of facts work.
`

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	p := program.New("watch", usage)
	limit := p.Duration("for", 0, "end after a `time`; 0 is never")
	lines := p.Bool("plain", false, "print lines, also on a terminal")
	p.BoolVar(&p.Config.AskDHCP, "ask", false, "ask DHCP servers where no client of this host tells what they give; needs CAP_NET_RAW")
	p.BoolVar(&p.Config.SolicitRouters, "solicit", false, "ask routers to advertise, so that what only they tell is known at\nonce; needs CAP_NET_RAW")
	verbose := p.Bool("v", false, "tell more")
	p.BoolVar(&p.Config.FetchAdditionalInfo, "info", false, "fetch what servers tell of explicit domains (RFC 8801\nsection 4); they learn that this host is there")
	if status, ok := p.Parse(args, 0); !ok {
		return status
	}
	if *limit < 0 {
		return p.Misuse("-for %v is no time", *limit)
	}
	ctx, stop := program.Interruptible()
	defer stop()
	if *limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, *limit)
		defer cancel()
	}
	h, err := mif.Open(&p.Config)
	if err != nil {
		return p.Fail(err)
	}
	defer h.Close()
	if *verbose {
		sources(p, h)
	}
	if err := present(ctx, p, h, *lines, *verbose); err != nil {
		return p.Fail(err)
	}
	return program.Done
}

// present shows a table on a terminal, unless lines are wanted, and lines elsewhere.
func present(ctx context.Context, p *program.Program, h *mif.Host, lines, verbose bool) error {
	if lines || p.JSON {
		return watch(ctx, h, newView(p), verbose)
	}
	if s := newScreen(p.Out); s != nil {
		return follow(ctx, h, s, p.Out, os.Getenv("NO_COLOR") == "", verbose)
	}
	return watch(ctx, h, newView(p), verbose)
}

func newView(p *program.Program) view {
	if p.JSON {
		return show.NewLines(p.Out)
	}
	return newPlain(p.Out)
}

func sources(p *program.Program, h *mif.Host) {
	for _, s := range h.Sources() {
		state := "works"
		if s.Err != nil {
			state = s.Err.Error()
		}
		fmt.Fprintf(p.Err, "source: %s %s: %s\n", s.Name, s.Path, state)
	}
}

// watch shows events until the context is done. A view that cannot be written to, as
// when the reader of a pipe has gone, ends it with an error.
func watch(ctx context.Context, h *mif.Host, v view, verbose bool) error {
	w := newWatcher(h, verbose)
	defer w.session.Close()
	for e, err := range w.session.Events(ctx) {
		switch {
		case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
			return nil
		case err != nil:
			return err
		}
		w.follow(e)
		if !w.worth(e) {
			continue
		}
		if err := v.Event(e); err != nil {
			return err
		}
	}
	return nil
}
