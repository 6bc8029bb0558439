package main

import (
	"strings"
	"testing"

	"github.com/go-mif/mif/examples/internal/exampletest"
)

func TestReadme(t *testing.T) {
	t.Parallel()
	n, f := exampletest.Figure(t)
	exampletest.Recorded(t, func() string {
		var all strings.Builder
		for _, flags := range []string{"", "-explain -pvd wlan0 "} {
			args := append(strings.Fields(flags), f.Wlan0IPv6.Addr().String())
			r := exampletest.RunIn(t, n.Host(), args...)
			all.WriteString("$ dial " + strings.Join(args, " ") + "\n" + r.Out + r.Err)
		}
		return exampletest.Shown(t, exampletest.README, "dial", all.String())
	})
}
