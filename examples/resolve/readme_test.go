package main

import (
	"testing"

	"github.com/go-mif/mif/examples/internal/exampletest"
)

func TestReadme(t *testing.T) {
	t.Parallel()
	n, f := exampletest.Figure(t)
	exampletest.Recorded(t, func() string {
		r := heard(t, n, f, f.Name)
		return exampletest.Shown(t, exampletest.README, "resolve", "$ resolve -wait 20s "+f.Name+"\n"+r.Out+r.Err)
	})
}
