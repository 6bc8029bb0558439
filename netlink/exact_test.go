package netlink

import (
	"log/slog"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"github.com/go-mif/mif/pvd"
)

// A hearer is a host on a link with one address that hears a router, in a time of its
// own.
type hearer struct {
	t   *testing.T
	s   *tables
	now *pvd.Snapshot
}

func newHearer(t *testing.T) *hearer {
	return &hearer{t: t, s: wholeTables(slog.New(slog.DiscardHandler)), now: &pvd.Snapshot{}}
}

func (h *hearer) hear(b []byte) {
	h.t.Helper()
	var a advertisement
	if !a.decode(heard(b)) || !h.s.advertEvent(&a) {
		h.t.Fatal("discarded")
	}
}

// look makes a Snapshot of what is known now, and tells whether a subscriber is told
// anything.
func (h *hearer) look() bool {
	var links []*pvd.Facts
	if c := h.s.changes(); len(c.Links) == 1 {
		f := *c.Links[0]
		f.Interface.Up, f.Interface.Carrier = true, true
		f.Addresses = []pvd.AddressFact{{Address: pvd.Address{Prefix: netip.MustParsePrefix("2001:db8:1::5/64")}, Protocol: 2}}
		links = append(links, &f)
	}
	before := h.now.Seq()
	h.now = pvd.Build(h.now, links, nil, pvd.Options{}, h.s.now)
	return h.now.Seq() != before
}

func (h *hearer) servers() pvd.DNSServers {
	for d := range h.now.Domains() {
		servers, _ := d.Data(pvd.ElementAny, pvd.ItemDNSServers).(pvd.DNSServers)
		return servers
	}
	return nil
}

// everything is an advertisement with something of every kind.
func everything() []byte {
	return raBytes(0xc0, 1800, option(optCaptivePortal, []byte("https://portal.example/api")...), option(optMTU, append([]byte{0, 0}, seconds(1400)...)...),
		rio(0, 0, 900), servers(900, "2001:db8::53"), option(optPREF64, append([]byte{600 >> 8, 600 & 0xf8}, addr16("64:ff9b::")[:12]...)...),
		encryptedDNS(1, 900, "d.example", dnrAddr, field(dotOnly...)), pvdOption(0xe000, 3, "corp.example", raBytes(0x40, 900), pio("2001:db8:1::/64", 0xc0, 3600, 1800)))
}

// said is what is known of the only router.
func (h *hearer) said() pvd.Configuration { return h.s.links[1].raFacts()[0].Configuration }

// TestRefreshIsNotAnnounced: after a refresh the facts are those of the last
// advertisement, as if it were the first, but nobody is told; what was told before is
// not written.
func TestRefreshIsNotAnnounced(t *testing.T) {
	h := newHearer(t)
	for n := range 30 {
		before := h.now
		h.hear(everything())
		fresh := newHearer(t)
		fresh.s.now = h.s.now
		if fresh.hear(everything()); !reflect.DeepEqual(h.said(), fresh.said()) {
			t.Fatalf("time %d:\n%+v\nwant\n%+v", n+1, h.said(), fresh.said())
		}
		if told := h.look(); told != (n == 0) {
			t.Errorf("time %d: told: %v", n+1, told)
		}
		for i := range before.Interfaces() {
			if e := before.Facts(i.ID).RAs[0].Configuration.DNSServers[0].Expiry; !e.Equal(h.s.now.Add(899 * time.Second)) {
				t.Fatalf("time %d: what was told ends %v", n+1, e)
			}
		}
		h.s.now = h.s.now.Add(time.Second)
	}
}

// TestEndIsThatOfTheLastAdvertisement: what was refreshed within the tolerance of
// announcements holds until it ends, not until the end that was announced.
func TestEndIsThatOfTheLastAdvertisement(t *testing.T) {
	h := newHearer(t)
	start := h.s.now
	for range 3 {
		h.hear(raBytes(0, 1800, servers(10, "2001:db8::53")))
		h.look()
		h.s.now = h.s.now.Add(time.Second)
	}
	for len(h.servers()) > 0 && h.s.now.Before(start.Add(time.Minute)) {
		h.s.now = h.now.Next()
		h.look()
		if d := h.servers(); len(d) > 0 && past(d[0].Expiry, h.s.now) {
			t.Errorf("after %v it was told to have ended %v before, and holds", h.s.now.Sub(start), h.s.now.Sub(d[0].Expiry))
		}
	}
	if d := h.s.now.Sub(start); d != 12*time.Second {
		t.Errorf("it ended after %v", d)
	}
}
