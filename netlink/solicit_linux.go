package netlink

import (
	"net"

	"github.com/go-mif/mif/pvd"
)

// solicit asks the routers of those links that can now be used for it and could not
// before. A link without an address past duplicate address detection waits for one:
// routers would have to answer all hosts.
func (w *Watcher) solicit(links []*pvd.Facts) {
	if w.ears == nil || !w.config.Solicit {
		return
	}
	for _, f := range links {
		l := w.tables.links[int32(f.Interface.Index)]
		can := solicits(f)
		if can && !l.solicited {
			if err := w.ears.solicit(f.Interface.Index); err != nil {
				w.config.Log.Debug("router solicitation", "interface", f.Interface.Name, "err", err)
			}
		}
		l.solicited = can
	}
}

// solicits tells whether routers can be asked on a link.
func solicits(f *pvd.Facts) bool {
	if !f.Interface.Up || !f.Interface.Carrier || f.Interface.Flags&net.FlagMulticast == 0 || f.Interface.Flags&net.FlagLoopback != 0 {
		return false
	}
	for i := range f.Addresses {
		if a := &f.Addresses[i].Address; a.LinkLocal && a.Prefix.Addr().Is6() && a.Usable() {
			return true
		}
	}
	return false
}
