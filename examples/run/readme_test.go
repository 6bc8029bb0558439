package main

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/go-mif/mif/examples/internal/exampletest"
)

func TestReadme(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("curl is not installed")
	}
	n, _ := uplinks(t)
	args := []string{"-pvd", "eth1", "--", "curl", "-sS", "http://" + exampletest.Name}
	r := exampletest.RunIn(t, n.Host(), args...)
	exampletest.Shown(t, "run", "$ run "+strings.Join(args, " ")+"\n"+r.Err+r.Out)
}
