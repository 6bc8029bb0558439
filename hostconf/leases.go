package hostconf

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-mif/mif/pvd"
)

// never is the lifetime that means infinity (RFC 8415 section 7.7), in seconds.
const never = 1<<32 - 1

// A leaseKey says whose lease it is.
type leaseKey struct {
	link    string
	element pvd.ElementType
}

// A lease is one lease or lease6 declaration of dhclient.
type lease struct {
	leaseKey
	options  map[string][]string // by name, those that are understood
	expiry   time.Time           // zero: never
	endless  bool                // an address of it has no end, so it has none
	starts   int64               // of the address being read, seconds since 1970
	released bool
	damaged  bool
}

// parseLeases returns the last whole lease of every interface and family. A
// declaration without its end counts for nothing, wherever it is.
func parseLeases(text string) map[leaseKey]*lease {
	leases := map[leaseKey]*lease{}
	p := leaseParser{found: func(l *lease) { leases[l.leaseKey] = l }}
	for lex := (lexer{text: text}); ; {
		t, ok := lex.next()
		if !ok {
			return leases
		}
		p.token(t)
	}
}

type leaseParser struct {
	found     func(*lease)
	lease     *lease // being read; nil outside of one
	depth     int    // of braces
	statement []token
}

func (p *leaseParser) token(t token) {
	switch t.kind {
	case ';':
		p.end()
	case '{':
		p.open()
	case '}':
		p.close()
	default:
		p.statement = append(p.statement, t)
	}
}

// open starts a block. A declaration inside another means that the outer one was
// never finished.
func (p *leaseParser) open() {
	var name token
	if n := len(p.statement); n > 0 {
		name = p.statement[n-1]
	}
	p.statement = p.statement[:0]
	p.depth++
	switch name {
	case token{word, "lease"}:
		p.lease, p.depth = &lease{leaseKey: leaseKey{element: pvd.ElementDHCPv4}}, 1
	case token{word, "lease6"}:
		p.lease, p.depth = &lease{leaseKey: leaseKey{element: pvd.ElementDHCPv6}}, 1
	}
}

func (p *leaseParser) close() {
	p.statement = p.statement[:0]
	p.depth = max(p.depth-1, 0)
	if l := p.lease; l != nil && p.depth == 0 {
		p.lease = nil
		if l.endless {
			l.expiry = time.Time{}
		}
		if !l.damaged && interfaceName(l.link) {
			p.found(l)
		}
	}
}

func (p *leaseParser) end() {
	s := p.statement
	p.statement = p.statement[:0]
	isBroken := slices.ContainsFunc(s, func(t token) bool { return t.kind == broken })
	if p.lease == nil || len(s) == 0 || s[0].kind != word || isBroken {
		return
	}
	args := make([]string, 0, len(s)-1)
	for _, t := range s[1:] {
		args = append(args, t.text)
	}
	if p.depth == 1 {
		p.lease.set(s[0].text, args)
	} else {
		p.lease.setAddress(s[0].text, args)
	}
}

// set takes a statement of the declaration itself.
func (l *lease) set(name string, args []string) {
	switch {
	case name == "interface" && len(args) == 1:
		l.link = args[0]
	case name == "expire":
		t, ok := parseTime(args)
		l.expiry, l.damaged = t, !ok
	case name == "released":
		l.released = true
	case name == "option" && len(args) > 1 && slices.Contains(understood[:], args[0]):
		if l.options == nil {
			l.options = map[string][]string{}
		}
		l.options[args[0]] = append(l.options[args[0]], args[1:]...) // of DHCPv6 there may be several
	}
}

// setAddress takes a statement of an address of a lease6. The lease lasts as long
// as the last of its addresses.
func (l *lease) setAddress(name string, args []string) {
	if len(args) != 1 {
		return
	}
	n, err := strconv.ParseInt(args[0], 10, 40)
	switch {
	case err != nil || n < 0:
	case name == "starts":
		l.starts = n
	case name == "max-life" && n >= never:
		l.endless = true
	case name == "max-life":
		if t := time.Unix(l.starts+n, 0).UTC(); t.After(l.expiry) {
			l.expiry = t
		}
	}
}

// parseTime reads a date: "never", "epoch 1795334778", or the day of the week, a
// date and a time of day, in UTC. The zero Time is never.
func parseTime(args []string) (time.Time, bool) {
	switch {
	case len(args) == 1 && args[0] == "never":
		return time.Time{}, true
	case len(args) == 2 && args[0] == "epoch":
		n, err := strconv.ParseInt(args[1], 10, 40)
		return time.Unix(n, 0).UTC(), err == nil && n >= 0
	case len(args) == 3:
		t, err := time.Parse("2006/01/02 15:04:05", strings.Join(args[1:], " "))
		return t, err == nil
	}
	return time.Time{}, false
}
