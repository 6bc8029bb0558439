package main

import (
	"net/netip"
	"os"
	"strings"
	"testing"

	"github.com/go-mif/mif/miftest"
)

const asProgram = "PEERS_TEST_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	miftest.Main(m)
}

// Every peer finds its way to a name on a host with one uplink.
func TestPeers(t *testing.T) {
	n := miftest.New(t)
	prefix, server := netip.MustParsePrefix("2001:db8:1::/64"), netip.MustParseAddrPort("[2001:db8:1::53]:53")
	r := n.Router(t, miftest.RouterConfig{Interface: "eth0", RA: miftest.NewRA(prefix)})
	at := netip.MustParseAddrPort("[2001:db8:f::1]:80")
	if _, err := r.DNS(server, miftest.Zone{"www.example": {Addresses: []netip.Addr{at.Addr()}}}); err != nil {
		t.Fatal(err)
	}
	if _, err := r.ServeLine(at, "here", 0); err != nil {
		t.Fatal(err)
	}
	if _, err := n.Host().AwaitSLAAC("eth0", prefix); err != nil {
		t.Fatal(err)
	}
	for name := range peers {
		for host, want := range map[string]string{"www.example": " IPv6", "nobody.example": " fails"} {
			c := n.Host().Command("/proc/self/exe", name, server.String(), host+":80")
			c.Env = append(os.Environ(), asProgram+"=1")
			out, err := c.Output()
			if err != nil || !strings.HasSuffix(string(out), want) {
				t.Errorf("%s, %s: %q, %v, want%s", name, host, out, err, want)
			}
		}
	}
}

func TestUsage(t *testing.T) {
	for _, args := range [][]string{nil, {"net.Dialer", "x"}, {"nobody", "127.0.0.1:53", "a:1"}} {
		if err := run(&strings.Builder{}, args); err != errUsage {
			t.Errorf("%q: %v", args, err)
		}
	}
}
