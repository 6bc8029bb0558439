// Package hostconf tells what this host's DHCP clients, network managers and
// resolver know: name servers, search and routing domains, routers and the like, by
// interface, each datum with who said it and the instant it expires.
//
// It needs no privilege but to read files and to connect to sockets that are
// there for everybody. It learns of changes by inotify, by what is pushed and by
// signals: nothing is polled. Where two sources tell of the same element of the
// same interface, the one that is first here counts:
//
//	systemd-networkd    on the bus; asked again also when it writes its state files
//	NetworkManager      on the bus
//	dhcpcd              at its unprivileged sockets
//	lease files         ISC dhclient's of both families, systemd-networkd's of DHCPv4
//	systemd-resolved    on the bus, per interface what no other has told, as pvd.ElementHost
//	/etc/resolv.conf    unless systemd-resolved told anything; systemd-resolved's own
//	                    resolv.conf if it names no other server than that
//
// The bus is left alone unless there is a directory in /run that one of the three
// uses, and starts none of them. What NetworkManager has for IPv6 beyond DHCPv6 is
// held to be from the router, if there is one, as it does not tell that apart from
// what was set by hand. The end of a lease of dhcpcd's counts from when it was
// told, since dhcpcd does not tell when it began.
//
// A [Watcher] is received from by one goroutine; Sources and Close may be called
// by any. A [State] is never written to once it was returned.
//
// A lease counts until it expires, is released, is followed by another in its
// file, or its file goes. A lease file that becomes shorter while it is written
// anew is believed when it has all leases again, or after a second of rest. What a program has told counts until
// it tells otherwise, or for five seconds after it is gone, so that one that is
// started again takes nothing back. One that does not answer within five seconds,
// or talks nonsense, is called again after a tenth of a second and then less and
// less often, down to every five minutes; at once when its socket is another.
//
// Limits: 1 MiB of a file is read, counted from the end of a lease file and from
// the start of any other; 256 files of a directory, 64 values of an option, 1024
// links of a program, 8 MiB of a message. A change that happens by mounting
// something, or by renaming a directory above those that hold the files, is
// noticed only together with the next other one.
package hostconf

import (
	"log/slog"

	"github.com/go-mif/mif/pvd"
)

// A Config says where to look. The zero Config is this host's.
type Config struct {
	// Root is a directory that stands in for /, as for a container; symbolic
	// links are followed inside it and never out of it. Empty: /.
	Root string
	// Log is told once of each thing lacking. Nil: silent.
	Log *slog.Logger
}

// A State is what the sources said at one time. It is shared: do not write to it.
type State struct {
	// Links has what is known of an interface, by its name: one Configuration
	// for each source and element; each router is a source. The address of a link-local name server has
	// no zone, because names and indexes are the business of who asks.
	Links map[string][]pvd.Configuration
	// ByIndex is the same from sources that go by the kernel's interface index.
	ByIndex map[int][]pvd.Configuration
	// Resolver is what systemd-resolved or else /etc/resolv.conf says of the whole
	// host, as element pvd.ElementHost: the interface it belongs to is not known. Name servers on the loopback
	// interface are left out: they serve the whole host and no domain. A
	// link-local server has a numeric zone, or none if the file names none.
	Resolver pvd.Configuration
}

// A Source is a place that is looked at.
type Source struct {
	Name string // networkd, NetworkManager, resolved, dhcpcd, dhclient, resolv.conf; inotify for the notice of changes
	Path string // the file or socket, or a pattern of them, below Config.Root; empty for inotify
	// Err is what the source lacks; nil if nothing. It wraps fs.ErrNotExist if
	// there is no such file or program, fs.ErrPermission if it must not be read.
	Err error
}
