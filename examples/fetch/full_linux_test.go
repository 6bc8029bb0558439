package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/go-mif/mif/examples/internal/exampletest"
	"github.com/go-mif/mif/miftest"
)

// Where there is no more room, the download says so and leaves nothing.
func TestFull(t *testing.T) {
	t.Parallel()
	n := miftest.New(t)
	serve(t, exampletest.AddUplink(t, n, 0), &server{body: content(2 << 20)})
	dir := t.TempDir()
	if err := unix.Mount("small", dir, "tmpfs", 0, "size=1m"); err != nil {
		t.Skipf("needs a file system of its own: %v", err)
	}
	defer unix.Unmount(dir, 0)
	r := exampletest.RunIn(t, n.Host(), "-o", filepath.Join(dir, "file"), fileURL)
	if left, err := os.ReadDir(dir); r.Status != 1 || !strings.Contains(r.Err, "no space left on device") || err != nil || len(left) > 0 {
		t.Errorf("status %d %s, %v is left, %v", r.Status, r.Err, left, err)
	}
}
