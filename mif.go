// Package mif gives a program on a host with several uplinks what
// draft-ietf-mif-api-extension-00 asks for. It learns of every network interface
// and provisioning domain (PvD), of each domain's configuration and addresses,
// translates names inside a domain and connects inside a domain, through one
// typed message channel.
//
//	h, err := mif.Open(nil)        // watch this machine
//	s := h.NewSession()            // a subscriber
//	s.Post(mif.AnnounceProvisioningDomains{})
//	for e, err := range s.Events(ctx) { ... }
//
// A Session is that channel. Post hands it a Request and does not wait; Check
// waits for an Event as long as its context says; Get takes one. The messages
// have the names of the draft's headings. The section sign (§) refers to it.
//
// # Order
//
// A session's events come in one order. Going up, a parent is announced before
// its children: interface, domain, then elements and addresses. Going down it is
// the other way round, so that no domain is left when an interface goes (§3.5.5).
// What a request is answered at once comes before the answers to later requests.
// A subscriber that is slow is told less, never wrongly: what came and went while
// it did not Get, it does not hear of.
//
// # Concurrency
//
// All methods may be called from any goroutine. A Host has one goroutine, the loop,
// that reads the kernel and alone decides what the host is. Others wait for it: one
// for Router Advertisements, one for what the host's DHCP clients and managers know
// and one for each manager that runs, one that wakes many sessions, with InstallRoutes
// one that installs, with FetchAdditionalInfo one that decides what to fetch, and with
// AskDHCP one that asks and one that hears. There is one more for each translation,
// each connection and each fetch under way, each session that watches connections, and
// each socket of a domain's resolver, which keeps them for ten seconds at most.
// Nothing calls back into the program. Close leaves nothing running.
//
// # Privilege
//
// None is needed. What lacks, because a privilege or a file does, is told by
// Host.Sources.
package mif

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"

	"github.com/go-mif/mif/connect"
	"github.com/go-mif/mif/hostconf"
	"github.com/go-mif/mif/netlink"
	"github.com/go-mif/mif/pvd"
	"github.com/go-mif/mif/resolver"
)

// The values that messages speak of are those of package pvd.
type (
	InterfaceID = pvd.InterfaceID
	PvDID       = pvd.ID
	Family      = pvd.Family
	ElementType = pvd.ElementType
	Item        = pvd.Item
	Data        = pvd.Data
	Origin      = resolver.Origin
)

// A TranslationID is the subscriber's number of a translation. It must not be 0.
type TranslationID uint64

// A ConnectionID is the subscriber's number of a connection. It must not be 0.
type ConnectionID uint64

// What a caller may want to tell apart.
var (
	// ErrNoMessage is what Get returns if there is nothing to get (§3.4.3).
	ErrNoMessage = errors.New("mif: no message waiting")

	// ErrUnknownInterface tells of an interface that does not exist, or no more.
	ErrUnknownInterface = errors.New("mif: no such interface")

	// ErrUnknownPvD tells of a domain that does not exist, or no more.
	ErrUnknownPvD = errors.New("mif: no such provisioning domain")

	// ErrIDInUse tells of a TranslationID or ConnectionID that is still in use.
	ErrIDInUse = errors.New("mif: identifier in use")

	// ErrStopped tells of a translation or connection that the subscriber stopped.
	ErrStopped = errors.New("mif: stopped")
)

// errClosed is what a closed Session or Host answers. It wraps net.ErrClosed.
var errClosed = fmt.Errorf("mif: %w", net.ErrClosed)

// A Config sets up a Host. The zero Config is ready to use.
type Config struct {
	// MergeFamilies makes one dual-stack domain of the implicit IPv4 and IPv6
	// domains of a link (RFC 7556 section 2.5). By default they are two (§3.1).
	MergeFamilies bool

	// NetNS is the path of the network namespace to watch and to connect in, such
	// as /run/netns/x; empty: the one that the program is in.
	NetNS string

	// Root is the directory in which the files of the host's DHCP clients and
	// resolver are looked for in place of /. If it is empty and NetNS is not, they
	// are not looked for: those of / are about another namespace.
	Root string

	// ReceiveBuffer is the size in octets to ask for the kernel's queue of events;
	// 0 means a default that suits most hosts. A queue that overflows costs time,
	// never truth.
	ReceiveBuffer int

	// Policy replaces the table of RFC 6724 section 2.1 by which the source of a
	// connection is chosen; empty: that one.
	Policy []connect.PolicyEntry

	// InstallRoutes adds rules and routes to the kernel's that make each domain's
	// packets leave by its own router (RFC 8028), so that two domains on one link and
	// strict rp_filter work. It needs CAP_NET_ADMIN; without it the Host goes on
	// without them, see Sources. Nothing of the host's own is touched; Close removes
	// them, and the next Open removes those of a process that was killed.
	InstallRoutes bool

	// SolicitRouters has the routers of every link asked to advertise at once, when
	// the Host begins and whenever a link comes up (RFC 4861 section 6.3.7), and until a
	// default router answers again and again, ever more seldom (RFC 7559). It needs
	// CAP_NET_RAW, and without it does nothing.
	SolicitRouters bool

	// FetchAdditionalInfo fetches the Additional Information of every explicit domain
	// whose routers say that there is some (RFC 8801 section 4), by HTTPS inside the
	// domain, and makes it element AdditionalInfo of the domain. It tells the servers that
	// routers name that a host of this library is there, and so is not done by default.
	FetchAdditionalInfo bool

	// AdditionalInfoRoots are the certificate authorities that the servers of Additional
	// Information are believed by; nil: the host's.
	AdditionalInfoRoots *x509.CertPool

	// AskDHCP has DHCP servers asked where no client or manager of the host tells what
	// they give: by DHCPINFORM (RFC 2131 section 3.4) where an interface has an IPv4
	// address beyond its link, by INFORMATION-REQUEST (RFC 8415 section 18.2.6) where a
	// router says that there is something to be had. It takes no lease and disturbs no
	// client, see package dhcp. It needs CAP_NET_RAW; without it the Host goes on
	// without, see Sources.
	AskDHCP bool

	// Log, if not nil, is told what the library notices and can do nothing about.
	Log *slog.Logger
}

// A Source is where facts about domains come from. That a program or file is not there is
// an Err that wraps fs.ErrNotExist: most hosts have one or two of them.
type Source struct {
	Name string // such as "route socket"
	Path string // the file or directory, if it is one
	Err  error  // why it gives nothing, or less than it could; nil if it works
}

// Open begins to watch the host and returns when the present state is known. A
// nil Config is the zero Config. The error wraps errors.ErrUnsupported where there
// is no implementation: there is one for Linux.
func Open(c *Config) (*Host, error) {
	if c == nil {
		c = &Config{}
	}
	k, err := netlink.Open(&netlink.Config{NetNS: c.NetNS, ReceiveBuffer: c.ReceiveBuffer, Solicit: c.SolicitRouters, Log: c.Log})
	if err != nil {
		return nil, fmt.Errorf("mif: %w", err)
	}
	f, err := openFiles(c)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("mif: %w", err), k.Close())
	}
	h, err := open(c, k, f)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("mif: %w", err), k.Close(), f.Close())
	}
	return h, nil
}

func openFiles(c *Config) (files, error) {
	if c.NetNS != "" && c.Root == "" {
		return noFiles{make(chan struct{}, 1)}, nil
	}
	return hostconf.Open(&hostconf.Config{Root: c.Root, Log: c.Log})
}

// noFiles are the files of a host that has none.
type noFiles struct{ told chan struct{} }

func (f noFiles) Receive(ctx context.Context) (*hostconf.State, error) {
	select {
	case f.told <- struct{}{}:
		return &hostconf.State{}, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (noFiles) Sources() []hostconf.Source { return nil }
func (noFiles) Close() error               { return nil }

// Snapshot returns the present state. It never blocks.
func (h *Host) Snapshot() *pvd.Snapshot { return h.snapshot.Load() }

// Sources tells which sources of facts work, and what the others lack.
func (h *Host) Sources() []Source {
	all := []Source{{Name: "route socket", Err: h.failure()}}
	if k, is := h.kernel.(interface{ Advertisements() error }); is {
		all = append(all, Source{Name: "router advertisements", Err: k.Advertisements()})
	}
	for _, s := range h.files.Sources() {
		all = append(all, Source{s.Name, s.Path, s.Err})
	}
	return slices.Concat(all, h.askingSource(), h.routesSource(), h.informationSource())
}

// Dialer returns a dialer that connects inside a domain, for http.Transport, gRPC
// and the like; names are translated by the domain's resolver. It follows the domain as
// its addresses change, and fails with ErrUnknownPvD when the domain is gone.
func (h *Host) Dialer(id PvDID) (*connect.Dialer, error) {
	d, err := h.domain(id)
	if err != nil {
		return nil, err
	}
	dialer := d.dialer // the caller may set fields of its own
	return &dialer, nil
}

// Resolver returns the domain's resolver. It follows the domain as its servers
// change, and fails with ErrUnknownPvD when the domain is gone. It is everybody's
// in that domain: do not close it.
func (h *Host) Resolver(id PvDID) (*resolver.Resolver, error) {
	d, err := h.domain(id)
	if err != nil {
		return nil, err
	}
	return d.resolver, nil
}
