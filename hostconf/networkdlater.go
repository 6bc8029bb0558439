package hostconf

import (
	"net/netip"
	"slices"
	"time"

	"github.com/go-mif/mif/pvd"
)

// A networkdResolver is an encrypted resolver (RFC 9463).
type networkdResolver struct {
	provenance
	Priority   uint16
	Addresses  []octets
	Port       uint16
	ServerName string
	DoHPath    string
	Transports []string // by ALPN
}

type networkdPREF64 struct {
	Prefix         octets
	PrefixLength   int
	LifetimeUSec   uint64 // since the host was started
	ConfigProvider octets
}

// later adds what later versions of systemd-networkd say. The portal comes without
// who gave it: it counts as the link's.
func (g *networkdGroups) later(d *description, boot time.Time) {
	for i := range d.DNR {
		g.resolver(&d.DNR[i])
	}
	if portal, ok := uri(d.CaptivePortal); ok {
		s := g.of(provenance{ConfigSource: "runtime"})
		s.portal = put(s.portal, portal, true)
	}
	for _, v := range d.NDisc.PREF64[:min(len(d.NDisc.PREF64), maxValues)] {
		g.pref64(&v, boot)
	}
}

// resolver needs a name to authenticate by (RFC 9463 section 3.1.1), and a priority:
// 0 is AliasMode, which is to be ignored (section 3.1.8).
func (g *networkdGroups) resolver(v *networkdResolver) {
	name, ok := domain(v.ServerName)
	s := g.of(v.provenance)
	if !ok || v.Priority == 0 || s == nil || len(s.secure) == maxValues {
		return
	}
	r := pvd.EncryptedResolver{Name: name, Priority: v.Priority, Port: v.Port, Path: v.DoHPath, ALPN: v.Transports[:min(len(v.Transports), maxValues)]}
	for _, a := range v.Addresses {
		addr, ok := address(a.String())
		r.Addresses = put(r.Addresses, addr, ok)
	}
	s.secure = append(s.secure, r)
}

// pref64 takes a prefix of one of the lengths that RFC 6052 section 2.2 has. It ends
// when it ends, whatever else its router says.
func (g *networkdGroups) pref64(v *networkdPREF64, boot time.Time) {
	p := netip.PrefixFrom(v.Prefix.Addr, v.PrefixLength)
	if !p.IsValid() || !p.Addr().Is6() || !slices.Contains([]int{32, 40, 48, 56, 64, 96}, p.Bits()) || !v.ConfigProvider.IsValid() || !finite(v.LifetimeUSec) {
		return
	}
	from := origin{element: pvd.ElementRA, source: v.ConfigProvider.String(), expiry: sinceBoot(boot, v.LifetimeUSec)}
	g.said = append(g.said, said{index: g.index, rank: rankNetworkd, origin: from, offer: offer{pref64: []netip.Prefix{p.Masked()}}})
}
