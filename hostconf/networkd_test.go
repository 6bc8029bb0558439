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
