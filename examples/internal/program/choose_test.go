package program

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-mif/mif/pvd"
)

// snapshot is of a host with both families on eth0, IPv6 on wlan0, which was eth9 when
// it was first seen.
func snapshot() *pvd.Snapshot {
	now := time.Now()
	link := func(index int, first, name string, addresses ...string) *pvd.Facts {
		f := &pvd.Facts{Interface: pvd.Interface{ID: pvd.NewInterfaceID(index, first), Name: name, Index: index, Up: true, Carrier: true}}
		for _, a := range addresses {
			f.Addresses = append(f.Addresses, pvd.AddressFact{Address: pvd.Address{Prefix: netip.MustParsePrefix(a)}})
		}
		return f
	}
	return pvd.Build(&pvd.Snapshot{}, []*pvd.Facts{
		link(2, "eth0", "eth0", "192.0.2.9/24", "2001:db8:1::9/64"),
		link(3, "eth9", "wlan0", "2001:db8:2::9/64"),
		link(4, "eth1", "eth1"),
	}, nil, pvd.Options{}, now)
}

func TestChoose(t *testing.T) {
	s := snapshot()
	for word, want := range map[string]string{
		"":           "eth0/ipv4 eth0/ipv6 eth9/ipv6",
		"eth0/ipv6":  "eth0/ipv6",
		"eth0":       "eth0/ipv4 eth0/ipv6",
		"eth9/ipv6":  "eth9/ipv6", // its String form stays
		"wlan0":      "eth9/ipv6",
		"wlan0/ipv6": "eth9/ipv6",
		"eth9":       "",
		"eth1":       "",
		"wlan0/ipv4": "",
		"Eth0":       "",
		".":          "", // the empty name is that of no domain
	} {
		var got []string
		for _, d := range Choose(s, word) {
			got = append(got, d.ID().String())
		}
		slices.Sort(got)
		if strings.Join(got, " ") != want {
			t.Errorf("%q means %q, want %q", word, got, want)
		}
	}
	if err := NoDomain(s, "eth7").Error(); !strings.Contains(err, `"eth7", but eth0/ipv4, eth0/ipv6, eth9/ipv6`) {
		t.Error(err)
	}
	if err := NoDomain(&pvd.Snapshot{}, "eth7").Error(); !strings.Contains(err, "no provisioning domain on this host") {
		t.Error(err)
	}
}

func TestNamed(t *testing.T) {
	if !named("corp.example.com", "Corp.Example.COM.") || named("", "") || named("", ".") {
		t.Error("a name is compared without case and final dot, and the empty one is none")
	}
}
