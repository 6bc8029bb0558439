package main

import (
	"strings"
	"testing"

	"github.com/gdamore/tcell/v2"

	"github.com/go-mif/mif/examples/internal/exampletest"
	"github.com/go-mif/mif/miftest"
)

// The README shows the table of the host of Figure 2 in part, docs/programs.md all of it.
func TestReadme(t *testing.T) {
	t.Parallel()
	exampletest.Recorded(t, func() string {
		table := "$ watch\n" + figure(t)
		first, _, _ := strings.Cut(table, "\nwlan0 ")
		return exampletest.Shown(t, exampletest.Programs, "watch", table) + exampletest.Shown(t, exampletest.README, "watch", first+"\n...\n")
	})
}

// figure is the table that is left of a host that becomes that of the figure.
func figure(t *testing.T) string {
	n := miftest.New(t)
	d := newDesk(t)
	end := d.show(n.Host(), false)
	d.await(`^lo `) // from now on it hears what routers say
	_, err := n.Figure2()
	must(t, err)
	d.await(`^3 interfaces, 3 domains, 5 addresses `, `DNSServers +\[2001:db8:1::53\]:53`, `DNSServers +\[2001:db8:2::53\]:53`,
		`SearchDomains +example.com`, `Routes +0\.0\.0\.0/0`, `Routes +::/0 via fe80::1ff:fe00:1`, `Routes +::/0 via fe80::1ff:fe00:2`,
		`Prefixes +2001:db8:1::/64`, `Prefixes +2001:db8:2::/64`)
	d.InjectKey(tcell.KeyRune, 'q', 0)
	return end()
}
