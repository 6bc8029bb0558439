// Package netlink tells what interfaces, addresses, routes and router
// advertisements the kernel of a Linux host has, and every change of them. It is
// this library's only door to the kernel's route socket (rtnetlink(7)).
//
// A Watcher keeps tables of what the kernel has by folding every event into
// them, and lists what the kernel is known not to tell: IPv4 routes that vanish
// with their interface's state, its last address or their nexthop object,
// refreshed lifetimes of IPv6 routes, and everything after events were lost, an
// interrupted list or a suspension. In a quiet moment, when Receive finds no more, the
// tables equal what a fresh list would give. Routes that are no ways to anywhere, as
// blackholes, are the exception: they are listed only when one may be replaced.
//
// # Concurrency
//
// A Watcher works inside Receive, which one goroutine may call at a time; where it
// hears advertisements itself it has one goroutine, which waits for them and reads
// nothing. The other methods may be called from any. What Receive returned is never
// written again.
//
// # Router advertisements
//
// With CAP_NET_RAW a Watcher hears whole advertisements (RFC 4861 section 4.2) on
// every interface by a raw socket, and keeps those that a host must not discard,
// option by option. Without it the kernel passes on some options, only where it
// heeds advertisements itself (accept_ra). Either way it is from when the Watcher
// was opened: there is no list of them. Where advertisements are heard, what the
// kernel passes on of them is left alone.
//
// # Limits
//
// It needs no privilege but for the raw socket. Of a link 64 routers and 64 named
// provisioning domains are kept, 64 data of a kind of each, and 256 routes that their
// advertisements made the kernel install. Off Linux, Open fails with an error wrapping
// errors.ErrUnsupported.
package netlink

import (
	"log/slog"
	"time"

	"github.com/go-mif/mif/pvd"
)

// Config is how to watch. The zero Config is useful.
type Config struct {
	// NetNS is the path of the network namespace to watch; empty: the caller's.
	NetNS string
	// ReceiveBuffer is how many octets of receive buffer to ask the kernel for, for
	// events and as many for advertisements; it takes about 832 to hold one, and
	// doubles what it is asked for. An
	// unprivileged process gets no more than net.core.rmem_max. Events that find
	// no room cost a list of everything, not the truth. 0: 1 MiB.
	ReceiveBuffer int
	// SafetyInterval is the time between lists of everything for safety's sake.
	// 0: 5 minutes.
	SafetyInterval time.Duration
	// Solicit has the routers of every link asked, whenever it comes up, to advertise at
	// once (RFC 4861 section 6.3.7), so that what is known does not wait for their next
	// unsolicited advertisement. Until a default router is heard they are asked again:
	// after 4 seconds, then ever more seldom, up to an hour (RFC 7559). It needs
	// CAP_NET_RAW.
	Solicit bool
	// Log gets what cannot be had and what is dropped. nil: silent.
	Log *slog.Logger

	deaf     bool // in tests: do without the raw socket
	thorough bool // in tests: list all routes at once
}

const (
	defaultBuffer   = 1 << 20
	defaultInterval = 5 * time.Minute
)

// filled is c with every default filled in.
func (c *Config) filled() Config {
	var f Config
	if c != nil {
		f = *c
	}
	if f.ReceiveBuffer <= 0 {
		f.ReceiveBuffer = defaultBuffer
	}
	if f.SafetyInterval <= 0 {
		f.SafetyInterval = defaultInterval
	}
	if f.Log == nil {
		f.Log = slog.New(slog.DiscardHandler)
	}
	return f
}

// Changes are what one Receive found, coalesced by interface.
type Changes struct {
	// Links are the new and the changed interfaces, each whole. They are never
	// written again, and share what did not change with those told before.
	Links []*pvd.Facts
	// Gone are the interfaces told before that ceased to exist, in the kernel's order.
	Gone []pvd.InterfaceID
	// Resynced tells that events were lost, and that everything was listed again.
	Resynced bool
}

func (c Changes) any() bool { return len(c.Links) > 0 || len(c.Gone) > 0 || c.Resynced }
