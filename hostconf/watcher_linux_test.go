package hostconf

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/go-mif/mif/pvd"
)

func TestFirstState(t *testing.T) {
	r := newRig(t)
	r.write(leasesFile, lease4)
	r.write("/var/lib/dhcp/dhclient6.leases", lease6)
	r.write("/var/lib/dhcp/dhclient.gone.leases", "lease { interface \"old0\"; option routers 192.0.2.1; expire 1 2001/01/01 00:00:00; }\n"+
		"lease6 { interface \"old0\"; released; option dhcp6.name-servers 2001:db8::1; }\n")
	r.write("/run/systemd/netif/leases/7", networkdLease)
	r.write("/etc/resolv.conf", "nameserver 127.0.0.53\nnameserver 192.0.2.1\nsearch a.example\n")
	r.open()
	s := r.receive()
	if len(s.Links) != 1 || len(s.Links["eth0"]) != 2 || len(s.ByIndex) != 1 || len(s.ByIndex[7]) != 1 {
		t.Fatalf("got %+v", s)
	}
	v6, v4, nd := s.Links["eth0"][0], s.Links["eth0"][1], s.ByIndex[7][0]
	if d := v4.DNSServers[1]; d != (pvd.Datum[netip.AddrPort]{Value: servers("192.0.2.54")[0], Element: pvd.ElementDHCPv4, Source: leasesFile, Expiry: expiry4}) {
		t.Errorf("dhclient: %+v", d)
	}
	if d := v4.Routers[0]; d.Value.Addr != addrs("192.0.2.1")[0] || d.Element != pvd.ElementDHCPv4 {
		t.Errorf("router: %+v", d)
	}
	if d := v6.SearchDomains[0]; d.Value != "six.example" || d.Element != pvd.ElementDHCPv6 || d.Source != "/var/lib/dhcp/dhclient6.leases" || !d.Expiry.Equal(expiry6) {
		t.Errorf("dhclient for IPv6: %+v", d)
	}
	if d := nd.MTU[0]; d.Value != 1492 || d.Element != pvd.ElementDHCPv4 || d.Source != "/run/systemd/netif/leases/7" || time.Until(d.Expiry) > time.Hour {
		t.Errorf("networkd: %+v", d)
	}
	if d := s.Resolver.DNSServers; len(d) != 1 || d[0].Element != pvd.ElementHost || d[0].Source != "/etc/resolv.conf" || !d[0].Expiry.IsZero() {
		t.Errorf("resolv.conf: %+v", d)
	}
	if !slices.Equal(values(s.Resolver.SearchDomains), []string{"a.example"}) {
		t.Errorf("resolv.conf: %+v", s.Resolver.SearchDomains)
	}
	if len(r.w.Sources()) != 10 || r.source(dhclientFiles[0]) != nil || r.source(networkdFiles) != nil || r.source(resolvConfFile) != nil || r.source("") != nil {
		t.Errorf("sources: %v", r.w.Sources())
	}
	if err := r.source(dhclientFiles[1]); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("absent source: %v", err)
	}
}

func TestSameStateIsNotToldAgain(t *testing.T) {
	r := newRig(t)
	r.write(leasesFile, leaseWith("192.0.2.1"))
	r.open()
	r.receive()
	r.write(leasesFile, leaseWith("192.0.2.1")+"\n")
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if s, err := r.w.Receive(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("got %+v, %v", s, err)
	}
	r.write("/etc/resolv.conf", "nameserver 192.0.2.5")
	if s := r.receive(); resolver(s) != "192.0.2.5" {
		t.Errorf("got %+v", s)
	}
}

// A lease ends by itself. How long it must last to be seen at all depends on the
// machine, so it is tried with longer and longer ones.
func TestExpiry(t *testing.T) {
	for period := 50 * time.Millisecond; ; period *= 2 {
		r := newRig(t)
		const name = "/run/systemd/netif/leases/3"
		r.write(name, networkdLease)
		r.must(os.Chtimes(r.path(name), time.Time{}, time.Now().Add(period-time.Hour)))
		r.open()
		if s := r.receive(); len(s.ByIndex[3]) == 0 {
			continue
		}
		if s := r.receive(); len(s.ByIndex) != 0 {
			t.Errorf("got %+v", s)
		}
		if err := r.source(networkdFiles); !errors.Is(err, errNoLease) {
			t.Errorf("source: %v", err)
		}
		return
	}
}

func TestWaitEnds(t *testing.T) {
	notifiers := map[string]func(*rig){
		"inotify": func(*rig) {},
		"deaf": func(r *rig) {
			r.must(r.w.notifier.close())
			r.w.notifier = newDeaf(syscall.EMFILE)
		},
	}
	for name, prepare := range notifiers {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.open()
			prepare(r)
			r.receive()
			canceled, cancel := context.WithCancel(context.Background())
			if err := r.endWait(canceled, cancel); !errors.Is(err, context.Canceled) {
				t.Errorf("cancelled: %v", err)
			}
			late, cancel := context.WithTimeout(context.Background(), time.Millisecond)
			defer cancel()
			if _, err := r.w.Receive(late); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("timed out: %v", err)
			}
			if err := r.endWait(context.Background(), func() { r.must(r.w.Close()) }); !errors.Is(err, net.ErrClosed) {
				t.Errorf("closed: %v", err)
			}
			if _, err := r.w.Receive(context.Background()); !errors.Is(err, net.ErrClosed) {
				t.Errorf("after Close: %v", err)
			}
		})
	}
}

// endWait calls end while a Receive waits, or is about to, and returns its error.
func (r *rig) endWait(ctx context.Context, end func()) error {
	errs := make(chan error)
	go func() {
		_, err := r.w.Receive(ctx)
		errs <- err
	}()
	end()
	return <-errs
}

func TestNothingAfterClose(t *testing.T) {
	r := newRig(t)
	r.write(leasesFile, lease4)
	r.open()
	r.must(r.w.Close())
	if s, err := r.w.Receive(context.Background()); !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %+v, %v", s, err)
	}
	r.must(r.w.Close())
}

func TestOpenFails(t *testing.T) {
	if _, err := Open(&Config{Root: filepath.Join(t.TempDir(), "absent")}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	goleak.VerifyNone(t)
}

func TestThisHost(t *testing.T) {
	w, err := Open(nil)
	if err != nil {
		t.Fatal(err)
	}
	if s, err := w.Receive(context.Background()); err != nil || s.Links == nil || s.ByIndex == nil {
		t.Errorf("got %+v, %v", s, err)
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	goleak.VerifyNone(t)
}

// However fast files change, the last state is told.
func TestStorm(t *testing.T) {
	r := newRig(t)
	r.write(leasesFile, leaseWith("192.0.2.1"))
	r.open()
	var wg sync.WaitGroup
	done := make(chan struct{})
	wg.Go(func() {
		for range 300 {
			_ = os.WriteFile(r.path(leasesFile), []byte(leaseWith("192.0.2.2")), 0o644)
			_ = os.RemoveAll(r.path("/var/lib/dhclient"))
			_ = os.MkdirAll(r.path("/var/lib/dhclient"), 0o755)
		}
		_ = os.WriteFile(r.path(leasesFile), []byte(leaseWith("192.0.2.9")), 0o644)
	})
	wg.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
				_ = r.w.Sources()
			}
		}
	})
	r.until(func(s *State) bool { return server4(s, "192.0.2.9") })
	close(done)
	wg.Wait()
}
