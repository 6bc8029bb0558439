package show

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/go-mif/mif/pvd"
)

// A datum is one piece of configuration information. Its value is a string, a
// number, or an object whose fields are those of a type in package pvd.
type datum struct {
	Value   any             `json:"value"`
	Element string          `json:"element"`
	Source  string          `json:"source"`
	Expires json.RawMessage `json:"expires"`

	until time.Time
}

// data is configuration data as JSON likes it.
func data(d pvd.Data, now time.Time) []datum {
	switch d := d.(type) {
	case pvd.DNSServers:
		return list(d, now, netip.AddrPort.String)
	case pvd.SearchDomains:
		return list(d, now, itself)
	case pvd.RoutingDomains:
		return list(d, now, itself)
	case pvd.CaptivePortal:
		return list(d, now, itself)
	case pvd.NTPServers:
		return list(d, now, itself)
	case pvd.PREF64:
		return list(d, now, netip.Prefix.String)
	case pvd.MTU:
		return list(d, now, func(octets int) int { return octets })
	case pvd.Routers:
		return list(d, now, routerOf)
	case pvd.Routes:
		return list(d, now, routeOf)
	case pvd.Prefixes:
		return list(d, now, func(p pvd.Prefix) prefix { return prefixOf(p, now) })
	case pvd.EncryptedResolvers:
		return list(d, now, encryptedOf)
	case pvd.PvDOption:
		return list(d, now, optionOf)
	case pvd.AdditionalInfo:
		return list(d, now, informationOf)
	}
	return []datum{{Value: fmt.Sprint(d), Expires: left(time.Time{}, now)}}
}

func itself(s string) string { return s }

func list[T, V any](all []pvd.Datum[T], now time.Time, value func(T) V) []datum {
	var out []datum
	for _, d := range all {
		out = append(out, datum{value(d.Value), d.Element.String(), d.Source, left(d.Expiry, now), d.Expiry})
	}
	return out
}

// Values are configuration data for people: a word or some for each datum.
func Values(d pvd.Data, now time.Time) []string {
	var out []string
	for _, d := range data(d, now) {
		if s, ok := d.Value.(fmt.Stringer); ok {
			out = append(out, s.String())
			continue
		}
		out = append(out, fmt.Sprint(d.Value))
	}
	return out
}

// Soonest is when the first of the data ceases to be true; zero: never.
func Soonest(d pvd.Data) time.Time {
	var first time.Time
	for _, d := range data(d, time.Time{}) {
		if first.IsZero() || !d.until.IsZero() && d.until.Before(first) {
			first = d.until
		}
	}
	return first
}

// Printable is a text from a network, with what a terminal might obey escaped.
func Printable(s string) string {
	var b strings.Builder
	for _, r := range s {
		if strconv.IsPrint(r) {
			b.WriteRune(r)
			continue
		}
		b.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
	}
	return b.String()
}

// words joins what is not empty.
func words(all ...string) string {
	var out []string
	for _, w := range all {
		if w != "" {
			out = append(out, w)
		}
	}
	return strings.Join(out, " ")
}
