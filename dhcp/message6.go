package dhcp

import (
	"errors"
	"net"
	"time"

	"github.com/go-mif/mif/internal/dnr"
	"github.com/go-mif/mif/internal/value"
	"github.com/insomniacslk/dhcp/dhcpv6"
	"github.com/insomniacslk/dhcp/iana"
)

// Bounds of INF_MAX_RT (RFC 8415 section 21.25).
const (
	leastMaxRT = 60 * time.Second
	mostMaxRT  = 86400 * time.Second
)

// wanted6 are the options asked for. RFC 8415 section 18.2.6 requires the first two.
var wanted6 = []dhcpv6.OptionCode{
	dhcpv6.OptionInformationRefreshTime, dhcpv6.OptionInfMaxRT,
	dhcpv6.OptionDNSRecursiveNameServer, dhcpv6.OptionDomainSearchList, dhcpv6.OptionNTPServer, dhcpv6.OptionSNTPServerList,
	dhcpv6.OptionCaptivePortal, dnr.Code6,
}

// informationRequest is an INFORMATION-REQUEST message (RFC 8415 section 18.2.6) of
// a client that does not say who it is (RFC 7844 section 4.3.1). Of the transaction's
// number 24 bits count.
func informationRequest(xid uint32, elapsed time.Duration) []byte {
	m := dhcpv6.Message{MessageType: dhcpv6.MessageTypeInformationRequest, TransactionID: dhcpv6.TransactionID{byte(xid >> 16), byte(xid >> 8), byte(xid)}}
	m.AddOption(dhcpv6.OptElapsedTime(min(elapsed, 65535*10*time.Millisecond)))
	m.AddOption(dhcpv6.OptRequestedOption(wanted6...))
	return m.ToBytes()
}

// hears6 takes a server's answer to an INFORMATION-REQUEST message, if it is one and
// for q (RFC 8415 section 16.10).
func (q *Question) hears6(d *datagram) (*reply, bool) {
	m := parse6(d.payload)
	if m == nil || d.to.Addr() != q.From || m.MessageType != dhcpv6.MessageTypeReply ||
		m.GetOneOption(dhcpv6.OptionClientID) != nil || len(raw(m, dhcpv6.OptionServerID)) == 0 {
		return nil, false
	}
	t := m.TransactionID
	r := &reply{xid: uint32(t[0])<<16 | uint32(t[1])<<8 | uint32(t[2]), server: d.from.Addr()}
	if b := raw(m, dhcpv6.OptionInfMaxRT); len(b) == 4 {
		if t := time.Duration(network.Uint32(b)) * time.Second; t >= leastMaxRT && t <= mostMaxRT {
			r.maxRT = t
		}
	}
	status := m.Options.Status()
	r.refused = status != nil && status.StatusCode != iana.StatusSuccess
	if !r.refused {
		r.refresh = m.Options.InformationRefreshTime(defaultRefresh)
		r.take6(m)
	}
	return r, true
}

// parse6 reads a message; nil if it is none. Options are read as far as they are
// whole.
func parse6(b []byte) *dhcpv6.Message {
	if len(b) < 4 || b[0] == byte(dhcpv6.MessageTypeRelayForward) || b[0] == byte(dhcpv6.MessageTypeRelayReply) {
		return nil
	}
	m := &dhcpv6.Message{MessageType: dhcpv6.MessageType(b[0]), TransactionID: dhcpv6.TransactionID(b[1:4])}
	_ = m.Options.FromBytesWithParser(b[4:], parseOption6) // what comes before a bad one is kept
	return m
}

var errCut = errors.New("dhcp: option cut")

// parseOption6 reads an option that is understood. A bad one becomes one that nobody
// looks for.
func parseOption6(code dhcpv6.OptionCode, b []byte) (dhcpv6.Option, error) {
	if b == nil {
		return nil, errCut
	}
	switch code {
	case dhcpv6.OptionStatusCode, dhcpv6.OptionInformationRefreshTime, dhcpv6.OptionDNSRecursiveNameServer,
		dhcpv6.OptionDomainSearchList, dhcpv6.OptionNTPServer, dhcpv6.OptionSNTPServerList:
		if o, err := dhcpv6.ParseOption(code, b); err == nil {
			return o, nil
		}
		return &dhcpv6.OptionGeneric{}, nil
	}
	return &dhcpv6.OptionGeneric{OptionCode: code, OptionData: b}, nil
}

// raw is the value of an option that the codec leaves as it is.
func raw(m *dhcpv6.Message, code dhcpv6.OptionCode) []byte {
	if o := m.GetOneOption(code); o != nil {
		return o.ToBytes()
	}
	return nil
}

// take6 takes the data of a message.
func (o *offer) take6(m *dhcpv6.Message) {
	each(m.Options.DNS(), o.server)
	if l := m.Options.DomainSearchList(); l != nil {
		each(l.Labels, o.domain)
	}
	for _, option := range m.Options.Get(dhcpv6.OptionNTPServer) {
		if ntp, is := option.(*dhcpv6.OptNTPServer); is {
			each(ntp.Suboptions, o.timeServer6)
		}
	}
	each(m.Options.SNTP(), o.timeServer) // RFC 4075, which RFC 5908 followed
	for _, option := range m.Options.Get(dnr.Code6) {
		o.encrypted = dnr.Option6(o.encrypted, option.ToBytes())
	}
	o.portalURI(raw(m, dhcpv6.OptionCaptivePortal))
}

// timeServer6 takes a server's address, group or name (RFC 5908 section 4).
func (o *offer) timeServer6(option dhcpv6.Option) {
	switch option := option.(type) {
	case *dhcpv6.NTPSuboptionSrvAddr:
		o.timeServer(net.IP(*option))
	case *dhcpv6.NTPSuboptionMCAddr:
		o.timeServer(net.IP(*option))
	case *dhcpv6.NTPSuboptionSrvFQDN:
		for _, l := range option.Labels.Labels {
			name, ok := value.Name(l)
			add(&o.ntp, name, ok)
		}
	}
}
