package pvd

import (
	"net"
	"net/netip"
	"time"
)

// An Interface is a network interface as it is announced (§3.5.3). Its existence
// is the announcement; whether it is up, and plugged in, are attributes.
type Interface struct {
	ID           InterfaceID
	Name         string // the present one: interfaces can be renamed
	Index        int
	Kind         string // veth, bridge, wireguard, ...; empty for plain hardware
	Flags        net.Flags
	MTU          int              // octets
	HardwareAddr net.HardwareAddr // do not write to it
	Up           bool             // administratively
	Carrier      bool             // the link below works
}

func (i *Interface) equal(j *Interface) bool {
	return i.ID == j.ID && i.Name == j.Name && i.Kind == j.Kind && i.Flags == j.Flags && i.MTU == j.MTU &&
		i.Up == j.Up && i.Carrier == j.Carrier && string(i.HardwareAddr) == string(j.HardwareAddr)
}

// An Address is an IP address configured in a domain (§3.5.13).
type Address struct {
	Prefix     netip.Prefix // the address, without a zone, and its prefix length
	Element    ElementType  // who gave it, as far as can be told
	Tentative  bool         // not usable yet: duplicate address detection is under way
	Duplicate  bool         // not usable: duplicate address detection failed
	Deprecated bool         // usable, but not for new connections if there is another
	Temporary  bool         // for privacy (RFC 8981)
	LinkLocal  bool         // of link-local scope: shared by all domains of the link
	Preferred  time.Time    // end of the preferred lifetime; zero: never
	Valid      time.Time    // end of the valid lifetime; zero: never
}

// Usable tells whether a socket can be bound to the address.
func (a *Address) Usable() bool { return !a.Tentative && !a.Duplicate }

// Facts are what is known of one interface: what Build makes domains of.
type Facts struct {
	Interface Interface
	Addresses []AddressFact
	Routes    []RouteFact
	RAs       []RA
	Managed   bool            // M flag: an RA said that addresses come by DHCPv6
	Other     bool            // O flag: an RA said that other information comes by DHCPv6
	MTU6      int             // the kernel's MTU for IPv6 on the link, octets; 0: not known
	Known     []Configuration // what the host's clients and managers know
	Added     []Added         // domains of the program's own

	Information []Fetched // Additional Information of explicit domains
}

// An AddressFact is an address of an interface as the kernel tells it.
type AddressFact struct {
	Address          // Element is left for Build to find
	Protocol   uint8 // IFA_PROTO: 1 loopback, 2 RA, 3 link-local; 0 not said
	ManageTemp bool  // IFA_F_MANAGETEMPADDR: the kernel's own autoconfiguration
}

// Origin finds who gave the address. The kernel says so only of addresses that it made
// itself; for others a finite lifetime shows a client, and a length of 128 shows
// DHCPv6, which gives no prefixes.
func (f *AddressFact) Origin() ElementType {
	finite := !f.Valid.IsZero()
	switch a := f.Prefix.Addr(); {
	case f.LinkLocal:
		return ElementLinkLocal
	case a.Is4() && finite:
		return ElementDHCPv4
	case a.Is4():
		return ElementStatic
	case f.Protocol == addressProtocolRA, f.ManageTemp, f.Temporary, finite && f.Prefix.Bits() != 128:
		return ElementRA
	case finite:
		return ElementDHCPv6
	}
	return ElementStatic
}

// A RouteFact is a route through an interface as the kernel tells it.
type RouteFact struct {
	Route
	Protocol uint8 // who installed it: 2 kernel, 3 boot, 4 static, 9 RA, 16 DHCP, ...
	Expiry   time.Time
}

// An RA is what one router's advertisements said of one domain, with expiry at
// each datum.
type RA struct {
	Router        netip.Addr // link-local source of the advertisement, without a zone
	FQDN          string     // the explicit domain that all of it belongs to (RFC 8801), without a dot at the end; empty: none
	Managed       bool       // M flag of the last one; false if only options are heard
	Other         bool       // O flag, likewise
	Heard         time.Time  // when it last said anything
	Configuration Configuration
}

// The kernel's numbers of route protocols that tell who gave an address.
const (
	protocolKernel = 2
	protocolBoot   = 3
	protocolRA     = 9
	protocolDHCP   = 16
	protocolOurs   = 77 // connect.InstallerProtocol: routes that follow from the domains

	addressProtocolRA = 2
)
