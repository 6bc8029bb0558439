package netlink

import (
	"time"

	"github.com/go-mif/mif/pvd"
)

// shorten lets what routers said end earlier: the clock that instants are
// compared by stood still while the host slept. What else has lifetimes is listed.
func (t *tables) shorten(by time.Duration) {
	for _, l := range t.links {
		for _, r := range l.ras {
			r.own()
			c := &r.said
			shorten(c.Routers, by)
			shorten(c.Routes, by)
			shorten(c.MTU, by)
			shorten(c.EncryptedResolvers, by)
			shorten(c.PvDOption, by)
			shorten(c.DNSServers, by)
			shorten(c.SearchDomains, by)
			shorten(c.Prefixes, by)
			shorten(c.PREF64, by)
			shorten(c.CaptivePortal, by)
			for i := range c.Prefixes {
				sooner(&c.Prefixes[i].Value.Preferred, by)
			}
			t.touch(l, dirtyRAs)
		}
	}
}

func shorten[T any, D ~[]pvd.Datum[T]](d D, by time.Duration) {
	for i := range d {
		sooner(&d[i].Expiry, by)
	}
}

func sooner(end *time.Time, by time.Duration) {
	if !end.IsZero() {
		*end = end.Add(-by)
	}
}
