package mif

import (
	"context"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/go-mif/mif/pvd"
)

// From a DHCP client's change of its lease file until a session has the event; package
// hostconf has the floors, and the part before the loop, of this and other sources.
func BenchmarkLeaseToSession(b *testing.B) {
	l := newLab(b, Config{})
	l.must(l.Net.Host().AddVeth("eth0"))
	l.must(l.Net.Host().SetUp("eth0"))
	l.must(l.Net.Host().AddAddress("eth0", netip.MustParsePrefix("192.0.2.5/24")))
	dir := filepath.Join(l.Net.Host().Root(), "var/lib/dhcp")
	l.must(os.MkdirAll(dir, 0o755))
	fresh, file := filepath.Join(b.TempDir(), "fresh"), filepath.Join(dir, "dhclient.eth0.leases")
	write := func(server string) {
		l.must(os.WriteFile(fresh, []byte("lease {\n  interface \"eth0\";\n  option domain-name-servers "+server+";\n  expire 1 2099/01/05 05:05:06;\n}\n"), 0o644))
	}
	s := l.host.NewSession()
	l.must(s.Post(AnnounceProvisioningDomains{}))
	renewed := make(chan time.Time)
	go renewals(s, renewed)
	write("192.0.2.1")
	l.must(os.Rename(fresh, file))
	<-renewed
	var took []time.Duration
	for i := 0; b.Loop(); i++ {
		write([]string{"192.0.2.2", "192.0.2.1"}[i%2])
		start := time.Now()
		l.must(os.Rename(fresh, file))
		took = append(took, (<-renewed).Sub(start))
	}
	s.Close()
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Nanoseconds()), "p50-ns")
	b.ReportMetric(float64(took[len(took)*99/100].Nanoseconds()), "p99-ns")
}

// renewals tells when the element of DHCPv4 is announced, until the session ends.
func renewals(s *Session, renewed chan<- time.Time) {
	for e, err := range s.Events(context.Background()) {
		if err != nil {
			return
		}
		switch e := e.(type) {
		case ProvisioningDomainAnnouncement:
			_ = s.Post(AnnounceConfigurationElements{PvD: e.PvD}) // fails only if it is closed, which ends this
		case ConfigurationElementAnnouncement:
			if e.Element == pvd.ElementDHCPv4 {
				renewed <- time.Now()
			}
		}
	}
}
