package miftest

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Root returns a directory that stands for / of the host: its DHCP client leaves
// its leases there as ISC dhclient does. It is empty at first, exists until the
// Net is closed, and is for mif's Config.Root.
func (h *Host) Root() string { return h.root }

// leaseFile is where the lease of an interface is left.
func (l *Lease) leaseFile() string {
	return filepath.Join(l.host.root, "var/lib/dhcp", "dhclient."+l.Interface+".leases")
}

// write leaves the lease for others to read, whole or not at all.
func (l *Lease) write() error {
	if err := os.MkdirAll(filepath.Dir(l.leaseFile()), 0o755); err != nil {
		return err
	}
	fresh := l.leaseFile() + "~"
	if err := os.WriteFile(fresh, []byte(l.text(time.Now())), 0o644); err != nil {
		return err
	}
	return os.Rename(fresh, l.leaseFile())
}

// unwrite takes the lease away.
func (l *Lease) unwrite() error {
	if err := os.Remove(l.leaseFile()); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// text is the lease in the format of dhclient.leases(5).
func (l *Lease) text(now time.Time) string {
	b := &strings.Builder{}
	fmt.Fprintf(b, "lease {\n  interface %q;\n  fixed-address %v;\n", l.Interface, l.Address.Addr())
	option := func(name, value string) {
		if value != "" {
			fmt.Fprintf(b, "  option %s %s;\n", name, value)
		}
	}
	option("dhcp-lease-time", fmt.Sprint(int(l.Duration.Seconds())))
	option("dhcp-server-identifier", l.Server.String())
	option("routers", joined(l.Routers))
	option("domain-name-servers", joined(l.DNS))
	option("ntp-servers", joined(l.NTP))
	if l.DomainName != "" {
		option("domain-name", fmt.Sprintf("%q", l.DomainName))
	}
	if len(l.Search) > 0 {
		option("domain-search", `"`+strings.Join(l.Search, `", "`)+`"`)
	}
	end := now.Add(l.Duration).UTC()
	fmt.Fprintf(b, "  expire %d %s;\n}\n", end.Weekday(), end.Format("2006/01/02 15:04:05"))
	return b.String()
}

func joined(addrs []netip.Addr) string {
	var s []string
	for _, a := range addrs {
		s = append(s, a.String())
	}
	return strings.Join(s, ",")
}
