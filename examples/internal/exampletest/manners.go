package exampletest

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/go-mif/mif/miftest"
)

// Interrupted checks that an example says so and ends with status 1 if it is interrupted
// once something is so.
func Interrupted(t *testing.T, c *miftest.Cmd, once func() bool) {
	t.Helper()
	i := &interrupted{Cmd: c, once: once}
	r := Run(t, i, &c.Stdout, &c.Stderr)
	if r.Status != 1 || !strings.HasSuffix(r.Err, ": interrupted\n") {
		t.Errorf("status %d, %q", r.Status, r.Err)
	}
}

// An interrupted is a command that is interrupted when it runs.
type interrupted struct {
	*miftest.Cmd
	once func() bool
}

func (i *interrupted) Run() error {
	if err := i.Start(); err != nil {
		return err
	}
	defer time.AfterFunc(time.Minute, func() { i.Process.Kill() }).Stop()
	if !i.once() {
		i.Process.Kill()
	}
	i.Process.Signal(os.Interrupt) // if it fails, the process has ended, as Wait tells
	return i.Wait()
}

// Manners checks what every example owes who calls it: that -h teaches, and that a
// wrong call is told so with status 2.
func Manners(t *testing.T, name string, wrong map[string][]string) {
	t.Helper()
	r := RunHere(t, "-h")
	for _, want := range []string{"usage: " + name, "draft-ietf-mif-api-extension-00", "section", "\n    " + name + " ", "-json", "-netns"} {
		if !strings.Contains(r.Out, want) {
			t.Errorf("-h does not say %q:\n%s", want, r.Out)
		}
	}
	if r.Status != 0 || r.Err != "" {
		t.Errorf("-h: status %d, %q", r.Status, r.Err)
	}
	for says, args := range wrong {
		r := RunHere(t, args...)
		if r.Status != 2 || !strings.Contains(r.Err, says) || r.Out != "" {
			t.Errorf("%q: status %d, want 2; %q does not say %q", args, r.Status, r.Err, says)
		}
	}
}
