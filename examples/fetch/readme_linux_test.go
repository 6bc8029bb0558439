package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-mif/mif/examples/internal/exampletest"
	"github.com/go-mif/mif/miftest"
)

// A window is a terminal with a program whose screen is looked at.
type window struct {
	t    *testing.T
	seat *os.File
	rows []string
	rest string // of a line whose end has not come yet
}

// await reads until the screen is as it should be, and returns it.
func (w *window) await(so func(screen string) bool) string {
	w.t.Helper()
	w.seat.SetReadDeadline(time.Now().Add(limit))
	b := make([]byte, 1<<16)
	for !so(strings.Join(w.rows, "")) {
		n, err := w.seat.Read(b)
		if err != nil {
			w.t.Fatalf("%v, the screen is\n%s", err, strings.Join(w.rows, ""))
		}
		w.rest += string(b[:n])
		for l, rest, ok := strings.Cut(w.rest, "\n"); ok; l, rest, ok = strings.Cut(rest, "\n") {
			w.take(l + "\n")
			w.rest = rest
		}
	}
	return strings.Join(w.rows, "")
}

// take shows a line. Before it, as many may be taken away as it tells.
func (w *window) take(l string) {
	if up, rest, ok := strings.Cut(l, "A\x1b[J"); ok {
		n, err := strconv.Atoi(strings.TrimPrefix(up, "\x1b["))
		must(w.t, err)
		w.rows, l = w.rows[:len(w.rows)-n], rest
	}
	w.rows = append(w.rows, l)
}

// Where bars have no room there are lines.
func TestNarrow(t *testing.T) {
	t.Parallel()
	n := miftest.New(t)
	slow(t, exampletest.AddUplink(t, n, 0), content(1<<20), 5_000)
	w := &window{t: t}
	w.run(n.Host(), 79)
	w.await(func(s string) bool { return strings.Contains(s, "\nfile: ") })
	if s := strings.Join(w.rows, ""); strings.Contains(s, "\x1b") || strings.Contains(s, "[=") {
		t.Errorf("%q", s)
	}
}

// run runs the example on a terminal with so many columns.
func (w *window) run(h *miftest.Host, columns uint16) *miftest.Cmd {
	w.t.Helper()
	var program *os.File
	w.seat, program = exampletest.Terminal(w.t, columns, 24)
	cmd := exampletest.In(h, fileURL)
	cmd.Dir = w.t.TempDir()
	cmd.Env = append(cmd.Env, "TERM=xterm")
	cmd.Stdout, cmd.Stderr = program, program
	must(w.t, cmd.Start())
	w.t.Cleanup(func() { cmd.Process.Kill() })
	return cmd
}

// The README shows a download on a terminal in the midst of it, docs/programs.md how it
// ended after a cable was pulled there.
func TestReadme(t *testing.T) {
	t.Parallel()
	exampletest.Recorded(t, func() string {
		midst, end := pulled(t)
		return exampletest.Shown(t, exampletest.README, "fetch", "$ fetch "+fileURL+"\n"+midst) + exampletest.Shown(t, exampletest.Programs, "fetch, later", end)
	})
}

// pulled is the screen in the midst of a download, and after a cable was pulled then.
func pulled(t *testing.T) (midst, end string) {
	n := miftest.New(t)
	all := exampletest.Uplinks(t, n, 2)
	body := content(8 << 20)
	for _, u := range all {
		slow(t, u, body, 5_000)
	}
	w := &window{t: t}
	cmd := w.run(n.Host(), 80)
	const bars = 3
	midst = w.await(func(s string) bool {
		return strings.Count(s, "B/s\r\n") == bars && strings.Count(s, "[=") == bars && !strings.Contains(s, " 0 B/s")
	})
	must(t, all[0].CablePull())
	end = w.await(func(s string) bool { return strings.Contains(s, "\nfile: ") })
	must(t, cmd.Wait())
	if b, err := os.ReadFile(filepath.Join(cmd.Dir, "file")); err != nil || string(b) != string(body) {
		t.Errorf("%d octets of %d are there, %v", len(b), len(body), err)
	}
	return midst, end
}
