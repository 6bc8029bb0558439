package pvd_test

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/go-mif/mif/pvd"
)

// eth0 is an interface with an address of each family.
func eth0() *pvd.Facts {
	address := func(s string) pvd.AddressFact {
		return pvd.AddressFact{Address: pvd.Address{Prefix: netip.MustParsePrefix(s)}}
	}
	return &pvd.Facts{
		Interface: pvd.Interface{ID: pvd.NewInterfaceID(2, "eth0"), Name: "eth0", Index: 2, Up: true, Carrier: true},
		Addresses: []pvd.AddressFact{address("192.0.2.5/24"), address("2001:db8:1::5/64")},
	}
}

func ExampleSnapshot() {
	now := time.Now()
	s := pvd.Build(&pvd.Snapshot{}, []*pvd.Facts{eth0()}, nil, pvd.Options{}, now)
	for d := range s.Domains() {
		for a := range d.Addresses() {
			fmt.Println(d.ID(), a.Prefix)
		}
	}
	// Output:
	// eth0/ipv4 192.0.2.5/24
	// eth0/ipv6 2001:db8:1::5/64
}

func ExampleDiff() {
	now := time.Now()
	f := eth0()
	before := pvd.Build(&pvd.Snapshot{}, []*pvd.Facts{f}, nil, pvd.Options{}, now)

	f = &pvd.Facts{Interface: f.Interface, Addresses: f.Addresses[1:]} // IPv4 was deconfigured
	after := pvd.Build(before, []*pvd.Facts{f}, nil, pvd.Options{}, now)

	for c := range pvd.Diff(before, after) {
		switch c.Kind {
		case pvd.NoAddress:
			fmt.Println("No Address", c.Domain.ID(), c.Address.Prefix)
		case pvd.NoElement:
			fmt.Println("No Configuration Element", c.Domain.ID(), c.Element)
		case pvd.NoDomain:
			fmt.Println("No Provisioning Domain", c.Domain.ID())
		}
	}
	// Output:
	// No Address eth0/ipv4 192.0.2.5/24
	// No Configuration Element eth0/ipv4 Static
	// No Provisioning Domain eth0/ipv4
}
