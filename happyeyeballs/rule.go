package happyeyeballs

import (
	"strings"

	"github.com/go-mif/mif"
	"github.com/go-mif/mif/pvd"
)

// A Domain is a provisioning domain as rules and traces see it.
type Domain struct {
	PvD       mif.PvDID
	Interface string     // present name, such as eth0
	Family    mif.Family // pvd.Both for an explicit domain, or one of merged families
	FQDN      string     // of an explicit domain (RFC 8801); else empty
}

// A Rule picks domains. A domain fits if it fits every field that is set; the zero
// Rule fits all.
type Rule struct {
	Interface string     // name, such as wlan0
	PvD       string     // as PvDID.String gives it, such as wlan0/ipv6
	FQDN      string     // compared without regard to case; a final dot counts for nothing
	Family    mif.Family // a domain of both families fits either
}

// fits tells whether a domain fits the rule.
func (r Rule) fits(d Domain) bool {
	return (r.Interface == "" || r.Interface == d.Interface) &&
		(r.PvD == "" || r.PvD == d.PvD.String()) &&
		(r.FQDN == "" || strings.EqualFold(strings.TrimSuffix(r.FQDN, "."), d.FQDN)) &&
		(r.Family == pvd.Both || d.Family == pvd.Both || r.Family == d.Family)
}

// rules are the preconditions of a race: hard ones filter, soft ones sort.
type rules struct {
	require, exclude, prefer []Rule
}

// allow tells whether the hard rules let a domain race.
func (r rules) allow(d Domain) bool {
	return (len(r.require) == 0 || first(r.require, d) < len(r.require)) &&
		first(r.exclude, d) == len(r.exclude)
}

// rank is a domain's place by the soft rules; less is better.
func (r rules) rank(d Domain) int { return first(r.prefer, d) }

// first is the index of the first rule that a domain fits, len(rules) if none.
func first(rules []Rule, d Domain) int {
	for i, r := range rules {
		if r.fits(d) {
			return i
		}
	}
	return len(rules)
}
