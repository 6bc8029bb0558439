package main

import (
	"bufio"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-mif/mif/examples/internal/exampletest"
	"github.com/go-mif/mif/miftest"
)

func TestMain(m *testing.M) { exampletest.Main(m, main) }

func TestManners(t *testing.T) {
	t.Parallel()
	exampletest.Manners(t, "watch", map[string][]string{
		"not defined: -x":       {"-x"},
		"one argument too many": {"eth0"},
		"is no time":            {"-for", "-1s"},
	})
}

// A running is a watch -json under way.
type running struct {
	t     *testing.T
	cmd   *miftest.Cmd
	lines chan string
	tree  *exampletest.Tree
	seen  []exampletest.Message
}

func start(t *testing.T, h *miftest.Host, args ...string) *running {
	w := &running{t: t, cmd: exampletest.In(h, append([]string{"-json"}, args...)...), lines: make(chan string, 1000), tree: exampletest.NewTree()}
	w.cmd.Stderr = os.Stderr
	out, err := w.cmd.StdoutPipe()
	must(t, err)
	must(t, w.cmd.Start())
	t.Cleanup(func() { w.cmd.Process.Kill() })
	go func() {
		defer close(w.lines)
		for s := bufio.NewScanner(out); s.Scan(); {
			w.lines <- s.Text()
		}
	}()
	return w
}

// await reads until a message matches; the tree is then as of that message.
func (w *running) await(what string, match func(exampletest.Message) bool) exampletest.Message {
	w.t.Helper()
	timeout := time.After(20 * time.Second)
	for {
		select {
		case l, ok := <-w.lines:
			if !ok {
				w.t.Fatalf("watch ended while waiting for %s", what)
			}
			if m := w.read(l); match(m) {
				return m
			}
		case <-timeout:
			w.t.Fatalf("no %s", what)
		}
	}
}

func (w *running) read(l string) exampletest.Message {
	w.t.Helper()
	m, err := exampletest.Parse(l)
	must(w.t, err)
	if m.Seq != len(w.seen)+1 {
		w.t.Fatalf("seq %d after %d", m.Seq, len(w.seen))
	}
	w.seen = append(w.seen, m)
	must(w.t, w.tree.Play(m))
	return m
}

// end interrupts watch, and wants it to end well.
func (w *running) end() {
	w.t.Helper()
	must(w.t, w.cmd.Process.Signal(syscall.SIGINT))
	for l := range w.lines {
		w.read(l)
	}
	must(w.t, w.cmd.Wait())
}

func message(name, pvd string) func(exampletest.Message) bool {
	return func(m exampletest.Message) bool { return m.Message == name && m.PvD == pvd }
}

func address(name, pvd string, a netip.Prefix) func(exampletest.Message) bool {
	return func(m exampletest.Message) bool { return message(name, pvd)(m) && m.Address == a.String() }
}

// From nothing to the figure, to a new prefix, a pulled cable and an interface that is
// gone: the truth is told, parents before children and after them.
func TestLife(t *testing.T) {
	t.Parallel()
	n := miftest.New(t)
	w := start(t, n.Host())
	w.await("synced", func(m exampletest.Message) bool { return m.Message == "Synced" && m.Request == "AnnounceInterfaces" })
	f, err := n.Figure2()
	must(t, err)
	want := map[string]string{"eth0/ipv4": "192.168.1.1:53", "eth0/ipv6": "[2001:db8:1::53]:53", "wlan0/ipv6": "[2001:db8:2::53]:53"}
	for len(want) > 0 {
		m := w.await(fmt.Sprint(want), func(m exampletest.Message) bool { return m.Item == "DNSServers" && m.Message == "ConfigurationData" })
		if m.Data[0].Value == want[m.PvD] {
			delete(want, m.PvD)
		}
	}
	renumber(t, w, n, f)
	pull(t, w, n, f)
	remove(t, w, n)
	w.end()
}

func renumber(t *testing.T, w *running, n *miftest.Net, f *miftest.Figure2) {
	old, err := n.Host().SLAAC("wlan0", netip.MustParsePrefix("2001:db8:2::/64"))
	must(t, err)
	ra := miftest.NewRA(netip.MustParsePrefix("2001:db8:9::/64"))
	gone := miftest.NewRA(netip.MustParsePrefix("2001:db8:2::/64")).Prefixes[0]
	gone.Preferred = 0
	ra.Prefixes = append(ra.Prefixes, gone)
	ra.RDNSS = []netip.Addr{netip.MustParseAddr("2001:db8:9::53")}
	must(t, f.Wlan0.SetRA(ra))
	young, err := n.Host().SLAAC("wlan0", netip.MustParsePrefix("2001:db8:9::/64"))
	must(t, err)
	// The two come in either order.
	deprecated, announced, server := false, false, false
	w.await("renumbering", func(m exampletest.Message) bool {
		deprecated = deprecated || address("AddressAnnouncement", "wlan0/ipv6", netip.PrefixFrom(old, 64))(m) &&
			strings.Contains(strings.Join(m.Flags, " "), "deprecated") && m.Preferred == 0.0
		announced = announced || address("AddressAnnouncement", "wlan0/ipv6", netip.PrefixFrom(young, 64))(m)
		server = server || m.Item == "DNSServers" && m.PvD == "wlan0/ipv6" && len(m.Data) > 0 &&
			strings.Contains(fmt.Sprint(m.Data), "[2001:db8:9::53]:53")
		return deprecated && announced && server
	})
}

func pull(t *testing.T, w *running, n *miftest.Net, f *miftest.Figure2) {
	must(t, f.Eth0.CablePull())
	four, six, carrier := false, false, true
	w.await("loss of eth0", func(m exampletest.Message) bool {
		four = four || message("NoProvisioningDomainAnnouncement", "eth0/ipv4")(m)
		six = six || message("NoProvisioningDomainAnnouncement", "eth0/ipv6")(m)
		if m.Message == "InterfaceAnnouncement" && m.Name == "eth0" {
			carrier = *m.Carrier
		}
		return four && six && !carrier
	})
	if w.tree.Has("eth0/ipv4", "") || !w.tree.Has("wlan0/ipv6", "element RA") {
		t.Error("of the cable's domains and the other one the wrong one is there")
	}
}

func remove(t *testing.T, w *running, n *miftest.Net) {
	index, err := n.Host().Index("wlan0")
	must(t, err)
	must(t, n.Host().RemoveLink("wlan0"))
	m := w.await("loss of wlan0", func(m exampletest.Message) bool { return m.Message == "NoInterfaceAnnouncement" })
	if m.Interface != index || m.Name != "wlan0" {
		t.Errorf("interface %d, %q is gone, want %d, wlan0", m.Interface, m.Name, index)
	}
}

// A thousand interfaces that come while watch looks are all told of.
func TestMany(t *testing.T) {
	t.Parallel()
	n := miftest.New(t)
	w := start(t, n.Host())
	names, err := n.Host().AddLinks("many", 1000)
	must(t, err)
	told := map[string]bool{}
	w.await("the last interface", func(m exampletest.Message) bool {
		if m.Message == "InterfaceAnnouncement" && *m.Carrier {
			told[m.Name] = true
		}
		return len(told) == len(names)+1 // lo
	})
	for _, name := range names {
		if !told[name] {
			t.Errorf("not told of %s", name)
		}
	}
	w.end()
}

// What is there already is listed, in full; -for ends it; -netns looks elsewhere.
func TestListing(t *testing.T) {
	t.Parallel()
	n := miftest.New(t)
	_, err := n.Figure2()
	must(t, err)
	ns, err := os.Open(n.Host().NetNS())
	must(t, err)
	defer ns.Close()
	c := exampletest.Command("-json", "-for", "1s", "-netns", "/proc/self/fd/3", "-root", n.Host().Root())
	c.ExtraFiles = []*os.File{ns}
	r := exampletest.Run(t, c, &c.Stdout, &c.Stderr)
	if r.Status != 0 {
		t.Fatalf("status %d: %s", r.Status, r.Err)
	}
	tree := exampletest.NewTree()
	all := exampletest.ParseAll(t, r.Out)
	for _, m := range all {
		must(t, tree.Play(m))
	}
	for pvd, child := range map[string]string{"eth0/ipv4": "192.168.1.100/24", "eth0/ipv6": "element RA", "wlan0/ipv6": "element RA"} {
		if !tree.Has(pvd, child) {
			t.Errorf("%s has no %s", pvd, child)
		}
	}
	checkFields(t, all)
	if m := exampletest.Find(all, func(m exampletest.Message) bool { return m.Message == "NoConfigurationData" }); len(m) > 0 {
		t.Errorf("told of what there is not: %+v", m[0])
	}
}

// checkFields checks that the fields of the contract are where they apply.
func checkFields(t *testing.T, all []exampletest.Message) {
	t.Helper()
	for what, match := range map[string]func(exampletest.Message) bool{
		"interface": func(m exampletest.Message) bool {
			return m.Message == "InterfaceAnnouncement" && m.Name == "eth0" && m.Interface > 1 && m.MTU == 1500 && m.Kind == "veth" &&
				m.Hardware == "02:00:00:00:00:01" && *m.Up && *m.Carrier && m.Flags[0] == "up"
		},
		"domain": func(m exampletest.Message) bool {
			return message("ProvisioningDomainAnnouncement", "eth0/ipv4")(m) && m.Family == "ipv4" && m.Interface > 1 && m.Name == "eth0"
		},
		"address": func(m exampletest.Message) bool {
			valid, ok := m.Valid.(float64)
			return message("AddressAnnouncement", "eth0/ipv4")(m) && ok && valid > 3000 && valid <= 3600 && m.Element == "DHCPv4"
		},
		"link-local address": func(m exampletest.Message) bool {
			return message("AddressAnnouncement", "wlan0/ipv6")(m) && m.Valid == "forever" && m.Preferred == "forever" && m.Flags[0] == "link-local"
		},
		"data": func(m exampletest.Message) bool {
			return message("ConfigurationData", "eth0/ipv4")(m) && m.Element == "DHCPv4" && m.Item == "DNSServers" && len(m.Data) == 1 &&
				m.Data[0].Value == "192.168.1.1:53" && m.Data[0].Source != "" && m.Data[0].Expires.(float64) > 3000
		},
	} {
		if len(exampletest.Find(all, match)) != 1 {
			t.Errorf("no %s as it should be, or several", what)
		}
	}
}

func TestPlain(t *testing.T) {
	t.Parallel()
	n := miftest.New(t)
	_, err := n.Figure2()
	must(t, err)
	r := exampletest.RunIn(t, n.Host(), "-for", "1s", "-v")
	for _, want := range []string{
		" + eth0             interface 2, up, veth, MTU 1500, 02:00:00:00:00:01\n",
		" + wlan0/ipv6       domain on wlan0, ipv6\n",
		" + eth0/ipv4        address 192.168.1.100/24, DHCPv4, valid ",
		" = eth0/ipv4        DHCPv4 DNSServers: 192.168.1.1:53\n",
		" = eth0/ipv4        DHCPv4 PREF64: nothing\n",
	} {
		if strings.Count(r.Out, want) != 1 {
			t.Errorf("%q is not there, or not once:\n%s", want, r.Out)
		}
	}
	if r.Status != 0 || !strings.Contains(r.Err, "source: route socket") {
		t.Errorf("status %d, %s", r.Status, r.Err)
	}
}

func TestNoSuchNamespace(t *testing.T) {
	t.Parallel()
	r := exampletest.RunHere(t, "-netns", "/nowhere")
	if r.Status != 1 || !strings.Contains(r.Err, "/nowhere") {
		t.Errorf("status %d, %q", r.Status, r.Err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
