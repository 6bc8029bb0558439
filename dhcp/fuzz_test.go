package dhcp

import (
	"strings"
	"testing"

	"github.com/go-mif/mif/internal/value"
	"github.com/go-mif/mif/pvd"
)

// check fails if something is told that cannot be.
func (o *offer) check(t *testing.T) {
	for _, n := range []int{len(o.servers), len(o.search), len(o.routers), len(o.routes) + len(o.routers), len(o.mtu), len(o.portal), len(o.ntp), len(o.encrypted)} {
		if n > value.Max {
			t.Fatalf("%d values: %+v", n, o)
		}
	}
	for _, s := range o.servers {
		if !value.Unicast(s.Addr()) || s.Port() != 53 {
			t.Fatalf("server %v", s)
		}
	}
	for _, s := range append(o.search, o.ntp...) {
		if s == "" || strings.ContainsAny(s, " \x00/") {
			t.Fatalf("name %q", s)
		}
	}
	for _, uri := range o.portal {
		if !strings.HasPrefix(strings.ToLower(uri), "https:") {
			t.Fatalf("portal %q", uri)
		}
	}
}

// FuzzReply4 reads any octets as a DHCPv4 server's answer.
func FuzzReply4(f *testing.F) {
	r := newRig(new(testing.T), ours4)
	_, q := r.sent()
	for _, options := range []string{dns4, "770d 036f6e65 076578616d706c65 00", "7708 c000 03616263 c000", "790d 00c0000203 180a0000c0000204", "340103", "2a08c000"} {
		f.Add(answer(q, options).payload)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		d := answer(q)
		d.payload = b
		if reply, ok := r.hears4(&d); ok {
			reply.check(t)
			if len(reply.mtu) > 1 || !value.Unicast(reply.server) {
				t.Fatalf("%+v", reply)
			}
			_ = reply.configuration(pvd.ElementDHCPv4, "", r.now)
		}
	})
}

// FuzzReply6 reads any octets as a DHCPv6 server's answer.
func FuzzReply6(f *testing.F) {
	r := newRig(new(testing.T), ours6)
	_, q := r.sent()
	for _, options := range []string{dns6, "0018 000d 036f6e65 076578616d706c65 00", "0038 0014 0001 0010 20010db8000000000000000000000053", "000d 0002 0001", "0020 0004 00000e10", "0018 ffff 00"} {
		f.Add(answer(q, options).payload)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		d := answer(q)
		d.payload = b
		if reply, ok := r.hears6(&d); ok {
			reply.check(t)
			if !reply.refused {
				e := &exchange{Question: r.Question}
				fresh, expiry := e.lifetime(reply, r.now)
				if life := expiry.Sub(r.now); life < leastRefresh || life > defaultRefresh || fresh >= life {
					t.Fatalf("fresh for %v, believed for %v", fresh, life)
				}
			}
			if reply.maxRT != 0 && (reply.maxRT < leastMaxRT || reply.maxRT > mostMaxRT) {
				t.Fatalf("%+v", reply)
			}
		}
	})
}

// FuzzPacket takes any octets apart.
func FuzzPacket(f *testing.F) {
	for _, d := range datagrams {
		f.Add(d.packet())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		d, ok := parsePacket(b, false)
		if !ok {
			return
		}
		if again, ok := parsePacket(d.packet(), false); !ok || again.from != d.from || again.to != d.to || string(again.payload) != string(d.payload) {
			t.Fatalf("%v became %v", d, again)
		}
	})
}
