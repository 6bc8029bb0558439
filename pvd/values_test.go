package pvd

import (
	"net/netip"
	"testing"
	"time"
)

func TestSettleTime(t *testing.T) {
	now, forever := start, time.Time{}
	in := func(d time.Duration) time.Time { return now.Add(d) }
	for _, c := range []struct {
		name   string
		t, old time.Time
		news   bool
	}{
		{"the same", in(time.Hour), in(time.Hour), false},
		{"2 s nearer", in(time.Hour - 2*time.Second), in(time.Hour), false},
		{"more than 2 s nearer", in(time.Hour - 2*time.Second - 1), in(time.Hour), true},
		{"2 s nearer, soon", in(time.Second), in(3 * time.Second), false},
		{"2 s later, soon", in(4 * time.Second), in(2 * time.Second), false},
		{"more than 2 s later, soon", in(4*time.Second + 1), in(2 * time.Second), true},
		{"2 s later, of 16 s", in(16 * time.Second), in(14 * time.Second), false},
		{"an eighth of what remains later", in(80 * time.Second), in(70 * time.Second), false},
		{"more than an eighth later", in(80 * time.Second), in(70*time.Second - 1), true},
		{"forever both", forever, forever, false},
		{"forever now", forever, in(time.Hour), true},
		{"finite now", in(time.Hour), forever, true},
		{"finite now, far", in(1e9 * time.Second), forever, true},
		{"passed, nearly the same", in(-time.Minute), in(-time.Minute - 2*time.Second), false},
		{"passed, later", in(-time.Minute), in(-time.Minute - 3*time.Second), false},
		{"goes on, for no more than 2 s", in(time.Second), now, true},
		{"passes now, as before", now, in(-time.Hour), false},
	} {
		want := c.old
		if c.news {
			want = c.t
		}
		if got, same := settleTime(c.t, c.old, now); same == c.news || !got.Equal(want) {
			t.Errorf("%s: kept %v, same %v", c.name, got, same)
		}
	}
}

func TestLifetimes(t *testing.T) {
	forever := time.Time{}
	for _, c := range []struct{ a, b, earlier time.Time }{
		{forever, forever, forever}, {forever, after(1), after(1)}, {after(1), forever, after(1)},
		{after(1), after(2), after(1)}, {after(2), after(1), after(1)},
	} {
		if got := earlier(c.a, c.b); !got.Equal(c.earlier) {
			t.Errorf("earlier(%v, %v) = %v", c.a, c.b, got)
		}
	}
	if past(forever, start) || past(after(1), start) || !past(start, start) || !past(after(-1), start) {
		t.Error("a lifetime ends at its end, and one without end never")
	}
}

func TestIdentities(t *testing.T) {
	i := NewInterfaceID(3, "eth0")
	d, e, all := ID{&domain{iface: i, label: "ipv6"}}, ID{&domain{iface: i, label: "ipv6"}}, ID{&domain{iface: i}}
	if i == NewInterfaceID(3, "eth0") || d == e || d == (ID{}) {
		t.Error("an identity was used twice")
	}
	if !i.IsValid() || (InterfaceID{}).IsValid() || i.Index() != 3 || (InterfaceID{}).Index() != 0 {
		t.Error("wrong validity or index")
	}
	if !d.IsValid() || (ID{}).IsValid() || d.Interface() != i || (ID{}).Interface() != (InterfaceID{}) {
		t.Error("wrong validity or interface")
	}
	for got, want := range map[string]string{
		i.String(): "eth0", d.String(): "eth0/ipv6", all.String(): "eth0",
		(InterfaceID{}).String(): "invalid interface", (ID{}).String(): "invalid provisioning domain",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if m := map[ID]int{d: 1, e: 2}; m[d] != 1 || m[e] != 2 {
		t.Error("identities are no keys")
	}
}

func TestLabels(t *testing.T) {
	routers := []netip.Addr{ip("fe80::1"), ip("fe80::2")}
	taken := map[string]bool{}
	for _, want := range []string{"ipv6", "ipv6/fe80::1", "ipv6/fe80::2", "ipv6/2", "ipv6/3"} {
		got := label(IPv6, routers, func(s string) bool { return taken[s] })
		if got != want {
			t.Errorf("label %q, want %q", got, want)
		}
		taken[got] = true
	}
	taken = map[string]bool{"": true}
	if got := label(Both, routers, func(s string) bool { return taken[s] }); got != "fe80::1" {
		t.Errorf("label %q of merged families", got)
	}
	if got := label(IPv4, nil, func(s string) bool { return taken[s] }); got != "ipv4" {
		t.Errorf("label %q of IPv4", got)
	}
}

func TestFamily(t *testing.T) {
	v4, v6, mapped, none := ip("192.0.2.1"), ip("fe80::1%eth0"), ip("::ffff:192.0.2.1"), netip.Addr{}
	for _, c := range []struct {
		f    Family
		name string
		has  []netip.Addr
		not  []netip.Addr
	}{
		{IPv4, "ipv4", []netip.Addr{v4}, []netip.Addr{v6, mapped, none}},
		{IPv6, "ipv6", []netip.Addr{v6}, []netip.Addr{v4, mapped, none}},
		{Both, "both", []netip.Addr{v4, v6}, []netip.Addr{mapped, none}},
	} {
		if c.f.String() != c.name {
			t.Errorf("%q, want %q", c.f, c.name)
		}
		for _, a := range c.has {
			if !c.f.has(a) {
				t.Errorf("%v has not %v", c.f, a)
			}
		}
		for _, a := range c.not {
			if c.f.has(a) {
				t.Errorf("%v has %v", c.f, a)
			}
		}
	}
}

// full is a Configuration with something under every item.
func full() Configuration {
	return Configuration{
		DNSServers:         dns("192.0.2.53", ElementDHCPv4, "client", time.Time{}),
		SearchDomains:      SearchDomains{{Value: "example.com"}},
		RoutingDomains:     RoutingDomains{{Value: "example.org"}},
		Routers:            Routers{{Value: Router{Addr: ip("fe80::1")}}},
		Routes:             Routes{{Value: Route{Metric: 1}}},
		Prefixes:           Prefixes{{Value: Prefix{OnLink: true}}},
		MTU:                MTU{{Value: 1400}},
		PREF64:             PREF64{{Value: netip.MustParsePrefix("64:ff9b::/96")}},
		CaptivePortal:      CaptivePortal{{Value: "https://portal.example"}},
		EncryptedResolvers: EncryptedResolvers{{Value: EncryptedResolver{Name: "dns.example", ALPN: []string{"dot"}}}},
		NTPServers:         NTPServers{{Value: "ntp.example"}},
		PvDOption:          PvDOption{{Value: Option{FQDN: "example.com"}}},
		AdditionalInfo:     AdditionalInfo{{Value: Information{Identifier: "example.com", JSON: "{}"}}},
	}
}

func TestItems(t *testing.T) {
	names := []string{"DNSServers", "SearchDomains", "RoutingDomains", "Routers", "Routes", "Prefixes", "MTU",
		"PREF64", "CaptivePortal", "EncryptedResolvers", "NTPServers", "PvDOption", "AdditionalInfo"}
	c, none := full(), Configuration{}
	if len(Items()) != len(names) || c.empty() || !none.empty() {
		t.Fatalf("%d items, empty %v and %v", len(Items()), c.empty(), none.empty())
	}
	for i, item := range Items() {
		if item.String() != names[i] {
			t.Errorf("item %d is %q, want %q", item, item, names[i])
		}
		if d := c.Get(item); d == nil || d.Item() != item {
			t.Errorf("%v holds %v", item, d)
		}
		if d := none.Get(item); d != nil {
			t.Errorf("%v of nothing is %v", item, d)
		}
	}
	if c.Get(0) != nil || c.Get(200) != nil || Item(0).String() != "unknown item" || Item(200).String() != "unknown item" {
		t.Error("an unknown item is known")
	}
}

func TestElementNames(t *testing.T) {
	names := []string{"Any", "RA", "DHCPv6", "DHCPv4", "Static", "LinkLocal", "AdditionalInfo", "Host", "Program"}
	for i, name := range names {
		if got := ElementType(i).String(); got != name {
			t.Errorf("element %d is %q, want %q", i, got, name)
		}
	}
	if got := ElementType(len(names)).String() + "," + ElementType(255).String(); got != "unknown element,unknown element" {
		t.Error(got)
	}
}

// TestSettle holds each item against an older one: the same is the same, and a
// change under any item is seen.
func TestSettle(t *testing.T) {
	g := &gathering{now: start}
	a, b := full(), full()
	if !a.same(&b) || !a.settle(&b, g) {
		t.Error("two equal configurations differ")
	}
	for _, c := range []struct {
		item Item
		edit func(*Configuration)
	}{
		{ItemDNSServers, func(c *Configuration) { c.DNSServers = dns("192.0.2.54", ElementDHCPv4, "client", time.Time{}) }},
		{ItemSearchDomains, func(c *Configuration) { c.SearchDomains[0].Source = "another" }},
		{ItemRoutingDomains, func(c *Configuration) { c.RoutingDomains[0].Element = ElementRA }},
		{ItemRouters, func(c *Configuration) { c.Routers[0].Value.Preference = 1 }},
		{ItemRoutes, func(c *Configuration) { c.Routes[0].Value.Table = 7 }},
		{ItemPrefixes, func(c *Configuration) { c.Prefixes[0].Value.Preferred = start }},
		{ItemMTU, func(c *Configuration) { c.MTU = nil }},
		{ItemPREF64, func(c *Configuration) { c.PREF64 = append(c.PREF64, c.PREF64[0]) }},
		{ItemCaptivePortal, func(c *Configuration) { c.CaptivePortal[0].Expiry = start }},
		{ItemEncryptedResolvers, func(c *Configuration) { c.EncryptedResolvers[0].Value.ALPN = []string{"doq"} }},
		{ItemNTPServers, func(c *Configuration) { c.NTPServers[0].Value = "" }},
		{ItemPvDOption, func(c *Configuration) { c.PvDOption[0].Value.Sequence++ }},
		{ItemAdditionalInfo, func(c *Configuration) { c.AdditionalInfo[0].Value.JSON = "{ }" }},
	} {
		now, old := full(), full()
		c.edit(&now)
		if now.same(&old) || now.settle(&old, g) {
			t.Errorf("a change of %v is not seen", c.item)
		}
	}
}
