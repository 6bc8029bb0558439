package happyeyeballs

import (
	"bufio"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-mif/mif/miftest"
)

const unboundConfig = `
server:
	interface: 2001:db8:1::64
	access-control: ::/0 allow
	module-config: "dns64 iterator"
	dns64-prefix: 64:ff9b::/96
	do-daemonize: no
	username: ""
	chroot: ""
	directory: ""
	pidfile: ""
	use-syslog: no
	logfile: ""
	verbosity: 1
	num-threads: 1
	tls-cert-bundle: ""
forward-zone:
	name: "."
	forward-addr: 2001:db8:1::53
`

// unbound runs the DNS64 of a router that has a name server at 2001:db8:1::53, and
// returns when it answers.
func (u *uplink) unbound() {
	t := u.rig.t
	t.Helper()
	path, err := exec.LookPath("unbound")
	if err == nil {
		err = exec.Command(path, "-V").Run()
	}
	if err != nil {
		t.Skipf("unbound: %v", err)
	}
	file := filepath.Join(t.(*testing.T).TempDir(), "unbound.conf")
	if err := os.WriteFile(file, []byte(unboundConfig), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := u.ListenPacket(netip.MustParseAddrPort("[2001:db8:1::64]:9")); err != nil { // the address
		t.Fatal(err)
	}
	c := exec.Command(path, "-d", "-c", file)
	out, err := c.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := u.Do(c.Start); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Process.Kill()
		c.Wait()
	})
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if strings.Contains(lines.Text(), "start of service") {
			return
		}
		if strings.Contains(lines.Text(), "Permission denied") { // a security module wants its files elsewhere
			t.Skip(lines.Text())
		}
		t.Log(lines.Text())
	}
	t.Fatal("unbound has ended")
}

// A DNS64 that is not of our making: it gives addresses for names that have IPv4 ones
// only, and its prefix for literals (RFC 6147, RFC 7050).
func TestRealDNS64(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.prepare = (*uplink).unbound
	zone := miftest.Zone{"www.example": name("198.51.100.1"), "ipv4only.arpa": name("192.0.0.170", "192.0.0.171"), "both.example": name(good6, good4)}
	u := r.uplink("eth0", 1, "6", zone, func(c *miftest.RouterConfig) {
		c.RA.RDNSS = []netip.Addr{netip.MustParseAddr("2001:db8:1::64")}
	})
	const behind = "64:ff9b::c633:6401"
	u.serve(behind, good6)
	for _, c := range []struct{ id, what, to, remote string }{
		{"f12", "unbound's DNS64, the name has only A", "www.example:80", behind},
		{"f13", "the same, IPv4 literal", "198.51.100.1:80", behind},
		{"f14", "the same, the name has both", "both.example:80", good6},
	} {
		o := r.dial(&Dialer{}, "tcp", c.to)
		r.expect(c.id, o, c.remote, "eth0/ipv6 "+c.remote)
		r.report(c.id, c.what, "0", o)
	}
	asked := false
	for _, q := range u.dns6.Queries() {
		asked = asked || q.Name == "ipv4only.arpa" && q.Type == "A"
	}
	if !asked {
		t.Error("the DNS64 did not ask for the prefix's addresses")
	}
}
