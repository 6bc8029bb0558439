package resolver

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

const (
	maxName  = 253 // octets of a name in text, without the dot at the end (RFC 1035 §3.1)
	maxLabel = 63  // octets of a label
)

// A target is a name to translate, read once: an address, or a domain name.
type target struct {
	addr     netip.Addr // valid if the name is a literal
	name     string     // in ASCII and lower case, with no dot at the end
	absolute bool       // there was a dot at the end
}

// parseTarget reads what a program asks for.
func parseTarget(s string) (target, error) {
	if literal(s) {
		if addr, err := netip.ParseAddr(s); err == nil {
			addr = addr.Unmap()
			return target{addr: addr}, checkZone(addr)
		}
	}
	name, absolute, err := asciiName(s)
	if err != nil {
		return target{}, err
	}
	return target{name: name, absolute: absolute}, nil
}

// literal tells whether a name may be an address: a cheap first look.
func literal(s string) bool {
	return strings.Contains(s, ":") || s != "" && '0' <= s[len(s)-1] && s[len(s)-1] <= '9'
}

// checkZone refuses zones that are not interface indexes: the name of an
// interface may be another's by the time the address is used.
func checkZone(addr netip.Addr) error {
	if addr.Zone() == "" {
		return nil
	}
	if n, err := strconv.ParseUint(addr.Zone(), 10, 31); err != nil || n == 0 {
		return fmt.Errorf("%w: zone %q is no interface index", ErrInvalidName, addr.Zone())
	}
	return nil
}

// asciiName converts a name to the form it has in queries, lower case and with
// no dot at the end, and tells whether there was one.
func asciiName(s string) (name string, absolute bool, err error) {
	if !isASCII(s) {
		if !utf8.ValidString(s) {
			return "", false, fmt.Errorf("%w: not UTF-8", ErrInvalidName)
		}
		// Only such names: the profile's rules for hyphens and underscores
		// would reject ASCII names that are in use.
		if s, err = idna.Lookup.ToASCII(s); err != nil {
			return "", false, fmt.Errorf("%w: %w", ErrInvalidName, err)
		}
	}
	name, absolute = strings.CutSuffix(strings.ToLower(s), ".")
	if err := checkName(name); err != nil {
		return "", false, err
	}
	return name, absolute, nil
}

func isASCII(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r >= utf8.RuneSelf }) < 0
}

// checkName tells what is wrong with an ASCII name of a host.
func checkName(name string) error {
	if name == "" || len(name) > maxName {
		return fmt.Errorf("%w: %d octets", ErrInvalidName, len(name))
	}
	label := ""
	for label = range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > maxLabel {
			return fmt.Errorf("%w: label of %d octets", ErrInvalidName, len(label))
		}
		if i := strings.IndexFunc(label, outsideLabel); i >= 0 {
			return fmt.Errorf("%w: character %q", ErrInvalidName, label[i])
		}
	}
	// Such a name is a mistyped or old-style IPv4 address (RFC 3696 §2).
	if strings.Trim(label, "0123456789") == "" {
		return fmt.Errorf("%w: the last label is a number", ErrInvalidName)
	}
	return nil
}

// outsideLabel is the rule of RFC 952 and RFC 1123 §2.1, with the underscore
// that is in use besides.
func outsideLabel(r rune) bool {
	letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
	return !letter && !('0' <= r && r <= '9') && r != '-' && r != '_'
}

// candidates appends the names to ask for, in order: the rule of "search" and
// "ndots" in resolv.conf(5). A name with a meaning of its own is asked for, or
// not, as it stands.
func (t target) candidates(cfg *Config, names []string) []string {
	if t.absolute || len(cfg.Search) == 0 || isLocalhost(t.name) || unasked(t.name) != nil {
		return append(names, t.name)
	}
	for _, domain := range cfg.Search {
		suffix, _, err := asciiName(domain)
		if err != nil {
			continue
		}
		name := t.name + "." + suffix
		if len(name) <= maxName && unasked(name) == nil && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if strings.Count(t.name, ".") >= cfg.NDots {
		return append([]string{t.name}, names...)
	}
	return append(names, t.name)
}

// unasked gives the error of a name that is never sent to a server of the
// domain, and nil for every other. The name is in lower case.
func unasked(name string) error {
	switch {
	case within(name, "invalid"), within(name, "onion"), isLocalhost(name):
		return ErrNoSuchName // RFC 6761 §6.3, §6.4; RFC 7686 §2
	case ofLink(name):
		return fmt.Errorf("%w: names of the link are asked by multicast only", ErrNoServers)
	}
	return nil
}

// ofLink tells whether a name, in lower case, is for the hosts on the link to know:
// .local, and the reverse names of link-local addresses (RFC 6762 §3, §4).
func ofLink(name string) bool {
	head, reverse := strings.CutSuffix(name, ".e.f.ip6.arpa")
	if reverse {
		return head != "" && strings.Contains("89ab", head[len(head)-1:])
	}
	return within(name, "local") || within(name, "254.169.in-addr.arpa")
}

func isLocalhost(name string) bool { return within(name, "localhost") }

// within tells whether a name is a domain or below it.
func within(name, domain string) bool {
	head, ok := strings.CutSuffix(name, domain)
	return ok && (head == "" || strings.HasSuffix(head, "."))
}
