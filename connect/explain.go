package connect

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
)

// An Explanation is the path a TCP connection would take now, and why, or what
// forbids it. Only the kernel is asked; nothing is sent.
type Explanation struct {
	Domain        string
	Interface     int    // kernel index
	InterfaceName string // its present name; empty if it has gone
	To            netip.AddrPort
	Source        netip.Addr // the one Dial would begin with; zero if there is none
	Rule          int        // of RFC 6724, section 5, that put Source before the next candidate; 0: there was no other, or a tie
	NextHop       netip.Addr // the router; zero: To is on the link, or Refusal says why there is none
	Refusal       error      // the error Dial would return at once; nil if it would try
	Warnings      []string   // what is likely to go wrong all the same
}

// Explain tells what [Dialer.Dial] would do for network "tcp". Its error is of type
// [*Error] and means that nothing can be said: the domain cannot be had, the
// Dialer's Context is done, or the kernel cannot be asked. That a dial would be
// refused is no error but Explanation.Refusal.
func (d *Dialer) Explain(to netip.AddrPort) (Explanation, error) {
	failed := func(name string, err error) (Explanation, error) {
		return Explanation{}, &Error{Op: "explain", Domain: name, To: to, Err: err}
	}
	if d.Context != nil && d.Context.Err() != nil {
		return failed("", context.Cause(d.Context))
	}
	domain, err := d.domain()
	if err != nil {
		return failed("", err)
	}
	p := &path{domain: domain, network: "tcp", kernel: kernel{netns: d.NetNS}}
	if err := p.kernel.reachable(); err != nil {
		return failed(domain.Name, err)
	}
	e := Explanation{Domain: domain.Name, Interface: domain.Interface, To: to}
	e.InterfaceName, _ = p.kernel.interfaceName(domain.Interface)
	e.Refusal = p.explain(&e)
	return e, nil
}

// explain fills in the choice Dial would make and returns its refusal.
func (p *path) explain(e *Explanation) error {
	if err := p.aim(e.To); err != nil {
		return err
	}
	sources, err := p.sources()
	if err != nil {
		return err
	}
	var first error
	for i, s := range sources {
		h, err := p.check(s.Prefix.Addr())
		if err == nil {
			e.choose(p, sources[i:], h)
			return nil
		}
		if first == nil {
			e.Source, first = s.Prefix.Addr(), err
		}
	}
	return first
}

// choose notes the first of the sources as the one.
func (e *Explanation) choose(p *path, sources []Address, h hop) {
	e.Source, e.NextHop = sources[0].Prefix.Addr(), h.router
	if len(sources) > 1 {
		_, e.Rule = compare(p.to.Addr(), sources[0], sources[1])
	}
	if why := p.kernel.repliesDropped(p.query(e.Source)); why != "" {
		e.Warnings = append(e.Warnings, why)
	}
	if sources[0].Deprecated {
		e.Warnings = append(e.Warnings, "the source is deprecated and will soon be invalid")
	}
	if h.local {
		e.Warnings = append(e.Warnings, "the destination is this host: nothing leaves it")
	}
	if h.router.IsValid() && len(p.domain.Routers) == 0 {
		e.Warnings = append(e.Warnings, "the domain names no router to compare the next hop with")
	}
}

// String is one line for the path and one for each thing that is wrong.
func (e Explanation) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: to %v by %s", e.Domain, e.To, e.link())
	if e.Source.IsValid() {
		fmt.Fprintf(&b, " from %v", e.Source)
	}
	if e.Rule != 0 {
		fmt.Fprintf(&b, " (rule %d)", e.Rule)
	}
	switch {
	case e.Refusal != nil:
		fmt.Fprintf(&b, "\n  refused: %v", e.Refusal)
	case e.NextHop.IsValid():
		fmt.Fprintf(&b, " via %v", e.NextHop)
	default:
		b.WriteString(" on the link")
	}
	for _, w := range e.Warnings {
		b.WriteString("\n  warning: " + w)
	}
	return b.String()
}

func (e Explanation) link() string {
	if e.InterfaceName == "" {
		return fmt.Sprintf("interface %d", e.Interface)
	}
	return fmt.Sprintf("%s (index %d)", e.InterfaceName, e.Interface)
}
