package interop

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// built is what the tests have built, to be removed at the end.
var built struct {
	sync.Mutex
	watch string
	dirs  []string
}

// buildWatch returns the path of examples/watch, built once.
func buildWatch(t *testing.T) string {
	t.Helper()
	built.Lock()
	defer built.Unlock()
	if built.watch != "" {
		return built.watch
	}
	dir, err := os.MkdirTemp("", "interop")
	if err != nil {
		t.Fatal(err)
	}
	built.dirs = append(built.dirs, dir)
	path, err := build(dir, "watch")
	if err != nil {
		t.Fatal(err)
	}
	built.watch = path
	return path
}

func build(dir, name string) (string, error) {
	path := filepath.Join(dir, name)
	args := []string{"build", "-buildvcs=false", "-o", path}
	if raced {
		args = append(args, "-race")
	}
	out, err := exec.Command("go", append(args, "github.com/go-mif/mif/examples/"+name)...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("building %s: %w\n%s", name, err, out)
	}
	return path, nil
}
