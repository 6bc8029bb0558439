package interop

import (
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-mif/mif/miftest"
)

// The addresses of the lab, from the prefixes for documentation.
const (
	gateway    = "192.0.2.1" // of the router, on the link
	leased     = "192.0.2.100"
	timeserver = "192.0.2.123"
	dns6       = "2001:db8:53::53" // behind the router, so that it outlives the cable
	target4    = "203.0.113.80"
	target6    = "2001:db8:ffff::80"
)

// A lab is a host with one uplink, eth0, to a router that does nothing of itself: what
// runs on it are other people's programs.
type lab struct {
	t      *testing.T
	host   *miftest.Host
	router *miftest.Router
	dir    string
	ip     string
}

// newLab builds a lab whose host has that many interfaces, the loopback not counted.
func newLab(t *testing.T, interfaces int) *lab {
	t.Helper()
	ip := look(t, "ip")
	for _, name := range []string{"radvd", "dnsmasq", "dhclient", "go"} {
		look(t, name)
	}
	n := miftest.New(t)
	l := &lab{t: t, host: n.Host(), dir: t.TempDir(), ip: ip}
	l.router = n.Router(t, miftest.RouterConfig{
		Interface: "eth0",
		IPv4:      netip.MustParsePrefix(gateway + "/24"),
		Addresses: []netip.Prefix{netip.MustParsePrefix(dns6 + "/128")},
	})
	if _, err := l.host.AddLinks("other", interfaces-1); err != nil {
		t.Fatal(err)
	}
	return l
}

// must fails the test.
func (l *lab) must(err error) {
	l.t.Helper()
	if err != nil {
		l.t.Fatal(err)
	}
}

// write writes a file of the lab and returns its path.
func (l *lab) write(name, text string, mode os.FileMode) string {
	l.t.Helper()
	path := filepath.Join(l.dir, name)
	l.must(os.WriteFile(path, []byte(text), mode))
	return path
}

// onRouter starts a daemon on the router.
func (l *lab) onRouter(name string, args ...string) *daemon {
	l.t.Helper()
	cmd := exec.Command(look(l.t, name), args...)
	// A child gets its namespace from the thread that forks it.
	return start(l.t, cmd, func() error { return l.router.Do(cmd.Start) })
}

// onHost starts a daemon on the host.
func (l *lab) onHost(name string, args ...string) *daemon {
	l.t.Helper()
	cmd := l.host.Command(look(l.t, name), args...)
	return start(l.t, cmd.Cmd, cmd.Start)
}

// routerIP runs ip on the router.
func (l *lab) routerIP(args ...string) {
	l.t.Helper()
	d := l.onRouter("ip", args...)
	if d.wait(); !d.cmd.ProcessState.Success() {
		l.t.Fatalf("ip %s: %v: %s", strings.Join(args, " "), d.cmd.ProcessState, d.out.String())
	}
}

// truth asks ip about the host.
func (l *lab) truth() *truth {
	l.t.Helper()
	out, err := l.host.Command(l.ip, "-json", "address").Output()
	l.must(err)
	is, err := parseTruth(out)
	l.must(err)
	return is
}

// slaac is the address that the host makes of a prefix, with its length.
func (l *lab) slaac(prefix string) string {
	l.t.Helper()
	a, err := l.host.SLAAC("eth0", netip.MustParsePrefix(prefix))
	l.must(err)
	return a.String() + "/64"
}

// advertisements waits for a number of router advertisements, and returns when the last
// of them was sent.
func (l *lab) advertisements(c *miftest.Capture, count int) time.Time {
	l.t.Helper()
	p, err := c.Wait(patience, func(p miftest.Packet) bool {
		if p.FromRouter && p.ICMPType == routerAdvertisement {
			count--
		}
		return count == 0
	})
	l.must(err)
	return p.Time
}

const routerAdvertisement = 134
