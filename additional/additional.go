// Package additional gets the Additional Information of explicit provisioning domains
// (RFC 8801 section 4): it decides when to ask for it, asks, and reads the answer.
//
// [Parse] reads an object. A [Client] asks for one, inside a domain that it knows by two
// functions only. A [Schedule] decides which domains to ask for, and when: it does
// nothing by itself, is told the time, and answers what to do.
//
// # Concurrency
//
// Parse is a function of its argument. A Client may be used from several goroutines, a
// Schedule from one at a time. No goroutine outlives a call.
//
// # Limits
//
// An object has at most 64 KiB, and of each list in it 64 entries count, but for
// prefixes, which count all. The claims of RFC 9704 are read and not verified. Nothing is
// asked of certificate authorities (OCSP), and no proxy is used, neither the
// environment's nor one that an object offers.
package additional

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/go-mif/mif/pvd"
)

// wellKnown is where the Additional Information of a domain is (RFC 8801 section 4.1).
func wellKnown(fqdn string) string { return "https://" + canonical(fqdn) + "/.well-known/pvd" }

// Verify tells what keeps information from being used for the domain of a name with
// the prefixes that are announced (RFC 8801 sections 4.1, 4.3, 4.4); nil if nothing does.
func Verify(i *pvd.Information, fqdn string, announced []netip.Prefix, now time.Time) error {
	if canonical(i.Identifier) != canonical(fqdn) {
		return fmt.Errorf("additional: it is about %q", i.Identifier)
	}
	if !i.Expires.After(now) {
		return fmt.Errorf("additional: it has expired at %v", i.Expires.Format(time.RFC3339))
	}
	for _, p := range announced {
		if !i.Covers(p) {
			return fmt.Errorf("additional: announced prefix %v is not among its prefixes", p)
		}
	}
	return nil
}

// canonical is a name as it is compared: in small ASCII letters (RFC 4343), without a
// dot at the end.
func canonical(fqdn string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, strings.TrimSuffix(fqdn, "."))
}

// eligible tells whether a name is one of a host that can be asked: of several labels,
// all of letters, digits and hyphens, and not an address.
func eligible(fqdn string) bool {
	name := canonical(fqdn)
	if len(name) > 253 || !strings.Contains(name, ".") {
		return false
	}
	digits := true
	for label := range strings.SplitSeq(name, ".") {
		if !isLabel(label) {
			return false
		}
		digits = strings.Trim(label, "0123456789") == ""
	}
	return !digits // of the last one
}

func isLabel(l string) bool {
	return l != "" && len(l) <= 63 && l[0] != '-' && l[len(l)-1] != '-' && strings.Trim(l, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}
