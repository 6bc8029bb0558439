package mif

import (
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-mif/mif/miftest"
	"github.com/go-mif/mif/pvd"
)

// The information of a domain is fetched inside it, by its own name server, source and next
// hop (RFC 8801 section 4.1), becomes an element of it, and is told with its provenance.
func TestAdditionalInfo(t *testing.T) {
	l := newInformedLab(t)
	other := l.Router(t, miftest.RouterConfig{Interface: "eth1", RA: uplink("eth1", 2).RA})
	capture, err := other.Capture()
	l.must(err)
	var one *site
	one = newSite(l, "eth0", 1, "one.example", gives(func() string {
		return one.object(time.Hour, `,"dnsZones":["inside.example"],"noInternet":true,"vendor-x":{"y":1}`)
	}))
	s := l.subscriber(AnnounceProvisioningDomains{})
	s.until("domain eth1/ipv6")
	l.must(one.router.SetRA(one.ra))
	s.until("domain eth0/one.example")
	p := l.pvd("eth0/one.example")
	s.post(AnnounceConfigurationElements{p})
	s.until("element eth0/one.example AdditionalInfo")
	s.post(GetConfigurationData{p, pvd.ElementAdditionalInfo, pvd.ItemAdditionalInfo}, GetConfigurationData{p, pvd.ElementAny, pvd.ItemRoutingDomains},
		GetConfigurationData{p, pvd.ElementAny, pvd.ItemSearchDomains})
	var got []ConfigurationData
	for _, e := range s.until("data eth0/one.example AdditionalInfo AdditionalInfo", "data eth0/one.example Any RoutingDomains", "no data eth0/one.example Any SearchDomains") {
		if c, is := e.(ConfigurationData); is {
			got = append(got, c)
		}
	}
	info, zones := got[0].Data.(pvd.AdditionalInfo)[0], got[1].Data.(pvd.RoutingDomains)[0]
	if v := info.Value; v.Identifier != "one.example" || !v.NoInternet || !strings.Contains(v.JSON, `"vendor-x":{"y":1}`) || info.Source != "https://one.example/.well-known/pvd" || info.Expiry != v.Expires {
		t.Errorf("%+v", info)
	}
	if zones.Value != "inside.example" || zones.Source != info.Source || zones.Element != pvd.ElementAdditionalInfo || zones.Expiry != info.Expiry {
		t.Errorf("%+v", zones)
	}
	r := one.asked()
	if len(r) != 1 || r[0].URL.String() != "/.well-known/pvd" || r[0].Host != "one.example" || len(r[0].Header) != 2 || r[0].Header.Get("Accept") != "application/pvd+json" {
		t.Errorf("%+v", r)
	}
	one.checkInside(capture)
	if err := l.failure(); err != nil {
		t.Error(err)
	}
	l.must(l.Host().AddAddress("eth0", netip.MustParsePrefix("2001:db8:1::77/64"))) // of which only the kernel tells
	s.post(AnnounceAddresses{p})
	for _, e := range s.until("address eth0/one.example 2001:db8:1::77/64") {
		if line(e) == "no element eth0/one.example AdditionalInfo" {
			t.Error("it is forgotten")
		}
	}
	if len(l.informed("eth0/one.example")) != 1 {
		t.Error("it is forgotten")
	}
	s.settled()
}

// A domain without a name server is not ready to be asked about (RFC 8801 section 7).
func TestAdditionalInfoNeedsNameServer(t *testing.T) {
	id := pvd.NewInterfaceID(2, "eth0")
	build := func(edit func(*pvd.Configuration)) bool {
		f := &pvd.Facts{Interface: pvd.Interface{ID: id, Name: "eth0", Index: 2, Up: true, Carrier: true}}
		f.Addresses = []pvd.AddressFact{{Address: pvd.Address{Prefix: netip.MustParsePrefix("2001:db8:1::5/64")}, Protocol: 2}}
		f.RAs = []pvd.RA{{Router: netip.MustParseAddr("fe80::1"), FQDN: "one.example"}}
		c := &f.RAs[0].Configuration
		c.Prefixes = pvd.Prefixes{{Value: pvd.Prefix{Prefix: netip.MustParsePrefix("2001:db8:1::/64")}, Element: pvd.ElementRA}}
		c.PvDOption = pvd.PvDOption{{Value: pvd.Option{FQDN: "one.example", HTTP: true}, Element: pvd.ElementRA}}
		edit(c)
		all := networks(pvd.Build(&pvd.Snapshot{}, []*pvd.Facts{f}, nil, pvd.Options{}, time.Now()), time.Now())
		if len(all) != 1 || len(all[0].Domains) != 1 || len(all[0].Domains[0].Prefixes) != 1 {
			t.Fatalf("%+v", all)
		}
		return all[0].Domains[0].Ready
	}
	if build(func(*pvd.Configuration) {}) {
		t.Error("ready without any")
	}
	if !build(func(c *pvd.Configuration) {
		c.DNSServers = pvd.DNSServers{{Value: netip.MustParseAddrPort("[2001:db8:1::53]:53"), Element: pvd.ElementRA}}
	}) {
		t.Error("not ready with one")
	}
	if !build(func(c *pvd.Configuration) {
		c.EncryptedResolvers = pvd.EncryptedResolvers{{Value: pvd.EncryptedResolver{Name: "dns.example"}, Element: pvd.ElementRA}}
	}) {
		t.Error("not ready with an encrypted one")
	}
}

// Two networks with a domain of one name: each has its own information from its own server.
func TestAdditionalInfoOfOneName(t *testing.T) {
	l := newInformedLab(t)
	var sites [2]*site
	var captures [2]*miftest.Capture
	for i, ifname := range []string{"eth0", "eth1"} {
		var s *site
		s = newSite(l, ifname, byte(i+1), "same.example", gives(func() string { return s.object(time.Hour, fmt.Sprintf(`,"dnsZones":["%s.example"]`, ifname)) }))
		c, err := s.router.Capture()
		l.must(err)
		sites[i], captures[i] = s, c
	}
	s := l.subscriber(AnnounceProvisioningDomains{})
	for i, site := range sites {
		l.must(site.router.SetRA(site.ra))
		s.until("domain " + []string{"eth0", "eth1"}[i] + "/same.example")
	}
	for i, ifname := range []string{"eth0", "eth1"} {
		s.when(ifname+" is informed", func() bool { return len(l.informed(ifname+"/same.example")) == 1 })
		if v := l.informed(ifname + "/same.example")[0].Value; !slices.Equal(v.DNSZones, []string{ifname + ".example"}) || len(sites[i].asked()) != 1 {
			t.Errorf("%s: %+v", ifname, v)
		}
	}
	for i := range sites {
		sites[i].checkInside(captures[1-i])
	}
	s.settled()
}

// What a server says wrongly is not used, and told by Sources (RFC 8801 sections 4.1, 4.3).
func TestAdditionalInfoRefused(t *testing.T) {
	for name, c := range map[string]struct {
		says      func(*site) string
		status    int
		certified []string
		problem   string
	}{
		"another certificate":    {nil, 200, []string{"other.example"}, "certificate"},
		"a wildcard certificate": {nil, 200, []string{"*.example"}, "certificate"},
		"not found":              {nil, 404, nil, "404"},
		"no JSON":                {func(*site) string { return "{," }, 200, nil, "JSON"},
		"a name twice":           {func(s *site) string { return s.object(time.Hour, `,"identifier":"one.example"`) }, 200, nil, "twice"},
		"keys are missing":       {func(*site) string { return `{"identifier":"one.example"}` }, 200, nil, "expires"},
		"another identifier":     {func(s *site) string { return strings.Replace(s.object(time.Hour, ""), "one", "two", 1) }, 200, nil, "two.example"},
		"other prefixes":         {func(s *site) string { return strings.Replace(s.object(time.Hour, ""), "db8", "db9", 1) }, 200, nil, "2001:db8:1::/64"},
		"expired":                {func(s *site) string { return s.object(-time.Second, "") }, 200, nil, "expired"},
	} {
		t.Run(name, func(t *testing.T) {
			l := newInformedLab(t)
			var one *site
			one = newSite(l, "eth0", 1, "one.example", func(w http.ResponseWriter, _ *http.Request) {
				says := c.says
				if says == nil {
					says = func(s *site) string { return s.object(time.Hour, "") }
				}
				w.Header().Set("Content-Type", "application/pvd+json")
				w.WriteHeader(c.status)
				io.WriteString(w, says(one))
			}, c.certified...)
			s := l.subscriber(AnnounceProvisioningDomains{})
			l.must(one.router.SetRA(one.ra))
			s.until("domain eth0/one.example")
			s.when("it failed", func() bool { return l.failure() != nil })
			if err := l.failure().Error(); !strings.Contains(err, c.problem) || !strings.Contains(err, "eth0/one.example") || strings.Contains(err, "\n") {
				t.Error(err)
			}
			if i := l.informed("eth0/one.example"); i != nil {
				t.Errorf("%+v", i)
			}
			s.settled()
		})
	}
}

// A redirection is followed inside the domain, to a host with a certificate of its own.
func TestAdditionalInfoRedirected(t *testing.T) {
	l := newInformedLab(t)
	var one *site
	one = newSite(l, "eth0", 1, "one.example", func(w http.ResponseWriter, r *http.Request) {
		if r.Host == "one.example" {
			http.Redirect(w, r, "https://other.example/elsewhere", http.StatusFound)
			return
		}
		gives(func() string { return one.object(time.Hour, "") })(w, r)
	}, "one.example", "other.example")
	s := l.subscriber(AnnounceProvisioningDomains{})
	l.must(one.router.SetRA(one.ra))
	s.until("domain eth0/one.example")
	s.when("it is informed", func() bool { return len(l.informed("eth0/one.example")) == 1 })
	if r := one.asked(); len(r) != 2 || r[1].Host != "other.example" || r[1].URL.String() != "/elsewhere" || r[1].Header.Get("Referer") != "" {
		t.Errorf("%+v", r)
	}
}

// Without the H flag, and without being asked to, nothing is fetched (RFC 8801 section 4.1).
func TestAdditionalInfoNotFetched(t *testing.T) {
	for name, c := range map[string]struct{ flag, wanted bool }{"no H flag": {false, true}, "not wanted": {true, false}} {
		t.Run(name, func(t *testing.T) {
			a, err := miftest.NewAuthority()
			if err != nil {
				t.Fatal(err)
			}
			l := &informedLab{newLab(t, Config{FetchAdditionalInfo: c.wanted, AdditionalInfoRoots: a.Roots()}), a}
			one := newSite(l, "eth0", 1, "one.example", gives(func() string { return "" }))
			two := newSite(l, "eth1", 2, "two.example", gives(func() string { return "" }))
			one.ra.PvD.HTTP = c.flag
			s := l.subscriber(AnnounceProvisioningDomains{})
			l.must(one.router.SetRA(one.ra))
			s.until("domain eth0/one.example")
			if c.wanted {
				l.must(two.router.SetRA(two.ra)) // that of another is, meanwhile
				s.when("the other failed", func() bool { return l.failure() != nil })
			} else if l.host.information.kick != nil || slices.ContainsFunc(l.host.Sources(), func(s Source) bool { return s.Name == "additional information" }) {
				t.Error("somebody fetches")
			}
			s.settled()
			if n, q := len(one.asked()), len(one.dns.Queries()); n+q > 0 {
				t.Errorf("%d requests, %d questions", n, q)
			}
		})
	}
}

// It ends when it expires, and with a prefix that it does not cover, and what is fetched in
// place of it is at the earliest 10 s later (RFC 8801 sections 4.1, 4.4).
func TestAdditionalInfoEnds(t *testing.T) {
	l := newInformedLab(t)
	var one, two *site
	one = newSite(l, "eth0", 1, "one.example", gives(func() string { return one.object(2*time.Second, "") }))
	two = newSite(l, "eth1", 2, "two.example", gives(func() string { return two.object(time.Hour, "") }))
	s := l.subscriber(AnnounceProvisioningDomains{})
	l.must(one.router.SetRA(one.ra))
	l.must(two.router.SetRA(two.ra))
	s.until("domain eth0/one.example", "domain eth1/two.example")
	s.post(AnnounceConfigurationElements{l.pvd("eth0/one.example")}, AnnounceConfigurationElements{l.pvd("eth1/two.example")})
	s.until("element eth0/one.example AdditionalInfo", "element eth1/two.example AdditionalInfo")
	wider := domainRA("two.example", 2)
	wider.RDNSS = two.ra.RDNSS
	wider.Prefixes = append(wider.Prefixes, domainRA("", 3).Prefixes...)
	l.must(two.router.SetRA(wider))
	s.until("no element eth1/two.example AdditionalInfo")
	s.until("no element eth0/one.example AdditionalInfo")
	if len(one.asked()) != 1 || len(two.asked()) != 1 {
		t.Errorf("%d and %d requests", len(one.asked()), len(two.asked()))
	}
	s.settled()
}

// A new sequence number ends it at once, and has it fetched anew (RFC 8801 section 4.1).
func TestAdditionalInfoSequenceNumber(t *testing.T) {
	if testing.Short() {
		t.Skip("takes the 10 s that must be between two requests")
	}
	t.Parallel() // it waits most of the time
	l := newInformedLab(t)
	var one *site
	one = newSite(l, "eth0", 1, "one.example", gives(func() string {
		return one.object(time.Hour, fmt.Sprintf(`,"dnsZones":["n%d.example"]`, len(one.asked())))
	}))
	s := l.subscriber(AnnounceProvisioningDomains{})
	l.must(one.router.SetRA(one.ra))
	s.until("domain eth0/one.example")
	s.post(AnnounceConfigurationElements{l.pvd("eth0/one.example")})
	s.until("element eth0/one.example AdditionalInfo")
	begin := time.Now()
	bumped := domainRA("one.example", 1)
	bumped.RDNSS, bumped.PvD.Sequence = one.ra.RDNSS, one.ra.PvD.Sequence+1
	l.must(one.router.SetRA(bumped))
	s.until("no element eth0/one.example AdditionalInfo")
	s.until("element eth0/one.example AdditionalInfo")
	if took := time.Since(begin); took < 9*time.Second {
		t.Errorf("fetched again after %v", took)
	}
	if v := l.informed("eth0/one.example")[0].Value; !slices.Equal(v.DNSZones, []string{"n2.example"}) || len(one.asked()) != 2 {
		t.Errorf("%+v after %d requests", v, len(one.asked()))
	}
	s.settled()
}

// A domain that goes while its information is fetched leaves nothing: the request ends, and
// the one that comes back in its place has none of it. So does a Host that is closed.
func TestAdditionalInfoGoneMeanwhile(t *testing.T) {
	l := newInformedLab(t)
	ended := make(chan bool, 9)
	begun := make(chan bool, 9)
	hang := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/pvd+json")
		io.WriteString(w, `{"identifier":`)
		w.(http.Flusher).Flush()
		begun <- true
		<-r.Context().Done()
		ended <- true
	}
	one := newSite(l, "eth0", 1, "one.example", hang)
	two := newSite(l, "eth1", 2, "two.example", hang)
	s := l.subscriber(AnnounceProvisioningDomains{})
	l.must(one.router.SetRA(one.ra))
	s.until("domain eth0/one.example")
	<-begun
	plain := domainRA("", 1)
	plain.PvD, plain.RDNSS = nil, one.ra.RDNSS
	l.must(one.router.SetRA(plain)) // its prefix is another domain's
	s.until("no domain eth0/one.example")
	select {
	case <-ended:
	case <-time.After(20 * time.Second): // a safety net, before the fetch ends by itself
		t.Error("the request goes on")
	}
	l.must(one.router.SetRA(one.ra))
	s.until("domain eth0/one.example")
	s.settled()
	if i := l.informed("eth0/one.example"); i != nil || l.failure() != nil || len(one.asked()) != 1 {
		t.Errorf("%+v, %v, %d requests", i, l.failure(), len(one.asked()))
	}
	l.must(two.router.SetRA(two.ra))
	<-begun
	l.must(l.host.Close())
	<-ended
}

// The request comes from a temporary address, if the domain has one (RFC 8801 sections 4.1
// and 7).
func TestAdditionalInfoTemporaryAddress(t *testing.T) {
	l := newInformedLab(t)
	l.must(l.Host().Sysctl("net.ipv6.conf.default.use_tempaddr", "2"))
	var one *site
	one = newSite(l, "eth0", 1, "one.example", gives(func() string { return one.object(time.Hour, "") }))
	s := l.subscriber(AnnounceProvisioningDomains{})
	without := *one.ra
	pvdOption := *one.ra.PvD
	pvdOption.HTTP = false
	without.PvD = &pvdOption
	l.must(one.router.SetRA(&without))
	s.until("domain eth0/one.example")
	temporary := func() (found netip.Addr) {
		for a := range l.host.Snapshot().Domain(l.pvd("eth0/one.example")).Addresses() {
			if a.Temporary {
				found = a.Prefix.Addr()
			}
		}
		return found
	}
	s.when("there is a temporary address", func() bool { return temporary().IsValid() })
	l.must(one.router.SetRA(one.ra))
	s.when("it is informed", func() bool { return len(l.informed("eth0/one.example")) == 1 })
	if from := netip.MustParseAddrPort(one.asked()[0].RemoteAddr).Addr(); from != temporary() {
		t.Errorf("asked from %v, not from %v", from, temporary())
	}
}
