// Resolve translates a name inside one provisioning domain, or inside each.
//
//	go run ./examples/resolve www.example.com
//	go run ./examples/resolve -pvd eth0/ipv6 www.example.com
package main

import (
	"context"
	"os"
	"time"

	"github.com/go-mif/mif"
	"github.com/go-mif/mif/examples/internal/program"
	"github.com/go-mif/mif/pvd"
)

const usage = `resolve [flags] NAME

Resolve translates a name inside one provisioning domain, or inside each, side by
side: by that domain's own DNS servers, asked through its interface from its
addresses (draft-ietf-mif-api-extension-00, sections 3.5.16 to 3.5.18).

    resolve www.example.com                    in every domain
    resolve -pvd eth0/ipv4 www.example.com     in one
    resolve -pvd eth0 -6 www.example.com       IPv6 addresses, in each domain on eth0
    resolve -service https www.example.com     its HTTPS records (RFC 9460)
    resolve -service dns one.example:853       SVCB records of another scheme and port

With -service each line has a record's priority and target, and what it says of how
to speak to it.

With -json each message is an object on a line of its own: NameTranslation (pvd,
name, address, canonical, server, origin, expires) for each address, or
ServiceTranslation (pvd, name, service, server, expires) for each record, and in the
end of each domain TranslationDone (pvd, name, and err if something went wrong).

What a router says of DNS servers the kernel passes on as it is said, but does not
list. On a host where nothing else knows them, -wait gives it time to be said again.

The status is 1 if nothing was found.
`

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	p := program.New("resolve", usage)
	word := p.String("pvd", "", program.PvDUsage)
	four := p.Bool("4", false, "IPv4 addresses only")
	six := p.Bool("6", false, "IPv6 addresses only")
	scheme := p.String("service", "", "translate a service, such as https, in place of the name's addresses")
	timeout := p.Duration("timeout", 5*time.Second, "the longest `time` for the translation")
	wait := p.Duration("wait", 0, "the longest `time` to wait for the domain, and for each to have a DNS server")
	if status, ok := p.Parse(args, 1); !ok {
		return status
	}
	switch {
	case *four && *six:
		return p.Misuse("-4 and -6 exclude each other")
	case *scheme != "" && (*four || *six):
		return p.Misuse("-service asks for no addresses: -4 and -6 say nothing")
	case *timeout <= 0 || *wait < 0:
		return p.Misuse("-timeout %v -wait %v: that is no time", *timeout, *wait)
	}
	q, err := ask(p.Arg(0), family(*four, *six), *scheme)
	if err != nil {
		return p.Misuse("%v", err)
	}
	ctx, stop := program.Interruptible()
	defer stop()
	h, err := mif.Open(&p.Config)
	if err != nil {
		return p.Fail(err)
	}
	defer h.Close()
	domains, err := await(ctx, h, *word, *wait)
	if err != nil {
		return p.Fail(err)
	}
	ctx, cancel := context.WithTimeout(ctx, *timeout)
	defer cancel()
	found, err := translate(ctx, h, domains, q, newView(p, domains))
	if err != nil {
		return p.Fail(err)
	}
	if found == 0 {
		return program.Failed
	}
	return program.Done
}

func family(four, six bool) mif.Family {
	switch {
	case four:
		return pvd.IPv4
	case six:
		return pvd.IPv6
	}
	return pvd.Both
}

// await returns the domains meant, when they have servers or the time is up.
func await(ctx context.Context, h *mif.Host, word string, limit time.Duration) ([]*pvd.Domain, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	program.Await(ctx, h, func(s *pvd.Snapshot) bool { return served(program.Choose(s, word)) })
	s := h.Snapshot()
	domains := program.Choose(s, word)
	if len(domains) == 0 {
		return nil, program.NoDomain(s, word)
	}
	return domains, nil
}

// served tells whether there are domains and each has a DNS server.
func served(domains []*pvd.Domain) bool {
	for _, d := range domains {
		if d.Data(pvd.ElementAny, pvd.ItemDNSServers) == nil {
			return false
		}
	}
	return len(domains) > 0
}
