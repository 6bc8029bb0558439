// Tour plays Figure 2 of draft-ietf-mif-api-extension-00, section 4, for real: a
// host with two interfaces and three provisioning domains finds out what it has,
// translates one name inside each domain, connects from inside each, and uses the
// connection that is best. It prints the figure as it happens.
//
//	go run ./examples/tour
//	go run ./examples/tour -host www.example.com:80
//	go run ./examples/tour -json
package main

import (
	"context"
	"errors"
	"io"
	"os"
	"time"

	"github.com/go-mif/mif"
	"github.com/go-mif/mif/examples/internal/program"
	"github.com/go-mif/mif/miftest"
)

const usage = `tour [flags]

Tour plays Figure 2 of draft-ietf-mif-api-extension-00 (section 4) for real and
prints it as its sequence diagram: interfaces and provisioning domains are
announced, a name is translated inside each domain by that domain's own servers,
connections are made from inside each domain, and the best one is used: the one
whose peer was the first to say something. Everything goes through one Session
of package mif, by Post, Check and Get.

Without -host it makes a host of its own, in namespaces of its own, with the two
interfaces and three domains of the figure. That needs no root, installs nothing
and leaves nothing behind. With -host it uses the uplinks of this machine.

    tour                            the figure
    tour -host www.example.com:80   the same on this machine's uplinks
    tour -json                      the messages themselves, one a line
    tour -picture figure.svg        also as a picture, for a browser or a page
`

// httpHead makes most servers speak; others speak first.
const httpHead = "HEAD / HTTP/1.0\r\nHost: %s\r\nConnection: close\r\n\r\n"

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	p := program.New("tour", usage)
	host := p.String("host", "", "reach `NAME:PORT` by this machine's uplinks")
	send := p.String("send", "", "with -host: `text` to send on each connection, \\r and \\n are line ends\n(default an HTTP HEAD request)")
	picture := p.String("picture", "", "also write the figure as SVG to a `file`, in place of what is there")
	limit := p.Duration("for", 5*time.Second, "the longest `time` that the tour may take")
	if status, ok := p.Parse(args, 0); !ok {
		return status
	}
	switch {
	case *limit <= 0:
		return p.Misuse("-for %v is no time", *limit)
	case *host == "" && (p.Config.NetNS != "" || p.Config.Root != "" || *send != ""):
		return p.Misuse("-netns, -root and -send go with -host")
	}
	open := embedded
	if *host != "" {
		t, err := parse(*host)
		if err != nil {
			return p.Misuse("%v", err)
		}
		if *send != "" {
			t.send = program.LineEnds(*send)
		}
		open = func(c mif.Config) (*stage, error) { return uplinks(c, t) }
	} else if err := miftest.Enter(); err != nil {
		return p.Fail(err)
	}
	return perform(p, open, *limit, *picture)
}

// perform opens a stage, plays the figure on it and closes it.
func perform(p *program.Program, open func(mif.Config) (*stage, error), limit time.Duration, picture string) int {
	ctx, stop := program.Interruptible()
	defer stop()
	s, err := open(p.Config)
	if err != nil {
		return p.Fail(err)
	}
	defer s.close()
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if err := play(ctx, s, p, picture); err != nil {
		return p.Fail(err)
	}
	return program.Done
}

// play plays the figure on a stage. The picture, if there is to be one, shows also a
// tour that came to nothing.
func play(ctx context.Context, s *stage, p *program.Program, picture string) error {
	a := newApp(ctx, s)
	defer a.session.Close()
	out := p.Out
	if p.JSON {
		out = io.Discard
	}
	f := newFigure(out, a)
	a.view = f
	if p.JSON {
		a.view = both{f, newMessages(p.Out)}
	}
	err := a.run()
	if picture == "" || !f.ended {
		return err
	}
	return errors.Join(err, draw(picture, f.rows))
}
