package dhcp

import (
	"net"
	"net/netip"

	"github.com/go-mif/mif/internal/dnr"
	"github.com/go-mif/mif/internal/value"
	"github.com/insomniacslk/dhcp/dhcpv4"
	"github.com/insomniacslk/dhcp/iana"
)

// Bounds of a DHCPv4 message, in octets.
const (
	header4     = 240  // up to the options
	leastLength = 576  // of an IP packet, that every host must take (RFC 2132 section 9.10)
	mostLength  = 1500 // what fits into a frame
)

// wanted4 are the options asked for. Classless routes stand before routers, as RFC
// 3442 wants.
var wanted4 = []dhcpv4.OptionCode{
	dhcpv4.OptionClasslessStaticRoute, dhcpv4.OptionRouter, dhcpv4.OptionDomainNameServer, dhcpv4.OptionDomainName,
	dhcpv4.OptionInterfaceMTU, dhcpv4.OptionNTPServers, dhcpv4.OptionURL, dhcpv4.OptionDNSDomainSearchList,
	dhcpv4.GenericOptionCode(dnr.Code4),
}

// inform is a DHCPINFORM message (RFC 2131 section 4.4.3).
func (q *Question) inform(xid uint32, seconds uint16) []byte {
	m := dhcpv4.DHCPv4{
		OpCode: dhcpv4.OpcodeBootRequest, HWType: iana.HWTypeEthernet, NumSeconds: seconds,
		ClientIPAddr: q.From.AsSlice(), ClientHWAddr: q.hardware(),
		Options: dhcpv4.OptionsFromList(
			dhcpv4.OptMessageType(dhcpv4.MessageTypeInform),
			dhcpv4.OptParameterRequestList(wanted4...),
			dhcpv4.OptMaxMessageSize(uint16(min(max(q.MTU, leastLength), mostLength)-ip4Len-udpLen)),
		),
	}
	network.PutUint32(m.TransactionID[:], xid)
	return m.ToBytes()
}

// hears4 takes a server's answer to a DHCPINFORM message, if it is one and for q.
func (q *Question) hears4(d *datagram) (*reply, bool) {
	m := parse4(d.payload)
	if m == nil || m.OpCode != dhcpv4.OpcodeBootReply || m.HWType != iana.HWTypeEthernet ||
		m.MessageType() != dhcpv4.MessageTypeAck || string(m.ClientHWAddr) != string(q.hardware()) {
		return nil, false
	}
	if own, _ := netip.AddrFromSlice(m.ClientIPAddr.To4()); own != q.From && !own.IsUnspecified() {
		return nil, false
	}
	server, ok := unicast(m.ServerIdentifier()) // RFC 2131 section 4.3.1: in every DHCPACK
	r := &reply{xid: network.Uint32(m.TransactionID[:]), server: server}
	r.take4(m)
	return r, ok
}

// parse4 reads a message; nil if it is none. Options are read as far as they are
// whole. Those that did not fit stand in the fields for names (RFC 2132 section 9.3).
func parse4(b []byte) *dhcpv4.DHCPv4 {
	if len(b) < header4 {
		return nil
	}
	m, err := dhcpv4.FromBytes(append(b[:header4:header4], dhcpv4.OptionEnd.Code()))
	if err != nil {
		return nil
	}
	more := func(field []byte) { _ = m.Options.FromBytes(field) } // what comes before a bad one is kept
	more(b[header4:])
	overload := m.Options.Get(dhcpv4.OptionOptionOverload)
	if len(overload) == 1 && overload[0]&1 != 0 {
		more(b[108:236]) // file
	}
	if len(overload) == 1 && overload[0]&2 != 0 {
		more(b[44:108]) // sname
	}
	return m
}

// take4 takes the data of a message.
func (o *offer) take4(m *dhcpv4.DHCPv4) {
	each(m.DNS(), o.server)
	each(m.NTPServers(), o.timeServer)
	if l := m.DomainSearch(); l != nil {
		each(l.Labels, o.domain)
	}
	if len(o.search) == 0 {
		o.domain(m.DomainName())
	}
	if b := m.Options.Get(dhcpv4.OptionInterfaceMTU); len(b) == 2 {
		mtu := int(network.Uint16(b))
		add(&o.mtu, mtu, mtu >= value.MinMTU)
	}
	o.encrypted = dnr.Option4(o.encrypted, m.Options.Get(dhcpv4.GenericOptionCode(dnr.Code4)))
	o.portalURI(m.Options.Get(dhcpv4.OptionURL))
	o.routes4(m)
}

// routes4 takes the classless routes, or else the routers (RFC 3442).
func (o *offer) routes4(m *dhcpv4.DHCPv4) {
	r, ok := value.Classless(m.Options.Get(dhcpv4.OptionClasslessStaticRoute))
	if !ok {
		each(m.Router(), o.router)
		return
	}
	o.routes = r.Routes
	for _, a := range r.Routers {
		o.router(net.IP(a.AsSlice()))
	}
}

func each[T any](all []T, f func(T)) {
	for _, v := range all {
		f(v)
	}
}
