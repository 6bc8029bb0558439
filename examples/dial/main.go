// Dial connects to an address inside one provisioning domain, or inside each.
//
//	go run ./examples/dial 192.0.2.1:443
//	go run ./examples/dial -pvd eth0/ipv6 -explain '[2001:db8::1]:443'
package main

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"time"

	"github.com/go-mif/mif"
	"github.com/go-mif/mif/examples/internal/program"
	"github.com/go-mif/mif/pvd"
)

const usage = `dial [flags] ADDR:PORT

Dial makes a TCP connection inside one provisioning domain, or inside each: out of
its interface, from one of its addresses, or not at all
(draft-ietf-mif-api-extension-00, sections 3.5.19 to 3.5.22).

    dial 192.0.2.1:443                            in every domain
    dial -pvd eth0/ipv4 192.0.2.1:443             in one
    dial -pvd eth0 -from 192.0.2.9 192.0.2.1:443  from that address
    dial -explain '[2001:db8::1]:443'             the path it would take, and why;
                                                  nothing is sent
    dial -send 'HEAD / HTTP/1.0\r\n\r\n' 192.0.2.1:80

ADDR is an address. Names are translated by resolve, and an address is good in the
domain that gave it.

With -json each message is an object on a line of its own: Connected (pvd, to,
local, remote, took) or NotConnected (pvd, to, took, err) for each domain, then with
-send Reply (pvd, to, reply, err); with -explain it is Explanation (pvd, to, from,
nexthop, rule, warnings, err). took is in seconds.

The status is 1 if no connection was made, or with -explain if none would be begun.
`

func main() { os.Exit(run(os.Args[1:])) }

// An order is what is to be done in each domain.
type order struct {
	domain  string // the word for it
	to      netip.AddrPort
	from    netip.Addr // zero: the domain's choice
	timeout time.Duration
	wait    time.Duration
	explain bool
	talk    bool   // when connected
	send    string // then
}

func run(args []string) int {
	p := program.New("dial", usage)
	o, status, ok := orders(p, args)
	if !ok {
		return status
	}
	ctx, stop := program.Interruptible()
	defer stop()
	h, err := mif.Open(&p.Config)
	if err != nil {
		return p.Fail(err)
	}
	defer h.Close()
	domains, err := await(ctx, h, o.domain, o.wait)
	if err != nil {
		return p.Fail(err)
	}
	work := dial
	if o.explain {
		work = explanations
	}
	switch good, err := work(ctx, h, domains, o, newView(p, domains)); {
	case err != nil:
		return p.Fail(err)
	case good == 0:
		return program.Failed
	}
	return program.Done
}

// orders reads the arguments. If it is not ok the program is over, with that status.
func orders(p *program.Program, args []string) (o order, status int, ok bool) {
	p.StringVar(&o.domain, "pvd", "", program.PvDUsage)
	p.TextVar(&o.from, "from", netip.Addr{}, "connect from `address`")
	p.DurationVar(&o.timeout, "timeout", 5*time.Second, "the longest `time` for a connection, and then for a reply")
	p.DurationVar(&o.wait, "wait", 0, "the longest `time` to wait for the domain")
	p.BoolVar(&o.explain, "explain", false, "tell the path that a connection would take, and make none")
	p.Func("send", "send `text` on each connection and print what comes back; \\r and \\n are line ends", func(text string) error {
		o.talk, o.send = true, program.LineEnds(text)
		return nil
	})
	if status, ok := p.Parse(args, 1); !ok {
		return o, status, false
	}
	var err error
	o.to, err = address(p.Arg(0))
	switch {
	case err != nil:
		return o, p.Misuse("%v", err), false
	case o.timeout <= 0 || o.wait < 0:
		return o, p.Misuse("-timeout %v -wait %v: that is no time", o.timeout, o.wait), false
	case o.explain && (o.talk || o.from.IsValid()):
		return o, p.Misuse("-explain goes without -send and -from"), false
	}
	return o, program.Done, true
}

// address reads ADDR:PORT.
func address(s string) (netip.AddrPort, error) {
	to, err := netip.ParseAddrPort(s)
	switch {
	case err != nil:
		return to, fmt.Errorf("%q is not ADDR:PORT, such as 192.0.2.1:443 or [2001:db8::1]:443 (names are for resolve)", s)
	case to.Port() == 0:
		return to, fmt.Errorf("%q has no port", s)
	}
	return to, nil
}

// await returns the domains meant, when they are there or the time is up.
func await(ctx context.Context, h *mif.Host, word string, limit time.Duration) ([]*pvd.Domain, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	program.Await(ctx, h, func(s *pvd.Snapshot) bool { return len(program.Choose(s, word)) > 0 })
	s := h.Snapshot()
	domains := program.Choose(s, word)
	if len(domains) == 0 {
		return nil, program.NoDomain(s, word)
	}
	return domains, nil
}
