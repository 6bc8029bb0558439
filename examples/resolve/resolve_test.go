package main

import (
	"io"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/go-mif/mif/examples/internal/exampletest"
	"github.com/go-mif/mif/miftest"
)

func TestMain(m *testing.M) { exampletest.Main(m, main) }

func TestManners(t *testing.T) {
	t.Parallel()
	exampletest.Manners(t, "resolve", map[string][]string{
		"not defined: -x":       {"-x", "a.example"},
		"NAME is missing":       {"-json"},
		"one argument too many": {"a.example", "-json"},
		"exclude each other":    {"-4", "-6", "a.example"},
		"asks for no addresses": {"-service", "https", "-4", "a.example"},
		"is no port":            {"-service", "https", "a.example:0"},
		"no time":               {"-timeout", "0s", "a.example"},
	})
}

// heard runs the example while the routers say again and again what cannot be listed.
func heard(t *testing.T, n *miftest.Net, f *miftest.Figure2, args ...string) (r exampletest.Result) {
	t.Helper()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		r = exampletest.RunIn(t, n.Host(), append([]string{"-wait", "20s"}, args...)...)
	}()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		select {
		case <-ended:
			return r
		case <-again.C:
			for _, router := range []*miftest.Router{f.Eth0, f.Wlan0} {
				if err := router.Advertise(); err != nil {
					t.Error(err)
				}
			}
		}
	}
}

// Every domain answers by its own server, and has its own answer.
func TestEveryDomain(t *testing.T) {
	t.Parallel()
	n, f := exampletest.Figure(t)
	r := heard(t, n, f, "-json", f.Name)
	if r.Status != 0 {
		t.Fatalf("status %d: %s", r.Status, r.Err)
	}
	got := map[string][]string{}
	done := 0
	for _, m := range exampletest.ParseAll(t, r.Out) {
		switch m.Message {
		case "NameTranslation":
			got[m.PvD] = append(got[m.PvD], m.Address+" "+m.Server)
			if m.Name != f.Name || m.Canonical != f.Name || m.Origin != "dns" || m.Expires.(float64) < 50 {
				t.Errorf("%+v", m)
			}
		case "TranslationDone":
			done++
			if m.Err != "" || m.Name != f.Name {
				t.Errorf("%+v", m)
			}
		}
	}
	for pvd, want := range map[string][]string{
		"eth0/ipv4":  {"203.0.113.17 192.168.1.1:53", "192.168.1.80 192.168.1.1:53"},
		"eth0/ipv6":  {"203.0.113.17 [2001:db8:1::53]:53", "2001:db8:ffff::1 [2001:db8:1::53]:53"},
		"wlan0/ipv6": {"2001:db8:ffff::1 [2001:db8:2::53]:53"},
	} {
		if !same(got[pvd], want) {
			t.Errorf("%s has %q, want %q", pvd, got[pvd], want)
		}
	}
	if done != 3 || len(got) != 3 {
		t.Errorf("%d domains, %d ends", len(got), done)
	}
}

// same tells whether two lists have the same in them.
func same(a, b []string) bool {
	count := map[string]int{}
	for _, s := range a {
		count[s]++
	}
	for _, s := range b {
		count[s]--
	}
	for _, c := range count {
		if c != 0 {
			return false
		}
	}
	return true
}

// The domain is chosen by String form, interface, and interface with family.
func TestChoice(t *testing.T) {
	t.Parallel()
	n, f := exampletest.Figure(t)
	for _, c := range []struct {
		args []string
		want []string // the first two words of each line
	}{
		{[]string{"-pvd", "eth0/ipv4"}, []string{"eth0/ipv4 203.0.113.17", "eth0/ipv4 192.168.1.80"}},
		{[]string{"-pvd", "wlan0"}, []string{"wlan0/ipv6 2001:db8:ffff::1"}},
		{[]string{"-pvd", "eth0", "-6"}, []string{"eth0/ipv4 192.168.1.1:53:", "eth0/ipv6 2001:db8:ffff::1"}},
		{[]string{"-pvd", "eth0/ipv6", "-4"}, []string{"eth0/ipv6 203.0.113.17"}},
	} {
		r := heard(t, n, f, append(c.args, f.Name)...)
		var got []string
		for l := range strings.Lines(r.Out) {
			got = append(got, strings.Join(strings.Fields(l)[:2], " "))
		}
		if r.Status != 0 || !same(got, c.want) {
			t.Errorf("%q: status %d, %q, want %q\n%s%s", c.args, r.Status, got, c.want, r.Out, r.Err)
		}
	}
}

// The records of a service, for people and for scripts.
func TestService(t *testing.T) {
	t.Parallel()
	n, f := exampletest.Figure(t)
	if err := f.Eth0IPv4DNS.SetZone(miftest.Zone{
		"www.example.com":              {Records: []string{"www.example.com. 60 IN HTTPS 1 . alpn=h2,h3 no-default-alpn ipv4hint=192.0.2.1 ipv6hint=2001:db8::1 ech=AEX+DQ=="}},
		"_8443._https.www.example.com": {Records: []string{"_8443._https.www.example.com. 60 IN HTTPS 2 cdn.example.net. port=444"}},
	}); err != nil {
		t.Fatal(err)
	}
	r := exampletest.RunIn(t, n.Host(), "-pvd", "eth0/ipv4", "-service", "https", "www.example.com")
	want := "eth0/ipv4  1 www.example.com alpn=h2,h3 no-default-alpn ipv4hint=192.0.2.1 ipv6hint=2001:db8::1 ech=4 octets  192.168.1.1:53, for "
	if r.Status != 0 || !strings.HasPrefix(r.Out, want) {
		t.Errorf("status %d\n%s%s\nwant\n%s", r.Status, r.Out, r.Err, want)
	}
	r = exampletest.RunIn(t, n.Host(), "-json", "-pvd", "eth0/ipv4", "-service", "https", "www.example.com:8443")
	all := exampletest.ParseAll(t, r.Out)
	if len(all) != 2 || all[1].Message != "TranslationDone" || all[1].Err != "" {
		t.Fatalf("status %d\n%s%s", r.Status, r.Out, r.Err)
	}
	m := all[0]
	if m.Message != "ServiceTranslation" || m.Name != "www.example.com" || m.PvD != "eth0/ipv4" || m.Server != "192.168.1.1:53" ||
		m.Service.Priority != 2 || m.Service.Target != "cdn.example.net" || m.Service.Port != 444 {
		t.Errorf("%s", r.Out)
	}
	if r := exampletest.RunIn(t, n.Host(), "-pvd", "eth0/ipv4", "-service", "dns", "www.example.com"); r.Status != 1 || !strings.Contains(r.Out, "no such name") {
		t.Errorf("status %d\n%s%s", r.Status, r.Out, r.Err)
	}
	if r := exampletest.RunIn(t, n.Host(), "-service", "d_s", "www.example.com"); r.Status != 1 || !strings.Contains(r.Err, "Scheme") {
		t.Errorf("status %d\n%s%s", r.Status, r.Out, r.Err)
	}
}

func TestNothingFound(t *testing.T) {
	t.Parallel()
	n, f := exampletest.Figure(t)
	slow := miftest.Name{Addresses: []netip.Addr{netip.MustParseAddr("192.0.2.1")}, Fault: miftest.Fault{Drop: true}}
	if err := f.Eth0IPv4DNS.SetZone(miftest.Zone{"slow.example.com": slow}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args       []string
		says, errs string
	}{
		{[]string{"-pvd", "eth0/ipv4", "nobody.example.com"}, "no such name", ""},
		{[]string{"-pvd", "eth0/ipv4", "-timeout", "100ms", "slow.example.com"}, "no further answer in time", ""},
		{[]string{"-pvd", "eth7", f.Name}, "", `no provisioning domain "eth7", but eth0/ipv4, eth0/ipv6, wlan0/ipv6`},
		{[]string{"-pvd", "wlan0", f.Name}, "no name server", ""}, // its router is not heard again
		{[]string{"-json", "-pvd", "eth0/ipv4", "nobody.example.com"}, `"message":"TranslationDone","id":1,"interface":2,"name":"nobody.example.com","pvd":"eth0/ipv4","err":`, ""},
	} {
		r := exampletest.RunIn(t, n.Host(), c.args...)
		if r.Status != 1 || !strings.Contains(r.Out, c.says) || !strings.Contains(r.Err, c.errs) {
			t.Errorf("%q: status %d, want 1\n%s%s", c.args, r.Status, r.Out, r.Err)
		}
	}
}

// What cannot be written to is told.
func TestBrokenPipe(t *testing.T) {
	t.Parallel()
	n, f := exampletest.Figure(t)
	c := exampletest.In(n.Host(), "-pvd", "eth0/ipv4", f.Name)
	reader, writer := io.Pipe()
	reader.Close()
	c.Stdout = writer
	if err := c.Run(); err == nil {
		t.Error("nobody read it, and it ended well")
	}
}

// On a host with one plain uplink, the name is found in the domain that knows it.
func TestPlainUplink(t *testing.T) {
	t.Parallel()
	n, u := exampletest.Plain(t)
	r := exampletest.RunIn(t, n.Host(), exampletest.Name)
	if r.Status != 0 || !strings.Contains(r.Out, u.PvD+"  "+exampletest.Target.String()) {
		t.Errorf("status %d, %s%s", r.Status, r.Out, r.Err)
	}
}

// Interrupted while a server does not answer, it ends.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	n, f := exampletest.Figure(t)
	if err := f.Eth0IPv4DNS.SetZone(miftest.Zone{f.Name: {Fault: miftest.Fault{Drop: true}}}); err != nil {
		t.Fatal(err)
	}
	capture, err := f.Eth0.Capture()
	if err != nil {
		t.Fatal(err)
	}
	c := exampletest.In(n.Host(), "-timeout", "1h", "-pvd", "eth0/ipv4", f.Name)
	exampletest.Interrupted(t, c, func() bool {
		_, err := capture.Wait(time.Minute, func(p miftest.Packet) bool { return p.Destination == f.Eth0IPv4DNS.Addr() })
		return err == nil
	})
}
