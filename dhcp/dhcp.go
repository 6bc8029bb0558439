// Package dhcp asks DHCP servers for configuration information without being
// anybody's client: by DHCPINFORM (RFC 2131 section 3.4) and by INFORMATION-REQUEST
// (RFC 8415 section 18.2.6). It takes no address and no lease, and binds no port, so
// a DHCP client of the same host goes on undisturbed: what servers send to the client
// ports is seen by a packet socket, which takes nothing from anybody.
//
// An [Asker] is told by Ask on which links to ask, and Receive returns what servers
// answered. It asks at once, but for a random delay of up to a second; again while no
// answer comes; and anew before an answer gets old.
//
//	               sent again after              anew after           believed for
//	DHCPv4         4, 8, 16, 32 s, each ± 1 s    1 hour               24 hours
//	DHCPv6         1, 2, 4 ... s, each ± 10 %,   7/8 of the refresh   the refresh time,
//	               up to INF_MAX_RT, 1 hour      time                 10 minutes to 24 hours
//
// DHCPv4 servers tell no lifetime to those who only inform themselves; where four
// messages find no server, it is tried again after the hour.
//
// A question says no more of the host than it must (RFC 7844 sections 3.5, 3.7 and 4.3.1):
// the address that it is asked for, the hardware address, and what is wanted; no
// client identifier and no host name.
//
// An answer counts if it came by the link that it was asked for on, to the client's
// port, whole, with the transaction's number, which is from a CSPRNG, the hardware
// address, and a server's identity. The first that does ends the transaction; what
// comes later is not looked at. Of its options a bad one is dropped and its neighbours
// are kept. Anybody on the link can answer first: DHCP has no protection against it.
//
// # Concurrency
//
// An Asker works inside Receive, which one goroutine may call at a time. The other
// methods may be called from any. What Receive returned is never written again.
//
// # Limits
//
// It needs CAP_NET_RAW when it is opened, and Linux; elsewhere Open fails with an
// error wrapping errors.ErrUnsupported. Links are Ethernet, or look like it. An
// answer in fragments is not heard; nor is one that comes more than a minute after
// what was last sent, since the socket listens that long only: on a host that waits
// for no answer the network's traffic is not looked at. 64 values of an option are
// kept. Servers' RECONFIGURE messages are not heeded.
package dhcp

import (
	"log/slog"
	"net"
	"net/netip"

	"github.com/go-mif/mif/pvd"
)

// A Config says how to ask. The zero Config is ready to use.
type Config struct {
	// NetNS is the path of the network namespace to ask in; empty: the caller's.
	NetNS string
	// Log is told of questions that cannot be sent. Nil: silent.
	Log *slog.Logger
}

// A Question is what to ask about: one family of one link.
type Question struct {
	// PvD is a domain of the link, on whose interface is asked. When any field of a
	// Question is another, as after the link was down, it is asked anew.
	PvD pvd.ID
	// From is an IPv4 address of the interface, to be asked about by DHCPv4, or its
	// link-local IPv6 address, to ask from by DHCPv6.
	From netip.Addr
	// HardwareAddr is the interface's, of six octets.
	HardwareAddr [6]byte
	// MTU is the interface's, in octets.
	MTU int
}

// An Answer is what a server said.
type Answer struct {
	Question
	// Configuration has data of element pvd.ElementDHCPv4 or pvd.ElementDHCPv6. Their
	// source is the protocol and the server's address, such as "DHCPv4 192.0.2.1".
	Configuration pvd.Configuration
}

// hardware is the hardware address as a slice.
func (q *Question) hardware() net.HardwareAddr { return q.HardwareAddr[:] }

// index is the kernel's number of the interface.
func (q *Question) index() int { return q.PvD.Interface().Index() }

// Element is pvd.ElementDHCPv4 or pvd.ElementDHCPv6, by whose protocol is asked.
func (q *Question) Element() pvd.ElementType { return elementOf(q.From) }

// elementOf is the element that is told about by way of an address.
func elementOf(a netip.Addr) pvd.ElementType {
	if a.Is4() {
		return pvd.ElementDHCPv4
	}
	return pvd.ElementDHCPv6
}
