package main

import (
	"bytes"
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gdamore/tcell/v2"

	"github.com/go-mif/mif"
	"github.com/go-mif/mif/examples/internal/exampletest"
	"github.com/go-mif/mif/miftest"
)

// A desk is a screen in memory, with someone who looks at what it last showed.
type desk struct {
	tcell.SimulationScreen
	t     *testing.T
	panic bool // when it is to show something
	fini  bool

	sync.Mutex
	changed *sync.Cond
	rows    []string
	styles  map[tcell.Style]bool // that it ever showed
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	d := &desk{SimulationScreen: tcell.NewSimulationScreen("UTF-8"), t: t, styles: map[tcell.Style]bool{}}
	d.changed = sync.NewCond(d)
	must(t, d.Init())
	d.SetSize(100, 40)
	return d
}

func (d *desk) resize(width, height int) {
	d.t.Helper()
	d.SetSize(width, height)
	must(d.t, d.PostEvent(tcell.NewEventResize(width, height)))
}

func (d *desk) Fini() {
	d.fini = true
	d.SimulationScreen.Fini()
}

func (d *desk) Show() {
	d.SimulationScreen.Show()
	if d.panic {
		panic("as it was told")
	}
	cells, width, height := d.GetContents()
	d.Lock()
	defer d.Unlock()
	d.rows = nil
	for y := range height {
		var b strings.Builder
		for _, c := range cells[y*width : (y+1)*width] {
			b.WriteString(string(c.Runes))
			d.styles[c.Style] = true
		}
		d.rows = append(d.rows, strings.TrimRight(b.String(), " "))
	}
	d.changed.Broadcast()
}

// await waits until one screen has a line for each pattern.
func (d *desk) await(patterns ...string) {
	d.t.Helper()
	d.awaitThat(strings.Join(patterns, ", "), func() bool {
		return !slices.ContainsFunc(patterns, func(p string) bool { return d.row(p) == "" })
	})
}

func (d *desk) awaitThat(what string, so func() bool) {
	d.t.Helper()
	late := false
	timer := time.AfterFunc(20*time.Second, func() { d.Lock(); late = true; d.changed.Broadcast(); d.Unlock() })
	defer timer.Stop()
	d.Lock()
	defer d.Unlock()
	for !so() {
		if late {
			d.t.Fatalf("no %s in\n%s", what, strings.Join(d.rows, "\n"))
		}
		d.changed.Wait()
	}
}

// row is the first that fits a pattern, else empty.
func (d *desk) row(pattern string) string {
	if i := slices.IndexFunc(d.rows, regexp.MustCompile(pattern).MatchString); i >= 0 {
		return d.rows[i]
	}
	return ""
}

// countsDown waits until a row has had three forms.
func (d *desk) countsDown(pattern string) {
	d.t.Helper()
	forms := map[string]bool{}
	d.awaitThat("countdown", func() bool {
		forms[d.row(pattern)] = true
		return len(forms) == 3
	})
}

// show begins to follow a host on the screen, and returns what waits for the end of it.
func (d *desk) show(h *miftest.Host, colours bool) (end func() (left string)) {
	d.t.Helper()
	host, err := mif.Open(&mif.Config{NetNS: h.NetNS(), Root: h.Root()})
	must(d.t, err)
	d.t.Cleanup(func() { host.Close() })
	ended := make(chan error, 1)
	var left bytes.Buffer
	go func() { ended <- follow(context.Background(), host, d, &left, colours, false) }()
	return func() string {
		d.t.Helper()
		must(d.t, <-ended)
		if !d.fini {
			d.t.Error("the terminal is not given back")
		}
		return left.String()
	}
}

// The table follows what goes on, the keys, and the size of the screen.
func TestTable(t *testing.T) {
	t.Parallel()
	n, f := exampletest.Figure(t)
	d := newDesk(t)
	end := d.show(n.Host(), true)
	d.await(`^3 interfaces, 3 domains, 5 addresses .* q ends   \d\d:\d\d:\d\d$`, `^INTERFACE .* VALID$`,
		`^eth0 +up, veth, MTU 1500, 02:00:00:00:00:01$`, `^  eth0/ipv4 +ipv4$`,
		`^    DHCPv4 +192\.168\.1\.100/24 .*\d+m\d+s$`, `^ +DNSServers +192\.168\.1\.1:53 .*\d+m\d+s$`,
		`^── events ─+$`, ` = wlan0/ipv6 +RA Prefixes: 2001:db8:2::/64$`)
	d.countsDown(`192\.168\.1\.100/24`)
	d.scrolls()
	must(t, f.Eth0.CablePull())
	d.await(`^eth0 +up without carrier,`, `- eth0/ipv4 +domain$`)
	d.InjectKey(tcell.KeyRune, 'q', 0)
	left := end()
	if !strings.Contains(left, "  wlan0/ipv6") || strings.Contains(left, "  eth0/ipv4") || !strings.Contains(left, "\x1b[1;36m") {
		t.Errorf("it leaves behind %q", left)
	}
	if len(d.styles) < 4 {
		t.Errorf("it had %d styles", len(d.styles))
	}
}

// scrolls sees that keys move a table for which there is no room.
func (d *desk) scrolls() {
	d.t.Helper()
	d.resize(50, 12)
	d.await(`^INTERFACE$`, `^lo `, `^… 0 lines above, \d\d below: arrows, PgUp, PgDn$`)
	d.InjectKey(tcell.KeyDown, 0, 0)
	d.await(`^INTERFACE$`, `^eth0 `, `^… 1 lines above, `)
	d.InjectKey(tcell.KeyRune, 'G', 0)
	d.await(`^… \d\d lines above, 0 below`)
	d.InjectKey(tcell.KeyPgUp, 0, 0)
	d.await(`^… \d+ lines above, 6 below`)
	d.InjectKey(tcell.KeyHome, 0, 0)
	d.await(`^lo `, `^… 0 lines above, `)
	d.resize(100, 40)
}

// A late screen has become smaller, and says so too late.
type late struct{ tcell.SimulationScreen }

func (late) Size() (width, height int) { return 100, 40 }

// A terminal that becomes smaller while a line is drawn shows what it has room for.
func TestSmallerMeanwhile(t *testing.T) {
	t.Parallel()
	s := late{tcell.NewSimulationScreen("UTF-8")}
	must(t, s.Init())
	defer s.Fini()
	s.SetSize(4, 2)
	for row := range 3 {
		line{{"eth0 is up", strong}, {", wlan0 is not", faint}}.put(s, row, true)
	}
	s.Show()
	cells, _, _ := s.GetContents()
	var shown strings.Builder
	for _, c := range cells {
		shown.WriteString(string(c.Runes))
	}
	if shown.String() != "eth0eth0" {
		t.Errorf("it shows %q", shown.String())
	}
}

// A host with one plain uplink is a small table.
func TestPlainUplink(t *testing.T) {
	t.Parallel()
	n, _ := exampletest.Plain(t)
	d := newDesk(t)
	end := d.show(n.Host(), true)
	d.await(`^2 interfaces, 2 domains, 3 addresses `, `^eth0 +up, veth`, `^  eth0/ipv4 +ipv4$`, `^    DHCPv4 +10\.0\.0\.2/24 `,
		`^ +DNSServers +10\.0\.0\.1:53`, `^  eth0/ipv6 +ipv6$`, `^    RA +2001:db8::`)
	d.InjectKey(tcell.KeyRune, 'q', 0)
	end()
}

// Without colours nothing but text is shown.
func TestNoColours(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	end := d.show(miftest.New(t).Host(), false)
	d.await(`^lo `, ` \+ lo `)
	d.InjectKey(tcell.KeyCtrlC, 0, tcell.ModCtrl)
	if left := end(); strings.Contains(left, "\x1b") || !strings.Contains(left, "\nlo ") {
		t.Errorf("it leaves behind %q", left)
	}
	delete(d.styles, tcell.StyleDefault)
	if len(d.styles) > 0 {
		t.Errorf("styles %v", d.styles)
	}
}

// A terminal that fails ends the program, and a panic leaves none that is taken.
func TestFails(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	host, err := mif.Open(&mif.Config{NetNS: miftest.New(t).Host().NetNS(), Root: t.TempDir()})
	must(t, err)
	t.Cleanup(func() { host.Close() })
	broken := errors.New("broken")
	must(t, d.PostEvent(tcell.NewEventError(broken)))
	if err := follow(context.Background(), host, d, &bytes.Buffer{}, true, false); err == nil || err.Error() != "broken" || !d.fini {
		t.Errorf("%v, given back: %v", err, d.fini)
	}
	d = newDesk(t)
	d.panic = true
	defer func() {
		if recover() == nil || !d.fini {
			t.Error("it did not panic, or the terminal is not given back")
		}
	}()
	follow(context.Background(), host, d, &bytes.Buffer{}, true, false)
}
