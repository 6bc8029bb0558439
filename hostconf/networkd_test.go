package hostconf

import (
	"net/netip"
	"reflect"
	"testing"

	"github.com/go-mif/mif/pvd"
)

const networkdLease = `# This is private data. Do not parse.
ADDRESS=192.0.2.77
NETMASK=255.255.255.0
ROUTER=192.0.2.9
SERVER_ADDRESS=192.0.2.1
MTU=1492
T1=1800
T2=3150
LIFETIME=3600
DNS=192.0.2.53 192.0.2.54
NTP=192.0.2.123
DOMAINNAME=one.example
DOMAIN_SEARCH_LIST=one.example two.example
CLASSLESS_ROUTES=0.0.0.0/0,192.0.2.1 198.51.100.0/24,192.0.2.2
CLIENTID=ff00005e
`

func TestNetworkdLease(t *testing.T) {
	got, lifetime := parseNetworkdLease(networkdLease)
	want := &offer{
		servers: servers("192.0.2.53", "192.0.2.54"),
		search:  []string{"one.example", "two.example"},
		routers: addrs("192.0.2.1"),
		routes:  []pvd.Route{{Destination: netip.MustParsePrefix("198.51.100.0/24"), Gateway: netip.MustParseAddr("192.0.2.2")}},
		mtu:     []int{1492},
		ntp:     []string{"192.0.2.123"},
	}
	if !reflect.DeepEqual(got, want) || lifetime != 3600 {
		t.Errorf("got %+v for %d s", got, lifetime)
	}
	got, lifetime = parseNetworkdLease("ROUTER=192.0.2.9\nDOMAINNAME=one.example\nLIFETIME=4294967295\n")
	want = &offer{search: []string{"one.example"}, routers: addrs("192.0.2.9")}
	if !reflect.DeepEqual(got, want) || lifetime != never {
		t.Errorf("got %+v for %d s", got, lifetime)
	}
}

func TestNetworkdUnfinished(t *testing.T) {
	for i := range len("LIFETIME=") {
		if _, lifetime := parseNetworkdLease("DNS=192.0.2.53\n" + "LIFETIME="[:i]); lifetime != 0 {
			t.Errorf("cut at %d: lifetime %d", i, lifetime)
		}
	}
}

// Version 257 writes times as people do.
func TestNetworkdSpan(t *testing.T) {
	for text, want := range map[string]uint32{
		"120": 120, "0": 0, "4294967295": never, "4294967296": 0, "-1": 0, "": 0, "x": 0, "1x": 0, "h": 0, "1h2": 0,
		"1h": 3600, "52min 30s": 3150, "1d 2h": 93600, "1w": 604800, "1month": 2629800, "1y 1month": 34187400, "infinity": never,
		"4294967295y 4294967295y": never,
	} {
		if _, got := parseNetworkdLease("LIFETIME=" + text + "\n"); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}

func FuzzNetworkd(f *testing.F) {
	f.Add(networkdLease)
	f.Add("CLASSLESS_ROUTES=::/0,:: 0.0.0.0/0,0.0.0.0 1.2.3.4/33,1\nLIFETIME=-1")
	f.Fuzz(func(t *testing.T, text string) {
		o, _ := parseNetworkdLease(text)
		sane(t, o)
		if o, lifetime := parseNetworkdLease(text + "\nLIFETIME=7\nDNS=192.0.2.1\n"); lifetime != 7 || len(o.servers) != 1 {
			t.Fatalf("got %+v for %d s", o, lifetime)
		}
	})
}
