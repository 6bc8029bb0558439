package program

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-mif/mif"
	"github.com/go-mif/mif/pvd"
)

// PvDUsage tells what Choose understands, for -pvd.
const PvDUsage = "the `domain`: its String form (eth0/ipv4), its FQDN,\n" +
	"or an interface (eth0), which means each domain on it; if empty, each domain there is"

// Choose returns the domains that a word means: the one whose String form it is, or
// those of an interface (eth0) or of a family of one (eth0/ipv6), or those of a name
// (RFC 8801). The empty word means every domain.
func Choose(s *pvd.Snapshot, word string) []*pvd.Domain {
	for _, means := range []func(*pvd.Domain) bool{
		func(d *pvd.Domain) bool { return word == "" || d.ID().String() == word },
		func(d *pvd.Domain) bool { return interfaceName(s, d) == word },
		func(d *pvd.Domain) bool { return interfaceName(s, d)+"/"+d.Family().String() == word },
		func(d *pvd.Domain) bool { return named(d.FQDN(), word) },
	} {
		if found := slices.Collect(filter(s, means)); len(found) > 0 {
			return found
		}
	}
	return nil
}

func filter(s *pvd.Snapshot, means func(*pvd.Domain) bool) func(yield func(*pvd.Domain) bool) {
	return func(yield func(*pvd.Domain) bool) {
		for d := range s.Domains() {
			if means(d) && !yield(d) {
				return
			}
		}
	}
}

// named tells whether a word is the name of an explicit domain (RFC 8801).
func named(fqdn, word string) bool {
	return fqdn != "" && strings.EqualFold(fqdn, strings.TrimSuffix(word, "."))
}

// interfaceName is the present name of the interface that a domain is on.
func interfaceName(s *pvd.Snapshot, d *pvd.Domain) string {
	return s.Link(d.Interface()).Interface().Name
}

// NoDomain is the error that tells which domains there are instead of the one meant.
func NoDomain(s *pvd.Snapshot, word string) error {
	var there []string
	for d := range s.Domains() {
		there = append(there, d.ID().String())
	}
	switch {
	case len(there) == 0:
		return errors.New("there is no provisioning domain on this host")
	case word == "":
		return fmt.Errorf("none of the provisioning domains will do: %s", strings.Join(there, ", "))
	}
	return fmt.Errorf("there is no provisioning domain %q, but %s", word, strings.Join(there, ", "))
}

// Await waits until the host is as it should be, or the context is done.
func Await(ctx context.Context, h *mif.Host, enough func(*pvd.Snapshot) bool) {
	s := h.NewSession()
	defer s.Close()
	s.Post(mif.AnnounceProvisioningDomains{})
	for e, err := range s.Events(ctx) {
		if err != nil || enough(h.Snapshot()) {
			return
		}
		if d, ok := e.(mif.ProvisioningDomainAnnouncement); ok {
			s.Post(mif.AnnounceConfigurationElements{PvD: d.PvD})
		}
	}
}
