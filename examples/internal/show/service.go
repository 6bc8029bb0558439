package show

import (
	"net/netip"

	"github.com/go-mif/mif/resolver"
)

// A service is what one HTTPS or SVCB record says.
type service struct {
	Priority      uint16       `json:"priority"`
	Target        string       `json:"target"`
	Port          uint16       `json:"port,omitempty"`
	ALPN          []string     `json:"alpn,omitempty"`
	NoDefaultALPN bool         `json:"nodefaultalpn,omitempty"`
	IPv4Hint      []netip.Addr `json:"ipv4hint,omitempty"`
	IPv6Hint      []netip.Addr `json:"ipv6hint,omitempty"`
	ECH           []byte       `json:"ech,omitempty"`
}

func serviceOf(s resolver.Service) *service {
	return &service{s.Priority, s.Target, s.Port, s.ALPN, s.NoDefaultALPN, s.IPv4Hints, s.IPv6Hints, s.ECH}
}
