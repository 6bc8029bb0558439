package additional

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/go-mif/mif/pvd"
)

// Bounds of an object.
const (
	maxOctets  = 64 << 10
	maxEntries = 64 // of a list, but for the prefixes
)

// Parse reads an object of type application/pvd+json (RFC 8801 section 4.3), which must
// be an I-JSON message (RFC 7493) with the three mandatory keys, each valid by itself.
// Optional keys of another type than they must have are ignored like unknown ones, and so
// are entries of a list. What may be done with the result, [Verify] tells.
func Parse(b []byte) (*pvd.Information, error) {
	if len(b) > maxOctets {
		return nil, fmt.Errorf("additional: an object of more than %d octets", maxOctets)
	}
	if err := checkIJSON(b); err != nil {
		return nil, fmt.Errorf("additional: %w (RFC 7493)", err)
	}
	o, is := object(b)
	if !is {
		return nil, errors.New("additional: it is not an object")
	}
	i := &pvd.Information{JSON: string(bytes.TrimSpace(b))}
	if err := o.mandatory(i); err != nil {
		return nil, fmt.Errorf("additional: %w", err)
	}
	o.optional(i)
	return i, nil
}

// members are the values of an object by name, which is compared as it is.
type members map[string]json.RawMessage

func object(b json.RawMessage) (members, bool) {
	var o members
	err := json.Unmarshal(b, &o)
	return o, err == nil
}

func begins(b json.RawMessage, c byte) bool {
	b = bytes.TrimLeft(b, " \t\r\n")
	return len(b) > 0 && b[0] == c
}

// text is a string.
func text(b json.RawMessage) (s string, is bool) {
	is = begins(b, '"') && json.Unmarshal(b, &s) == nil
	return s, is
}

// list are the elements of an array.
func list(b json.RawMessage) (all []json.RawMessage, is bool) {
	is = begins(b, '[') && json.Unmarshal(b, &all) == nil
	return all, is
}

// texts are the strings of an array of nothing else.
func texts(b json.RawMessage) (all []string, is bool) {
	elements, is := list(b)
	for _, e := range elements {
		s, ok := text(e)
		all, is = append(all, s), is && ok
	}
	return all, is
}

// mandatory reads the keys that must be there (RFC 8801 section 4.3, table 1).
func (o members) mandatory(i *pvd.Information) error {
	id, is := text(o["identifier"])
	if !is || canonical(id) == "" {
		return errors.New("no string under identifier")
	}
	i.Identifier = strings.TrimSuffix(id, ".")
	end, _ := text(o["expires"])
	if i.Expires, is = date(end); !is {
		return errors.New("no date under expires (RFC 3339)")
	}
	prefixes, is := texts(o["prefixes"])
	if !is {
		return errors.New("no array of strings under prefixes")
	}
	for _, s := range prefixes {
		p, err := netip.ParsePrefix(s)
		if err != nil || !p.Addr().Is6() || p.Addr().Is4In6() {
			return fmt.Errorf("%q under prefixes is no IPv6 prefix", s)
		}
		i.Prefixes = append(i.Prefixes, p.Masked())
	}
	return nil
}

// date reads a date of RFC 3339 section 5.6, which lets T and Z be small letters. Package
// time also takes hours of one digit, and fractions after a comma.
func date(s string) (time.Time, bool) {
	t, err := time.Parse(time.RFC3339, strings.ToUpper(s))
	return t.UTC(), err == nil && s[len("2006-01-02T15")] == ':' && !strings.Contains(s, ",")
}

// optional reads the keys that may be there (RFC 8801 section 4.3, table 2, and what is
// registered since).
func (o members) optional(i *pvd.Information) {
	zones, _ := list(o["dnsZones"])
	i.DNSZones = entries(zones, zone)
	i.NoInternet = string(bytes.TrimSpace(o["noInternet"])) == "true"
	claims, _ := list(o["splitDnsClaims"])
	i.SplitDNSClaims = entries(claims, claim)
	proxies, _ := list(o["proxies"])
	i.Proxies = entries(proxies, proxy)
}

// entries are those of a list that can be read, up to a bound.
func entries[T any](elements []json.RawMessage, read func(json.RawMessage) (T, bool)) (all []T) {
	for _, b := range elements {
		if v, ok := read(b); ok && len(all) < maxEntries {
			all = append(all, v)
		}
	}
	return all
}

// zone is a DNS name. That of the root is ".".
func zone(b json.RawMessage) (string, bool) {
	s, ok := text(b)
	name := strings.TrimSuffix(s, ".")
	if s == "." {
		name = "."
	}
	printable := !strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r == 0x7f })
	return name, ok && name != "" && len(name) <= 253 && printable
}

// claim is one of RFC 9704 section 5. All its keys are mandatory.
func claim(b json.RawMessage) (c pvd.SplitDNSClaim, ok bool) {
	o, is := object(b)
	if !is {
		return c, false
	}
	var has [5]bool
	c.Resolver, has[0] = text(o["resolver"])
	c.Parent, has[1] = text(o["parent"])
	c.Subdomains, has[2] = texts(o["subdomains"])
	c.Algorithm, has[3] = text(o["algorithm"])
	c.Salt, has[4] = text(o["salt"])
	return c, !slices.Contains(has[:], false)
}

// proxy is one of draft-ietf-intarea-proxy-config. One that has mandatory keys which are
// not known here must be ignored.
func proxy(b json.RawMessage) (p pvd.Proxy, ok bool) {
	o, is := object(b)
	if !is {
		return p, false
	}
	var has [2]bool
	p.Protocol, has[0] = text(o["protocol"])
	p.Location, has[1] = text(o["proxy"])
	p.Identifier, _ = text(o["identifier"])
	p.ALPN, _ = texts(o["alpn"])
	known := []string{"protocol", "proxy", "identifier", "alpn", "mandatory"}
	must, understood := texts(o["mandatory"])
	_, there := o["mandatory"]
	for _, key := range must {
		understood = understood && slices.Contains(known, key)
	}
	return p, has[0] && has[1] && (!there || understood)
}
