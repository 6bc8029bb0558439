// Package hostconf tells what this host's DHCP clients and resolver
// configuration know: name servers, search domains, routers and the like, by
// interface, each datum with the file it is from and the instant it expires.
//
// It reads ISC dhclient's lease files of both families, systemd-networkd's
// DHCPv4 lease files and /etc/resolv.conf, needs no privilege but to read them,
// and learns of changes by inotify: nothing is polled.
//
// A [Watcher] is received from by one goroutine; Sources and Close may be called
// by any. A [State] is never written to once it was returned.
//
// A lease counts until it expires, is released, is followed by another in its
// file, or its file goes. A lease file that becomes shorter while it is written
// anew is believed after a second of rest.
//
// Limits: 1 MiB of a file is read, counted from the end of a lease file and from
// the start of any other; 256 files of a directory, 64 values of an option. A
// change that happens by mounting something, or by renaming a directory above
// those that hold the files, is noticed only together with the next other one.
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
	// for each source and element. The address of a link-local name server has
	// no zone, because names and indexes are the business of who asks.
	Links map[string][]pvd.Configuration
	// ByIndex is the same from sources that go by the kernel's interface index.
	ByIndex map[int][]pvd.Configuration
	// Resolver is what /etc/resolv.conf says, as element pvd.ElementHost: the
	// interface it belongs to is not known. Name servers on the loopback
	// interface are left out: they serve the whole host and no domain. A
	// link-local server has a numeric zone, or none if the file names none.
	Resolver pvd.Configuration
}

// A Source is a place that is looked at.
type Source struct {
	Name string // dhclient, networkd, resolv.conf; inotify for the notice of changes
	Path string // the file, or a pattern of files, below Config.Root; empty for inotify
	// Err is what the source lacks; nil if nothing. It wraps fs.ErrNotExist if
	// there is no such file, fs.ErrPermission if it must not be read.
	Err error
}
