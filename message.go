package mif

import (
	"net"
	"net/netip"
	"time"

	"github.com/go-mif/mif/pvd"
	"github.com/go-mif/mif/resolver"
)

// A Request is a message that a subscriber posts to the MIF API (§3.5): one of
// the types below. A request asks; it is answered by events.
type Request interface{ request() }

// An Event is a message that a subscriber gets from the MIF API (§3.5): one of
// the types below. The set can grow: a switch over events should pass over those
// that it does not know.
type Event interface{ event() }

// AnnounceInterfaces asks for an InterfaceAnnouncement of every interface there
// is, then Synced, and from then on for announcements of what comes, changes and
// goes (§3.5.1). Asked again, it lists again.
type AnnounceInterfaces struct{}

// StopAnnouncingInterfaces ends what AnnounceInterfaces began: nothing of the
// kind is got after it was posted (§3.5.2).
type StopAnnouncingInterfaces struct{}

// An InterfaceAnnouncement tells that an interface exists, or that something of
// it has changed (§3.5.3). Being up and having a carrier are attributes of it.
type InterfaceAnnouncement struct {
	Interface    InterfaceID
	Name         string // the present one
	Index        int    // the kernel's
	Kind         string // veth, bridge, wireguard, ...; empty for plain hardware
	Flags        net.Flags
	MTU          int              // octets
	HardwareAddr net.HardwareAddr // shared: do not write to it
	Up           bool             // administratively
	Carrier      bool             // the link below works
}

// NoInterfaceAnnouncement tells that an interface, announced before, exists no
// more (§3.5.4). No domain of it is left by then.
type NoInterfaceAnnouncement struct{ Interface InterfaceID }

// AnnounceProvisioningDomains asks for a ProvisioningDomainAnnouncement of every
// domain on an interface, then Synced, and for those that come and go later
// (§3.5.5). The zero Interface means every interface, those to come as well. The
// subscription to one interface ends with that interface.
type AnnounceProvisioningDomains struct{ Interface InterfaceID }

// StopAnnouncingProvisioningDomains ends what AnnounceProvisioningDomains began
// for an interface; with the zero Interface, for all (§3.5.6).
type StopAnnouncingProvisioningDomains struct{ Interface InterfaceID }

// A ProvisioningDomainAnnouncement tells that a domain can be used: its link
// works and it has an address past duplicate address detection (§3.5.7).
type ProvisioningDomainAnnouncement struct {
	Interface InterfaceID
	PvD       PvDID
	Family    Family // Both for an explicit domain, or one of merged families
	FQDN      string // of an explicit domain (RFC 8801); else empty
}

// NoProvisioningDomainAnnouncement tells that a domain, announced before, cannot
// be used any more (§3.5.8). Its PvDID is never used again.
type NoProvisioningDomainAnnouncement struct {
	Interface InterfaceID
	PvD       PvDID
}

// AnnounceConfigurationElements asks for a ConfigurationElementAnnouncement of
// every configuration element of a domain, then Synced, and for those that come,
// change and go later (§3.5.9). The subscription ends with the domain.
type AnnounceConfigurationElements struct{ PvD PvDID }

// StopAnnouncingConfigurationElements ends what AnnounceConfigurationElements
// began (draft-ietf-mif-api-extension-05, 3.2.7.12).
type StopAnnouncingConfigurationElements struct{ PvD PvDID }

// A ConfigurationElementAnnouncement tells that a domain has a configuration
// element, or that information in it has changed (§3.5.10).
type ConfigurationElementAnnouncement struct {
	PvD     PvDID
	Element ElementType
}

// NoConfigurationElementAnnouncement tells that an element, announced before, is
// no longer valid (§3.5.11).
type NoConfigurationElementAnnouncement struct {
	PvD     PvDID
	Element ElementType
}

// AnnounceAddresses asks for an AddressAnnouncement of every address of a domain,
// then Synced, and for those that come, change and go later (§3.5.12). The
// subscription ends with the domain.
type AnnounceAddresses struct{ PvD PvDID }

// StopAnnouncingAddresses ends what AnnounceAddresses began
// (draft-ietf-mif-api-extension-05, 3.2.7.15).
type StopAnnouncingAddresses struct{ PvD PvDID }

// An AddressAnnouncement tells that a domain has an address, or that its flags or
// lifetimes have changed (§3.5.13). Lifetimes are instants, of both families. A
// refresh that puts an end off by less than an eighth is not told.
type AddressAnnouncement struct {
	PvD PvDID
	pvd.Address
}

// NoAddressAnnouncement tells that an address, announced before, is the domain's
// no more (§3.5.14).
type NoAddressAnnouncement struct {
	PvD    PvDID
	Prefix netip.Prefix // the address and its prefix length
}

// GetConfigurationData asks what an element of a domain says under an item
// (§3.5.15). ElementAny asks all elements of that domain. ConfigurationData or
// NoConfigurationData answers.
type GetConfigurationData struct {
	PvD     PvDID
	Element ElementType
	Item    Item
}

// ConfigurationData answers GetConfigurationData (§3.5.15). Each datum has its
// element, source and expiry.
type ConfigurationData struct {
	PvD     PvDID
	Element ElementType
	Item    Item
	Data    Data
}

// NoConfigurationData answers GetConfigurationData if there is nothing (§3.5.15).
type NoConfigurationData struct {
	PvD     PvDID
	Element ElementType
	Item    Item
}

// TranslateName asks to translate a name inside a domain, by its servers, asked
// through its interface from its addresses (§3.5.16). NameTranslations follow as
// answers come, and TranslationDone ends them.
type TranslateName struct {
	ID     TranslationID // the subscriber's choice, not 0, unique among those under way
	PvD    PvDID
	Name   string // in UTF-8, at most 253 octets; a literal address will do
	Family Family // the addresses wanted
}

// TranslateService asks inside a domain how a service can be reached: its HTTPS
// records (RFC 9460), or its SVCB records if the scheme is not https. It is to
// TranslateName what those records are to addresses: ServiceTranslations follow,
// TranslationDone ends them, StopTranslatingName stops it, and both count their
// translations together.
type TranslateService struct {
	ID     TranslationID // the subscriber's choice, not 0, unique among translations under way
	PvD    PvDID
	Scheme string // such as dns, or https, which http, ws and wss go by too; letters, digits, hyphens
	Name   string // of the host, as in TranslateName, but absolute and no literal address
	Port   uint16 // 0: the scheme's own
}

// StopTranslatingName ends a translation of either kind (§3.5.17). No
// NameTranslation or ServiceTranslation is got after it was posted, only
// TranslationDone with an error that wraps ErrStopped, or with its own if the
// translation had ended by itself.
type StopTranslatingName struct{ ID TranslationID }

// A NameTranslation is one address that a name translates to (§3.5.18). It is
// meant for use in the domain that it came from. All addresses of one answer can
// be got as soon as the first can.
type NameTranslation struct {
	ID            TranslationID
	PvD           PvDID
	Addr          netip.Addr
	Expiry        time.Time      // zero: never (a literal, the hosts file)
	CanonicalName string         // the name at the end of the chain of aliases
	Server        netip.AddrPort // that answered; zero if none was asked
	Origin        Origin
}

// A ServiceTranslation is one way to reach a service, by its priority; 0 is that of
// an alias that ends at a host without records of its own, which is to be reached in
// the default way. The addresses of Target are to be asked for in the same domain. All
// of an answer can be got as soon as the first can. Slices are shared: do not write
// to them.
type ServiceTranslation struct {
	ID  TranslationID
	PvD PvDID
	resolver.Service
}

// TranslationDone ends a translation. It comes exactly once, last. Err tells, by
// errors.Is, resolver.ErrNoSuchName, ErrNoData and the like, ErrUnknownPvD if the
// domain went, ErrStopped, or net.ErrClosed. It is nil if every answer came.
type TranslationDone struct {
	ID  TranslationID
	Err error
}

// ConnectToAddress asks for a TCP connection from inside a domain (§3.5.19): out
// of its interface, from one of its addresses, chosen by RFC 6724. Connected or
// NotConnected answers.
type ConnectToAddress struct {
	ID      ConnectionID // the subscriber's choice, not 0, unique among those under way
	PvD     PvDID
	To      netip.AddrPort
	Timeout time.Duration // 0: as long as the kernel tries

	// UserTimeout is for how long data may stay unacknowledged until the connection
	// fails (RFC 5482); 0: the kernel's default, some 15 minutes.
	UserTimeout time.Duration

	// Multipath asks for Multipath TCP (RFC 8684) where kernel and peer can do it;
	// else the connection is TCP.
	Multipath bool

	// CloseOnPathLost closes the connection when its path is lost.
	CloseOnPathLost bool
}

// ConnectToAddressFromAddress asks for a TCP connection from a given address of a
// domain (§3.5.20). An address that is not the domain's is refused.
type ConnectToAddressFromAddress struct {
	ID      ConnectionID
	PvD     PvDID
	From    netip.Addr
	To      netip.AddrPort
	Timeout time.Duration

	UserTimeout     time.Duration
	Multipath       bool
	CloseOnPathLost bool
}

// StopConnecting ends an attempt to connect. NotConnected with an error that wraps
// ErrStopped follows, also if the attempt succeeded but Connected was not got.
type StopConnecting struct{ ID ConnectionID }

// Connected gives a connection (§3.5.21). Conn is the draft's token for the
// communications API; it is the subscriber's to close from Get on.
type Connected struct {
	ID   ConnectionID
	PvD  PvDID
	Conn net.Conn
}

// NotConnected tells what went wrong with a connection (§3.5.22; the Connection
// Failed of §3.5.20 is this as well). Err wraps the kernel's error, such as
// syscall.ECONNREFUSED, or one of package connect, ErrUnknownPvD if the domain
// went, ErrStopped, or net.ErrClosed.
type NotConnected struct {
	ID  ConnectionID
	Err error
}

// PathLost tells that an established connection cannot carry anything now: its
// address, its link or its domain is gone. The kernel does not say so.
type PathLost struct {
	ID  ConnectionID
	Err error // what is gone
}

// PathRestored tells that what PathLost missed is back.
type PathRestored struct{ ID ConnectionID }

// WatchReadable asks for a Readable when a connection of the communications API
// has something to read, or has ended, so that Check waits for it too (§3.4.2).
// It asks for one event; ID is the subscriber's. Closing Conn ends the watch.
type WatchReadable struct {
	ID   ConnectionID
	Conn net.Conn // with a socket of its own: its type must implement syscall.Conn
}

// Readable tells that a read of a watched connection will not block.
type Readable struct{ ID ConnectionID }

// Relay hands a message of a high-level API to the session, so that Check and Get
// serve it too (§3.4.2). Relayed follows, in its turn.
type Relay struct{ Value any }

// Relayed is a message of a high-level API, as it was posted.
type Relayed struct{ Value any }

// Synced tells that what was there when an Announce request was handled has been
// announced.
type Synced struct{ Request Request }

// Rejected tells that a request could not be handled, and why: ErrUnknownPvD,
// ErrUnknownInterface or ErrIDInUse. It changed nothing.
type Rejected struct {
	Request Request
	Err     error
}

func (AnnounceInterfaces) request()                  {}
func (StopAnnouncingInterfaces) request()            {}
func (AnnounceProvisioningDomains) request()         {}
func (StopAnnouncingProvisioningDomains) request()   {}
func (AnnounceConfigurationElements) request()       {}
func (StopAnnouncingConfigurationElements) request() {}
func (AnnounceAddresses) request()                   {}
func (StopAnnouncingAddresses) request()             {}
func (GetConfigurationData) request()                {}
func (TranslateName) request()                       {}
func (TranslateService) request()                    {}
func (StopTranslatingName) request()                 {}
func (ConnectToAddress) request()                    {}
func (ConnectToAddressFromAddress) request()         {}
func (StopConnecting) request()                      {}
func (WatchReadable) request()                       {}
func (Relay) request()                               {}

func (InterfaceAnnouncement) event()              {}
func (NoInterfaceAnnouncement) event()            {}
func (ProvisioningDomainAnnouncement) event()     {}
func (NoProvisioningDomainAnnouncement) event()   {}
func (ConfigurationElementAnnouncement) event()   {}
func (NoConfigurationElementAnnouncement) event() {}
func (AddressAnnouncement) event()                {}
func (NoAddressAnnouncement) event()              {}
func (ConfigurationData) event()                  {}
func (NoConfigurationData) event()                {}
func (NameTranslation) event()                    {}
func (ServiceTranslation) event()                 {}
func (TranslationDone) event()                    {}
func (Connected) event()                          {}
func (NotConnected) event()                       {}
func (PathLost) event()                           {}
func (PathRestored) event()                       {}
func (Readable) event()                           {}
func (Relayed) event()                            {}
func (Synced) event()                             {}
func (Rejected) event()                           {}
