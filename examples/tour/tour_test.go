package main

import (
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/go-mif/mif/examples/internal/exampletest"
	"github.com/go-mif/mif/miftest"
)

// stepVariable names the test that is to be run in namespaces, in a process that is
// started for it. The tests themselves run outside, as a newcomer runs the tour.
const stepVariable = "TOUR_STEP"

func TestMain(m *testing.M) {
	exampletest.BeExample(main)
	if os.Getenv(stepVariable) != "" {
		miftest.Main(m)
	}
	os.Exit(m.Run())
}

// inside runs the calling test again, in namespaces, and returns true there.
func inside(t *testing.T) bool {
	t.Helper()
	if os.Getenv(stepVariable) == t.Name() {
		return true
	}
	c := exec.Command("/proc/self/exe", "-test.run=^"+t.Name()+"$", "-test.v")
	c.Env = append(os.Environ(), stepVariable+"="+t.Name())
	out, err := c.CombinedOutput()
	switch {
	case strings.Contains(string(out), "--- SKIP"):
		t.Skipf("%s", out)
	case err != nil || !strings.Contains(string(out), "--- PASS"):
		t.Errorf("%v\n%s", err, out)
	}
	return false
}

func tour(t *testing.T, c *exec.Cmd) exampletest.Result {
	t.Helper()
	r := exampletest.Run(t, c, &c.Stdout, &c.Stderr)
	if strings.Contains(r.Err, "cannot make namespaces") {
		t.Skip(r.Err)
	}
	return r
}

func TestManners(t *testing.T) {
	t.Parallel()
	exampletest.Manners(t, "tour", map[string][]string{
		"not defined: -x":       {"-x"},
		"one argument too many": {"www.example.com:80"},
		"is no time":            {"-for", "0s"},
		"go with -host":         {"-netns", "/run/netns/x"},
		"is not NAME:PORT: ":    {"-host", "www.example.com"},
		"such as www.example":   {"-host", "www.example.com:0"},
		"a:http is not NAME":    {"-host", "a:http"},
		":80 is not NAME":       {"-host", ":80"},
	})
}

// script is what the default tour prints, with what differs from run to run taken out.
var script = []string{
	`Announce Interfaces`,
	`Interface \d+, eth0 \(veth, up\)`,
	`Interface \d+, wlan0 \(veth, up\)`,
	`PD 1 on Interface \d+: eth0/ipv4`,
	`PD 2 on Interface \d+: eth0/ipv6`,
	`PD 3 on Interface \d+: wlan0/ipv6`,
	`DNS Server List of PD 1, DHCPv4: 192\.168\.1\.1 `,
	`DNS Server List of PD 2, RA: 2001:db8:1::53 `,
	`DNS Server List of PD 3, RA: 2001:db8:2::53 `,
	`DNS query 192\.168\.1\.1, host\.example\.com A,AAAA @ eth0 \(PD 1\)`,
	`DNS query 2001:db8:1::53, host\.example\.com A,AAAA @ eth0 \(PD 2\)`,
	`DNS query 2001:db8:2::53, host\.example\.com A,AAAA @ wlan0 \(PD 3\)`,
	`DNS response 192\.168\.1\.1: host\.example\.com IN A 203\.0\.113\.17 \(PD 1\)`,
	`DNS response 192\.168\.1\.1: host\.example\.com IN A 192\.168\.1\.80 \(PD 1\)`,
	`DNS response 2001:db8:1::53: host\.example\.com IN A 203\.0\.113\.17 \(PD 2\)`,
	`DNS response 2001:db8:1::53: host\.example\.com IN AAAA 2001:db8:ffff::1 \(PD 2\)`,
	`DNS response 2001:db8:2::53: host\.example\.com IN AAAA 2001:db8:ffff::1 \(PD 3\)`,
	`SYN: 203\.0\.113\.17 @ eth0 \(PD 1\) from 192\.168\.1\.100`,
	`SYN: 192\.168\.1\.80 @ eth0 \(PD 1\) from 192\.168\.1\.100`,
	`SYN: 2001:db8:ffff::1 @ eth0 \(PD 2\) from 2001:db8:1::\S+`,
	`SYN: 2001:db8:ffff::1 @ wlan0 \(PD 3\) from 2001:db8:2::\S+`,
	`SYN\+ACK: 192\.168\.1\.80 @ eth0 \(PD 1\) to 192\.168\.1\.100, after`,
	`SYN\+ACK: 2001:db8:ffff::1 @ eth0 \(PD 2\) to 2001:db8:1::\S+, after`,
	`SYN\+ACK: 2001:db8:ffff::1 @ wlan0 \(PD 3\) to 2001:db8:2::\S+, after`,
	`Readable: 192\.168\.1\.80 @ eth0 \(PD 1\)`,
	`Stop Connecting: 203\.0\.113\.17 @ eth0 \(PD 1\)`,
	`Not Connected: 203\.0\.113\.17 @ eth0 \(PD 1\) did not answer`,
	`came in as eth0/ipv4\n +answered`,
	`came in as eth0/ipv6\n +answered`,
	`came in as wlan0/ipv6\n +answered`,
}

// checkFigure checks that it is all there, each line once and after what leads to it.
func checkFigure(t *testing.T, r exampletest.Result) {
	t.Helper()
	if r.Status != 0 || r.Err != "" {
		t.Errorf("status %d, %s", r.Status, r.Err)
	}
	for _, want := range script {
		if n := len(regexp.MustCompile(want).FindAllString(r.Out, -1)); n != 1 {
			t.Errorf("%s is there %d times", want, n)
		}
	}
	checkBest(t, r.Out)
	for _, order := range [][2]string{{"Announce Interfaces", "Interface 2"}, {"DNS query", "DNS response"}, {"DNS response", "SYN"}, {"SYN+ACK", "Stop Connecting"}, {"Stop Connecting", "peer says"}} {
		if strings.Index(r.Out, order[0]) > strings.Index(r.Out, order[1]) {
			t.Errorf("%s comes after %s", order[0], order[1])
		}
	}
	for l := range strings.Lines(r.Out) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(l, "\n")); n > 100 {
			t.Errorf("%d columns: %s", n, l)
		}
	}
	if t.Failed() {
		t.Log(r.Out)
	}
}

// checkBest checks that the best connection is the one that was answered soonest, and
// that it is the one used. On an idle machine that is PD 1, as in the draft.
func checkBest(t *testing.T, out string) {
	t.Helper()
	best, soonest, used := "", math.Inf(1), ""
	for _, m := range regexp.MustCompile(`came in as (\S+)\n +answered +(\S+) ms after the SYN( <== the best, used)?`).FindAllStringSubmatch(out, -1) {
		after, err := strconv.ParseFloat(m[2], 64)
		if err != nil {
			t.Error(err)
		}
		if soonest = min(soonest, after); m[3] != "" {
			best, used = m[1], m[2]
		}
	}
	number := map[string]string{"eth0/ipv4": "PD 1", "eth0/ipv6": "PD 2", "wlan0/ipv6": "PD 3"}[best]
	if used != fmt.Sprintf("%.1f", soonest) || !strings.Contains(out, "(The best is "+number+": ") || !strings.Contains(out, fmt.Sprintf("its peer says %q", best)) {
		t.Errorf("the best is %s, %q, after %s ms; the soonest was answered after %.1f", number, best, used, soonest)
	}
}

func TestFigure(t *testing.T) {
	t.Parallel()
	checkFigure(t, tour(t, exampletest.Outside()))
}

// The messages behind the figure: what was asked for is answered, and only of what was
// announced.
func TestMessages(t *testing.T) {
	t.Parallel()
	r := tour(t, exampletest.Outside("-json"))
	if r.Status != 0 {
		t.Fatalf("status %d, %s", r.Status, r.Err)
	}
	tree := exampletest.NewTree()
	count := map[string]int{}
	for _, m := range exampletest.ParseAll(t, r.Out) {
		if err := tree.Play(m); err != nil {
			t.Error(err)
		}
		if m.PvD != "" && !tree.Has(m.PvD, "") {
			t.Errorf("%s of %s, which is not there", m.Message, m.PvD)
		}
		count[m.Message]++
	}
	for message, want := range map[string]int{
		"AnnounceInterfaces": 1, "AnnounceProvisioningDomains": 2, "ProvisioningDomainAnnouncement": 3,
		"TranslateName": 3, "TranslationDone": 3, "NameTranslation": 5,
		"ConnectToAddress": 5, "Connected": 3, "NotConnected": 2, "StopConnecting": 1,
		"WatchReadable": 3, "Readable": 3, "Reply": 1,
	} {
		if count[message] != want {
			t.Errorf("%d of %s, want %d", count[message], message, want)
		}
	}
}

// A tour with no time comes to nothing and says so.
func TestNoTime(t *testing.T) {
	t.Parallel()
	r := tour(t, exampletest.Outside("-for", "1ns"))
	if r.Status != 1 || !strings.Contains(r.Err, "no connection was made in the time there was") {
		t.Errorf("status %d, %s\n%s", r.Status, r.Err, r.Out)
	}
}

// On uplinks that are there already, a router is heard when it next speaks: until then
// its domain has no DNS server, which is told and is no failure.
func TestUplinks(t *testing.T) {
	t.Parallel()
	if !inside(t) {
		return
	}
	n := miftest.New(t)
	f, err := n.Figure2()
	if err != nil {
		t.Fatal(err)
	}
	r := exampletest.RunIn(t, n.Host(), "-host", "host.example.com:80", "-send", `x\r\n`)
	for _, want := range []string{
		"SYN+ACK: 192.168.1.80 @ eth0 (PD 1)",
		"(PD 2, eth0/ipv6: no DNS server is known, so the name is not translated in it)",
		"not translated: no DNS server is known",
		"The best is PD 1",
	} {
		if !strings.Contains(r.Out, want) {
			t.Errorf("%q is not there", want)
		}
	}
	if r.Status != 0 || len(f.Eth0IPv4.Peers()) != 1 {
		t.Errorf("status %d, %v\n%s%s", r.Status, f.Eth0IPv4.Peers(), r.Out, r.Err)
	}
	r = exampletest.RunIn(t, n.Host(), "-host", "nobody.example.com:80")
	if r.Status != 1 || !strings.Contains(r.Out, "Translation done (PD 1): 192.168.1.1:53: no such name") {
		t.Errorf("status %d\n%s%s", r.Status, r.Out, r.Err)
	}
}

// A host with one plain uplink has a tour, too.
func TestPlainUplink(t *testing.T) {
	t.Parallel()
	if !inside(t) {
		return
	}
	n, _ := exampletest.Plain(t)
	r := exampletest.RunIn(t, n.Host(), "-host", exampletest.Name+":80")
	if r.Status != 0 || !strings.Contains(r.Out, "reached   203.0.113.80 by eth0 from 10.0.0.2") || !strings.Contains(r.Out, `its peer says "HTTP/1.0 200 OK"`) {
		t.Errorf("status %d\n%s%s", r.Status, r.Out, r.Err)
	}
}

// Where no namespace can be made, the tour says what is in the way. The limit is set
// in a user namespace of its own.
func TestForbidden(t *testing.T) {
	t.Parallel()
	if !inside(t) {
		return
	}
	miftest.New(t) // or skip
	for _, file := range []string{"max_user_namespaces", "max_net_namespaces"} {
		if err := os.WriteFile(filepath.Join("/proc/sys/user", file), []byte("0"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	c := exampletest.Outside()
	r := exampletest.Run(t, c, &c.Stdout, &c.Stderr)
	if r.Status != 1 || r.Out != "" || !strings.Contains(r.Err, "sysctl -w user.max_user_namespaces") {
		t.Errorf("status %d, %s%s", r.Status, r.Out, r.Err)
	}
}
