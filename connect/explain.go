package connect

import (
	"context"
	"fmt"
	"net/netip"
	"strings"

	"github.com/go-mif/mif/internal/rfc6724"
)

// An Explanation is the path a TCP connection would take now, and why, or what
// forbids it. Only the kernel is asked; nothing is sent.
type Explanation struct {
	Domain        string
	Interface     int    // kernel index
	InterfaceName string // its present name; empty if it has gone
	To            netip.AddrPort
	Source        netip.Addr // the one Dial would begin with; zero if there is none

	// Rule is the one of RFC 6724, section 5, that put Source before the next
	// candidate; 5 is its rule 5.5. 0: there was no other, or a tie.
	Rule int

	NextHop  netip.Addr // the router; zero: To is on the link, or Refusal says why there is none
	Refusal  error      // the error Dial would return at once; nil if it would try
	Warnings []string   // what is likely to go wrong all the same

	ownRouter bool // NextHop is of the domain
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
	p := d.path(domain, "tcp")
	p.cache = nil
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
		if i < len(sources)-1 {
			e.warn("%v is passed over: %v", s.Prefix.Addr(), err)
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
		_, e.Rule = p.selection().compare(sources[0], sources[1])
	}
	if sources[0].Deprecated {
		e.warn("the source is deprecated and will soon be invalid")
	}
	if h.local {
		e.warn("the destination is this host: nothing leaves it")
	}
	if h.router.IsValid() && len(p.domain.Routers) == 0 {
		e.warn("the domain names no router to compare the next hop with")
	}
	e.ownRouter = h.router.IsValid() && p.owns(h.router)
	if first := h.first(p.to.Addr()); !h.local && p.kernel.silent(first, p.domain.Interface) {
		e.warn("%v has not answered on the link of late", first)
	}
	for _, a := range p.domain.Addresses {
		if a.Tentative && rfc6724.CouldReach(a.Prefix.Addr(), p.to.Addr()) {
			e.warn("%v is tentative: not used as yet", a.Prefix.Addr())
		}
	}
}

func (e *Explanation) warn(format string, args ...any) {
	e.Warnings = append(e.Warnings, fmt.Sprintf(format, args...))
}

// first is who has to be found on the link.
func (h hop) first(to netip.Addr) netip.Addr {
	if h.router.IsValid() {
		return h.router
	}
	return to
}

// String is one line for the path and one for each thing that is wrong.
func (e Explanation) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: to %v by %s", e.Domain, e.To, e.link())
	if e.Source.IsValid() {
		fmt.Fprintf(&b, " from %v", e.Source)
	}
	switch e.Rule {
	case 0:
	case 5:
		b.WriteString(" (rule 5.5)")
	default:
		fmt.Fprintf(&b, " (rule %d)", e.Rule)
	}
	switch {
	case e.Refusal != nil:
		fmt.Fprintf(&b, "\n  refused: %v", e.Refusal)
	case e.ownRouter:
		fmt.Fprintf(&b, " via %v, the domain's router", e.NextHop)
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
