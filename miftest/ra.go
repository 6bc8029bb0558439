package miftest

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/mdlayher/ndp"
)

// Forever is the lifetime that does not end (RFC 4861 §4.6.2).
const Forever = time.Duration(0xffffffff) * time.Second

// Preference is a default router's preference (RFC 4191 §2.1).
type Preference int

// The preferences; the zero value is Medium.
const (
	Medium Preference = 0
	High   Preference = 1
	Low    Preference = 3
)

// An RA is a router advertisement (RFC 4861 §4.2). What is zero is sent as zero
// or, for an option, not at all; NewRA gives the usual values.
type RA struct {
	RouterLifetime time.Duration // 0: not a default router; up to 65535 s
	Preference     Preference
	HopLimit       uint8
	Managed, Other bool

	Prefixes []Prefix

	RDNSS       []netip.Addr  // RFC 8106 §5.1
	DNSSL       []string      // RFC 8106 §5.2
	DNSLifetime time.Duration // of both; 0 withdraws them

	MTU           uint32
	CaptivePortal string       // RFC 8910
	PREF64        netip.Prefix // RFC 8781; lives as long as the router

	// PvD is a provisioning domain option (RFC 8801 §3.1), the last but Extra.
	PvD *PvD

	// Extra are options sent as they are, after the others, each beginning with
	// its type and a length that is filled in: zeros are added up to a
	// multiple of eight octets.
	Extra [][]byte

	// Interval is the time between unsolicited advertisements; 0 is none but
	// the first and those asked for with Advertise.
	Interval time.Duration
}

// A Prefix is a prefix information option (RFC 4861 §4.6.2).
type Prefix struct {
	Prefix             netip.Prefix
	Preferred, Valid   time.Duration
	OnLink, Autonomous bool
}

// NewRA returns what a home router advertises: itself as default router for 30
// minutes, prefixes for autoconfiguration, preferred for one and valid for two
// hours, and an hour for the DNS options to be added.
func NewRA(prefixes ...netip.Prefix) *RA {
	ra := &RA{RouterLifetime: 30 * time.Minute, HopLimit: 64, DNSLifetime: time.Hour}
	for _, p := range prefixes {
		ra.Prefixes = append(ra.Prefixes, Prefix{Prefix: p, Preferred: time.Hour, Valid: 2 * time.Hour, OnLink: true, Autonomous: true})
	}
	return ra
}

// marshal returns the message with its checksum left to the kernel.
func (ra *RA) marshal(mac net.HardwareAddr) ([]byte, error) {
	m := &ndp.RouterAdvertisement{
		CurrentHopLimit:           ra.HopLimit,
		ManagedConfiguration:      ra.Managed,
		OtherConfiguration:        ra.Other,
		RouterSelectionPreference: ndp.Preference(ra.Preference),
		RouterLifetime:            ra.RouterLifetime,
		Options:                   ra.options(mac),
	}
	b, err := ndp.MarshalMessage(m)
	if err != nil {
		return nil, fmt.Errorf("miftest: router advertisement: %w", err)
	}
	extra := ra.Extra
	if ra.PvD != nil {
		o, err := ra.PvD.marshal()
		if err != nil {
			return nil, err
		}
		extra = append([][]byte{o}, extra...)
	}
	for _, o := range extra {
		o, err := pad(o)
		if err != nil {
			return nil, err
		}
		b = append(b, o...)
	}
	return b, nil
}

func (ra *RA) options(mac net.HardwareAddr) []ndp.Option {
	var o []ndp.Option
	if mac != nil {
		o = append(o, &ndp.LinkLayerAddress{Direction: ndp.Source, Addr: mac})
	}
	for _, p := range ra.Prefixes {
		o = append(o, &ndp.PrefixInformation{
			Prefix: p.Prefix.Masked().Addr(), PrefixLength: uint8(p.Prefix.Bits()),
			OnLink: p.OnLink, AutonomousAddressConfiguration: p.Autonomous,
			PreferredLifetime: p.Preferred, ValidLifetime: p.Valid,
		})
	}
	if ra.RDNSS != nil {
		o = append(o, &ndp.RecursiveDNSServer{Lifetime: ra.DNSLifetime, Servers: ra.RDNSS})
	}
	if ra.DNSSL != nil {
		o = append(o, &ndp.DNSSearchList{Lifetime: ra.DNSLifetime, DomainNames: ra.DNSSL})
	}
	if ra.MTU != 0 {
		o = append(o, ndp.NewMTU(ra.MTU))
	}
	if ra.CaptivePortal != "" {
		o = append(o, &ndp.CaptivePortal{URI: ra.CaptivePortal})
	}
	if ra.PREF64.IsValid() {
		o = append(o, &ndp.PREF64{Lifetime: min(ra.RouterLifetime, 65528*time.Second).Truncate(8 * time.Second), Prefix: ra.PREF64})
	}
	return o
}

// pad returns a raw option with its length right (RFC 4861 §4.6).
func pad(option []byte) ([]byte, error) {
	units := (len(option) + 7) / 8
	if len(option) < 2 || units > 255 {
		return nil, fmt.Errorf("miftest: raw option of %d octets", len(option))
	}
	o := append(slices.Clone(option), make([]byte, units*8-len(option))...)
	o[1] = byte(units)
	return o, nil
}
