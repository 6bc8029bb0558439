package netlink

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-mif/mif/pvd"
)

// A meaning is what an advertisement says, in words.
type meaning struct {
	ra    *pvd.RA
	parts []string
}

func (m *meaning) add(words ...string) {
	words = slices.DeleteFunc(words, func(w string) bool { return w == "" })
	if len(words) > 0 {
		m.parts = append(m.parts, strings.Join(words, " "))
	}
}

// left is a lifetime in seconds, exactly: counted from when it was heard.
func (m *meaning) left(end time.Time) string {
	if end.IsZero() {
		return "forever"
	}
	return fmt.Sprint(end.Sub(m.ra.Heard).Seconds())
}

func flag(is bool, name string) string {
	if is {
		return name
	}
	return ""
}

func preferenceName(p int8) string { return [...]string{"low", "medium", "high"}[p+1] }

// meaningOf is one line: name, flags, PvD option, and what has a lifetime with that.
func meaningOf(ra *pvd.RA) string {
	m, c := &meaning{ra: ra}, &ra.Configuration
	if ra.FQDN == "" {
		m.add("no name")
	}
	m.add(ra.FQDN)
	m.add(flag(ra.Managed, "M"), flag(ra.Other, "O"))
	for _, d := range c.PvDOption {
		o := d.Value
		m.add("PvD", flag(o.HTTP, "H"), flag(o.Legacy, "L"), flag(o.RouterHead, "R"), flag(o.Sequence != 0, fmt.Sprint("sequence ", o.Sequence)), flag(o.Delay != 0, fmt.Sprint("delay ", o.Delay)))
	}
	for _, d := range c.Routers {
		m.add("router", preferenceName(d.Value.Preference), m.left(d.Expiry))
	}
	for _, d := range c.Prefixes {
		m.add("prefix", d.Value.Prefix.String(), flag(d.Value.OnLink, "L"), flag(d.Value.Autonomous, "A"), m.left(d.Value.Preferred), m.left(d.Expiry))
	}
	for _, d := range c.Routes {
		m.add("route", d.Value.Destination.String(), preferenceName(d.Value.Preference), m.left(d.Expiry))
	}
	for _, d := range c.DNSServers {
		m.add("server", d.Value.Addr().String(), m.left(d.Expiry))
	}
	for _, d := range c.SearchDomains {
		m.add("search", d.Value, m.left(d.Expiry))
	}
	for _, d := range c.MTU {
		m.add(fmt.Sprint("MTU ", d.Value))
	}
	return strings.Join(m.parts, "; ")
}
