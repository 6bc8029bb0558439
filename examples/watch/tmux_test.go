package main

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/go-mif/mif/examples/internal/exampletest"
	"github.com/go-mif/mif/miftest"
)

// A pane is where tmux, a terminal emulator that others wrote, shows the example.
type pane struct {
	t      *testing.T
	host   *miftest.Host
	socket string
}

func open(t *testing.T, h *miftest.Host) *pane {
	t.Helper()
	exampletest.Needs(t, "tmux")
	p := &pane{t, h, filepath.Join(t.TempDir(), "tmux")}
	self, err := os.Executable()
	must(t, err)
	p.tmux("new-session", "-d", "-x", "100", "-y", "40", self, "-root", h.Root(), ";", "set", "remain-on-exit", "on")
	t.Cleanup(func() { p.tmux("kill-server") })
	return p
}

// tmux gives tmux a command.
func (p *pane) tmux(args ...string) (out string) {
	p.t.Helper()
	c := p.host.Command("tmux", append([]string{"-u", "-f", "/dev/null", "-S", p.socket}, args...)...)
	c.Env = append(exampletest.In(p.host).Env, "LC_ALL=C.UTF-8", "NO_COLOR=")
	b, err := c.CombinedOutput()
	if err != nil {
		p.t.Fatalf("%q: %v %s", args, err, b)
	}
	return string(b)
}

// await waits until the pane shows something. Below what it shows is whether its
// program has ended: tmux writes that into the pane too, but now and then overlooks
// that it may.
func (p *pane) await(pattern string) {
	p.t.Helper()
	for late := time.Now().Add(20 * time.Second); ; {
		screen := p.tmux("capture-pane", "-p", ";", "display-message", "-p", "dead: #{pane_dead}")
		if regexp.MustCompile(pattern).MatchString(screen) {
			return
		}
		if time.Now().After(late) {
			p.t.Fatalf("no %q in\n%s", pattern, screen)
		}
	}
}

// The table stands where it should, follows the terminal's size and moves.
func TestTmux(t *testing.T) {
	t.Parallel()
	n, _ := exampletest.Figure(t)
	p := open(t, n.Host())
	p.await(`(?ms)^INTERFACE .* VALID$.*^eth0 +up, veth.*^  wlan0/ipv6 +ipv6$.*^── events ─+$.*2001:db8:2::/64$`)
	p.tmux("resize-window", "-x", "70", "-y", "12")
	p.await(`(?ms)^3 interfaces.*^… 0 lines above, \d+ below: arrows, PgUp, PgDn$`)
	p.tmux("send-keys", "End")
	p.await(`(?m)^… \d+ lines above, 0 below`)
	p.tmux("send-keys", "q")
	p.await(`(?ms)^lo .*^dead: 1$`)
}
