package connect

import (
	"context"
	"net/netip"
	"testing"
)

// What is paid before the first packet: the route asked of the kernel, and
// remembered.
func BenchmarkRouteCheck(b *testing.B) {
	u := distinct(b)
	for to, from := range map[string]string{far4: "10.2.0.2", far6: "2001:db8:2::2"} {
		for name, cache := range map[string]*RouteCache{"asked": nil, "cached": new(RouteCache)} {
			b.Run(from+" "+name, func(b *testing.B) {
				domain := domain2(u.host.index("up2"))
				domain.Generation = 1
				d := &Dialer{Cache: cache}
				p := d.path(domain, "tcp")
				if err := p.aim(netip.AddrPortFrom(netip.MustParseAddr(to), 80)); err != nil {
					b.Fatal(err)
				}
				source := netip.MustParseAddr(from)
				u.host.do(func() {
					b.ReportAllocs()
					for b.Loop() {
						if _, err := p.check(source); err != nil {
							b.Fatal(err)
						}
					}
				})
			})
		}
	}
}

// A dial that is refused because of its route: how long until the truth.
func BenchmarkRefusal(b *testing.B) {
	u, d := oneUplink(b)
	d.NetNS = ""
	for _, to := range []string{far4 + ":80", "[" + far6 + "]:80"} {
		b.Run(to, func(b *testing.B) {
			u.host.do(func() {
				for b.Loop() {
					if conn, err := d.DialContext(context.Background(), "tcp", to); err == nil {
						conn.Close()
						b.Fatal("connected without a route")
					}
				}
			})
		})
	}
}

func BenchmarkInstallUnchanged(b *testing.B) {
	l := newOneLink(b)
	domains := domainsOf(b, l.d1, l.d2)
	i := install(b, l.host.path(), domains...)
	for b.Loop() {
		if err := i.Install(domains); err != nil {
			b.Fatal(err)
		}
	}
}
