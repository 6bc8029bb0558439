package interop

import (
	"bufio"
	"bytes"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-mif/mif/miftest"
)

// patience bounds every wait. It is reached only when something is broken.
const patience = 30 * time.Second

// A watch is a running examples/watch -json, read into a model line by line.
type watch struct {
	t     *testing.T
	lab   *lab
	cmd   *miftest.Cmd
	errs  bytes.Buffer
	lines chan []byte // closed at the end of the stream
	model *model
	last  []string   // the latest lines, for a report
	heard func(line) // if not nil, is told of each line
}

// watch starts the program in the host, without any privilege.
func (l *lab) watch() *watch {
	l.t.Helper()
	w := &watch{t: l.t, lab: l, model: newModel(), lines: make(chan []byte, 1<<16)}
	w.cmd = l.host.Command(buildWatch(l.t), "-json", "-v", "-root", l.host.Root())
	w.cmd.Unprivileged = true
	w.cmd.Stderr = &w.errs
	out, err := w.cmd.StdoutPipe()
	if err != nil {
		l.t.Fatal(err)
	}
	if err := w.cmd.Start(); err != nil {
		l.t.Fatal(err)
	}
	go func() {
		defer close(w.lines)
		in := bufio.NewScanner(out)
		in.Buffer(nil, 1<<20)
		for in.Scan() {
			w.lines <- bytes.Clone(in.Bytes())
		}
	}()
	l.t.Cleanup(w.stop)
	return w
}

// stop ends the program and sees that the rest of the stream is legal too.
func (w *watch) stop() {
	w.cmd.Process.Signal(syscall.SIGTERM)
	for b := range w.lines {
		w.take(b)
	}
	if err := w.cmd.Wait(); err != nil {
		w.t.Errorf("watch: %v\n%s", err, w.errs.String())
	}
}

// take takes one line, and remembers the failure if it may not come.
func (w *watch) take(b []byte) line {
	w.t.Helper()
	l, err := parseLine(b)
	if l.Message != "NoConfigurationData" || err != nil { // of which there are too many
		w.last = append(w.last, string(b))
	}
	if len(w.last) > 60 {
		w.last = w.last[1:]
	}
	if err == nil {
		err = w.model.take(l)
	}
	if w.heard != nil {
		w.heard(l)
	}
	if err != nil {
		w.t.Errorf("watch: %v: in the last of\n%s", err, strings.Join(w.last, "\n"))
	}
	return l
}

// until reads lines until one is as wanted, and returns it.
func (w *watch) until(what string, wanted func(line) bool) line {
	w.t.Helper()
	for deadline := time.After(patience); ; {
		select {
		case b, ok := <-w.lines:
			if !ok {
				w.t.Fatalf("watch ended before %s", what)
			}
			if l := w.take(b); wanted(l) {
				return l
			}
		case <-deadline:
			w.t.Fatalf("watch: no %s, but at last\n%s", what, strings.Join(w.last, "\n"))
		}
	}
}

// settle reads lines until the model is the truth and has the configuration that is
// wanted of eth0.
func (w *watch) settle(what string, so, configured facts) {
	w.t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(patience); ; {
		w.drain()
		wrong := w.wrong(so, configured)
		if wrong == nil {
			return
		}
		select {
		case b, ok := <-w.lines:
			if !ok {
				w.t.Fatalf("%s: watch ended\n%s", what, w.errs.String())
			}
			w.take(b)
		case <-tick.C: // ip may have been asked too early
		case <-deadline:
			w.t.Fatalf("%s: %v\nafter\n%s", what, wrong, strings.Join(w.last, "\n"))
		}
	}
}

// drain takes the lines that are there.
func (w *watch) drain() {
	w.t.Helper()
	for {
		select {
		case b, ok := <-w.lines:
			if !ok {
				return
			}
			w.take(b)
		default:
			return
		}
	}
}

// wrong tells how the model is not as it should be.
func (w *watch) wrong(so, configured facts) error {
	is := w.lab.truth()
	have := is.facts()
	for s := range so {
		if !have[s] {
			return fmt.Errorf("not so yet: %s", s)
		}
	}
	if d := differ(w.model.kernel(), have); d != "" {
		return fmt.Errorf("compared with ip:\n%s", d)
	}
	if d := differ(w.model.configuration("eth0"), configured); d != "" {
		return fmt.Errorf("compared with what was configured:\n%s", d)
	}
	if len(w.model.refused) > 0 {
		return fmt.Errorf("refused for domains that are there: %v", w.model.refused)
	}
	return is.lifetimes(w.model)
}
