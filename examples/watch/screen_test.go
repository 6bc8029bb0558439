package main

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rivo/uniseg"

	"github.com/go-mif/mif"
	"github.com/go-mif/mif/pvd"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

var (
	eth  = pvd.NewInterfaceID(2, "eth0")
	wlan = pvd.NewInterfaceID(3, "wlan0")
	four = netip.MustParsePrefix("192.0.2.9/24")
	six  = netip.MustParsePrefix("2001:db8::9/64")
)

// domains are the identities of two domains on eth0, which only a Snapshot gives.
func domains() (ids []mif.PvDID) {
	s := pvd.Build(&pvd.Snapshot{}, []*pvd.Facts{{
		Interface: pvd.Interface{ID: eth, Name: "eth0", Index: 2, Up: true, Carrier: true},
		Addresses: []pvd.AddressFact{{Address: pvd.Address{Prefix: four}}, {Address: pvd.Address{Prefix: six}}},
	}}, nil, pvd.Options{}, noon)
	for d := range s.Domains() {
		ids = append(ids, d.ID())
	}
	return ids
}

// story is two interfaces that come, one with two domains.
func story(ids []mif.PvDID) []mif.Event {
	return []mif.Event{
		mif.InterfaceAnnouncement{Interface: wlan, Name: "wlan0", Index: 3, MTU: 1400, Up: true},
		mif.InterfaceAnnouncement{Interface: eth, Name: "eth0", Index: 2, Kind: "veth", MTU: 1500, HardwareAddr: net.HardwareAddr{2, 0, 0, 0, 0, 1}, Up: true, Carrier: true},
		mif.ProvisioningDomainAnnouncement{Interface: eth, PvD: ids[0], Family: mif.Family(4)},
		mif.ConfigurationElementAnnouncement{PvD: ids[0], Element: pvd.ElementDHCPv4},
		mif.AddressAnnouncement{PvD: ids[0], Address: pvd.Address{Prefix: four, Element: pvd.ElementDHCPv4, Preferred: noon.Add(time.Hour), Valid: noon.Add(2 * time.Hour)}},
		mif.ConfigurationData{PvD: ids[0], Element: pvd.ElementDHCPv4, Item: pvd.ItemDNSServers, Data: pvd.DNSServers{
			{Value: netip.MustParseAddrPort("192.0.2.1:53"), Expiry: noon.Add(time.Minute)},
			{Value: netip.MustParseAddrPort("192.0.2.2:53"), Expiry: noon.Add(time.Hour)},
		}},
		mif.ConfigurationData{PvD: ids[0], Element: pvd.ElementDHCPv4, Item: pvd.ItemSearchDomains, Data: pvd.SearchDomains{{Value: "a\x1b[2J.example"}}},
		mif.ProvisioningDomainAnnouncement{Interface: eth, PvD: ids[1], Family: mif.Family(6), FQDN: "pvd.example"},
		mif.AddressAnnouncement{PvD: ids[1], Address: pvd.Address{Prefix: six, Element: pvd.ElementRA, Deprecated: true, Preferred: noon, Valid: noon.Add(9 * time.Second)}},
		mif.ConfigurationElementAnnouncement{PvD: ids[1], Element: pvd.ElementAdditionalInfo},
	}
}

func told(events ...mif.Event) state {
	s := state{}
	for _, e := range events {
		s.learn(e)
	}
	return s
}

// shown is a screen as text.
func shown(s state, events []string, z size, now time.Time) (all []string) {
	lines, _ := screen(s, events, 0, z, now)
	for _, l := range lines {
		all = append(all, l.paint(false))
	}
	return all
}

const head = "INTERFACE                                                      PREFERRED      VALID"

var (
	ethLines = []string{
		`eth0                up, veth, MTU 1500, 02:00:00:00:00:01`,
		`  eth0/ipv4         ipv4`,
		`    DHCPv4          192.0.2.9/24                                  1h0m0s     2h0m0s`,
		`                    DNSServers     192.0.2.1:53, 192.0.2.2:53                  1m0s`,
		`                    SearchDomains  a\x1b[2J.example`,
	}
	sixLines = []string{
		`  eth0/ipv6         ipv6, named pvd.example`,
		`    RA              2001:db8::9/64, deprecated                        0s         9s`,
		`    AdditionalInfo`,
	}
	wlanLines = []string{`wlan0               up without carrier, MTU 1400`}
)

// Lifetimes count down; what has gone is at nothing, and stays until that is told.
func TestCountdown(t *testing.T) {
	s := told(story(domains())...)
	for after, want := range map[time.Duration]string{
		0: "1h0m0s     2h0m0s", time.Second: "59m59s   1h59m59s", time.Hour: "0s     1h0m0s", 3 * time.Hour: "0s         0s",
	} {
		if got := shown(s, nil, size{83, 24}, noon.Add(after))[4]; !strings.HasSuffix(got, want) {
			t.Errorf("after %v %q, want %q", after, got, want)
		}
	}
}

// Nothing is left of what was announced and withdrawn, and what is told of something
// unknown changes nothing.
func TestForgets(t *testing.T) {
	ids := domains()
	s := told(story(ids)...)
	for _, e := range []mif.Event{
		mif.NoAddressAnnouncement{PvD: ids[0], Prefix: four},
		mif.NoConfigurationData{PvD: ids[0], Element: pvd.ElementDHCPv4, Item: pvd.ItemDNSServers},
		mif.NoConfigurationElementAnnouncement{PvD: ids[1], Element: pvd.ElementAdditionalInfo},
	} {
		s.learn(e)
	}
	got := strings.Join(shown(s, nil, size{83, 24}, noon), "\n")
	for _, gone := range []string{"192.0.2.9", "DNSServers", "AdditionalInfo"} {
		if strings.Contains(got, gone) {
			t.Errorf("%s is still there:\n%s", gone, got)
		}
	}
	s.learn(mif.NoInterfaceAnnouncement{Interface: eth})
	before := shown(s, nil, size{83, 24}, noon)
	for _, e := range story(ids)[2:] {
		s.learn(e)
	}
	if after := shown(s, nil, size{83, 24}, noon); len(after) != 3 || !slices.Equal(before, after) {
		t.Errorf("%q, then %q", before, after)
	}
}

// No screen is larger than its size, whatever that is.
func TestFits(t *testing.T) {
	s := told(story(domains())...)
	events := slices.Repeat([]string{"12:00:00.000 + é網" + strings.Repeat("long ", 30)}, 50)
	for width := range 120 {
		for height := range 30 {
			all := shown(s, events, size{width, height}, noon)
			if len(all) > height {
				t.Fatalf("%d lines of %d", len(all), height)
			}
			for _, l := range all {
				if n := uniseg.StringWidth(l); n > width {
					t.Fatalf("%d columns of %d: %s", n, width, l)
				}
			}
		}
	}
}

// A character as wide as two leaves less room for others.
func TestWide(t *testing.T) {
	s := told(mif.InterfaceAnnouncement{Interface: eth, Name: "網路網路", Index: 2, MTU: 1500, Up: true, Carrier: true})
	if got, want := shown(s, nil, size{60, 24}, noon)[2], "網路網路            up, MTU 1500"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	for n, want := range []string{"", "…", "…", "網…", "網路", "網路"} {
		if got := cut("網路", n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}

// A table that is too long shows from any line on, but not from so late a one that there
// is room left.
func TestScrolled(t *testing.T) {
	s := told(story(domains())...)
	all := slices.Concat(ethLines, sixLines, wlanLines)
	for _, c := range []struct{ top, at, above, below int }{{-far, 0, 0, 4}, {0, 0, 0, 4}, {3, 3, 3, 1}, {4, 4, 4, 0}, {far, 4, 4, 0}} {
		lines, at := screen(s, nil, c.top, size{83, 8}, noon)
		var got []string
		for _, l := range lines[2:] {
			got = append(got, l.paint(false))
		}
		want := append(slices.Clone(all[c.at:c.at+5]), fmt.Sprintf("… %d lines above, %d below: arrows, PgUp, PgDn", c.above, c.below))
		if at != c.at || !slices.Equal(got, want) {
			t.Errorf("from %d it is at %d\n%s", c.top, at, strings.Join(got, "\n"))
		}
	}
	if lines, at := screen(s, nil, 5, size{83, 24}, noon); at != 0 || len(lines) != 11 {
		t.Errorf("where all has room it is at %d", at)
	}
}

// Colours are what makes the difference, and the only one.
func TestPaint(t *testing.T) {
	for _, c := range []struct {
		line           line
		plain, colours string
	}{
		{line{{"a", usual}, {" b ", good}, {" ", strong}}, "a b", "a\x1b[32m b\x1b[0m"},
		{event("12:00:00.000 - eth0"), "12:00:00.000 - eth0", "\x1b[2m12:00:00.000\x1b[0m \x1b[31m- eth0\x1b[0m"},
		{event("?"), "?", "?"},
	} {
		if plain, colours := c.line.paint(false), c.line.paint(true); plain != c.plain || colours != c.colours {
			t.Errorf("%q and %q, want %q and %q", plain, colours, c.plain, c.colours)
		}
	}
}

// The latest lines are kept, the others are not.
func TestRecent(t *testing.T) {
	r := &recent{}
	for i := range 10 * enough {
		fmt.Fprintf(r, "%d\n", i)
	}
	if n := len(r.lines); n < enough || n > 2*enough || r.lines[n-1] != fmt.Sprint(10*enough-1) || r.lines[n-2] != fmt.Sprint(10*enough-2) {
		t.Errorf("%d lines, the last %q", n, r.lines[n-2:])
	}
}

func TestScreen(t *testing.T) {
	ids := domains()
	few := []string{"12:00:00.000 + one", "12:00:00.000 - two", "12:00:00.000 = three", "12:00:00.000 ~ four", "short"}
	full := slices.Concat([]string{title83("2 interfaces, 2 domains, 2 addresses", "12:00:00"), head}, ethLines, sixLines, wlanLines)
	for _, c := range []struct {
		what   string
		state  state
		events []string
		size   size
		now    time.Time
		want   []string
	}{
		{"nothing", told(), nil, size{83, 24}, noon, []string{title83("0 interfaces, 0 domains, 0 addresses", "12:00:00"), head}},
		{"a table", told(story(ids)...), nil, size{83, 24}, noon, full},
		{"as high as the screen", told(story(ids)...), nil, size{83, 11}, noon, full},
		{"too high", told(story(ids)...), nil, size{83, 8}, noon, append(slices.Clone(full[:7]), "… 0 lines above, 4 below: arrows, PgUp, PgDn")},
		{"events below", told(story(ids)...), few, size{83, 24}, noon, append(append(slices.Clone(full), rule83), few...)},
		{"events scroll", told(story(ids)...), few, size{83, 14}, noon, slices.Concat(full[:8], []string{"… 0 lines above, 3 below: arrows, PgUp, PgDn", rule83}, few[1:])},
		{"the latest events", told(story(ids)...), slices.Repeat(few, 3), size{83, 20}, noon, slices.Concat(full, []string{rule83}, few[2:], few)},
		{"one line", told(story(ids)...), few, size{83, 1}, noon, full[:1]},
		{"no line", told(story(ids)...), few, size{83, 0}, noon, nil},
		{
			"narrow", told(story(ids)[:2]...), nil, size{30, 9}, noon,
			[]string{"2 interfaces, 0 domains, 0 ad…", "INTERFACE", "eth0        up, veth, MTU 150…", "wlan0       up without carrie…"},
		},
		{
			"later", told(story(ids)...), nil, size{83, 5}, noon.Add(59 * time.Minute),
			slices.Concat([]string{title83("2 interfaces, 2 domains, 2 addresses", "12:59:00"), head}, ethLines[:2], []string{"… 0 lines above, 7 below: arrows, PgUp, PgDn"}),
		},
		{
			"a domain gone", told(append(story(ids), mif.NoProvisioningDomainAnnouncement{Interface: eth, PvD: ids[0]})...), nil, size{83, 24}, noon,
			slices.Concat([]string{title83("2 interfaces, 1 domain, 1 address", "12:00:00"), head}, ethLines[:1], sixLines, wlanLines),
		},
	} {
		t.Run(c.what, func(t *testing.T) {
			got := shown(c.state, c.events, c.size, c.now)
			if !slices.Equal(got, c.want) {
				t.Errorf("\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}

func title83(left, clock string) string {
	right := "q ends   " + clock
	return left + strings.Repeat(" ", 83-len(left)-len(right)) + right
}

var rule83 = "── events " + strings.Repeat("─", 73)
