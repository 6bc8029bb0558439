package main

import (
	"strings"
	"testing"

	"github.com/go-mif/mif/examples/internal/exampletest"
)

func TestReadme(t *testing.T) {
	t.Parallel()
	exampletest.Needs(t, "curl")
	n, _ := exampletest.Sites(t)
	args := []string{"-pvd", "eth1", "--", "curl", "-sS", "http://" + exampletest.Name}
	exampletest.Recorded(t, func() string {
		r := exampletest.RunIn(t, n.Host(), args...)
		return exampletest.Shown(t, exampletest.README, "run", "$ run "+strings.Join(args, " ")+"\n"+r.Err+r.Out)
	})
}
